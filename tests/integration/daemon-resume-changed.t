#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was done of a source that is another one by now is not mixed with it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit sh --version
requires nbdkit file --version
requires jq --version
plan 11

size=$((64 * MiB))
make_data "$tmp/data" $size 1
hold_half "$tmp/held" "$tmp/data"

start_servers()
{
	start_nbdkit src sh "$tmp/held"
	start_nbdkit dst file "$tmp/dst.img"
}

fresh_destination()
{
	rm -f "$tmp/dst.img"
	truncate -s $size "$tmp/dst.img"
}

fresh_destination
start_servers
options='source = "s"; destination = "d"; connections = 2; queue_depth = 2;
    request_size = "256KiB"; checkpoint = "1s";'
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"snapshot\"; uri = \"$(uri src)\"; pre = [ \"/bin/true\" ]; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"sync\"; mode = \"sync\"; $options },
  { name = \"hooked\"; pre = [ \"/bin/true\" ]; $options },
  { name = \"snapshot\"; $(echo "$options" | sed 's/"s"/"snapshot"/') },
  { name = \"asked\"; pre = [ \"/bin/true\" ]; resume_max_age = \"1h\";
    $options } );"
start_daemon "$tmp/conf"

#	begin JOB	its run has noted half of the disk as done, when its
#			daemon is killed and started again
begin()
{
	fresh_destination
	stop_process dst
	start_nbdkit dst file "$tmp/dst.img"
	touch "$tmp/hold"
	start_job "$1"
	wait_for "[ \"\$(api /v1/jobs/$1/checkpoint |
	    jq '[.. | .durable_bytes? // 0] | max')\" = $((size / 2)) ]" 60 ||
	    bail "what was written was not noted"
	stop_process daemon KILL
	rm "$tmp/hold"
	# nbdkit 1.32 may abort when a client vanishes.
	stop_process src KILL
	stop_process dst KILL
	start_servers
	start_daemon "$tmp/conf"
}

# Where the canary looks with a chance of one in eight.
change()
{
	printf '%s' "$1" | dd of="$tmp/data" bs=1 seek=$((9 * MiB)) \
	    conv=notrunc status=none
}

#	begins_anew JOB REASON SENTENCE
begins_anew()
{
	begin "$1"
	change "before $1"
	"$nbdsync" start --quiet --wait "$1" || bail "it did not succeed"
	like "$3" "$(job_field "$1" .last_run.not_resumed)" "$2"
	is "all of it" "$(job_field "$1" \
	    '.last_run.progress.destinations[0].resumed_bytes')" 0
	ok "and the disks are equal" cmp "$tmp/data" "$tmp/dst.img"
}

begins_anew sync '^a sync compares all' "a sync begins anew"
begins_anew hooked '^the hook before the run may' "so does what has a hook"
begins_anew snapshot '^the hook before the run may' \
    "or a source that has one"
begin asked
"$nbdsync" start --quiet --wait asked || bail "it did not succeed"
is "but not where it is asked for" "$(job_field asked .last_run.resumed)" true
ok "and the copy of what has not changed is right" \
    cmp "$tmp/data" "$tmp/dst.img"
