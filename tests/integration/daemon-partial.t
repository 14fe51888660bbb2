#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run that has lost one of its destinations does not call itself a success.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error file --version
requires jq --version
plan 6

make_data "$tmp/a" $((4 * MiB)) 1
truncate -s $((4 * MiB)) "$tmp/b" "$tmp/c"
start_nbdkit bad --filter=error file "$tmp/c" error-pwrite-rate=100%
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"c\"; uri = \"$(uri bad)\"; } );
jobs = ( { name = \"half\"; source = \"a\"; destinations = [ \"b\", \"c\" ]; } );"
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
