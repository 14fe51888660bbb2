#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync info --map prints the extents of a context, --totals their sums.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit data --version
requires nbdkit --filter=error memory --version
requires nbdkit --filter=blocksize-policy memory --version
requires nbdkit eval --version
requires qemu-nbd --version
requires qemu-img --version
requires qemu-io --version
requires jq --version
plan 50

# An array of extents as the text that stands for it, but for the padding.
text_of()
{
	echo "$1" | jq -r '.[] | [.offset_bytes, .length_bytes, .flags,
	    .state // empty] | map(tostring) | join(" ")'
}
squeezed()
{
	echo "$1" | sed -e 's/^ *//' -e 's/  */ /g'
}
# A failure is one sentence, and nothing else.
told()
{
	like "$1" "$err" "$2"
	is "in one line, and no data" "$(echo "$err" | wc -l) $out" "1 "
}

start_nbdkit data data '@0x100000 1*32768 @0x200000 2*32768' size=4M
ok "a disk is mapped" "$nbdsync" info --map "$(uri data)"
is "an extent a line, in columns" "$out" "\
      0  1048576  3  hole,zero
1048576    32768  0  data
1081344  1015808  3  hole,zero
2097152    32768  0  data
2129920  2064384  3  hole,zero"
map=$out
COLUMNS=20 ok "whatever the width of the terminal" \
    "$nbdsync" info --map=base:allocation "$(uri data)"
is "and base:allocation is the default" "$out" "$map"
ok "it is mapped as JSON" "$nbdsync" info --map --json "$(uri data)"
is "which says the same" "$(text_of "$out")" "$(squeezed "$map")"
ok "the extents are summed up" "$nbdsync" info --map --totals "$(uri data)"
is "by kind" "$out" "\
  65536    1.6%  0  data
4128768   98.4%  3  hole,zero"
ok "and as JSON" "$nbdsync" info --map --totals --json "$(uri data)"
is "with the same sums" "$(echo "$out" | jq -c .)" "[\
{\"total_bytes\":65536,\"percent\":1.5625,\"flags\":0,\"state\":\"data\"},\
{\"total_bytes\":4128768,\"percent\":98.4375,\"flags\":3,\
\"state\":\"hole,zero\"}]"

start_nbdkit kinds eval get_size='echo 40K' pread='head -c $3 /dev/zero' \
    can_extents='exit 0' \
    extents='echo 0 8K data; echo 8K 8K hole; echo 16K 8K zero
	echo 24K 8K hole,zero; echo 32K 4K data; echo 36K 4K data'
ok "a disk of all kinds is mapped" "$nbdsync" info --map "$(uri kinds)"
is "each has its words" "$out" "\
    0   8192  0  data
 8192   8192  1  hole
16384   8192  2  zero
24576   8192  3  hole,zero
32768   8192  0  data"

# QEMU: a backing file, and what was changed in the file before it.
qemu-img create -q -f qcow2 "$tmp/base.qcow2" 4M
qemu-io -f qcow2 -c 'write -P 1 0 1M' "$tmp/base.qcow2" >/dev/null
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$tmp/disk.qcow2"
qemu-img bitmap --add -f qcow2 "$tmp/disk.qcow2" 'since: day 1'
qemu-io -f qcow2 -c 'write -P 2 2M 1M' "$tmp/disk.qcow2" >/dev/null
start_qemu_nbd qcow2 -r -f qcow2 -B 'since: day 1' -A "$tmp/disk.qcow2"
bitmap='qemu:dirty-bitmap:since: day 1'
ok "QEMU's allocation is mapped" "$nbdsync" info --map "$(uri qcow2)"
is "as it is" "$out" "\
      0  1048576  0  data
1048576  1048576  3  hole,zero
2097152  1048576  0  data
3145728  1048576  3  hole,zero"
ok "so is a dirty bitmap, of any name" \
    "$nbdsync" info --map="$bitmap" "$(uri qcow2)"
