#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The units of systemd are right, and the service is well fenced in.
. "$srcdir/tests/lib/testlib.sh"
requires systemd-analyze --version
plan 5

units=$srcdir/packaging/systemd
for unit in nbdsync.service nbdsync.socket nbdsync-job@.service \
    nbdsync-job@.timer; do
	sed -e "s,@bindir@/nbdsync,$nbdsync,g" \
	    -e "s,@sbindir@/nbdsyncd,$nbdsyncd,g" -e 's,@sysconfdir@,/etc,g' \
	    "$units/$unit.in" >"$tmp/$unit"
done
ok "systemd accepts both units" systemd-analyze verify --man=no \
    "$tmp/nbdsync.service" "$tmp/nbdsync.socket"
is "and has nothing to say about them" \
    "$(echo "$err" | grep -e nbdsync.service -e nbdsync.socket)" ""
ok "the exposure of the service is at most 1.5 of 10" \
    systemd-analyze security --offline=true --threshold=15 \
    "$tmp/nbdsync.service"
cp "$tmp/nbdsync-job@.service" "$tmp/nbdsync-job@vm1.service"
cp "$tmp/nbdsync-job@.timer" "$tmp/nbdsync-job@vm1.timer"
ok "systemd accepts the units of a job" systemd-analyze verify --man=no \
    "$tmp/nbdsync-job@vm1.service" "$tmp/nbdsync-job@vm1.timer"
is "and has nothing to say about them" "$(echo "$err" | grep nbdsync-job)" ""
