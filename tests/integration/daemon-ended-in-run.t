#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run that has begun by itself is begun again after the end of the daemon,
# whatever that was, and goes on from there; but no run ends it for ever.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires sqlite3 --version
plan 17

truncate -s 64M "$tmp/disk" "$tmp/other"
slow=$(slow_job night slow d 'interval = "52w"; checkpoint = "1s";')
conf "endpoints = ( $(slow_endpoint slow), $(slow_endpoint also),
  { name = \"d\"; path = \"$tmp/disk\"; },
  { name = \"o\"; path = \"$tmp/other\"; } );
jobs = ( $slow, $(slow_job told also o) );"
begun()
{
	wait_for '[ "$(job_field night .run)" != null ]'
}
# Where it can be gone on from.
durable()
{
	now_=$(date +%s%3N)
	wait_for "[ \"\$(sql \"SELECT saved_at_ms > $now_ FROM checkpoints
	    JOIN jobs ON jobs.id = job_id WHERE name = 'night'\")\" = 1 ]"
}
resumed()
{
	wait_for '[ "$(job_field night \
	    "[.run | .. | .resumed_bytes? // 0] | add")" -gt 0 ]'
}

start_daemon "$tmp/conf"
start_job told
ok "a run has begun by itself, and has come to somewhere" durable
stop_process daemon
is "the daemon is ended" "$?" 0
start_daemon "$tmp/conf"
ok "the run is begun again" begun
ok "and goes on from there" resumed
is "but not what somebody has started" "$(job_field told .run)" null

ok "it comes to somewhere once more" durable
stop_process daemon KILL
start_daemon "$tmp/conf"
ok "when the daemon was killed, it is begun again, too" begun
is "as one that is caught up with" "$(job_field night .run.trigger)" catch-up
ok "which goes on" resumed
is "the one before has failed" "$(job_field night .last_run.result)" failed

ok "it comes to somewhere, again" durable
stop_process daemon KILL
start_daemon "$tmp/conf"
ok "when that is killed as well" \
    wait_for '[ "$(job_field night .last_run.trigger)" = catch-up ]'
like "it is for its next time" "$(job_field night .schedule.next_run_at)" \
    "^$(($(date +%Y) + 1))-"
is "so that it does not end the daemon again and again" \
    "$(job_field night .run)" null

stop_process daemon
sql "UPDATE jobs SET last_fire_ms = 1000 WHERE name = 'night'"
start_daemon "$tmp/conf"
ok "it is due" begun
"$nbdsync" cancel --quiet --wait night
stop_process daemon
start_daemon "$tmp/conf"
ok "one that was cancelled" \
    wait_for '[ "$(job_field night .last_run.result)" = cancelled ]'
like "is not begun again" "$(job_field night \
    '"\(.run) \(.schedule.next_run_at)"')" "^null $(($(date +%Y) + 1))-"
