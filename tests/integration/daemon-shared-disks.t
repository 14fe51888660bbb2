#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs that share a disk: what one has written is not what another has left
# there, or has read of it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires jq --version
plan 35

size=$((64 * MiB))
make_data "$tmp/data" $size 1
make_data "$tmp/other" $size 2
all="ranges = ( { from = \"0\"; length = \"64MiB\"; to = \"0\"; } )"
part='from = "1MiB"; length = "4KiB"'

#	disk NAME	an endpoint of that name
disk()
{
	echo "{ name = \"$1\"; uri = \"$(uri "$1")\"; },"
}

conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( $(disk src) $(disk other) $(disk dst) $(disk new)
  { name = \"alias\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"vm\"; source = \"src\"; destination = \"dst\";
    rate = \"2MiB/s\"; checkpoint = \"1s\"; $all; },
  { name = \"twin\"; mode = \"sync\"; source = \"src\";
    destination = \"dst\"; $all; },
  { name = \"part\"; source = \"other\"; destination = \"alias\";
    ranges = ( { $part; to = \"1MiB\"; } ); },
  { name = \"behind\"; source = \"other\"; destination = \"dst\";
    ranges = ( { $part; to = \"64MiB\"; } ); },
  { name = \"front\"; source = \"other\"; destination = \"src\";
    ranges = ( { $part; to = \"1MiB\"; } ); },
  { name = \"slow\"; source = \"other\"; destination = \"dst\";
    rate = \"16KiB/s\"; request_size = \"4KiB\";
    ranges = ( { from = \"1MiB\"; length = \"64KiB\"; to = \"1MiB\"; } ); },
  { name = \"look\"; mode = \"verify\"; source = \"other\";
    destination = \"dst\"; } );"

truncate -s $((size + MiB)) "$tmp/dst.img" "$tmp/new.img"
start_nbdkit src file "$tmp/data"
start_nbdkit other file "$tmp/other"
start_nbdkit dst file "$tmp/dst.img"
start_nbdkit new file "$tmp/new.img"
start_daemon "$tmp/conf"

#	interrupted	a run of vm has noted some of the disk as done
interrupted()
{
	start_job vm
	wait_for "api /v1/jobs/vm/checkpoint |
	    jq -e '[.. | .durable_bytes? // 0] | max > 0' >/dev/null" ||
	    bail "what was written was not noted"
	"$nbdsync" cancel --wait vm
}

#	anew SENTENCE	another run of it ends
anew()
{
	ok "$1" "$nbdsync" start --rate 0 --wait vm
}

went_on()
{
	job_field vm '"\(.last_run.result) \(.last_run.resumed)"'
}

why_not()
{
	job_field vm .last_run.not_resumed
}

arrived()
{
	cmp -n $size "$tmp/data" "$tmp/dst.img"
}

# A place to go on from.
interrupted
ok "another job writes where a run had been" "$nbdsync" start --wait part
anew "the run that comes after it"
is "goes on from nothing" "$(went_on)" "succeeded false"
like "for a reason" "$(why_not)" "another job has written"
ok "and all is right" arrived

interrupted
ok "it writes once more" "$nbdsync" start --wait part
stop_process daemon KILL
start_daemon "$tmp/conf"
anew "a daemon that is killed after it"
like "knows" "$(why_not)" "another job has written"
ok "so that all is right" arrived

interrupted
start_job slow
wait_copied slow
stop_process daemon KILL
start_daemon "$tmp/conf"
anew "one that is killed while it writes"
like "knows, too" "$(why_not)" "another job has written"
ok "and all is right" arrived

interrupted
start_job slow
wait_copied slow
anew "while it still writes"
like "nothing is gone on from" "$(why_not)" "another job writes"
"$nbdsync" cancel --wait slow

interrupted
ok "a job writes to the source" "$nbdsync" start --wait front
anew "then, too"
like "all is done anew" "$(why_not)" "another job has written"

interrupted
ok "a job that writes behind it" "$nbdsync" start --wait behind
exits 9 "or only looks" "$nbdsync" verify --wait look
anew "does not matter"
is "it is gone on then" "$(went_on)" "succeeded true"

# Whether there is a copy.
is "a destination is a copy" "$(job_field vm .consistent)" true
ok "until another job" "$nbdsync" start --wait part
is "has written there" "$(job_field vm .consistent)" false
ok "but for one that does the same" "$nbdsync" start --wait twin
is "which makes it one again" "$(job_field vm .consistent)" true
start_job vm
wait_copied vm
ok "one that writes while another one does" "$nbdsync" start --wait part
like "is told" "$(cat "$tmp/daemon.log")" \
    "warning: job 'part': job 'vm' writes to the same destination now"
"$nbdsync" rate vm 0 >"$tmp/rate"
ok "both succeed" "$nbdsync" wait vm
is "and leave no copy" "$(job_field vm .consistent)" false
ok "until the next run" "$nbdsync" start --wait twin
is "is one" "$(job_field vm .consistent)" true
sed -i "s,{ name = \"dst\"; [^}]*},{ name = \"dst\"; uri = \"$(uri new)\"; }," \
    "$tmp/conf"
ok "when the job is about another disk" "$nbdsync" reload
is "that is none yet" "$(job_field vm .consistent)" false
is "and of its map nothing is known" \
    "$(api /v1/jobs/vm/map | jq .size_bytes)" 0
