#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What nbdclient(3) says of extended headers is so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/interoplib.sh"
[ -x "$builddir/tests/lib/ext-server" ] || {
	echo "1..0 # SKIP tests/lib/ext-server was not built"
	exit 0
}

set_up_Unix()
{
	make_disk raw
	start_process server "$builddir/tests/lib/ext-server" \
	    "$tmp/server.sock" "$interop_size" "$disk"
	wait_for "'$nbdsync' list '$(uri server)' >/dev/null 2>&1" ||
	    bail "ext-server did not start"
	uri=$(uri server)
}

interop_begin 'Extended headers' '' Unix
interop_end
