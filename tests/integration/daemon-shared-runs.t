#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs that share a disk, while they run, and while one of them is not
# configured: nobody goes on from what another one has written over.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
plan 28

size=$((64 * MiB))
make_data "$tmp/data" $size 1
make_data "$tmp/other" $size 2
truncate -s $size "$tmp/dst.img"

#	disk NAME	an endpoint of that name
disk()
{
	echo "{ name = \"$1\"; uri = \"$(uri "$1")\"; },"
}

#	range BYTES	so much of 1 MiB on
range()
{
	echo "ranges = ( { from = \"1MiB\"; length = \"$1\"; to = \"1MiB\"; } );"
}

vm='{ name = "vm"; source = "src"; destination = "dst"; rate = "4MiB/s";
    checkpoint = "1s"; request_size = "256KiB"; connections = 1; },'

#	configure JOBS	besides those that are always there
configure()
{
	conf "daemon = { state_dir = \"$tmp/state\"; };
	endpoints = ( $(disk src) $(disk other)
	    { name = \"dst\"; uri = \"$(uri dst)\"; } );
	jobs = ( $1 { name = \"part\"; source = \"other\";
	    destination = \"dst\"; $(range 4KiB) },
	  { name = \"slow\"; source = \"other\"; destination = \"dst\";
	    rate = \"16KiB/s\"; request_size = \"4KiB\"; connections = 1;
	    $(range 1MiB) } );"
}

start_disks()
{
	# nbdkit 1.32 may abort when a client vanishes.
	for disk in src other dst; do
		[ ! -e "$tmp/$disk.started" ] || stop_process $disk KILL
	done
	start_nbdkit src file "$tmp/data"
	start_nbdkit other file "$tmp/other"
	start_nbdkit dst file "$tmp/dst.img"
}

noted()
{
	api /v1/jobs/vm/checkpoint | jq "[.. | .durable_bytes? // 0] | max"
}

#	wait_noted	the run of vm has noted much of the disk as done, so
#			that what another job writes need not be looked at
wait_noted()
{
	wait_for "[ \"\$(noted)\" -gt $((20 * MiB)) ]" ||
	    bail "what was written was not noted"
}

interrupted()
{
	start_job vm
	wait_noted
	"$nbdsync" cancel --wait vm
}

kill_daemon()
{
	stop_process daemon KILL
	start_disks
	start_daemon "$tmp/conf"
}

#	anew SENTENCE	another run of it ends, and all is right
anew()
{
	ok "$1" "$nbdsync" start --rate 0 --wait vm
	is "goes on from nothing" "$(job_field vm \
	    '"\(.last_run.result) \(.last_run.resumed)"')" "succeeded false"
	ok "and all is right" cmp "$tmp/data" "$tmp/dst.img"
}

start_disks
configure "$vm"
start_daemon "$tmp/conf"

# One writes, and ends, while the other one runs.
start_job vm
wait_noted
ok "a job writes where another one has been, which still runs" \
    "$nbdsync" start --wait part
ok "and what that had noted is removed" wait_for \
    "[ \"\$(api_status /v1/jobs/vm/checkpoint)\" = 404 ]"
is "at once" "$(job_field vm .run.id)" "$run"
before=$(job_field vm .run.progress.durable_bytes)
wait_for "[ \$(job_field vm .run.progress.durable_bytes) -gt $before ]"
"$nbdsync" cancel --wait vm
is "nor has it noted anything since" "$(api_status /v1/jobs/vm/checkpoint)" \
    404
anew "the run that comes after it"

start_job vm
wait_noted
"$nbdsync" start --wait part
before=$(job_field vm .run.progress.durable_bytes)
wait_for "[ \$(job_field vm .run.progress.durable_bytes) -gt $before ]"
kill_daemon
anew "one after a daemon that was killed then"

# One begins while the other one writes.
start_job slow
wait_copied slow
start_job vm
wait_for "[ \$(job_field vm .run.progress.durable_bytes) -gt $((20 * MiB)) ]"
is "what begins while another job writes notes nothing" \
    "$(api_status /v1/jobs/vm/checkpoint)" 404
kill_daemon
anew "so that after a daemon that was killed in both, one"

# It is not configured meanwhile.
interrupted
configure ""
ok "a job is no longer configured" "$nbdsync" reload
"$nbdsync" start --wait part
configure "$vm"
ok "and is again, after another one has written" "$nbdsync" reload
anew "then a run of it"
like "for a reason" "$(job_field vm .last_run.not_resumed)" "out of date"

interrupted
stop_process daemon
configure ""
start_daemon "$tmp/conf"
"$nbdsync" start --wait part
stop_process daemon
configure "$vm"
start_daemon "$tmp/conf"
anew "after two daemons, one that did not have it, it"
like "for the same one" "$(job_field vm .last_run.not_resumed)" "out of date"

# The clock was ahead, and is put right before the other one writes.
interrupted
stop_process daemon
sql "UPDATE runs SET finished_at_ms = finished_at_ms + 100000000"
"$builddir/tests/lib/put-checkpoint" "$tmp/state/state.db" vm 1000 \
    $(($(date +%s) + 90000))
start_daemon "$tmp/conf"
"$nbdsync" start --wait part
anew "what was noted by a clock that was ahead"
like "is as old" "$(job_field vm .last_run.not_resumed)" "out of date"
