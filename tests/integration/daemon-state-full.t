#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# While the disk with the state is full a job runs to its end, and it is said
# what would be forgotten; when there is room again, nothing is.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires sqlite3 --version
requires strace -e inject=pwrite64:error=ENOSPC true
plan 12

make_data "$tmp/data" $((4 * MiB)) 1
truncate -s 4M "$tmp/copy"
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( { name = \"s\"; path = \"$tmp/data\"; },
  { name = \"d\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\"; } );"
start_daemon "$tmp/conf"
wait_for '[ "$(job_field vm .uuid)" != null ]'
store_is()
{
	wait_for "[ \"\$(api /v1/health | jq -r .store.state)\" = $1 ]"
}

# The same as a file system that has no room: of this thread's calls alone.
thread=$(grep -l nbdsync-store /proc/"$(pid_of daemon)"/task/*/comm |
    sed 's|/comm$||; s|.*/||')
start_process full strace -qq -e signal=none -o "$tmp/trace" \
    -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC -p "$thread"
wait_for "grep -q '^TracerPid:.*[1-9]' /proc/$thread/status" ||
    bail "it cannot be traced"
"$nbdsync" pause --quiet --reason works vm
ok "a state that finds no room is told" store_is stale
ok "it was asked for" grep -q ENOSPC "$tmp/trace"
like "with the reason" "$(api /v1/health | jq -r .store.detail)" "full"
like "the log has it" "$(cat "$tmp/daemon.log")" 'state: stale: .*full'
is "the daemon knows what it could not write" "$(job_field vm .state)" paused
"$nbdsync" resume --quiet vm
exits 0 "a job runs" "$nbdsync" start --wait --quiet vm
ok "to its end" cmp "$tmp/data" "$tmp/copy"
is "and is not in the history" "$(sql 'SELECT count(*) FROM runs')" 0

stop_process full INT
ok "when there is room all is well" store_is ok
ok "the run is in the history" \
    wait_for "[ \"\$(sql 'SELECT count(*) FROM runs')\" = 1 ]"
is "and nothing to go on from" \
    "$(sql 'SELECT count(*) FROM checkpoints')" 0
stop_process daemon
is "the daemon ends well" $? 0
