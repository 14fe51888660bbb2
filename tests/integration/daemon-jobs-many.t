#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# More jobs than the store's queue has room for, and than fit into what a
# client of the events may leave unread.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires sqlite3 --version
plan 5

n=1800
conf 'endpoints = (
  { name = "src"; path = "/dev/null"; }, { name = "dst"; uri = "null:"; } );' \
    "jobs = ( $(seq -f '{ name = "j%g"; source = "src";
	destination = "dst"; },' 1 "$((n - 1))")
  { name = \"last\"; source = \"src\"; destination = \"dst\"; } );"
start_daemon "$tmp/conf"

start_process events "$nbdsync" events --json
ok "the events begin with all of them" \
    wait_for "grep -q '\"event\":\"live\"' '$tmp/events.log'" 60
is "each with its state" "$(grep -c '"event":"snapshot"' "$tmp/events.log")" $n
stop_process events INT

ok "the store knows all of them" wait_for "[ \$(api /v1/jobs |
    jq '[.jobs[] | select(.uuid != null)] | length') = $n ]" 120
is "and is not asked too much" "$(grep -c "too much" "$tmp/daemon.log")" 0
# Others' states wait for the store, too: that of a pause goes before them.
"$nbdsync" pause --quiet last
wait_for '[ "$(sql "SELECT is_paused FROM jobs WHERE name = \"last\"")" = 1 ]' \
    60 || bail "the pause is not kept"
stop_process daemon
start_daemon "$tmp/conf"
ok "what it knows of the last comes back" wait_for \
    '[ "$(job_field last .state)" = paused ]' 60
stop_process daemon
