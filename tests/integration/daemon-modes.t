#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs with several destinations, and those that compare.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires jq --version
requires perl -e 1
plan 21

make_data "$tmp/a" $((5 * MiB + 513)) 1
make_data "$tmp/b" $((5 * MiB + 513)) 2
make_data "$tmp/c" $((5 * MiB + 513)) 3
conf "endpoints = (
  { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"full\"; command = [ \"nbdkit\", \"--filter=error\", \"memory\",
    \"8M\", \"error-pwrite=ENOSPC\", \"error-pwrite-rate=100%\" ]; } );
jobs = ( { name = \"twice\"; source = \"a\"; destinations = [ \"b\", \"c\" ]; },
  { name = \"half\"; source = \"a\"; destinations = [ \"b\", \"full\" ];
    wait_for_space = false; },
  { name = \"sync\"; mode = \"sync\"; source = \"a\"; destination = \"b\"; },
  { name = \"verify\"; mode = \"verify\"; source = \"a\";
    destinations = [ \"b\", \"c\" ]; } );"
start_daemon "$tmp/conf"

ok "a job of two destinations succeeds" "$nbdsync" start --wait twice
ok "one is written" cmp "$tmp/a" "$tmp/b"
ok "and the other" cmp "$tmp/a" "$tmp/c"
is "both are shown" "$(job_field twice '[.destinations[].endpoint] | @csv')" \
    '"b","c"'
run "$nbdsync" status twice
like "to people, too" "$out" '^destination: +b, c$'
ok "equal disks are verified" "$nbdsync" start --wait verify

printf x | dd of="$tmp/b" bs=1 seek=1000000 conv=notrunc status=none
exits 9 "and found out when they differ" "$nbdsync" start --wait verify
is "with the place" "$(job_field verify '.last_run.differences[0] |
    [.destination, .offset_bytes, .length_bytes] | @csv')" '0,999936,512'
ok "sync makes them equal" "$nbdsync" start --wait sync
is "by a few writes" "$(job_field sync .last_run.progress.written_bytes)" 4096
ok "which they are" cmp "$tmp/a" "$tmp/b"

perl -e 'open F, "+<", shift;
    for (1 .. 150) {
	seek F, $_ * 8192, 0;
	read F, $byte, 1;
	seek F, $_ * 8192, 0;
	print F ~$byte;
    }' "$tmp/b"
exits 9 "many differences are found, too" "$nbdsync" start --wait verify
is "of which the status has some" "$(job_field verify '.last_run |
    [(.differences | length), .lists_are_cut] | @csv')" 100,true
is "and the history has all" \
    "$(api "/v1/runs/$(job_field verify .last_run.id)" |
    jq '.report.differences | length')" 150
is "as it does not have to say of one" "$(job_field twice \
    .last_run.lists_are_cut)" false

exits 3 "one that fails is a warning" "$nbdsync" start --wait half
is "as the result says" "$(job_field half .last_run.result)" \
    succeeded-with-warnings
like "and the log has the reason" "$(cat "$tmp/daemon.log")" \
    "error: job 'half': destination 'full': .*No space left on device"

ok "a job mirrors" "$nbdsync" start --mode mirror sync
ok "and lags behind by the age of its last pass" wait_for \
    'api /metrics | grep -q "^nbdsync_job_lag_seconds{job=\"sync\"} [0-9.]*[1-9]"'
"$nbdsync" cancel --wait --quiet sync
is "until it ends" "$(api /metrics |
    grep '^nbdsync_job_lag_seconds{job="sync"}')" \
    'nbdsync_job_lag_seconds{job="sync"} 0'
