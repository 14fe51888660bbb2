#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Peers that fall silent, or speak a byte a second, wherever they are in the
# protocol: a deadline ends it, a new connection goes on, or the failure names
# the side; and nobody has to wait who wants to stop.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires qemu-nbd --version
plan 16

make_data "$tmp/data" $((2 * MiB)) disk
rounds 1 20

start_servers()
{
	fresh "$tmp/dst.img"
	start_qemu_nbd src --read-only --format=raw "$tmp/data"
	start_qemu_nbd dst --format=raw "$tmp/dst.img"
}

stop_servers()
{
	stop_process way
	stop_process src
	stop_process dst
}

# between SIDE FAULT...: puts the proxy there; sets $from and $to.
between()
{
	from=src to=dst
	if [ "$1" = source ]; then
		from=way
		shift
		start_proxy way src "$@"
	else
		to=way
		shift
		start_proxy way dst "$@"
	fi
}

# Who is silent in the handshake is silent for the time there is to connect;
# nobody else needs to connect so soon.
copy()
{
	judged "$tmp/data" "$tmp/dst.img" "$nbdsync" copy \
	    --request-size 64KiB --connections 2 \
	    --connect-timeout "$connect_timeout" --io-timeout 1s "$@" "$(uri $from)" "$(uri $to)"
}

# One connection is a hole from some step on.
fall_silent()
{
	bad= n_harmed=0
	for step in $3; do
		for i in $(seq "$rounds"); do
			random "$4"
			fault=hole@before:$step:$((random + 1))
			start_servers
			between "$2" "$fault"
			copy
			harmed way && n_harmed=$((n_harmed + 1))
			stop_servers
			[ "$verdict" = ok ] || [ "$verdict" = "$5" ] ||
			    bad="$bad $verdict:$fault"
		done
	done
	is "$1" "$bad" ""
	ok "and was silent" test "$n_harmed" -gt 0
}

connect_timeout=30s
fall_silent "a source that is silent in a copy is replaced" source \
    "request reply data" 12 ok
fall_silent "so is a destination" destination "request payload reply" 12 ok
connect_timeout=1s
fall_silent "a source may be silent in the handshake" source \
    "greeting option-reply go" 3 failed
fall_silent "so may a destination" destination \
    "flags option-reply-data go-reply" 3 failed

# All connections, old and new: the network is away.
for side in source destination; do
	start_servers
	between "$side" hole@before:request:12
	start_process copy timeout -k 5 60 "$nbdsync" copy \
	    --request-size 64KiB --connections 2 --connect-timeout 5s \
	    --io-timeout 1s --reconnect 2s "$(uri $from)" "$(uri $to)"
	wait_for "harmed way"
	tell_proxy way hole
	wait_for "! is_running_ $(pid_of copy)" 60
	wait "$(pid_of copy)"
	is "a $side in a black hole fails the run" $? 4
	rm -f "$tmp/copy.started"
	like "which is told of it" "$(cat "$tmp/copy.log")" \
	    "$side '[^']*': .*(no answer|gave up after)"
	stop_servers
done

# The same, for less than the time it has.
start_servers
between destination hole@before:request:12
start_process copy timeout -k 5 90 "$nbdsync" copy \
    --request-size 64KiB --connections 2 --connect-timeout 5s \
    --io-timeout 1s "$(uri $from)" "$(uri $to)"
wait_for "harmed way"
tell_proxy way hole
before=$(grep -c ^connection "$tmp/way.log")
wait_for "[ \$(grep -c ^connection '$tmp/way.log') -gt $before ]" 30
is "a black hole is detected, and another connection tried" $? 0
tell_proxy way heal
tell_proxy way cut
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)"
is "a copy goes on when the network is back" $? 0
rm -f "$tmp/copy.started"
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
stop_servers

# A byte a second is alive.
start_servers
between source slow@after:go-reply:1:0
start_process copy "$nbdsync" copy "$(uri $from)" "$(uri $to)"
wait_for "harmed way"
stop_process copy TERM
is "a copy of a byte a second can be interrupted" $? 130
stop_servers

