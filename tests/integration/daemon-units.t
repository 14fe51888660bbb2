#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The units of systemd are right, and the service is well fenced in.
. "$srcdir/tests/lib/testlib.sh"
requires systemd-analyze --version
plan 3

units=$srcdir/packaging/systemd
for unit in nbdsync.service nbdsync.socket; do
	sed -e "s,@sbindir@/nbdsyncd,$nbdsyncd,g" -e 's,@sysconfdir@,/etc,g' \
	    "$units/$unit.in" >"$tmp/$unit"
done
ok "systemd accepts both units" systemd-analyze verify --man=no \
    "$tmp/nbdsync.service" "$tmp/nbdsync.socket"
is "and has nothing to say about them" \
    "$(echo "$err" | grep -e nbdsync.service -e nbdsync.socket)" ""
ok "the exposure of the service is at most 1.5 of 10" \
    systemd-analyze security --offline=true --threshold=15 \
    "$tmp/nbdsync.service"
