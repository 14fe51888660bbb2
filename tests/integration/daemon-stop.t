#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGTERM ends the runs and then the daemon, soon and cleanly; a second one
# ends it at once.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 18

endpoints="endpoints = ( $(slow_endpoint slow),
  { name = \"stuck\"; command = [ \"nbdkit\", \"--filter=delay\",
      \"pattern\", \"64M\", \"rdelay=600\" ]; },
  { name = \"null\"; uri = \"null:\"; } );"
conf "$endpoints" "jobs = ( $(slow_job slow slow null) );"
for signal in TERM INT; do
	start_daemon "$tmp/conf"
	start_job slow
	wait_copied slow
	# The one who waits learns how it ended.
	rev=$(job_field slow .rev)
	api "/v1/jobs/slow?since=$rev&wait=60" --verbose >"$tmp/wait" \
	    2>"$tmp/trace" &
	waiter=$!
	wait_for "grep -q '^> GET' '$tmp/trace'"
	begin=$(date +%s)
	stop_process daemon "$signal"
	is "SIG$signal: the daemon ends with 0" "$?" 0
	ok "within a few seconds" [ $(($(date +%s) - begin)) -lt 10 ]
	wait "$waiter"
	like "who waited for the job got an answer" \
	    "$(jq -r .state "$tmp/wait")" '^(stopping|idle)$'
	like "the log has the end of the run" "$(cat "$tmp/daemon.log")" \
	    "info: job 'slow': cancelled"
	not_ok "the socket is gone" test -e "$NBDSYNC_SOCKET"
done

stuck="jobs = ( $(slow_job stuck stuck null) );"
conf "$endpoints" "$stuck"
start_daemon "$tmp/conf"
start_job stuck
wait_for '[ "$(job_field stuck .state)" = copying ]'
kill -TERM "$(pid_of daemon)"
wait_for '[ "$(job_field stuck .state)" = stopping ]'
is "while it stops, nothing can be started" \
    "$(api_status /v1/jobs/stuck/start --request POST)" 409
is "and its health is critical" "$(api_status /v1/health)" 503
stop_process daemon TERM
is "a second signal ends it at once, with 3" "$?" 3

conf "$endpoints" "$stuck" 'daemon = { shutdown_grace = "1s"; };'
start_daemon "$tmp/conf"
start_job stuck
wait_for '[ "$(job_field stuck .state)" = copying ]'
stop_process daemon TERM
is "a run that does not end within shutdown_grace: 3" "$?" 3
like "and the log names it" "$(cat "$tmp/daemon.log")" \
    "error: job 'stuck': has not ended within shutdown_grace"
not_ok "the socket is gone then, too" test -e "$NBDSYNC_SOCKET"

# Without a run there is nothing to give up, whatever the grace.
conf "$endpoints" "$stuck" "daemon = { shutdown_grace = \"0\";
    state_dir = \"$tmp/state\"; };"
start_daemon "$tmp/conf"
stop_process daemon TERM
is "an idle daemon without any grace ends with 0" "$?" 0
is "and has closed what outlives it" "$(find "$tmp/state" -name '*-wal')" ""
