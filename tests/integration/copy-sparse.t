#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Holes and zeroes are neither read nor sent as data.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=checkwrite data data='1' --version
requires nbdkit --filter=log sparse-random --version
plan 29

# A terabyte with islands at its start, in the middle and at its very end.
islands='"start" @0x8000000000 ("middle" * 5000) @0xffffffffff 0x7f'
start_nbdkit src --filter=log data data="$islands" size=1T \
    logfile="$tmp/src.log"
start_nbdkit dst --filter=checkwrite data data="$islands" size=1T
ok "a sparse disk of 1 TiB is copied" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
result=$out
read_bytes=$(echo "$result" | jq .progress.read_bytes)
ok "less than 1 MiB of it is read" test "$read_bytes" -lt $MiB
ok "and something is" test "$read_bytes" -gt 0
is "all of it is accounted for" \
    "$(echo "$result" | jq .progress.done_bytes)" $TiB
ok "block status was asked for" grep -q Extents "$tmp/src.log"
stop_process src
stop_process dst

# checkwrite compares each write with the same disk.
start_nbdkit src sparse-random size=1G seed=7 percent=10
start_nbdkit dst --filter=checkwrite sparse-random size=1G seed=7 percent=10
ok "a sparse-random disk is copied and checked by its server" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
stop_process dst
start_nbdkit dst --filter=checkwrite sparse-random size=1G seed=8 percent=10
exits 4 "which does find a disk that differs" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
stop_process src
stop_process dst

# Without block status the zeroes are found by looking at them.
make_data "$tmp/src.img" $MiB disk
truncate -s $((16 * MiB)) "$tmp/src.img"
truncate -s $((16 * MiB)) "$tmp/dst.img"
start_nbdkit src --filter=noextents file "$tmp/src.img"
start_nbdkit dst file "$tmp/dst.img"
ok "a source without block status is copied" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
result=$out
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
is "all of it was read" \
    "$(echo "$result" | jq .progress.read_bytes)" $((16 * MiB))
is "its zeroes were not sent" \
    "$(echo "$result" | jq .progress.written_bytes)" $MiB
stop_process src
stop_process dst

# Where write-zeroes is not offered, zeroes are written, over old data too.
make_data "$tmp/dst.img" $((16 * MiB)) old
start_nbdkit src file "$tmp/src.img"
start_nbdkit dst --filter=log --filter=nozero file "$tmp/dst.img" \
    logfile="$tmp/dst.log"
ok "a destination without write-zeroes is written" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
warnings=$err
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
like "what was done without is said" "$warnings" "does not offer write-zeroes"
not_ok "no write-zeroes was sent" grep -q ' Zero ' "$tmp/dst.log"
stop_process dst

# Old data under the source's holes does not survive.
make_data "$tmp/dst.img" $((16 * MiB)) old
start_nbdkit dst file "$tmp/dst.img"
ok "a used destination is overwritten" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
ok "also where the source has holes" cmp "$tmp/src.img" "$tmp/dst.img"
stop_process src
stop_process dst

# Zeroes among data: one block in each 256 KiB, and no map to tell.
perl -e 'for (0 .. 15) { print "\0" x 131072, "x" x 4096, "\0" x 126976 }' \
    >"$tmp/src.img"
start_nbdkit src --filter=noextents file "$tmp/src.img"

# sparse SENTENCE WRITTEN ARGS...: copies, and so many bytes go as data
sparse()
{
	sentence=$1
	written=$2
	shift 2
	make_data "$tmp/dst.img" $((4 * MiB)) old
	start_nbdkit dst --filter=log file "$tmp/dst.img" \
	    logfile="$tmp/dst.log"
	ok "$sentence" "$nbdsync" copy --json --request-size 256KiB "$@" \
	    "$(uri src)" "$(uri dst)"
	ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
	is "with what is to be sent as data" "$(sum_writes)" "$written"
	stop_process dst
}

# What the destination was sent as payload.
sum_writes()
{
	sed -n 's/.* Write .*count=\(0x[0-9a-f]*\).*/\1/p' "$tmp/dst.log" |
	    { sum=0; while read -r n; do sum=$((sum + n)); done; echo $sum; }
}

sparse "a disk with zeroes among its data is copied" $((16 * 32 * KiB))
sparse "zeroes are looked for as finely as one likes" $((16 * 4 * KiB)) -S 4K
sparse "or coarsely" $((16 * 128 * KiB)) --sparse=128KiB
sparse "or not at all" $((4 * MiB)) -S 0
