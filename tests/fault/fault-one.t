#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One connection of several falls silent: the others do their work meanwhile,
# and it is replaced.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires nbdkit --filter=delay --filter=log file --version
requires jq --version
plan 6

size=$((32 * MiB))
make_data "$tmp/data" $size 1
truncate -s $size "$tmp/dst.img"
start_nbdkit src --filter=delay file "$tmp/data" rdelay=20ms
start_nbdkit dst --filter=log file "$tmp/dst.img" logfile="$tmp/dst.busy"
start_proxy way dst hole@before:reply:20

# 128 requests; each connection has its half, and the first 20 that are
# answered are of both.
start_process copy "$nbdsync" copy --json --connections 2 --queue-depth 2 \
    --request-size 256KiB --io-timeout 20s "$(uri src)" "$(uri way)"
wait_for "grep -q 'fault hole' '$tmp/way.log'"
is "a connection falls silent" $? 0
wait_for "[ \$(grep -c '\.\.\.Write id=' '$tmp/dst.busy') -ge 64 ]" 60
is "the other one goes on with its part" $? 0
ok "before a third one is made" test \
    "$(grep -c '^connection' "$tmp/way.log")" -eq 2
wait_for "! is_running_ $(pid_of copy)" 60
wait "$(pid_of copy)"
is "with which the copy succeeds" $? 0
rm -f "$tmp/copy.started"
ok "as the result tells" jq -e '.progress.reconnects >= 1' "$tmp/copy.log"
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
