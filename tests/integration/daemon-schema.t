#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What every route answers is as GET /v1/schema says, and all of it is there.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MJSON::PP -e 1

make_data "$tmp/a" $((1 * MiB)) 1
make_data "$tmp/b" $((1 * MiB)) 2
truncate -s $((1 * MiB)) "$tmp/c"
conf_jobs()
{
	conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  { name = \"a\"; path = \"$tmp/a\"; }, { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"no\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\";
    schedule = \"0 0 1 1 *\"; rpo_warn = \"1d\"; digest = \"sha256\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  { name = \"holes\"; source = \"bad\"; destination = \"n\";
    on_read_error = \"skip\"; },
  { name = \"two\"; source = \"a\"; destinations = [ \"b\", \"c\" ];
    verify = \"after\"; },
  { name = \"half\"; source = \"a\"; destinations = [ \"b\", \"no\" ]; },
  $(slow_job slow slow n) ${1-} );"
}
conf_jobs
start_daemon "$tmp/conf"
api /v1/schema >"$tmp/schema"
plan 66

# The route that a request means, as "METHOD PATTERN".
route_of()
{
	jq -r --arg method "$1" --arg path "${2%%\?*}" '.routes[] |
	    select(.method == $method) | select(.path as $p | $path |
	    test("^" + ($p | gsub("\\{[a-z]+\\}"; "[^/]+")) + "$")) |
	    "\(.method) \(.path)"' "$tmp/schema"
}

# check SENTENCE REF: what is in $tmp/answer
check()
{
	is "$1" "$(perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" \
	    "#/\$defs/$2" <"$tmp/answer" 2>&1)" ""
}

# ask METHOD PATH [BODY]: into $tmp/answer
ask()
{
	if [ $# -gt 2 ]; then
		api "$2" --request "$1" --data "$3"
	else
		api "$2" --request "$1"
	fi >"$tmp/answer"
}

# fits SENTENCE METHOD PATH [BODY]: what it answers is what the schema has for
# the route
fits()
{
	sentence=$1
	shift
	ask "$@"
	route=$(route_of "$1" "$2")
	echo "$route" >>"$tmp/seen"
	check "$sentence" "$(jq -r --arg route "$route" '.routes[] |
	    select("\(.method) \(.path)" == $route) | .answer."$ref" |
	    sub(".*/"; "")' "$tmp/schema")"
}

# refused SENTENCE STATUS METHOD PATH [BODY]: it is a problem
refused()
{
	sentence=$1 number=$2
	shift 2
	ask "$@"
	check "$sentence" problem
	[ "$(jq .status "$tmp/answer")" = "$number" ] ||
	    is "with status $number" "$(cat "$tmp/answer")" "$number"
}

run_job()
{
	start_job "$1"
	wait_job "$1"
}

is "every route is in the schema" "$(jq '.routes | length' "$tmp/schema")" \
    "$(grep -c '^	{ CTL_' "$srcdir/daemon/control/routes.c")"
is "with what it answers, unless that is no JSON" "$(jq -r '.routes[] |
    select(.answer == null) | .path' "$tmp/schema" | tr '\n' ' ')" "/ /metrics "
is "the body of a request is described" "$(jq -r '.routes[] |
    select(.path == "/v1/jobs/{job}/pause") | .body.reason.type' \
    "$tmp/schema")" string
is "and so is the query" "$(jq -r '.routes[] |
    select(.path == "/v1/jobs/{job}") | .query.wait.type' \
    "$tmp/schema")" integer
fits "the schema fits itself" GET /v1/schema
fits "version" GET /v1/version
fits "health" GET /v1/health
fits "all jobs" GET /v1/jobs
fits "a job that never ran" GET /v1/jobs/quick
fits "its map" GET /v1/jobs/quick/map
fits "a reload" POST /v1/config/reload
conf_jobs ', { name = "new"; source = "a"; destination = "c"; }'
fits "what one would change" POST /v1/config/check
is "which is something" "$(jq -c .added "$tmp/answer")" '["new"]'
cp "$tmp/conf" "$tmp/good"
echo 'jobs = ( { nam = "x"; } );' >"$tmp/conf"
refused "a configuration that is wrong" 422 POST /v1/config/reload
like "where it is" "$(jq -r '.problems[0]' "$tmp/answer")" "/conf:1:10: job 1: "
fits "a pause" POST /v1/jobs/quick/pause '{"reason":"x"}'
fits "a paused job" GET /v1/jobs/quick
refused "a refused start" 423 POST /v1/jobs/quick/start
fits "a resumption" POST /v1/jobs/quick/resume
rev=$(job_field quick .rev)
fits "a start" POST /v1/jobs/quick/start '{"mode":"copy","reason":"y"}'
wait_job quick
fits "a job that has run" GET /v1/jobs/quick
fits "the map of its run" GET '/v1/jobs/quick/map?cells=16'
is "which is all durable" "$(jq -c .runs "$tmp/answer")" '[["durable",16]]'
fits "the map to the byte" GET '/v1/jobs/quick/map?exact=1'
run_job bad
fits "a job that has failed" GET /v1/jobs/bad
fits "health with a failure" GET /v1/health
run_job holes
fits "a job that has skipped what is bad" GET /v1/jobs/holes
is "which is listed" "$(jq '.last_run.bad_ranges | length > 0' \
    "$tmp/answer")" true
run_job two
fits "a job that has read back what it wrote" GET /v1/jobs/two
fits "its run, with the digests of it" \
    GET "/v1/runs/$(job_field two .last_run.id)"
is "which are there" "$(jq '.report.block_digests != null' "$tmp/answer")" true
printf x | dd of="$tmp/b" bs=1 seek=5000 conv=notrunc status=none
rev=$(job_field two .rev)
fits "a comparison" POST /v1/jobs/two/verify '{"repair":false}'
wait_job two
fits "a job that has found differences" GET /v1/jobs/two
is "which are listed" "$(jq '.last_run.differences | length' "$tmp/answer")" 1
run_job half
fits "a job one of whose destinations fails" GET /v1/jobs/half
start_job slow
wait_copied slow
fits "a job that runs" GET /v1/jobs/slow
fits "the map while it does" GET '/v1/jobs/slow/map?cells=1000'
is "has so many cells" "$(jq '[.runs[][1]] | add' "$tmp/answer")" 1000
is "the rest to do" "$(jq -r '.runs[-1][0]' "$tmp/answer")" todo
fits "all jobs then" GET /v1/jobs
refused "its run is not in the history yet" 404 GET "/v1/runs/$run"
like "which is said" "$(jq -r .detail "$tmp/answer")" \
    "^run '$run' of job 'slow' has not ended yet$"
fits "its log is there" GET "/v1/runs/$run/log"
fits "a cancellation" POST /v1/jobs/slow/cancel
rev=0
wait_job slow
start_job slow
wait_copied slow
fits "another, by its other name" POST /v1/jobs/slow/stop '{"force":false}'
rev=0
wait_job slow
fits "the runs of a job" GET /v1/jobs/slow/history
fits "the runs of all" GET '/v1/runs?limit=3'
fits "a run that has succeeded" GET "/v1/runs/$(job_field quick .last_run.id)"
fits "one that has failed" GET "/v1/runs/$(job_field bad .last_run.id)"
fits "one that was cancelled" GET "/v1/runs/$run"
ok "which leaves a place to go on from" wait_for \
    '[ "$(api_status /v1/jobs/slow/checkpoint)" = 200 ]'
fits "that place" GET /v1/jobs/slow/checkpoint
fits "a reset" POST /v1/jobs/slow/reset '{"confirm":"slow"}'
fits "a limit" PATCH /v1/jobs/slow/limits '{"rate":"1MB/s","ttl":"1h"}'
fits "the endpoints" GET /v1/endpoints
fits "what one says" POST /v1/endpoints/quick/probe
fits "what was logged" GET '/v1/log?level=info'
fits "a level of the log" PUT /v1/log/level '{"level":"info","ttl":"1m"}'
refused "no such job" 404 GET /v1/jobs/none/map
refused "too many cells" 400 GET '/v1/jobs/quick/map?cells=1000000'
refused "no such path" 404 GET /v1/none
events "" "$tmp/answer"
echo "GET /v1/events" >>"$tmp/seen"
check "events" event
echo '{"health":"fine","stopping":0,"more":1}' >"$tmp/wrong"
perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" '#/$defs/health' \
    <"$tmp/wrong" >"$tmp/found"
like "the check finds what is not there" "$(cat "$tmp/found")" 'has no "jobs"'
like "and what is, but not in the schema" "$(cat "$tmp/found")" \
    'has "more", which the schema has not'
fits "the end" POST /v1/shutdown '{"confirm":"nbdsyncd"}'
is "every route that answers with JSON was asked" "$(sort -u "$tmp/seen")" \
    "$(jq -r '.routes[] | select(.answer != null) | "\(.method) \(.path)"' \
    "$tmp/schema" | sort)"
