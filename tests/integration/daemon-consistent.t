#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job calls its destination a copy, and tells its map, only where nobody has
# put anything else there: not another job, not a run of its own of a part, and
# not another configuration.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
plan 32

size=$((4 * MiB))
make_data "$tmp/data" $size 1
make_data "$tmp/other" $size 2
truncate -s $size "$tmp/dst.img"
for disk in data other dst.img; do
	start_nbdkit "${disk%.img}" file "$tmp/$disk"
done

pairs='source = "data"; destination = "dst";'
ends='ranges = ( { from = "0"; length = "64KiB"; to = "0"; },
    { from = "3MiB"; length = "1MiB"; to = "3MiB"; } );'
all='ranges = ( { from = "0"; length = "2MiB"; to = "0"; },
    { from = "2MiB"; length = "2MiB"; to = "2MiB"; } );'
slow='request_size = "64KiB"; connections = 1; queue_depth = 1;'

#	configure RANGES	of the job "parts"
configure()
{
	conf "daemon = { state_dir = \"$tmp/state\"; };
	endpoints = ( { name = \"data\"; uri = \"$(uri data)\"; },
	  { name = \"other\"; uri = \"$(uri other)\"; },
	  { name = \"dst\"; uri = \"$(uri dst)\"; } );
	jobs = ( { name = \"vm\"; $pairs $slow },
	  { name = \"look\"; mode = \"verify\"; $pairs $slow },
	  { name = \"twin\"; mode = \"mirror\"; $pairs pass_interval = \"1h\"; },
	  { name = \"ends\"; $pairs $ends },
	  { name = \"feed\"; source = \"other\"; destination = \"data\";
	    ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } ); },
	  { name = \"parts\"; $pairs $1 },
	  { name = \"part\"; source = \"other\"; destination = \"dst\";
	    ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } ); } );"
}

#	consistent JOB	as the API says, and the metrics
consistent()
{
	echo "$(job_field "$1" .consistent) $(api /metrics |
	    sed -n "s/^nbdsync_job_consistent{job=\"$1\"} //p")"
}

map_size()
{
	api /v1/jobs/vm/map | jq .size_bytes
}

#	write OFFSET	somebody writes to the source, each time something else
n_written=0
write()
{
	n_written=$((n_written + 1))
	echo "written $n_written" | dd of="$tmp/data" bs=1 seek="$1" conv=notrunc \
	    status=none
}

configure "$ends"
start_daemon "$tmp/conf"

# Other parts, between the same limits.
ok "parts of a disk are copied" "$nbdsync" start --wait parts
is "and make a copy" "$(consistent parts)" "true 1"
configure "$all"
ok "a job gets other parts, with the same limits" "$nbdsync" reload
is "and has no copy of these" "$(consistent parts)" "false 0"
ok "all of them are copied" "$nbdsync" start --wait parts
write 0
ok "another job copies some of them anew" "$nbdsync" start --wait ends
is "and not the same" "$(consistent parts)" "false 0"

# A part, by its own run.
ok "a job copies a disk" "$nbdsync" start --wait vm
is "which is a copy then" "$(consistent vm)" "true 1"
write 0
write $((2 * MiB))
ok "a part is made what the source is by now" \
    "$nbdsync" verify --repair --range 0:4KiB --wait vm
is "and the rest is not" "$(consistent vm)" "false 0"
ok "all is" "$nbdsync" verify --repair --wait vm
is "which is a copy" "$(consistent vm)" "true 1"
ok "but for this one" cmp "$tmp/data" "$tmp/dst.img"

# While something is repaired.
cp "$tmp/other" "$tmp/dst.img"
api /v1/jobs/vm/verify --data '{"repair":true}' >/dev/null
is "what is being repaired is none" "$(consistent vm)" "false 0"
rev=0
ok "until that has ended" wait_job vm
is "successfully" "$(consistent vm) $(job_field vm .last_run.result)" \
    "true 1 repaired"

# While others write there.
start_job twin
wait_for "[ \"\$(job_field twin .run.progress.mirror.passes_complete)\" = 1 ]"
is "nor is what another job writes to" "$(consistent vm)" "false 0"
ok "though it was equal just now" "$nbdsync" verify --wait look
is "as that may end any time" "$(consistent look)" "false 0"
"$nbdsync" cancel --wait twin
is "what a mirror leaves is a copy" "$(consistent vm)" "true 1"

api /v1/jobs/look/start --data '{"rate":"512KiB/s"}' >/dev/null
wait_for "[ \$(job_field look .run.progress.equal_bytes) -ge $MiB ]"
ok "a job writes where another one has just looked" \
    "$nbdsync" start --wait part
"$nbdsync" rate look 0 >/dev/null
ok "which finds all equal" "$nbdsync" wait look
is "and yet knows of no copy" "$(consistent look)" "false 0"
not_ok "for there is none" cmp -s "$tmp/data" "$tmp/dst.img"

# The map is of what is there.
is "of what another job has written to there is no map" "$(map_size)" 0
stop_process daemon
start_daemon "$tmp/conf"
is "nor after a restart" "$(map_size)" 0
"$nbdsync" start --wait --quiet vm
is "until the next run" "$(map_size)" $size
stop_process daemon
start_daemon "$tmp/conf"
is "whose map stays" "$(map_size)" $size

# What is read while another job writes there is of no one time.
api /v1/jobs/vm/start --data '{"rate":"512KiB/s"}' >/dev/null
wait_for "[ \$(job_field vm .run.progress.done_bytes) -ge $MiB ]"
ok "a job writes to the source of another one" "$nbdsync" start --wait feed
"$nbdsync" rate vm 0 >/dev/null
ok "which ends well" "$nbdsync" wait vm
is "and has no copy of one time" "$(consistent vm)" "false 0"
