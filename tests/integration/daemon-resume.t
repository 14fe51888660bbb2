#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon that is killed in the middle of a run goes on with it, when it is
# started again, from what was durable.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=log --filter=cache file --version
requires nbdkit sh --version
requires sqlite3 --version
requires mkfifo --version
plan 31

size=$((64 * MiB))
make_data "$tmp/data" $size 1
truncate -s $size "$tmp/dst.img"

start_destination()
{
	start_nbdkit dst --filter=log --filter=cache file "$tmp/dst.img" \
	    logfile="$tmp/dst.busy"
}

hold_half "$tmp/held" "$tmp/data"
start_source()
{
	start_nbdkit src sh "$tmp/held"
}

start_source
start_destination
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\";
  connections = 2; queue_depth = 2; request_size = \"256KiB\";
  checkpoint = \"1s\"; } );"
start_daemon "$tmp/conf"

# The run is caught in the middle, after something was noted as done; it does
# not end before it is let go.
begin_run()
{
	touch "$tmp/hold"
	start_job vm
	wait_for "[ \"\$(api /v1/jobs/vm/checkpoint |
	    jq '[.. | .durable_bytes? // 0] | max')\" = $((size / 2)) ]" 60 ||
	    bail "what was written was not noted"
}

kill_in_the_middle()
{
	begin_run
	ok "a daemon is killed in the middle of a run" \
	    kill -KILL "$(pid_of daemon)"
	stop_process daemon KILL
	rm "$tmp/hold"
	stop_process dst KILL
	start_destination
	# nbdkit 1.32 may abort when a client vanishes.
	stop_process src KILL
	start_source
	start_daemon "$tmp/conf"
}

result()
{
	api "/v1/runs/$1" | jq "$2"
}

kill_in_the_middle
start_job vm
ok "another one runs the job to its end" wait_job vm
is "successfully" "$(job_field vm .last_run.result)" succeeded
is "after going on from the first" "$(job_field vm .last_run.resumed)" true
is "with all that had been written, an interval before" "$(job_field vm \
    '.last_run.progress.destinations[0].resumed_bytes')" $((size / 2))
is "which is not written again" "$(job_field vm \
    '.last_run.progress.written_bytes')" $((size / 2))
like "people hear of it" "$("$nbdsync" status vm)" \
    '  resumed: *[0-9.]* [KM]iB were done already'
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"
start_destination
start_job vm
ok "the next run" wait_job vm
is "begins anew" "$(job_field vm .last_run.resumed)" false

# What is told to be forgotten is.
kill_in_the_middle
ok "a job may be reset" "$nbdsync" reset --confirm vm
start_job vm
wait_job vm
is "then nothing is left to go on from" "$(job_field vm .last_run.resumed)" \
    false
is "and the run succeeds" "$(job_field vm .last_run.result)" succeeded

# So is a run that is to be full.
kill_in_the_middle
ok "a full run can be asked for" "$nbdsync" start --full --wait --quiet vm
is "which goes on from nothing" "$(job_field vm .last_run.resumed)" false
is "what \"full\" is must be a truth" "$(api_status /v1/jobs/vm/start \
    --data '{"full":"yes"}')" 400

# A run that ends while nothing can be written to the store leaves the place
# to go on from there; and the source is another by the next run.
# leave_checkpoint: of a run that was cancelled
leave_checkpoint()
{
	begin_run
	api /v1/jobs/vm/cancel --request POST >/dev/null
	rm "$tmp/hold"
	wait_job vm
}
leave_checkpoint
sql ".backup '$tmp/old.db'"
lock_state
start_job vm
wait_job vm
is "a run goes on and succeeds, while the store is locked" \
    "$(job_field vm '[.last_run.resumed, .last_run.result] | @csv')" \
    'true,"succeeded"'
like "what it could not do is said" "$(job_field vm .last_run.gave_up)" \
    "locked"
ok "what it should have removed is there" [ "$(sql \
    'SELECT count(*) FROM checkpoints')" -gt 0 ]
unlock_state
ok "until the store can be written again" wait_for \
    "[ \"\$(sql 'SELECT count(*) FROM checkpoints')\" = 0 ]"
ok "and has the result, too" wait_for "[ \"\$(sql 'SELECT count(*)
    FROM runs WHERE result = '\''succeeded'\''')\" = 5 ]"
stop_process daemon
sql "ATTACH '$tmp/old.db' AS old;
    INSERT OR REPLACE INTO checkpoints SELECT * FROM old.checkpoints"
make_data "$tmp/data" $size 2
start_daemon "$tmp/conf"
start_job vm
wait_job vm
is "if it had stayed, another daemon would not go on from it" \
    "$(job_field vm .last_run.resumed)" false
like "for a reason" "$(job_field vm .last_run.not_resumed)" "out of date"
stop_process dst
ok "and the copy is right" cmp "$tmp/data" "$tmp/dst.img"
start_destination

# Nor does what a run has refused stay, if it is killed.
leave_checkpoint
stop_process daemon
sed 's/"1s"/"1h"/' "$tmp/conf" >"$tmp/conf.rare"
start_daemon "$tmp/conf.rare"
touch "$tmp/hold"
lock_state
answer=$(api /v1/jobs/vm/start --data '{"full":true}')
ok "a full run begins while the store is locked" \
    [ "$(echo "$answer" | jq -r .run)" != null ]
wait_copied vm
ok "what it does not go on from is there" [ "$(sql \
    'SELECT count(*) FROM checkpoints')" -gt 0 ]
unlock_state
wait_for "[ \"\$(sql 'SELECT count(*) FROM checkpoints')\" = 0 ]"
is "until it can be removed, while the run copies" \
    "$(job_field vm .run.id)" "$(echo "$answer" | jq -r .run)"
kill -KILL "$(pid_of daemon)"
stop_process daemon KILL
rm "$tmp/hold"
stop_process dst KILL
start_destination
stop_process src KILL
start_source
start_daemon "$tmp/conf"
start_job vm
wait_job vm
is "so that there is nothing left after a crash" \
    "$(job_field vm '[.last_run.resumed, .last_run.result] | @csv')" \
    'false,"succeeded"'

stop_process daemon
is "the daemon ends well" $? 0
