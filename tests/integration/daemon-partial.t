#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run that has lost one of its destinations, or has skipped something, does
# not call itself a success.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error file --version
requires jq --version
plan 13

make_data "$tmp/a" $((4 * MiB)) 1
truncate -s $((4 * MiB)) "$tmp/b" "$tmp/c" "$tmp/d"
start_nbdkit bad --filter=error file "$tmp/c" error-pwrite-rate=100%
start_nbdkit worn -r --filter=error file "$tmp/a" error-pread-rate=100%
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"d\"; path = \"$tmp/d\"; },
  { name = \"c\"; uri = \"$(uri bad)\"; },
  { name = \"worn\"; uri = \"$(uri worn)\"; },
  { name = \"gone\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; } );
jobs = ( { name = \"half\"; source = \"a\"; destinations = [ \"b\", \"c\" ]; },
  { name = \"skips\"; source = \"worn\"; destinations = [ \"b\", \"d\" ];
    on_read_error = \"skip\"; retries = 0; fill = \"zeroes\";
    ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } ); },
  { name = \"both\"; source = \"worn\"; destinations = [ \"b\", \"gone\" ];
    on_read_error = \"skip\"; retries = 0;
    ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } ); } );"
start_daemon "$tmp/conf"
exits 3 "a run that loses one of two destinations ends so" \
    "$nbdsync" start --wait --quiet half
ok "the other one has all of it" cmp "$tmp/a" "$tmp/b"
like "the log says why" "$(cat "$tmp/daemon.log")" \
    "error: job 'half': destination 'c': "
like "and that it is a success with warnings, and which has failed" \
    "$(cat "$tmp/daemon.log")" \
    "warning: job 'half': succeeded with warnings: 4\.0 MiB in .*; failed: 'c'$"
is "it never calls it a success" \
    "$(grep -c "info: job 'half': succeeded" "$tmp/daemon.log")" 0
is "programs are told the same" "$("$nbdsync" log --json half |
    jq -rs '[.[] | .messages[]? // . |
    select(.message | test("succeeded with"))] | length')" 1

exits 3 "nor is it one but for bad ranges" "$nbdsync" start --wait --quiet both
like "which is told" "$err" "some ranges could not be copied, and some \
destinations failed"
exits 0 "the command that is named has all of it" "$nbdsync" report \
    "$(echo "$err" | sed -n "s/.*see 'nbdsync report \(.*\)'.*/\1/p")"
like "of the same run" "$out" "^job: +both$"

exits 13 "what both destinations lack" "$nbdsync" start --wait --quiet skips
like "is counted once" "$(cat "$tmp/daemon.log")" \
    "error: job 'skips': finished, but for 4096 bad bytes in 1 range, the first at offset 0: "
like "also what was filled of it" "$(cat "$tmp/daemon.log")" \
    "job 'skips': filled 4096 of these bytes"
