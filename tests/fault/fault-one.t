#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One connection of several falls silent, or becomes so slow that it is no
# good: the others do their work meanwhile, and it is replaced.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires nbdkit --filter=delay --filter=log file --version
requires jq --version
plan 12

size=$((32 * MiB))
make_data "$tmp/data" $size 1
# harm_one WHAT NAME FAULT IO-TIMEOUT: 128 requests; each connection has its
# half, and the first 20 that are answered are of both.
harm_one()
{
	rm -f "$tmp/dst.img" "$tmp/dst.busy"
	truncate -s $size "$tmp/dst.img"
	start_nbdkit src --threads=1 --filter=delay file "$tmp/data" \
	    rdelay=20ms
	start_nbdkit dst --threads=1 --filter=log file "$tmp/dst.img" \
	    logfile="$tmp/dst.busy"
	start_proxy way "$2" "$3@before:reply:20"
	from=src to=dst
	[ "$2" = dst ] && to=way || from=way
	start_process copy "$nbdsync" copy --json --connections 2 \
	    --queue-depth 2 --request-size 256KiB --io-timeout "$4" \
	    "$(uri $from)" "$(uri $to)"
	wait_for "grep -q 'fault $3' '$tmp/way.log'"
	is "a connection $1" $? 0
	wait_for "[ \$(grep -c '\.\.\.Write id=' '$tmp/dst.busy') -ge 64 ]" 60
	is "the other one goes on with its part" $? 0
	ok "before a third one is made" test \
	    "$(grep -c '^connection' "$tmp/way.log")" -eq 2
	wait_for "! is_running_ $(pid_of copy)" 60 ||
	    kill -KILL "$(pid_of copy)"
	wait "$(pid_of copy)"
	is "with which the copy succeeds" $? 0
	rm -f "$tmp/copy.started"
	ok "as the result tells" jq -e '.progress.reconnects >= 1' \
	    "$tmp/copy.log"
	ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
	stop_process way
	stop_process src
	stop_process dst
}

harm_one "falls silent" dst hole 20s
# A request may take ten times as long as a server may be silent.
harm_one "moves a byte a second" src slow 2s
