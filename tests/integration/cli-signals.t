#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Signals: the first interrupt ends a copy in order, the second at once;
# SIGUSR1 prints a line.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=delay pattern --version
requires env --default-signal=INT,HUP true
plan 20

# A shell has what it starts in the background ignore SIGINT, nohup SIGHUP.
copy="env --default-signal=INT,HUP $nbdsync copy"

endless()
{
	# shellcheck disable=SC2086
	start_process copy $copy "$@" \
	    [ nbdkit --filter=delay --pidfile "$tmp/server.pid" pattern 1G \
	    rdelay=50ms ] null: --request-size 4KiB --connections 1 \
	    --queue-depth 1
	wait_for "[ -s '$tmp/server.pid' ]"
}
# Its signal line is what shows that it copies.
copying()
{
	wait_for "kill -USR1 $(pid_of copy); sleep 0.1;
	    grep -q 'KiB/1.0 GiB' '$tmp/copy.log'"
}

endless
ok "SIGUSR1 prints a line of progress" copying
like "with percent and amount" "$(cat "$tmp/copy.log")" \
    '^  0%  [0-9.]+ KiB/1\.0 GiB'
for signal in INT TERM HUP; do
	[ "$signal" = INT ] || { endless; copying; }
	stop_process copy $signal
	is "SIG$signal ends a copy with 130" "$status" 130
	is "it says so in two lines" \
	    "$(grep -c '^nbdsync: copy: ' "$tmp/copy.log")" 2
	like "what becomes of it" "$(cat "$tmp/copy.log")" \
	    '^nbdsync: copy: cancelled; the destination is incomplete$'
	ok "its server is gone" eval \
	    "! kill -0 \$(cat '$tmp/server.pid' 2>/dev/null) 2>/dev/null"
	rm -f "$tmp/server.pid"
done

endless --json
copying
stop_process copy
is "an interrupted copy" "$status" 130
like "has a result as JSON, too" "$(cat "$tmp/copy.log")" \
    '"result": "cancelled"'
rm -f "$tmp/server.pid"

# A server that does not answer keeps a copy from ending in order.
start_nbdkit stuck pattern 1G
# shellcheck disable=SC2086
start_process copy $copy --request-size 4KiB --connections 1 \
    --queue-depth 1 --progress=100ms "$(uri stuck)" null:
wait_for "grep -q 'MiB/1.0 GiB' '$tmp/copy.log'"
kill -STOP "$(pid_of stuck)"
kill -INT "$(pid_of copy)"
ok "the first interrupt waits for what is under way" wait_for \
    "grep -q 'once more ends it at once' '$tmp/copy.log'"
stop_process copy INT
is "the second one does not" "$status" 130
kill -CONT "$(pid_of stuck)"

(
	trap '' HUP
	exec "$nbdsync" copy --progress=100ms --request-size 64KiB \
	    --connections 1 --queue-depth 1 [ nbdkit --filter=delay \
	    pattern 1M rdelay=200ms ] null: 2>"$tmp/nohup.log"
) &
copy=$!
ok "a copy goes on" wait_for "[ -s '$tmp/nohup.log' ]"
kill -HUP $copy
wait $copy
is "when a signal is ignored, as under nohup" $? 0
