#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server is reached over IPv4, IPv6, by name, and by an abstract socket.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit memory --version
requires perl -e 'use IO::Socket::INET; use Socket; use POSIX'
plan 14

free_port()
{
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
	    Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# Nothing but the one family is listened on.
serve_tcp()
{
	port=$(free_port)
	start_process "$1" nbdkit --foreground --ipaddr "$2" --port "$port" \
	    memory 3M
	wait_for "'$nbdsync' info 'nbd://$3:$port' >/dev/null 2>&1" ||
	    bail "nbdkit did not start on $3"
}

serve_tcp four 127.0.0.1 127.0.0.1
ok "a name reaches a server that has IPv4 only" \
    "$nbdsync" info "nbd://localhost:$port"
like "and its size is told" "$out" '^size: +3145728 bytes'
exits 1 "the other family alone does not reach it" \
    "$nbdsync" info "nbd://[::1]:$port"
like "and the address is told" "$err" \
    "cannot connect to \[::1\]:$port: Connection refused"

serve_tcp six ::1 '[::1]'
ok "a name reaches a server that has IPv6 only, or says which it has not" \
    sh -c "'$nbdsync' info nbd://localhost:$port ||
	{ ! getent ahosts localhost | grep -q '^::1 '; }"
exits 1 "the other family alone does not reach it" \
    "$nbdsync" info "nbd://127.0.0.1:$port"

# nbdkit cannot listen there by itself: it is given the socket.
name=nbdsync-test-$$
start_process abstract perl -MSocket -MPOSIX -e '
	my $name = shift;
	$^F = 10;
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die $!;
	bind($s, pack_sockaddr_un("\0$name")) && listen($s, 8) or die $!;
	POSIX::dup2(fileno($s), 3) if fileno($s) != 3;
	@ENV{"LISTEN_FDS", "LISTEN_PID"} = (1, $$);
	exec @ARGV' "$name" nbdkit --foreground memory 5M
abstract="nbd+unix:///?socket=%00$name"
wait_for "'$nbdsync' info '$abstract' >/dev/null 2>&1" ||
    bail "nbdkit did not start"
ok "an abstract socket is reached" "$nbdsync" info "$abstract"
like "and the disk behind it is shown" "$out" '^size: +5242880 bytes'
ok "its exports are listed" "$nbdsync" list "$abstract"
is "as the one without a name" "$out" "''"
exits 1 "an abstract name nobody has is refused" \
    "$nbdsync" info "nbd+unix:///?socket=%00$name-not"
like "and told by name" "$err" \
    "unix:///\?socket=%00$name-not.*unix socket '@$name-not'"

exits 2 "a machine that is no number is a usage error" \
    "$nbdsync" info nbd+vsock://localhost/
like "and said so" "$err" "'localhost' is not a CID"
