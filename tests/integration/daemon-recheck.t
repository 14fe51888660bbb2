#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What differs waits for another look, and is not forgotten where that is not
# to be had.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=exitlast file --version
plan 17

make_data "$tmp/a" $((4 * MiB)) 1
cp "$tmp/a" "$tmp/b"
printf X | dd of="$tmp/b" bs=1 seek=1000000 conv=notrunc status=none
cp "$tmp/b" "$tmp/before"
conf "endpoints = (
  { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"once\"; uri = \"$(uri once)\"; } );
jobs = (
  { name = \"waits\"; source = \"a\"; destination = \"b\"; recheck = \"1h\"; },
  { name = \"dst\"; source = \"a\"; destination = \"once\"; recheck = \"1s\"; },
  { name = \"src\"; source = \"once\"; destination = \"b\"; recheck = \"1s\"; },
  { name = \"mend\"; source = \"a\"; destination = \"once\"; } );"
start_daemon "$tmp/conf"

"$nbdsync" verify --quiet waits
ok "a comparison waits for another look" \
    wait_for '[ "$(job_field waits .state)" = waiting ]'
is "which is what it says" "$(job_field waits .phase)" waiting
is "and that it is not over" \
    "$(job_field waits '.run.progress.ratio < 1')" true
like "to people, too" "$("$nbdsync" status)" 'waits +waiting'
"$nbdsync" cancel --quiet waits
exits 5 "it can be cancelled" "$nbdsync" wait waits

# A server that ends with its first connections, before another look.
#	loses JOB FILE [OPTION]
loses()
{
	start_nbdkit once --filter=exitlast file "$tmp/$2"
	exits 4 "one that cannot have it fails ($1)" \
	    "$nbdsync" verify --wait ${3:-} "$1"
	like "with the reason" "$err" "'once': "
	is "what it had found is told" "$(job_field "$1" '.last_run |
	    .differences[0].offset_bytes, .differences[0].length_bytes' |
	    tr '\n' ' ')" "999936 512 "
	wait_for "! is_running_ $(pid_of once)"
	stop_process once
}
loses dst b
loses src a
loses mend b --repair
ok "nothing was written" cmp "$tmp/b" "$tmp/before"
is "the daemon is well" "$(api_status /v1/version)" 200
stop_process daemon
is "and ends well" $? 0
