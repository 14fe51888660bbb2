#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The control socket: one daemon on it, its mode, what a crash leaves, and
# the socket that systemd passes.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires systemd-socket-activate --version
plan 27

conf "jobs = ( );"
start_daemon "$tmp/conf"
is "the socket has mode 0660" "$(stat -c %a "$NBDSYNC_SOCKET")" 660
exits 1 "a second daemon is refused" env STATE_DIRECTORY="$tmp/other" \
    "$nbdsyncd" --config "$tmp/conf"
like "with a sentence" "$err" \
    "error: another nbdsyncd answers on '$NBDSYNC_SOCKET'"
echo "control = { socket = \"$tmp/other.sock\"; };" >"$tmp/other.conf"
exits 1 "also on another socket, if it would keep the same state" \
    "$nbdsyncd" --config "$tmp/other.conf"
is "in one sentence" "$(echo "$err" | sed -n 's/.*error: //p')" \
    "another nbdsyncd keeps its state in '$STATE_DIRECTORY'"
ok "the first one still answers" api /v1/version

stop_process daemon KILL
ok "a crash leaves the socket" test -S "$NBDSYNC_SOCKET"
start_process second "$nbdsyncd" --config "$tmp/conf"
ok "the next daemon takes its place" wait_for 'api /v1/version >/dev/null 2>&1'
like "and says so" "$(cat "$tmp/second.log")" \
    "replacing what a daemon that crashed left"
stop_process second
is "it ends well" "$?" 0
not_ok "and removes its socket" test -e "$NBDSYNC_SOCKET"

echo precious >"$NBDSYNC_SOCKET"
exits 1 "a file of that name is no socket" "$nbdsyncd" --config "$tmp/conf"
is "and stays" "$(cat "$NBDSYNC_SOCKET")" precious
rm "$NBDSYNC_SOCKET"

echo "control = { socket = \"$tmp/none/s\"; };" >"$tmp/none.conf"
exits 1 "a directory that is not there" "$nbdsyncd" --config "$tmp/none.conf"
like "is said to be missing" "$err" "its directory does not exist"

start_process third "$nbdsyncd" --config "$tmp/conf"
wait_for 'api /v1/version >/dev/null 2>&1'
rm "$NBDSYNC_SOCKET"
echo mine >"$NBDSYNC_SOCKET"
stop_process third
is "a daemon whose socket was replaced ends well" "$?" 0
is "and leaves alone what is not its own" "$(cat "$NBDSYNC_SOCKET")" mine
rm "$NBDSYNC_SOCKET"

start_process activated systemd-socket-activate \
    --listen="$NBDSYNC_SOCKET" "$nbdsyncd" --config "$tmp/conf"
ok "a socket that systemd passes is used" \
    wait_for 'api /v1/version >/dev/null 2>&1'
stop_process activated
is "that daemon ends well" "$?" 0
ok "and leaves the socket to systemd" test -S "$NBDSYNC_SOCKET"
rm "$NBDSYNC_SOCKET"

# What would ask for the daemon once more must not be left there.
echo 'jobs = 1;' >"$tmp/wrong.conf"
start_process wrong systemd-socket-activate \
    --listen="$NBDSYNC_SOCKET" "$nbdsyncd" --config "$tmp/wrong.conf"
wait_for "[ -S '$NBDSYNC_SOCKET' ]"
exits 10 "who asks for a daemon that does not start" "$nbdsync" status
is "is told why" "$err" "nbdsync: status: nbdsyncd does not start: its \
configuration is wrong (nbdsync configcheck)"
wait "$(pid_of wrong)"
is "it ends as it would" "$?" 78
rm "$NBDSYNC_SOCKET"
port=$(free_port)
echo "metrics = { listen = \"127.0.0.1:$port\"; };" >"$tmp/taken.conf"
start_process taker perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(
    Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]);
    $| = 1; print "there\n"; sleep' "$port"
wait_for "grep -q there '$tmp/taker.log'"
start_process late systemd-socket-activate \
    --listen="$NBDSYNC_SOCKET" "$nbdsyncd" --config "$tmp/taken.conf"
wait_for "[ -S '$NBDSYNC_SOCKET' ]"
run api /v1/jobs
holds "also when it does not start for another reason" \
    '.type == "urn:nbdsync:not-started" and .status == 503'
wait "$(pid_of late)"
is "and then, too" "$?" 1
rm "$NBDSYNC_SOCKET"

start_process dgram systemd-socket-activate --datagram \
    --listen="$tmp/dgram.sock" "$nbdsyncd" --config "$tmp/conf"
wait_for "[ -S '$tmp/dgram.sock' ]"
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Type => SOCK_DGRAM,
    Peer => $ARGV[0])->send("x")' "$tmp/dgram.sock"
ok "a socket of another kind is refused" wait_for \
    "grep -q 'no listening Unix stream socket' '$tmp/dgram.log'"
not_ok "and the daemon does not make one of its own then" \
    test -e "$NBDSYNC_SOCKET"
