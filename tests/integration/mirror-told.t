#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What 'nbdsync mirror' says of passes that fail: a cause once, and its end.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
plan 7

change()
{
	printf '%s' "$1" | dd of="$tmp/a" bs=1 seek=3000000 conv=notrunc \
	    status=none
	wait_for "cmp -s '$tmp/a' '$tmp/b'" 60
}

told()
{
	[ "$(grep -c "$1" "$tmp/mirror.log")" = "$2" ]
}

make_data "$tmp/a" $((4 * MiB)) disk
truncate -s 4M "$tmp/b" "$tmp/c"
for i in a b; do
	start_nbdkit $i file "$tmp/$i"
done
start_process mirror "$nbdsync" mirror --interval 0 --reconnect 0 "$(uri a)" \
    "$(uri b)" "nbd+unix:///?socket=$tmp/c.sock"
ok "one of two destinations is mirrored to" change 1
ok "and once more" change 2
ok "and again" change 3
ok "that the other one is not there is told once" told \
    "pass [0-9]* has failed and will be done again: destination 'nbd.*c.sock'" 1
start_nbdkit c file "$tmp/c"
ok "and when all are complete" wait_for 'told "the first pass is complete" 1' 60
stop_process c
ok "a pass that fails after that is told" wait_for 'told "has failed" 2' 60
start_nbdkit c file "$tmp/c"
ok "and that it was not for long" wait_for 'told "a pass is complete again" 1' 60
