#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several metadata contexts in one block status, from QEMU.
. "$srcdir/tests/lib/testlib.sh"
requires qemu-nbd --version
requires qemu-img --version
requires qemu-io --version
show="$builddir/tests/lib/show-status"
map="$builddir/tests/lib/map-client"
for program in "$show" "$map"; do
	[ -x "$program" ] || {
		echo "1..0 # SKIP $program was not built"
		exit 0
	}
done
plan 11

extents()
{
	echo "$out" | sed -n "s/^$1 //p" | tr '\n' ',' | sed 's/,$//'
}

qemu-img create -q -f qcow2 "$tmp/base.qcow2" 4M
qemu-io -f qcow2 -c 'write -P 1 0 1M' "$tmp/base.qcow2" >/dev/null
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$tmp/disk.qcow2"
qemu-img bitmap --add -f qcow2 "$tmp/disk.qcow2" changes
qemu-io -f qcow2 -c 'write -P 2 2M 1M' "$tmp/disk.qcow2" >/dev/null
start_qemu_nbd src --read-only --format=qcow2 --bitmap=changes \
    --allocation-depth "$tmp/disk.qcow2"

run "$show" "$tmp/src.sock" 4194304 base:allocation \
    qemu:dirty-bitmap:changes qemu:allocation-depth
is "three contexts are answered" "$status" 0
is "what is allocated" "$(extents base:allocation)" \
    "1048576 0,1048576 3,1048576 0,1048576 3"
is "what was changed" "$(extents qemu:dirty-bitmap:changes)" \
    "2097152 0,1048576 1,1048576 0"
is "how deep it lies" "$(extents qemu:allocation-depth)" \
    "1048576 2,1048576 0,1048576 1,1048576 0"
run "$show" "$tmp/src.sock" 4194304 qemu:allocation-depth x:nothing \
    base:allocation
is "in any order, one not known" "$(extents base:allocation)" \
    "1048576 0,1048576 3,1048576 0,1048576 3"
is "which has no extents" "$(extents x:nothing)" ""

# The installed library tells of all of them by one call.
run "$map" "$(uri src)" qemu:allocation-depth x:nothing base:allocation \
    qemu:dirty-bitmap:changes
is "the library tells three contexts" "$status" 0
is "what is allocated" "$(extents base:allocation)" \
    "1048576 0,1048576 3,1048576 0,1048576 3"
is "what was changed" "$(extents qemu:dirty-bitmap:changes)" \
    "2097152 0,1048576 1,1048576 0"
is "how deep it lies" "$(extents qemu:allocation-depth)" \
    "1048576 2,1048576 0,1048576 1,1048576 0"
is "and nothing of the unknown" "$(extents x:nothing)" ""
