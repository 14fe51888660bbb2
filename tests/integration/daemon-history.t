#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What jobs have done is still known after a restart of the daemon.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires sqlite3 --version
plan 53

make_data "$tmp/source" $((1 * MiB)) 1
hold_half "$tmp/held" "$tmp/source"
make_data "$tmp/destination" $((1 * MiB)) 2
conf "endpoints = (
  { name = \"a\"; path = \"$tmp/source\"; },
  { name = \"b\"; path = \"$tmp/destination\"; },
  { name = \"null\"; uri = \"null:\"; },
  { name = \"held\"; command = [ \"nbdkit\", \"sh\", \"$tmp/held\" ]; },
  { name = \"no\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; } );
jobs = ( { name = \"good\"; source = \"a\"; destination = \"b\"; },
  { name = \"short\"; source = \"held\"; destination = \"null\";
    connections = 1; queue_depth = 1; request_size = \"64KiB\"; },
  { name = \"bad\"; source = \"no\"; destination = \"b\"; } );"

restart()
{
	stop_process daemon || bail "the daemon does not end"
	start_daemon "$tmp/conf"
	wait_for '[ "$(job_field good .uuid)" != null ]'
}

start_daemon "$tmp/conf"
wait_for '[ "$(job_field good .uuid)" != null ]'
uuid=$(job_field good .uuid)
like "a job has a UUID" "$uuid" '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-'
is "another job has another" \
    "$(wait_for '[ "$(job_field bad .uuid)" != null ]'
    [ "$(job_field bad .uuid)" != "$uuid" ] && echo yes)" yes
is "the history is empty" "$(api /v1/runs | jq -c .)" '{"runs":[]}'
is "nothing has succeeded" "$(job_field good .last_success)" null

start_job good
first=$run
wait_job good
start_job bad
wait_job bad
start_job good
second=$run
wait_job good
wait_for '[ "$(api /v1/runs | jq ".runs | length")" -eq 3 ]'
is "the newest run is the first of the list" \
    "$(api /v1/runs | jq -r '[.runs[].job] | join(" ")')" "good bad good"
is "a job has its own list" \
    "$(api /v1/jobs/good/history | jq -r '[.runs[].id] | join(" ")')" \
    "$second $first"
is "as many as are wanted" \
    "$(api '/v1/jobs/good/history?limit=1' | jq -r '.runs[].id')" "$second"
is "or those before one" \
    "$(api "/v1/jobs/good/history?before=$second" | jq -r '.runs[].id')" \
    "$first"
is "with their bytes" "$(api /v1/runs | jq '.runs[0].bytes')" $((1 * MiB))
is "a failed one as failed" \
    "$(api /v1/jobs/bad/history | jq -r '.runs[].result')" failed
last=$(job_field good '.last_run | del(.lists_are_cut) | tojson')
is "one run is shown with its report" \
    "$(api "/v1/runs/$second" | jq -r '.report |
	del(.destination, .destinations_id) | tojson')" "$last"
is "another program reads the same" \
    "$(sql 'SELECT id, result FROM runs ORDER BY seq DESC LIMIT 1')" \
    "$second|succeeded"
success=$(job_field good .last_success.run)

is "no job of that name, no history" \
    "$(api /v1/jobs/nobody/history | jq -r .type)" urn:nbdsync:no-such-job
is "no such run is said" "$(api /v1/runs/x | jq -r .type)" \
    urn:nbdsync:no-such-run
is "nor can one begin with it" \
    "$(api '/v1/runs?before=x' | jq -r .type)" urn:nbdsync:no-such-run
is "a limit of 0 is refused" "$(api_status '/v1/runs?limit=0')" 400
is "and one that is too high" "$(api_status '/v1/runs?limit=1001')" 400
is "a job without a checkpoint has none" \
    "$(api /v1/jobs/good/checkpoint | jq -r .type)" urn:nbdsync:no-checkpoint

restart
is "after a restart the UUID is the same" "$(job_field good .uuid)" "$uuid"
"$nbdsync" status >"$tmp/table"
like "who looks is not told that it never ran" "$(cat "$tmp/table")" \
    '^good +idle .* succeeded 20[-0-9]* [0-9:]*$'
like "nor of one that has not succeeded" "$(cat "$tmp/table")" \
    '^bad +idle .* failed 20[-0-9]* [0-9:]*$'
like "in detail, too" "$("$nbdsync" status bad)" '^  failure: .*nobody'
is "the last run is told as it was" \
    "$(job_field good '.last_run | del(.lists_are_cut) | tojson')" "$last"
exits 4 "who waits for one that has failed is told so" "$nbdsync" wait bad
like "with the reason" "$err" "job 'bad' failed: .*nobody"
exits 0 "and who waits for one that has not, that" "$nbdsync" wait good
exits 0 "unless any end will do" "$nbdsync" wait --for=idle bad
is "the last success as well" "$(job_field good .last_success.run)" "$success"
is "and the counters go on" \
    "$(job_field good '.counters | "\(.runs) \(.succeeded) \(.bytes)"')" \
    "2 2 $((2 * MiB))"
is "the history is the same" \
    "$(api /v1/runs | jq -r '[.runs[].id] | length')" 3
start_job good
wait_job good
is "counting goes on from there" "$(job_field good .counters.runs)" 3

wait_for '[ "$(api /v1/runs | jq ".runs | length")" -eq 4 ]'
run "$nbdsync" history good
is "nbdsync history shows a job's runs" "$status $(echo "$out" | wc -l)" "0 4"
like "under a heading" "$out" '^RUN .* RESULT '
run "$nbdsync" history --limit 2 --json
is "as many as are wanted, as JSON" \
    "$(echo "$out" | jq -r '[.runs[].job] | join(" ")')" "good good"
run "$nbdsync" history nobody
is "no such job is exit status 6" "$status" 6

sql "INSERT INTO checkpoints SELECT id, 'x', 1, 'copy', 0, x'00', x'00'
    FROM jobs WHERE name = 'good'"
run "$nbdsync" reset good
is "reset wants to be confirmed" "$status" 2
is "and so does the daemon" "$(api_status /v1/jobs/good/reset \
    --request POST) $(sql 'SELECT count(*) FROM checkpoints')" "400 1"
run "$nbdsync" reset --confirm good
is "then it forgets" "$status $(sql 'SELECT count(*) FROM checkpoints')" "0 0"
is "but not the history" "$(sql 'SELECT count(*) FROM runs')" 4
run "$nbdsync" checkpoint show good
is "and there is nothing to go on from" "$status $out" "6 "

"$nbdsync" pause --quiet --reason 'a reason' good || bail "no pause"
wait_for '[ "$(sql "SELECT is_paused FROM jobs WHERE name = \"good\"")" = 1 ]'
restart
is "a pause outlives the daemon" \
    "$(job_field good '"\(.state) \(.pause.reason)"')" "paused a reason"
is "nothing starts then" "$(api_status /v1/jobs/good/start \
    --request POST)" 423
is "another job is not paused" "$(job_field bad .state)" idle
"$nbdsync" resume --quiet good || bail "no resume"
wait_for '[ "$(sql "SELECT is_paused FROM jobs WHERE name = \"good\"")" = 0 ]'
restart
is "and so does its end" "$(job_field good .state)" idle

# A run that ends with its daemon has not succeeded, though one before it has.
"$nbdsync" start --quiet --wait short || bail "no success"
touch "$tmp/hold"
start_job short
wait_copied short
wait_for "sql \"SELECT counters FROM jobs WHERE name = 'short'\" |
    grep -q '$run'"
stop_process daemon KILL
rm "$tmp/hold"
start_daemon "$tmp/conf"
exits 4 "who waits for a run that its daemon was killed in is told so" \
    "$nbdsync" wait short
like "with the reason" "$err" "job 'short' failed: the daemon ended while it"
is "it is the last run" "$(job_field short .last_run.id)" "$run"
api /v1/schema >"$tmp/schema"
is "by the schema" "$(api /v1/jobs/short | perl \
    "$srcdir/tests/lib/check-json.pl" "$tmp/schema" '#/$defs/job' 2>&1)" ""
is "and the newest in the history" "$(wait_for \
    '[ "$(api /v1/jobs/short/history | jq ".runs | length")" -eq 2 ]'
    api /v1/jobs/short/history | jq -r '.runs[0] | "\(.id) \(.result)"')" \
    "$run failed"
restart
is "once, however often the daemon starts" "$(wait_for \
    '[ "$(job_field short .uuid)" != null ]'
    job_field short '"\(.last_run.id) \(.counters.runs)"')" "$run 2"
exits 4 "which says the same then" "$nbdsync" wait short
exits 0 "until another has succeeded" "$nbdsync" start --quiet --wait short
stop_process daemon
is "the daemon ends well" $? 0
