#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# qemu-nbd is read and written, raw and qcow2, started here or by the run.
. "$srcdir/tests/lib/testlib.sh"
requires qemu-nbd --version
requires qemu-img --version
plan 11

make_data "$tmp/raw.img" $((3 * MiB)) disk
truncate -s $((32 * MiB)) "$tmp/raw.img"
make_data "$tmp/tail" 5000 tail
cat "$tmp/tail" >>"$tmp/raw.img"
truncate -s $((33 * MiB)) "$tmp/raw.img"
qemu-img create -q -f qcow2 "$tmp/disk.qcow2" $((33 * MiB))

start_qemu_nbd raw -r -f raw "$tmp/raw.img"
start_qemu_nbd qcow2 -f qcow2 "$tmp/disk.qcow2"
ok "raw is copied to qcow2" "$nbdsync" copy "$(uri raw)" "$(uri qcow2)"
ok "the connection is given back" stop_process qcow2
ok "qemu-img finds them equal" qemu-img compare -f raw -F qcow2 \
    "$tmp/raw.img" "$tmp/disk.qcow2"
ok "the qcow2 stays small" test "$(size_of "$tmp/disk.qcow2")" -lt $((5 * MiB))
stop_process raw

start_qemu_nbd qcow2 -r -f qcow2 "$tmp/disk.qcow2"
ok "qcow2 is copied to a new file" \
    "$nbdsync" copy "$(uri qcow2)" "$tmp/back.img"
ok "every byte arrived" cmp "$tmp/raw.img" "$tmp/back.img"
stop_process qcow2

qemu-img create -q -f qcow2 "$tmp/two.qcow2" $((33 * MiB))
ok "qemu-nbd is started for the run by socket activation" \
    "$nbdsync" copy -- [ qemu-nbd -t -e 8 -r -f raw "$tmp/raw.img" ] \
    [ qemu-nbd -t -e 8 -f qcow2 "$tmp/two.qcow2" ]
ok "qemu-img finds them equal" qemu-img compare -f raw -F qcow2 \
    "$tmp/raw.img" "$tmp/two.qcow2"

# One connection at a time: a second would wait for ever.
qemu-img create -q -f raw "$tmp/one.img" $((33 * MiB))
rm -f "$tmp/single.sock"
start_process single qemu-nbd -t -f raw -k "$tmp/single.sock" \
    --pid-file="$tmp/single.pid" "$tmp/one.img"
wait_for "[ -s '$tmp/single.pid' ]"
ok "a server of one connection is written" "$nbdsync" copy --connections 4 \
    "$tmp/raw.img" "$(uri single)"
ok "every byte arrived" cmp "$tmp/raw.img" "$tmp/one.img"

# qemu shows a file that is not whole sectors as rounded up.
make_data "$tmp/odd.img" 10000 odd
truncate -s 10240 "$tmp/rounded.img"
ok "a size that qemu rounds up is copied" "$nbdsync" copy -- \
    [ qemu-nbd -t -r -f raw "$tmp/odd.img" ] "$tmp/rounded.img"
