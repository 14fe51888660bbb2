#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What nbdclient(3) says of nbd-server is so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
. "$srcdir/tests/lib/interoplib.sh"
requires nbd-server -V
requires certtool --version
requires perl -e 'use IO::Socket::INET'

# serve GENERIC EXPORT: settings, one a line.  It goes to the background by
# itself, and has a process of its own for each client.
serve()
{
	make_disk raw
	port=$(free_port)
	printf '[generic]\nallowlist = true\nlistenaddr = 127.0.0.1\n%s\n' \
	    "port = $port" >"$tmp/server.conf"
	printf '%s\n[disk]\nexportname = %s\n%s\n' "$1" "$disk" "$2" \
	    >>"$tmp/server.conf"
	rm -f "$tmp/server.pid"
	nbd-server -C "$tmp/server.conf" -p "$tmp/server.pid" \
	    >"$tmp/server.log" 2>&1 </dev/null
	wait_for "[ -s '$tmp/server.pid' ]" || bail "nbd-server did not start"
	uri=nbd://127.0.0.1:$port/disk
}

end_server()
{
	server_pid=$(cat "$tmp/server.pid")
	rm -f "$tmp/server.pid"
	kill "$server_pid"
	wait_for "! is_running_ $server_pid" || bail "nbd-server does not end"
}
# shellcheck disable=SC2016 # evaluated at the exit
at_exit '[ ! -s "$tmp/server.pid" ] || end_server'

all='flush = true
fua = true
trim = true'

set_up_TCP()
{
	serve '' "$all"
	wait_for "'$nbdsync' list '$uri' >/dev/null 2>&1"
}

# It listens on one or the other.
set_up_Unix()
{
	rm -f "$tmp/server.sock"
	serve "unixsock = $tmp/server.sock" "$all"
	wait_for "[ -S '$tmp/server.sock' ]"
	uri="nbd+unix:///disk?socket=$tmp/server.sock"
}

set_up_plain()
{
	serve '' ''
	wait_for "'$nbdsync' list '$uri' >/dev/null 2>&1"
}

set_up_X509()
{
	serve "certfile = $tmp/pki/server-cert.pem
keyfile = $tmp/pki/server-key.pem
cacertfile = $tmp/pki/ca-cert.pem
force_tls = true" "$all"
	uri="nbds://127.0.0.1:$port/disk?tls-certificates=$tmp/pki"
	wait_for "'$nbdsync' list '$uri' >/dev/null 2>&1"
}

interop_begin nbd-server "$(nbd-server -V 2>&1 |
    sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p')" \
    TCP Unix plain X.509
make_pki "$tmp/pki"
interop_end
