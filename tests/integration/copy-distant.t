#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How much is in flight follows from how long answers take.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit pattern --version
requires nbdkit --filter=delay null --version
requires jq --version
plan 8

# So long that what else the machine does makes no difference.
size=$((512 * MiB))
start_nbdkit far -r --filter=delay pattern $size rdelay=200ms
start_nbdkit dst --filter=checkwrite --filter=delay pattern $size wdelay=200ms
ok "a distant disk is copied right" "$nbdsync" copy --json \
    "$(uri far)" "$(uri dst)"
is "over more connections than at first" \
    "$(echo "$out" | jq .progress.connections)" 8
is "by larger requests" "$(echo "$out" | jq .progress.request_size_bytes)" \
    $MiB
ok "fixed values stay" "$nbdsync" copy --json --range 0:64MiB \
    --connections 2 --queue-depth 32 --request-size 512KiB \
    "$(uri far)" "$(uri dst)"
is "as they are" "$(echo "$out" | jq -c '[.progress.connections,
    .progress.queue_depth, .progress.request_size_bytes]')" "[2,32,524288]"
stop_process far
stop_process dst

# One connection only: there is more on it.
start_nbdkit one -r --filter=multi-conn --filter=delay pattern $size \
    multi-conn-mode=disable rdelay=200ms
start_nbdkit dst --filter=checkwrite pattern $size
ok "a distant server without multi-conn is copied right" "$nbdsync" copy \
    --json --range 0:128MiB "$(uri one)" "$(uri dst)"
is "over one connection" "$(echo "$out" | jq .progress.connections)" 1
is "with larger requests" \
    "$(echo "$out" | jq .progress.request_size_bytes)" $MiB
