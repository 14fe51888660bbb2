#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Comparing, and writing only what differs.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit data --version
requires qemu-nbd --version
requires jq --version
plan 26

change()
{
	printf '%s' "$2" | dd of="$1" bs=1 seek="$3" conv=notrunc status=none
}

make_data "$tmp/a.img" $((40 * MiB)) disk
truncate -s $((100 * MiB + 511)) "$tmp/a.img"
cp "$tmp/a.img" "$tmp/b.img"
exits 0 "equal disks are equal" "$nbdsync" compare "$tmp/a.img" "$tmp/b.img"
is "which needs no words" "$out$err" ""
ok "and no writing" "$nbdsync" copy --sync --json "$tmp/a.img" "$tmp/b.img"
is "not a byte" "$(echo "$out" | jq -c '.progress |
    [.written_bytes, .zeroed_bytes, .equal_bytes]')" "[0,0,104858111]"

change "$tmp/b.img" x 5000000
change "$tmp/b.img" y $((90 * MiB))
change "$tmp/b.img" z $((100 * MiB + 510))
before=$(cksum <"$tmp/b.img")
exits 9 "disks that differ do" "$nbdsync" compare "$tmp/a.img" "$tmp/b.img"
is "and where is told by sectors" "$out" "512 bytes at offset 4999680 differ
512 bytes at offset 94371840 differ
511 bytes at offset 104857600 differ"
exits 9 "as JSON, too" "$nbdsync" compare --json "$tmp/a.img" "$tmp/b.img"
is "with offsets and lengths" "$(echo "$out" |
    jq -c '[.differences[] | .offset_bytes, .length_bytes]')" \
    "[4999680,512,94371840,512,104857600,511]"
is "and the right word" "$(echo "$out" | jq -r .result)" differences-found
exits 0 "elsewhere they are equal" "$nbdsync" compare --range 8MiB:64MiB \
    "$tmp/a.img" "$tmp/b.img"
is "comparing has changed nothing" "$(cksum <"$tmp/b.img")" "$before"
cp "$tmp/b.img" "$tmp/c.img"
ok "only what differs is written" "$nbdsync" copy --sync --json \
    "$tmp/a.img" "$tmp/b.img" "$tmp/c.img"
is "in few blocks" "$(echo "$out" |
    jq -c '[.progress.destinations[] | .written_bytes]')" "[8703,8703]"
ok "and then they are equal" cmp "$tmp/a.img" "$tmp/b.img"
ok "both of them" cmp "$tmp/a.img" "$tmp/c.img"

exits 4 "nothing cannot be compared with" "$nbdsync" copy --sync \
    "$tmp/a.img" null:
like "which is said" "$err" "destination 'null:': read of .* not supported"

# A disk of a terabyte, of which both servers tell what is zero.
islands="(0x55*65536) @549755813888 (0x66*65536)"
start_nbdkit big -r data data="$islands" size=1T
start_nbdkit same -r data data="$islands" size=1T
start_nbdkit other -r data data="$islands @1048576 0x77" size=1T
exits 0 "terabytes of zeroes are compared" "$nbdsync" compare --json \
    "$(uri big)" "$(uri same)"
is "without being read" "$(echo "$out" |
    jq '.progress.read_bytes < 1000000 and .progress.read_bytes > 0')" true
exits 9 "and other islands are found" "$nbdsync" compare --json "$(uri big)" \
    "$(uri other)"
is "wherever they lie" "$(echo "$out" |
    jq -c '[.differences[] | .offset_bytes, .length_bytes]')" "[1048576,512]"
start_nbdkit blind -r --filter=noextents data data="$islands" size=1T
exits 0 "a server without a map is read" "$nbdsync" compare \
    --range 0:64MiB "$(uri big)" "$(uri blind)"

# A qcow2 image tells what it has.
qemu-img create -q -f qcow2 "$tmp/d.qcow2" 64M
start_qemu_nbd d -f qcow2 "$tmp/d.qcow2"
truncate -s 64M "$tmp/e.img"
change "$tmp/e.img" hello $((33 * MiB))
ok "qemu-nbd is compared and written" "$nbdsync" copy --sync "$tmp/e.img" \
    "$(uri d)"
exits 0 "and then equal" "$nbdsync" compare "$tmp/e.img" "$(uri d)"
exits 4 "a disk that cannot be read fails" "$nbdsync" compare -- \
    "$tmp/e.img" [ nbdkit --filter=error memory 64M error-pread=EIO \
    error-pread-rate=100% ]
like "with side and cause" "$err" 'Input/output error'
