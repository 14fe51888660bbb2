#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdclient(3) has all that the installed headers declare, as they declare it,
# with errors and the section of the protocol, and so has the symbol map.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
requires perl -e 1
plan 10

library_manual()
{
	perl "$srcdir/tests/lint/library-manual.pl" "$1" | nothing
}

# changed FILE SED-SCRIPT: this tree's files, one of them changed.
changed()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/doc" "$tmp/tree/lib/client"
	cp "$srcdir/doc/nbdclient.3" "$tmp/tree/doc"
	cp "$srcdir"/lib/client/nbdclient*.h \
	    "$srcdir/lib/client/nbdclient.map" "$tmp/tree/lib/client"
	sed "$2" "$srcdir/$1" >"$tmp/tree/$1"
}

ok "the manual of this tree is complete" library_manual "$srcdir"
changed lib/client/nbdclient.map 's/nbdclient_trim;/nbdclient_more;/'
reports "a symbol that is only in the map is reported" library_manual \
    'nbdclient_more: not in a header'
like "so is one that is not there" "$out" 'nbdclient_trim: not in the map'
changed doc/nbdclient.3 '/^\.BI.*nbdclient_list(/s/int/long/'
reports "a prototype that has changed is reported" library_manual \
    'nbdclient_list: another prototype'
changed doc/nbdclient.3 's/^\.BR nbdclient_event_trim ()/.BR trim ()/'
reports "a call that is not explained is reported" library_manual \
    'nbdclient_event_trim: not explained'
changed doc/nbdclient.3 '/^\.BR nbdclient_trim/,/^\.TP/s/^Errors: .*/./'
reports "a call without its errors is reported" library_manual \
    'nbdclient_trim: its errors are not told'
changed doc/nbdclient.3 '/^\.BR nbdclient_flush/,/^\.SS/s/ IO ,/ EIO ,/'
reports "an error that is no code is reported" library_manual \
    'nbdclient_flush: there is no code EIO'
changed doc/nbdclient.3 's/ ("NBD_CMD_CACHE")//'
reports "a command without its section is reported" library_manual \
    'nbdclient_cache: no section of the protocol'
changed lib/client/nbdclient.h 's/NBDCLIENT_POLICY = /NBDCLIENT_POLITE = /'
reports "a code that is not told is reported" library_manual \
    'POLICY: not a code'
changed lib/client/nbdclient.h 's/uint64_t io_timeout_ms/unsigned io_timeout/'
reports "a member that is not shown is reported" library_manual \
    'struct nbdclient_options.* not shown as it is'
