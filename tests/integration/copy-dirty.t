#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# With --dirty, what a bitmap of QEMU says has changed is copied, onto the
# last copy: then it is equal, although nothing else was read or written.
. "$srcdir/tests/lib/testlib.sh"
requires qemu-nbd --version
requires qemu-img --version
requires qemu-io --version
requires nbdkit pattern --version
requires jq --version
plan 27

write()
{
	disk_=$1
	shift
	for change_ in "$@"; do
		qemu-io -f qcow2 -c "write -q -P $change_" "$disk_" ||
		    bail "qemu-io fails"
	done
}
result()
{
	echo "$out" | jq -c "$1"
}

# A tail that is no whole block of anybody.
size=$((64 * MiB + 1536))
qemu-img create -q -f qcow2 "$tmp/disk.qcow2" "$size"
write "$tmp/disk.qcow2" '1 0 8M' '2 20M 1M' "3 $((64 * MiB)) 1536"
start_qemu_nbd src --read-only --format=qcow2 "$tmp/disk.qcow2"
truncate -s "$size" "$tmp/copy"
ok "the first copy is a full one" "$nbdsync" copy "$(uri src)" "$tmp/copy"
stop_process src

# Then changes: one of them makes zeroes, two are next to each other.
qemu-img bitmap --add -g 64k -f qcow2 "$tmp/disk.qcow2" day1
write "$tmp/disk.qcow2" '4 1M 4k' '5 1100k 4k' '6 40M 200k' \
    "7 $((64 * MiB + 512)) 512"
qemu-io -f qcow2 -c 'write -q -z 20M 1M' "$tmp/disk.qcow2"
start_qemu_nbd src --read-only --format=qcow2 --bitmap=day1 \
    "$tmp/disk.qcow2"
# What nobody else would have written: if it is still there, it was left alone.
printf untouched | dd of="$tmp/copy" bs=1M seek=30 conv=notrunc status=none
cp "$tmp/copy" "$tmp/undirty"
ok "what is dirty is copied" "$nbdsync" copy --json --dirty=day1 \
    "$(uri src)" "$tmp/copy"
is "as a success" "$(result .result)" '"succeeded"'
copied=$(result .progress.total_bytes)
dirty=$("$nbdsync" info --map=qemu:dirty-bitmap:day1 --json "$(uri src)" |
    jq '[.[] | select(.flags == 1) | .length_bytes] | add')
ok "that is less than 2 MiB" test "$dirty" -lt $((2 * MiB))
is "as many bytes as are dirty" "$copied" "$dirty"
is "what was clean was left alone" "$(dd if="$tmp/copy" bs=1M skip=30 \
    status=none | head -c 9)" untouched
dd if=/dev/zero of="$tmp/copy" bs=1M seek=30 count=1 conv=notrunc status=none
ok "all else is equal" "$nbdsync" compare "$(uri src)" "$tmp/copy"

cp "$tmp/undirty" "$tmp/copy"
ok "with --sync, too" "$nbdsync" copy --sync --dirty=day1 "$(uri src)" \
    "$tmp/copy"
dd if=/dev/zero of="$tmp/copy" bs=1M seek=30 count=1 conv=notrunc status=none
ok "it is equal" "$nbdsync" compare "$(uri src)" "$tmp/copy"

# A destination with large blocks gets all of a small change.
cp "$tmp/undirty" "$tmp/copy"
dd if=/dev/zero of="$tmp/copy" bs=1M seek=30 count=1 conv=notrunc status=none
truncate -s $((65 * MiB)) "$tmp/copy"
run "$nbdsync" copy --dirty=day1 -- "$(uri src)" [ nbdkit \
    --filter=blocksize-policy file "$tmp/copy" blocksize-minimum=32K \
    blocksize-preferred=32K blocksize-error-policy=error ]
is "a tail that is no block of the destination is told" "$status" 3
truncate -s "$size" "$tmp/copy"
ok "all else of the change is there" cmp -n $((64 * MiB)) \
    "$tmp/copy" "$(
	"$nbdsync" copy --quiet "$(uri src)" "$tmp/now" && echo "$tmp/now")"

# The bitmap may be anywhere that a server finds it, also a started one.
stop_process src
cp "$tmp/undirty" "$tmp/copy"
dd if=/dev/zero of="$tmp/copy" bs=1M seek=30 count=1 conv=notrunc status=none
ok "a server that is started for it" "$nbdsync" copy --dirty=day1 -- \
    [ qemu-nbd --read-only --persistent --format=qcow2 --bitmap=day1 \
    "$tmp/disk.qcow2" ] "$tmp/copy"
ok "copies the same" cmp "$tmp/copy" "$tmp/now"

# Nothing has changed.
qemu-img bitmap --add -f qcow2 "$tmp/disk.qcow2" day2
start_qemu_nbd src --read-only --format=qcow2 --bitmap=day2 \
    "$tmp/disk.qcow2"
ok "where nothing is dirty" "$nbdsync" copy --json --dirty=day2 "$(uri src)" \
    "$tmp/copy"
is "nothing is copied" "$(result '[.result, .progress.total_bytes]')" '["succeeded",0]'
ok "nor changed" cmp "$tmp/copy" "$tmp/now"

# Less than everything is never copied by mistake.
sum=$(cksum <"$tmp/copy")
exits 4 "another bitmap is an error" "$nbdsync" copy --dirty=day1 \
    "$(uri src)" "$tmp/copy"
like "of one sentence" "$err" "source has no dirty bitmap 'day1'"
start_nbdkit plain pattern 1M
exits 4 "so is a server without" "$nbdsync" copy --dirty=day1 \
    "$(uri plain)" "$tmp/copy"
exits 4 "and one that is not there" "$nbdsync" copy --dirty=day1 \
    "$(uri none)" "$tmp/copy"
like "told as the source's" "$err" 'copy: the source: .*none\.sock'
exits 2 "a file has no bitmaps" "$nbdsync" copy --dirty=day1 \
    "$tmp/now" "$tmp/copy"
exits 2 "a bitmap has a name" "$nbdsync" copy --dirty= "$(uri src)" \
    "$tmp/copy"
exits 2 "ranges are the bitmap's" "$nbdsync" copy --dirty=day2 --range 0:1M \
    "$(uri src)" "$tmp/copy"
is "nothing was written then" "$(cksum <"$tmp/copy")" "$sum"
stop_process src
start_nbdkit cut --filter=error pattern 1M error-extents=EIO
exits 4 "a server that fails to tell is an error" "$nbdsync" copy \
    --dirty=day1 "$(uri cut)" "$tmp/copy"
is "and nothing is written" "$(cksum <"$tmp/copy")" "$sum"
