#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk of any size is copied whole, the last odd byte included.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
plan 18

for size in 0 1 511 512 513 4095 4096 $((MiB + 1)) $((64 * MiB - 1)); do
	make_data "$tmp/src.img" $size disk
	rm -f "$tmp/dst.img"
	truncate -s $size "$tmp/dst.img"
	start_nbdkit src -r file "$tmp/src.img"
	start_nbdkit dst file "$tmp/dst.img"
	ok "a disk of $size bytes is copied" \
	    "$nbdsync" copy "$(uri src)" "$(uri dst)"
	ok "and every byte of it arrived" cmp "$tmp/src.img" "$tmp/dst.img"
	stop_process src
	stop_process dst
done
