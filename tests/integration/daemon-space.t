#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A destination that is full is waited for, and whoever looks is told.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error memory --version
requires jq --version
plan 8

make_data "$tmp/data" $((4 * MiB)) disk
truncate -s 4M "$tmp/copy"
touch "$tmp/full"
start_nbdkit dst --filter=error file "$tmp/copy" error-pwrite=ENOSPC \
    error-pwrite-rate=100% error-pwrite-file="$tmp/full"
conf "endpoints = ( { name = \"s\"; path = \"$tmp/data\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; },
  { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\"; },
  { name = \"two\"; source = \"s\"; destinations = [ \"n\", \"d\" ]; } );"
start_daemon "$tmp/conf"
start_job vm

# waits_for_space JOB DISK
waits_for_space()
{
	[ "$(job_field "$1" .run.progress.trying_again)" = \
	    "$2: No space left on device" ]
}
ok "a run says what it tries again for" \
    wait_for 'waits_for_space vm destination' 60
ok "a stall is told with the reason" wait_for "grep -q \"warning: job 'vm': \
stands still: nothing has moved for .*; destination: No space left\" \
    '$tmp/daemon.log'" 60
rm "$tmp/full"
ok "it goes on when there is room" "$nbdsync" wait vm
is "and has succeeded" "$(job_field vm .last_run.result)" succeeded
is "with nothing left to be tried again" \
    "$(job_field vm .last_run.progress.trying_again)" null
ok "and every byte" cmp "$tmp/data" "$tmp/copy"

touch "$tmp/full"
start_job two
ok "which of several destinations it is is said" \
    wait_for "waits_for_space two \"destination 'd'\"" 60
rm "$tmp/full"
ok "and it is waited for" "$nbdsync" wait two
