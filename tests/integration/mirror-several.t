#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror with two destinations, of which one is lost: the other goes on.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay file --version
requires jq --version
plan 15

mirror()
{
	job_field m ".run.progress.mirror.$1"
}

change()
{
	printf '%s' "$1" | dd of="$tmp/a" bs=1 seek=3000000 conv=notrunc \
	    status=none
}

make_data "$tmp/a" $((4 * MiB)) 1
truncate -s $((4 * MiB)) "$tmp/b" "$tmp/c"
start_nbdkit b file "$tmp/b"
start_nbdkit c --filter=delay file "$tmp/c" rdelay=100ms
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; uri = \"$(uri b)\"; }, { name = \"c\"; uri = \"$(uri c)\"; } );
jobs = ( { name = \"m\"; mode = \"mirror\"; source = \"a\";
    destinations = [ \"b\", \"c\" ]; pass_interval = \"0\";
    connections = 1; queue_depth = 1; request_size = \"256KiB\"; } );"
start_daemon "$tmp/conf"
start_job m
ok "both destinations are mirrored to" wait_for \
    '[ "$(mirror passes_complete)" -ge 2 ] && cmp -s "$tmp/b" "$tmp/c"' 60

# In the middle of a pass, which takes 16 requests of 0.1 s: its connection is
# lost, and is tried again.
wait_for '[ "$(job_field m ".run.progress |
    .done_bytes > 0 and .done_bytes * 4 < .total_bytes")" = true ]'
stop_process c KILL
ok "one is lost in the middle of a pass" wait_for \
    '[ "$(job_field m .run.progress.connections_away)" -ge 1 ]'
change "while it is away"
ok "the other one is mirrored to" wait_for 'cmp -s "$tmp/a" "$tmp/b"' 60
not_ok "though the one is not" cmp -s "$tmp/a" "$tmp/c"
is "it is not called in sync" "$(mirror in_sync)" false
change "and again, still away"
ok "and once more" wait_for 'cmp -s "$tmp/a" "$tmp/b"' 60
# Times of one form are in order as texts.
ok "it is said which of them has got less" wait_for \
    '[ "$(mirror "destinations[0].consistent_at > (
        .run.progress.mirror | .destinations[1].consistent_at)")" = true ]' 60
start_nbdkit c file "$tmp/c"
ok "the one that is back gets all that it missed" wait_for \
    'cmp -s "$tmp/a" "$tmp/c"' 60
ok "and both are in sync" wait_for '[ "$(mirror in_sync)" = true ]' 60

# Not there when the mirror begins.
"$nbdsync" cancel m || bail "it is not cancelled"
wait_for '[ "$(job_field m .state)" = idle ]' 60 || bail "it does not end"
stop_process c KILL
change "before it begins again"
start_job m
ok "one that is not there at the beginning is not waited for" wait_for \
    'cmp -s "$tmp/a" "$tmp/b" && [ "$(mirror passes_failed)" -ge 1 ]' 60
is "only the other one is consistent" "$(mirror \
    'destinations | map(.consistent_at != null) | tostring')" "[true,false]"
ok "a person is told, too" "$nbdsync" status m
like "of each" "$(echo "$out" | tr '\n' ' ')" \
    'consistent: +not yet +b: as of 20[^ ]* [0-9:]+ +c: never '
start_nbdkit c file "$tmp/c"
ok "nor given up" wait_for 'cmp -s "$tmp/a" "$tmp/c"' 60
ok "and both are in sync then" wait_for '[ "$(mirror in_sync)" = true ]' 60
