#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers with extended headers: requests of 32 bytes, and extents longer
# than 32 bits can say.
. "$srcdir/tests/lib/testlib.sh"
[ -x "$builddir/tests/lib/ext-server" ] || {
	echo "1..0 # SKIP tests/lib/ext-server was not built"
	exit 0
}
plan 8

size=$((6 * 1024 * 1024 * 1024))

start_ext()
{
	start_process "$1" "$builddir/tests/lib/ext-server" \
	    "$tmp/$1.sock" "$size" ${2:+"$2"}
	wait_for "[ -S '$tmp/$1.sock' ]"
}
last_sum()
{
	wait_for "grep -q '^sum' '$tmp/$1.log'" >&2
	grep '^sum' "$tmp/$1.log" | tail -n 1
}

start_ext src fill
start_ext dst
ok "a disk of 6 GiB, mostly nothing, is copied" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
is "with all that is in it" "$(last_sum dst)" "$(last_sum src)"
unlike "which is something" "$(last_sum src)" "cbf29ce484222325"
longest=$(sed -n 's/^longest //p' "$tmp/src.log" | sort -n | tail -n 1)
ok "an extent was longer than 4 GiB" [ "$longest" -gt 4294967296 ]
out=$("$builddir/tests/lib/show-status" "$tmp/dst.sock" zero "$size" \
    base:allocation)
is "6 GiB are zeroed by one request" "$out" "base:allocation $size 3"
wait_for "[ \$(grep -c '^sum' '$tmp/dst.log') -gt 1 ]"
is "and nothing is left" "$(last_sum dst)" "sum cbf29ce484222325"
unlike "nothing unknown was asked of the source" "$(cat "$tmp/src.log")" wrong
unlike "nor of the destination" "$(cat "$tmp/dst.log")" wrong
