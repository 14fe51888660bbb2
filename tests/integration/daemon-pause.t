#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job that is paused starts no run, and goes on when it is resumed; wait
# exits with the result of the run.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 42

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

is "a job that never ran has unknown health" "$(job_field quick .health)" \
    unknown
is "and is not consistent" "$(job_field quick .consistent)" false
is "pausing is answered with the job" "$(api /v1/jobs/quick/pause --data \
    '{"reason":"metered link"}' | jq -r '"\(.state) \(.pause.reason)"')" \
    "paused metered link"
is "pausing again is fine" "$(api_status /v1/jobs/quick/pause \
    --request POST)" 200
is "a start is refused" "$(api /v1/jobs/quick/start --request POST |
    jq -r '"\(.status) \(.type) \(.hint)"')" \
    "423 urn:nbdsync:job-paused nbdsync resume quick"
exits 7 "which the command calls a conflict" "$nbdsync" start quick
like "in words" "$err" "job 'quick' is paused"
is "until must be a time" "$(api /v1/jobs/quick/pause --data \
    '{"until":"tomorrow"}' | jq -r .type)" urn:nbdsync:bad-request
is "and one to come" "$(api_status /v1/jobs/quick/pause --data \
    '{"until":"2020-01-01T00:00:00Z"}')" 400
is "reason must be a text" "$(api_status /v1/jobs/quick/pause --data \
    '{"reason":1}')" 400
ok "resume lets it start" "$nbdsync" resume quick
is "and says so" "$out" "job 'quick' is resumed"
exits 0 "so it runs" "$nbdsync" start --wait quick
is "and is well" "$(job_field quick .health)" ok
is "its destination is consistent" "$(job_field quick .consistent)" true
is "since its end" "$(job_field quick '.last_consistent_at ==
    .last_run.finished_at')" true
is "the last success is that run" \
    "$(job_field quick '.last_success.run == .last_run.id')" true
is "with its bytes" "$(job_field quick .last_success.bytes_copied)" 8388608

ok "a pause may have an end" "$nbdsync" pause --until 5s quick
ok "when that comes the job is resumed" wait_for \
    '[ "$(job_field quick .state)" = idle ]'
exits 2 "an end that is none" "$nbdsync" pause --until soon quick
exits 2 "a pause of nothing" "$nbdsync" pause
ok "a time of day is one" "$nbdsync" pause --json --until 06:00 quick
like "the next of its kind" "$(echo "$out" | jq -r '.jobs[0].pause.until')" \
    '^20..-..-..T..:00:00.000Z$'
"$nbdsync" resume quick >/dev/null

exits 0 "wait for an idle job is its last result" "$nbdsync" wait quick
exits 6 "wait for no job" "$nbdsync" wait nosuch
start_job slow
first=$run
wait_copied slow
exits 8 "wait in vain" "$nbdsync" wait --timeout 200ms slow
start_process waiter "$nbdsync" wait slow
ok "pause --all pauses all" "$nbdsync" pause --all --reason maintenance
wait "$(pid_of waiter)"
is "who waited for the run hears that it was cancelled" $? 5
wait_for '[ "$(job_field slow .state)" = paused ]'
is "all of them" "$(api /v1/jobs | jq -r '[.jobs[].state] | join(" ")')" \
    "paused paused"
ok "resume --all resumes all" "$nbdsync" resume --all --quiet
wait_copied slow
is "what the pause had ended runs again" "$(job_field slow .run.trigger)" \
    resume
ok "as another run" [ "$(job_field slow .run.id)" != "$first" ]

# What a pause has ended can be cancelled, too.
"$nbdsync" pause --quiet --reason 'the line is needed' slow
wait_for '[ "$(job_field slow .state)" = paused ]'
is "that a run goes on afterwards is said" \
    "$(job_field slow .pause.run_goes_on)" true
like "to people, too" "$("$nbdsync" status slow)" \
    '^paused: *until it is resumed, then its run goes on: the line is needed$'
exits 0 "unless it is cancelled" "$nbdsync" cancel --wait slow
is "then the job is only paused" \
    "$(job_field slow '"\(.state) \(.pause.run_goes_on)"')" "paused false"
exits 7 "once" "$nbdsync" cancel slow
"$nbdsync" resume --quiet slow
is "and idle when it is resumed" "$(job_field slow .state)" idle
start_job slow
wait_copied slow
"$nbdsync" pause --quiet slow
wait_for '[ "$(job_field slow .state)" = paused ]'
stop_process daemon
start_daemon "$tmp/conf"
wait_for '[ "$(job_field slow .state)" = paused ]'
exits 0 "also by another daemon" "$nbdsync" cancel --wait slow
"$nbdsync" resume --quiet slow
is "with the same end" "$(job_field slow .state)" idle
stop_process daemon
is "the daemon ends well" "$?" 0
