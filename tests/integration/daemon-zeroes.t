#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What jobs may say about zeroes is what the command may.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=log --filter=noextents --filter=extentlist file \
    --version
plan 25

size=$((4 * MiB))

# Data, a hole, and zeroes among data that no map tells of.
make_data "$tmp/src.img" $MiB disk
truncate -s $size "$tmp/src.img"
{ make_data "$tmp/part" $((64 * KiB)) part; cat "$tmp/part"; } |
    dd of="$tmp/src.img" oflag=seek_bytes seek=$((3 * MiB)) conv=notrunc \
    status=none
start_nbdkit src -r file "$tmp/src.img"
echo "$((2 * MiB)) $MiB hole" >"$tmp/extents"
start_nbdkit holes -r --filter=extentlist file "$tmp/src.img" \
    extentlist="$tmp/extents"
start_nbdkit blind -r --filter=noextents file "$tmp/src.img"

# A new destination, and what is asked of it.
fresh()
{
	[ ! -e "$tmp/dst.started" ] || stop_process dst
	rm -f "$tmp/dst.img" "$tmp/dst.busy"
	truncate -s $size "$tmp/dst.img"
	start_nbdkit dst --filter=log file "$tmp/dst.img" \
	    logfile="$tmp/dst.busy"
}

asked()
{
	grep -c "[^.]$1 id=" "$tmp/dst.busy"
}

conf 'endpoints = (
  { name = "src"; uri = "'"$(uri src)"'"; },
  { name = "holes"; uri = "'"$(uri holes)"'"; },
  { name = "blind"; uri = "'"$(uri blind)"'"; },
  { name = "dst"; uri = "'"$(uri dst)"'"; } );' 'templates = (
  { name = "t"; destination = "dst"; resume_max_age = "0"; } );
jobs = (
  { name = "usual"; template = "t"; source = "src"; },
  { name = "zero"; template = "t"; source = "src";
    destination_is_zero = true; },
  { name = "allocated"; template = "t"; source = "src"; allocated = true; },
  { name = "trim"; template = "t"; source = "holes"; trim = true; },
  { name = "fine"; template = "t"; source = "blind"; sparse = "4KiB"; },
  { name = "off"; template = "t"; source = "blind"; sparse = "0"; } );'
start_daemon "$tmp/conf"

#	copies JOB: and all is right
copies()
{
	start_job "$1"
	wait_job "$1"
	is "$1: the job succeeds" "$(job_field "$1" .last_run.result)" \
	    succeeded
	ok "$1: the copy is right" cmp "$tmp/src.img" "$tmp/dst.img"
}

fresh
copies usual
ok "zeroes are written as such" [ "$(asked Zero)" -gt 0 ]

fresh
copies zero
is "where the destination is zero they are not" "$(asked Zero)" 0
printf x | dd of="$tmp/dst.img" conv=notrunc status=none
start_job zero
wait_job zero
is "where it is not, which is looked at, nothing is written" \
    "$(job_field zero .last_run.result)" failed

fresh
copies allocated
is "where all is to be allocated there are no zeroes" "$(asked Zero)" 0

fresh
start_job trim
wait_job trim
is "trim: the job succeeds" "$(job_field trim .last_run.result)" succeeded
ok "holes that do not matter are trimmed" [ "$(asked Trim)" -gt 0 ]
is "which is counted" \
    "$(job_field trim .last_run.progress.trimmed_bytes)" $MiB

# What they hold does not matter later, either.
spoil()
{
	printf X | dd of="$tmp/dst.img" bs=1 seek="$1" conv=notrunc status=none
}
spoil $((2 * MiB + 1000))
exits 0 "nor are they compared" "$nbdsync" verify --wait trim
like "as is said" "$(job_field trim '.last_run.gave_up[]')" \
    "$MiB bytes were not compared: holes"
spoil 1000
exits 9 "all else is" "$nbdsync" verify --wait trim
is "and nothing else differs" "$(job_field trim \
    '.last_run.differences | map(.offset_bytes)' | jq -c .)" "[512]"
exits 0 "that is repaired" "$nbdsync" verify --repair --wait trim
is "and the hole is left alone" "$(tr -d '\0' <"$tmp/dst.img")" X

fresh
copies fine
ok "zeroes among data are found" [ "$(asked Zero)" -gt 0 ]

fresh
copies off
is "or are not looked for" "$(asked Zero)" 0
