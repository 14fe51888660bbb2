#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Peers that move a byte a second from some step of the protocol on, and
# servers that are stopped for a while: they are left, and another connection
# goes on, or the run fails by its own decision.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires qemu-nbd --version
requires nbdkit --filter=delay --filter=log file --version
plan 12

make_data "$tmp/data" $((2 * MiB)) disk

# slow_once SIDE STEP: from one of its first occurrences on.  A request may
# take ten times the time without a byte.
slow_once()
{
	random "$most"
	fault="slow@before:$2:$((random + 1))"
	start_pair "$1" "$fault"
	judged "$tmp/data" "$tmp/dst.img" "$nbdsync" copy \
	    --request-size 64KiB --connections 2 \
	    --connect-timeout "$connect_timeout" --io-timeout 2s \
	    "$(uri $from)" "$(uri $to)"
	harmed way && n_harmed=$((n_harmed + 1))
	stop_pair
}

# slow_each SENTENCE SIDE STEPS WANTED-VERDICT
slow_each()
{
	n_harmed=0 bad=
	for step in $3; do
		for i in $(seq "$rounds"); do
			slow_once "$2" "$step"
			[ "$verdict" = ok ] || [ "$verdict" = "$4" ] ||
			    bad="$bad $verdict:$fault"
		done
	done
	is "$1" "$bad" ""
	ok "and was slow ($n_harmed)" [ "$n_harmed" -gt 0 ]
}

rounds 1 20
most=1 connect_timeout=1s
[ "$rounds" = 1 ] || most=3
slow_each "a source may be slow in the handshake" source \
    "greeting option-reply go-reply" failed
slow_each "so may a destination" destination "flags option-reply go-reply" failed
most=12 connect_timeout=30s
in_source="request reply data" in_destination="request payload reply"
if [ "$rounds" = 1 ]; then
	in_source=data in_destination=payload
fi
slow_each "a source that is slow in a copy is replaced" source \
    "$in_source" ok
slow_each "so is a destination" destination "$in_destination" ok

# nbdkit (1.32) may abort when several threads answer a connection that is gone.
start_servers()
{
	rm -f "$tmp/src.busy" "$tmp/dst.busy"
	fresh "$tmp/dst.img"
	start_nbdkit src -r --threads=1 --filter=log --filter=delay \
	    file "$tmp/data" rdelay=20ms logfile="$tmp/src.busy"
	start_nbdkit dst --threads=1 --filter=log file "$tmp/dst.img" \
	    logfile="$tmp/dst.busy"
}

# The kernel's numbers of the sockets that the copy has open.
sockets()
{
	ls -l "/proc/$(pid_of copy)/fd" | grep -o 'socket:.*' | sort |
	    tr '\n' ' '
}

# stop_server NAME REQUEST OPTION...: somewhere in the 32 requests of a copy.
stop_server()
{
	name=$1
	request=$2
	shift 2
	start_servers
	random 20
	n=$((random + 1))
	start_process copy "$nbdsync" copy --request-size 64KiB \
	    --connections 2 --queue-depth 1 --io-timeout 500ms "$@" \
	    "$(uri src)" "$(uri dst)"
	wait_for "[ \$(grep -c ' $request id=' '$tmp/$name.busy') -ge $n ]"
	kill -STOP "$(pid_of "$name")"
	before=$(sockets)
}

# Sets $status; whoever hangs is not waited for.
end_copy()
{
	wait_for "! is_running_ $(pid_of copy)" 90 ||
	    kill -KILL "$(pid_of copy)"
	wait "$(pid_of copy)"
	status=$?
	rm -f "$tmp/copy.started"
}

# stop_for_a_while SENTENCE NAME REQUEST: until it is left.
stop_for_a_while()
{
	bad=
	for i in $(seq "$rounds"); do
		stop_server "$2" "$3"
		wait_for "[ \"\$(sockets)\" != '$before' ]" ||
		    bad="$bad not-left:$n"
		kill -CONT "$(pid_of "$2")"
		end_copy
		[ "$status" -eq 0 ] && cmp -s "$tmp/data" "$tmp/dst.img" ||
		    bad="$bad $status:$n"
		stop_process src
		stop_process dst
	done
	is "$1" "$bad" ""
}

# stop_for_ever SENTENCE NAME REQUEST SIDE
stop_for_ever()
{
	bad=
	for i in $(seq "$rounds"); do
		stop_server "$2" "$3" --connect-timeout 1s --reconnect 2s
		end_copy
		[ "$status" -eq 4 ] && grep -q "$4 '.*given up after" \
		    "$tmp/copy.log" || bad="$bad $status:$n"
		kill -CONT "$(pid_of "$2")"
		stop_process src
		stop_process dst
	done
	is "$1" "$bad" ""
}

stop_for_a_while "a source that is stopped for a while is copied" src Read
stop_for_a_while "so is one whose destination is" dst Write
stop_for_ever "a source that stays stopped fails the copy" src Read source
stop_for_ever "so does a destination" dst Write destination
