#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that does no TLS hears of nothing but NBD_OPT_STARTTLS.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit memory --version
plan 6

start_nbdkit plain --verbose memory 1M
uri="nbds+unix:///?socket=$tmp/plain.sock&tls-hostname=localhost"
exits 1 "a plain server is refused" "$nbdsync" info "$uri"
like "and it is said why" "$err" 'TLS is required, and the server refuses it'
exits 1 "nothing is listed either" "$nbdsync" list "$uri"
truncate -s 1M "$tmp/dst.img"
exits 4 "nothing is copied" "$nbdsync" copy "$uri" "$tmp/dst.img"
wait_for "grep -q NBD_OPT_STARTTLS '$tmp/plain.log'"
like "the server was asked for TLS" "$(cat "$tmp/plain.log")" STARTTLS
unlike "and for nothing else" "$(cat "$tmp/plain.log")" \
    'NBD_OPT_(GO|INFO|LIST|EXPORT_NAME|STRUCTURED_REPLY|SET_META_CONTEXT)'