is "with its words" "$out" "\
      0  2097152  0  clean
2097152  1048576  1  dirty
3145728  1048576  0  clean"
ok "and the depth of the allocation" \
    "$nbdsync" info --map=qemu:allocation-depth "$(uri qcow2)"
is "with its words" "$out" "\
      0  1048576  2  backing 2
1048576  1048576  0  unallocated
2097152  1048576  1  local
3145728  1048576  0  unallocated"
depths=$out
ok "and as JSON" "$nbdsync" info --json --map=qemu:allocation-depth \
    "$(uri qcow2)"
is "with the same words" "$(text_of "$out")" "$(squeezed "$depths")"
ok "dirty bytes are summed up" \
    "$nbdsync" info --totals --map="$bitmap" "$(uri qcow2)"
is "with percent" "$out" "\
3145728   75.0%  0  clean
1048576   25.0%  1  dirty"
ok "a server is started to be mapped" \
    "$nbdsync" info --map -- [ qemu-nbd -r -f qcow2 "$tmp/base.qcow2" ]
is "with its disk" "$(squeezed "$out")" "\
0 1048576 0 data
1048576 3145728 3 hole,zero"

# Sizes.
start_nbdkit odd data '1*1000' size=1000003
ok "a disk of an odd size is mapped" "$nbdsync" info --map "$(uri odd)"
is "to its last byte" "$(squeezed "$out")" "\
0 32768 0 data
32768 967235 3 hole,zero"
start_nbdkit empty memory 0
ok "an empty disk is mapped" "$nbdsync" info --map "$(uri empty)"
is "without a line" "$out" ""
ok "and as JSON" "$nbdsync" info --map --json "$(uri empty)"
is "as an empty array" "$out" "[]"
exits 1 "also an empty disk has no unknown context" \
    "$nbdsync" info --map=x:y "$(uri empty)"
start_nbdkit tail --filter=blocksize-policy memory 1000003 \
    blocksize-minimum=512 blocksize-preferred=4K
exits 1 "a tail that no request can reach is an error" \
    "$nbdsync" info --map "$(uri tail)"
like "and told" "$err" 'minimum block, which no request can reach$'

# What is not there.
exits 1 "a context that the server lacks is an error" \
    "$nbdsync" info --map=x:y "$(uri qcow2)"
told "and told by name" "^nbdsync: info: there is no metadata context 'x:y' \
for this export\$"
exits 1 "for JSON, too" "$nbdsync" info --json --map=x:y "$(uri qcow2)"
told "and told" "metadata context 'x:y'"
exits 1 "a name of strange bytes is one that the server lacks" \
    "$nbdsync" info --map="$(printf 'a\377\033[2J')" "$(uri data)"
told "and shown escaped" "context 'a.xFF.x1B\\[2J'"
start_nbdkit plain --no-sr memory 1M
exits 1 "a server without structured replies has no contexts" \
    "$nbdsync" info --map "$(uri plain)"
told "and it is said why" 'the server has no structured replies$'

# What fails.
start_nbdkit failing --filter=error memory 1M error-extents=EIO \
    error-extents-rate=100%
exits 1 "a server that fails is an error" \
    "$nbdsync" info --map --totals "$(uri failing)"
told "which is told" 'cannot map .*Input/output error'
start_nbdkit halfway eval get_size='echo 8G' pread='head -c $3 /dev/zero' \
    can_extents='exit 0' \
    extents='[ $4 -lt 4294967296 ] || { echo EIO no more >&2; exit 1; }
	echo $4 512M data; echo $(($4 + 536870912)) 512M hole,zero'
exits 1 "a server that fails halfway is an error" \
    "$nbdsync" info --map --json "$(uri halfway)"
not_ok "and what it told is no JSON" sh -c \
    "'$nbdsync' info --map --json '$(uri halfway)' 2>/dev/null | jq ."
