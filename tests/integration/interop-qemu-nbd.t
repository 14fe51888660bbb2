#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What nbdclient(3) says of qemu-nbd is so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
. "$srcdir/tests/lib/interoplib.sh"
requires qemu-nbd --version
requires qemu-img --version
requires certtool --version
requires psktool --version

# serve KIND FORMAT ARGS...
serve()
{
	make_disk "$1"
	format=$2
	shift 2
	start_qemu_nbd server -f "$format" "$@" "$disk"
	uri=$(uri server)
}

set_up_raw()
{
	serve raw raw
}

set_up_qcow2()
{
	serve qcow2 qcow2
}

set_up_bitmap()
{
	serve overlay qcow2 --bitmap=changes
}

set_up_depth()
{
	serve overlay qcow2 --allocation-depth
}

set_up_X509()
{
	serve raw raw --tls-creds=tls0 --object \
	    "tls-creds-x509,id=tls0,endpoint=server,dir=$tmp/pki"
	uri=$(tls_uri server "$tmp/pki" good.example)
}

set_up_PSK()
{
	serve raw raw --tls-creds=tls0 --object \
	    "tls-creds-psk,id=tls0,endpoint=server,dir=$tmp/psk"
	uri=$(psk_uri server "$tmp/psk/keys.psk" alice)
}

# It takes one client at a time, and ends when the first that has opened the
# export leaves.
set_up_once()
{
	make_disk raw
	rm -f "$tmp/server.sock" "$tmp/server.pid"
	start_process server qemu-nbd -f raw --socket="$tmp/server.sock" \
	    --pid-file="$tmp/server.pid" "$disk"
	wait_for "[ -s '$tmp/server.pid' ]" || bail "qemu-nbd did not start"
	uri=$(uri server)
}

interop_begin qemu-nbd "$(qemu-nbd --version |
    sed -n 's/^qemu-nbd \([0-9]*\.[0-9]*\).*/\1/p')" \
    raw qcow2 bitmap depth X.509 PSK once
make_pki "$tmp/pki"
make_psk "$tmp/psk" alice
interop_end
