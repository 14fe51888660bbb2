#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The place to go on from is saved again when that has failed, also if nothing
# new has become durable since.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires nbdkit file --version
requires sqlite3 --version
requires mkfifo --version
plan 8

# A source that stops in the middle, while "hold" is there.
make_data "$tmp/data" $((8 * MiB)) 1
truncate -s 8M "$tmp/copy"
touch "$tmp/hold"
start_nbdkit src -r eval get_size="echo $((8 * MiB))" pread="
	while [ -e $tmp/hold ] && [ \$4 -ge $((4 * MiB)) ]; do sleep 0.1; done
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\";
  connections = 1; queue_depth = 1; request_size = \"256KiB\";
  checkpoint = \"1s\"; } );"
start_daemon "$tmp/conf"
wait_for "[ \"\$(job_field vm .uuid)\" != null ]"

failures()
{
	api /metrics | awk '/^nbdsync_checkpoint_write_failures_total/ { print $2 }'
}

mkfifo "$tmp/commands"
start_process lock sh -c "exec sqlite3 '$tmp/state/state.db' <'$tmp/commands'"
exec 9>"$tmp/commands"
echo "BEGIN IMMEDIATE; SELECT 'locked';" >&9
wait_for "grep -q locked '$tmp/lock.log'" || bail "it cannot be locked"
start_job vm
wait_for "[ \"\$(job_field vm .run.progress.durable_bytes)\" = $((4 * MiB)) ]"
is "half of the disk is durable" $? 0
first=$(failures)
wait_for "[ \"\$(failures)\" -gt \"$first\" ]"
is "while the store is locked, that cannot be noted" $? 0
first=$(failures)
wait_for "[ \"\$(failures)\" -gt $((first + 1)) ]"
is "which is tried again" $? 0
echo "COMMIT;" >&9
exec 9>&-
wait "$(pid_of lock)"
rm "$tmp/lock.started"
wait_for "[ \"\$(api /v1/jobs/vm/checkpoint |
    jq '[.. | .durable_bytes? // 0] | max')\" = $((4 * MiB)) ]"
is "until it can, though nothing new is durable" $? 0
rm "$tmp/hold"
ok "the run goes on" wait_job vm 60
is "and succeeds" "$(job_field vm .last_run.result)" succeeded
ok "with all of it" cmp "$tmp/data" "$tmp/copy"
ok "in more than one step, which are counted" [ "$(job_field vm \
    '.last_run.progress.destinations[0].flushes')" -ge 2 ]
