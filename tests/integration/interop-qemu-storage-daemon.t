#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What nbdclient(3) says of qemu-storage-daemon is so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
. "$srcdir/tests/lib/interoplib.sh"
requires qemu-storage-daemon --version
requires qemu-img --version
requires certtool --version
requires psktool --version

# start LISTENING EXPORT ARGS...: the block device is called "disk"; EXPORT
# is JSON, beginning with a comma, or nothing.
start()
{
	listening=addr.type=unix,addr.path=$tmp/server.sock$1
	export=$2
	shift 2
	rm -f "$tmp/server.sock" "$tmp/server.pid"
	start_process server qemu-storage-daemon "$@" \
	    --nbd-server "$listening" --pidfile "$tmp/server.pid" --export \
	    "{\"type\":\"nbd\",\"id\":\"e\",\"node-name\":\"disk\",
	    \"name\":\"\",\"writable\":true$export}"
	wait_for "[ -s '$tmp/server.pid' ]" ||
	    bail "qemu-storage-daemon did not start"
	uri=$(uri server)
}

# LISTENING ARGS...
start_raw()
{
	listening=$1
	shift
	make_disk raw
	start "$listening" '' --blockdev \
	    "driver=file,node-name=disk,filename=$disk" "$@"
}

# KIND EXPORT
start_qcow2()
{
	make_disk "$1"
	start '' "$2" \
	    --blockdev "driver=file,node-name=file,filename=$disk" \
	    --blockdev driver=qcow2,node-name=disk,file=file
}

set_up_raw()
{
	start_raw ''
}

set_up_qcow2()
{
	start_qcow2 qcow2 ''
}

set_up_bitmap()
{
	start_qcow2 overlay ',"bitmaps":["changes"]'
}

set_up_depth()
{
	start_qcow2 overlay ',"allocation-depth":true'
}

set_up_X509()
{
	start_raw ,tls-creds=tls0 --object \
	    "tls-creds-x509,id=tls0,endpoint=server,dir=$tmp/pki"
	uri=$(tls_uri server "$tmp/pki" good.example)
}

set_up_PSK()
{
	start_raw ,tls-creds=tls0 --object \
	    "tls-creds-psk,id=tls0,endpoint=server,dir=$tmp/psk"
	uri=$(psk_uri server "$tmp/psk/keys.psk" alice)
}

set_up_one()
{
	start_raw ,max-connections=1
}

interop_begin qemu-storage-daemon "$(qemu-storage-daemon --version |
    sed -n 's/^qemu-storage-daemon version \([0-9]*\.[0-9]*\).*/\1/p')" \
    raw qcow2 bitmap depth X.509 PSK one
make_pki "$tmp/pki"
make_psk "$tmp/psk" alice
interop_end
