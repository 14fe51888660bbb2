#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What nbdclient(3) says of nbdkit is so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
. "$srcdir/tests/lib/interoplib.sh"
requires nbdkit file --version
requires certtool --version
requires psktool --version
requires perl -e 'use IO::Socket::INET'

serve()
{
	make_disk raw
	start_nbdkit server "$@" file "$disk"
	uri=$(uri server)
}

set_up_Unix()
{
	serve
}

set_up_TCP()
{
	port=$(free_port)
	make_disk raw
	start_process server nbdkit --foreground --exit-with-parent \
	    --ipaddr 127.0.0.1 --port "$port" --pidfile "$tmp/tcp.pid" \
	    file "$disk"
	wait_for "[ -s '$tmp/tcp.pid' ]" || bail "nbdkit did not start"
	uri=nbd://127.0.0.1:$port
}

set_up_nosr()
{
	serve --no-sr
}

set_up_X509()
{
	serve --tls=require --tls-certificates="$tmp/pki" --tls-verify-peer
	uri=$(tls_uri server "$tmp/pki" good.example)
}

set_up_PSK()
{
	serve --tls=require --tls-psk="$tmp/psk/keys.psk"
	uri=$(psk_uri server "$tmp/psk/keys.psk" alice)
}

set_up_mask()
{
	serve --mask-handshake=0
}

set_up_old()
{
	serve --oldstyle
}

interop_begin nbdkit "$(nbdkit --version |
    sed 's/^nbdkit \([0-9]*\.[0-9]*\).*/\1/')" \
    Unix TCP no-sr X.509 PSK mask old
make_pki "$tmp/pki"
make_psk "$tmp/psk" alice
interop_end
