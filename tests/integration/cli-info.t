#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync info shows what a server tells of an export, and no more.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=blocksize-policy memory --version
requires qemu-nbd --version
requires jq --version
plan 21

start_nbdkit disk --filter=blocksize-policy memory 1048577 \
    blocksize-minimum=1 blocksize-preferred=64K blocksize-maximum=8M
ok "info answers" "$nbdsync" info "$(uri disk)"
like "the size is told in bytes and for people" "$out" \
    '^size: +1048577 bytes \(1\.0 MiB\)$'
like "it is not read-only" "$out" '^read-only: +no$'
like "flags have names" "$out" '^flags: .*flush.*write-zeroes'
like "block sizes are told" "$out" \
    '^block size: +minimum 1 B, preferred 64\.0 KiB, maximum 8\.0 MiB$'
like "structured replies are there" "$out" '^structured replies: +yes$'
like "so is base:allocation" "$out" '^contexts: +base:allocation$'

ok "info as JSON" "$nbdsync" info --json "$(uri disk)"
json=$out
is "the size" "$(echo "$json" | jq .size_bytes)" 1048577
is "read-only" "$(echo "$json" | jq .read_only)" false
is "the block sizes" "$(echo "$json" | jq -c '.block_size | [
    .minimum_bytes, .preferred_bytes, .maximum_bytes]')" "[1,65536,8388608]"
is "the flags" "$(echo "$json" | jq '.flags | index("flush") != null')" true
is "the features" "$(echo "$json" |
    jq -c '[.structured_replies, .base_allocation]')" "[true,true]"

start_nbdkit plain -r --no-sr memory 1M
ok "a server with fewer features" "$nbdsync" info --json "$(uri plain)"
is "has fewer features" "$(echo "$out" | jq -c '[.read_only, .block_size,
    .structured_replies, .base_allocation]')" "[true,null,false,false]"

truncate -s 1M "$tmp/image"
start_qemu_nbd qemu -f raw -x system -D 'The system disk' "$tmp/image"
ok "an export of qemu-nbd" "$nbdsync" info --json \
    "nbd+unix:///system?socket=$tmp/qemu.sock"
is "is described" "$(echo "$out" | jq -r .description)" "The system disk"
exits 1 "an export that does not exist is an error" \
    "$nbdsync" info "nbd+unix:///other?socket=$tmp/qemu.sock"
like "that names it" "$err" "^nbdsync: info: .*'other'"
is "in one line" "$(echo "$err" | wc -l)" 1
is "and prints no data" "$out" ""
