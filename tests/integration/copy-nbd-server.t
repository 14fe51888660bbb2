#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbd-server is read and written, over TCP; without flush only on request.
. "$srcdir/tests/lib/testlib.sh"
requires nbd-server -V
requires perl -e 'use IO::Socket::INET'
plan 11

size=$((40 * MiB + 512))
make_data "$tmp/src.img" $size disk
truncate -s $size "$tmp/dst.img"
truncate -s $size "$tmp/sync.img"
cp "$tmp/dst.img" "$tmp/old.img"
port=$(free_port)
cat >"$tmp/nbd-server.conf" <<EOF
[generic]
	listenaddr = 127.0.0.1
	port = $port
	allowlist = true
[src]
	exportname = $tmp/src.img
	readonly = true
[dst]
	exportname = $tmp/dst.img
[sync]
	exportname = $tmp/sync.img
	flush = true
	fua = true
EOF
# It goes to the background by itself.
at_exit "kill \$(cat '$tmp/nbd-server.pid') 2>/dev/null"
nbd-server -C "$tmp/nbd-server.conf" -p "$tmp/nbd-server.pid" \
    >"$tmp/nbd-server.log" 2>&1 </dev/null
wait_for "'$nbdsync' list nbd://127.0.0.1:$port >/dev/null 2>&1" ||
    bail "nbd-server did not start"

server=nbd://127.0.0.1:$port
# In small steps: else it is over before the other connections are there.
ok "a disk is copied out of nbd-server" \
    "$nbdsync" copy --connections 3 --queue-depth 1 --request-size 4KiB \
    --json $server/src "$tmp/copy.img"
result=$out
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/copy.img"
is "over as many connections as asked for" \
    "$(echo "$result" | jq .progress.connections)" 3
ok "a disk is copied into nbd-server" \
    "$nbdsync" copy "$tmp/src.img" $server/sync
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/sync.img"
exits 4 "a destination without flush is refused" \
    "$nbdsync" copy "$tmp/src.img" $server/dst
ok "before anything is written" cmp "$tmp/dst.img" "$tmp/old.img"
ok "but written on request" \
    "$nbdsync" copy --allow-no-flush "$tmp/src.img" $server/dst
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"

# In the foreground it serves one connection and lets further ones wait.
listens()
{
	grep -q ":$(printf %04X "$port") 00000000:0000 0A" /proc/net/tcp
}

kill "$(cat "$tmp/nbd-server.pid")"
wait_for "! listens" || bail "nbd-server does not end"
start_process single nbd-server -d -C "$tmp/nbd-server.conf"
wait_for listens || bail "nbd-server did not start"
ok "a connection that is never answered does not hold up the others" \
    timeout 300 "$nbdsync" copy --connections 2 --connect-timeout 1h \
    $server/src "$tmp/single.img"
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/single.img"
