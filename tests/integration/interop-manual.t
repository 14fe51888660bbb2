#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each part of INTEROPERATION in nbdclient(3) has a test, and no other.
. "$srcdir/tests/lib/testlib.sh"
plan 2

servers()
{
	sed -n '/^\.SH INTEROPERATION/,/^\.SH SEE/s/^\.SS \([^0-9]*[^0-9 ]\).*/\1/p' \
	    "$srcdir/doc/nbdclient.3"
}
tested()
{
	sed -n "s/^interop_begin '\{0,1\}\([A-Za-z -]*[A-Za-z]\).*/\1/p" \
	    "$srcdir"/tests/integration/interop-*.t
}

is "each server of the manual has a test" "$(servers | sort)" \
    "$(tested | sort)"
is "there are five" "$(servers | wc -l)" 5
