#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What every route answers is as GET /v1/schema says.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MJSON::PP -e 1

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"
api /v1/schema >"$tmp/schema"
plan 48

# fits SENTENCE REF PATH [CURL ARGS...]
fits()
{
	sentence=$1
	ref=$2
	echo "$ref" >>"$tmp/refs"
	shift 2
	api "$@" >"$tmp/answer"
	is "$sentence" "$(perl "$srcdir/tests/lib/check-json.pl" \
	    "$tmp/schema" "#/\$defs/$ref" <"$tmp/answer" 2>&1)" ""
}

is "every route is in the schema" "$(jq '.routes | length' "$tmp/schema")" \
    "$(grep -c '^	{ CTL_' "$srcdir/daemon/control/routes.c")"
is "with what it answers, unless that is no JSON" "$(jq -r '.routes[] |
    select(.answer == null) | .path' "$tmp/schema" | tr '\n' ' ')" "/ /metrics "
is "the body of a request is described" "$(jq -r '.routes[] |
    select(.path == "/v1/jobs/{job}/pause") | .body.reason.type' \
    "$tmp/schema")" string
fits "the schema fits itself" schema /v1/schema
fits "version" version /v1/version
fits "health" health /v1/health
fits "all jobs" jobs /v1/jobs
fits "a job that never ran" job /v1/jobs/quick
fits "its map" map /v1/jobs/quick/map
fits "a reload" reload /v1/config/reload --request POST
fits "what one would change" reload /v1/config/check --request POST
fits "a pause" job /v1/jobs/quick/pause --data '{"reason":"x"}'
fits "a paused job" job /v1/jobs/quick
fits "a refused start" problem /v1/jobs/quick/start --request POST
fits "a resumption" job /v1/jobs/quick/resume --request POST
rev=$(job_field quick .rev)
fits "a start" accepted /v1/jobs/quick/start --request POST
wait_job quick
fits "a job that has run" job /v1/jobs/quick
fits "the map of its run" map '/v1/jobs/quick/map?cells=16'
is "which is all durable" "$(jq -c .runs "$tmp/answer")" '[["durable",16]]'
start_job bad
wait_job bad
fits "a job that has failed" job /v1/jobs/bad
fits "health with a failure" health /v1/health
start_job slow
wait_copied slow
fits "a job that runs" job /v1/jobs/slow
fits "the map while it does" map '/v1/jobs/slow/map?cells=1000'
is "has so many cells" "$(jq '[.runs[][1]] | add' "$tmp/answer")" 1000
is "the rest to do" "$(jq -r '.runs[-1][0]' "$tmp/answer")" todo
fits "all jobs then" jobs /v1/jobs
fits "a cancellation" accepted /v1/jobs/slow/cancel --request POST
rev=0
wait_job slow
fits "the runs of a job" runs /v1/jobs/quick/history
fits "the runs of all" runs /v1/runs
fits "a run that has succeeded" past_run "/v1/runs/$(job_field quick \
    .last_run.id)"
fits "one that has failed" past_run "/v1/runs/$(job_field bad .last_run.id)"
fits "one that was cancelled" past_run "/v1/runs/$run"
ok "which leaves a place to go on from" wait_for \
    '[ "$(api_status /v1/jobs/slow/checkpoint)" = 200 ]'
fits "that place" checkpoint /v1/jobs/slow/checkpoint
fits "a reset" reset /v1/jobs/slow/reset --data '{"confirm":"slow"}'
fits "a limit" job /v1/jobs/slow/limits --request PATCH \
    --data '{"rate":"1MB/s","ttl":"1h"}'
fits "the endpoints" endpoints /v1/endpoints
fits "what one says" probe /v1/endpoints/quick/probe --request POST
fits "what was logged" log /v1/log
fits "what was logged of a run" log "/v1/runs/$run/log"
fits "a level of the log" log_level /v1/log/level --request PUT \
    --data '{"level":"info","ttl":"1m"}'
fits "no such job" problem /v1/jobs/none/map
fits "too many cells" problem '/v1/jobs/quick/map?cells=1000000'
fits "no such path" problem /v1/none
events "" "$tmp/answer"
is "events" "$(perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" \
    '#/$defs/event' <"$tmp/answer" 2>&1)" ""
echo '{"health":"fine","stopping":0}' >"$tmp/wrong"
like "the check finds what does not fit" "$(perl \
    "$srcdir/tests/lib/check-json.pl" "$tmp/schema" '#/$defs/health' \
    <"$tmp/wrong")" 'has no "jobs"'
fits "the end" shutdown /v1/shutdown --data '{"confirm":"nbdsyncd"}'
echo event >>"$tmp/refs"
is "every kind of answer has been looked at" "$(sort -u "$tmp/refs" |
    grep -v -x problem)" "$(jq -r '.routes[].answer."$ref" // empty |
    sub(".*/"; "")' "$tmp/schema" | sort -u)"
