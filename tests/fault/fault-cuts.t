#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A connection is cut before, in and after each step of the protocol, on each
# side, in three ways: the run comes back and copies all of it, or fails by
# its own decision where there was no run yet.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires qemu-nbd --version
plan 4

make_data "$tmp/data" $((2 * MiB)) disk
rounds 1 20

at_start="greeting flags option option-data go option-reply
    option-reply-data go-reply"
of_source="request reply chunk data"
of_destination="request payload reply"

# With qemu-nbd: nbdkit (1.32) may abort when a client goes away.
#
# cut_once SIDE STEP: somewhere at one of its first occurrences.
cut_once()
{
	random 3
	action=$(echo cut reset half | cut -d ' ' -f $((random + 1)))
	random 3
	when=$(echo before in after | cut -d ' ' -f $((random + 1)))
	random "$most"
	fault="$action@$when:$2:$((random + 1))"
	start_pair "$1" "$fault"
	judged "$tmp/data" "$tmp/dst.img" "$nbdsync" copy \
	    --request-size 64KiB --connections 2 --connect-timeout 5s \
	    --io-timeout 5s "$(uri $from)" "$(uri $to)"
	stop_pair
	harmed way && n_harmed=$((n_harmed + 1))
}

# cut_each SENTENCE SIDE STEPS WANTED-VERDICTS
cut_each()
{
	n_harmed=0 n_tried=0 n_ok=0 bad=
	for step in $3; do
		for i in $(seq "$rounds"); do
			cut_once "$2" "$step"
			n_tried=$((n_tried + 1))
			[ $verdict != ok ] || n_ok=$((n_ok + 1))
			[ "$verdict" = ok ] || [ "$verdict" = "$4" ] ||
			    bad="$bad $verdict:$fault"
		done
	done
	is "$1" "$bad" ""
	[ "$n_harmed" -ge $((n_tried / 3)) ] ||
	    bail "only $n_harmed of $n_tried connections were cut"
	echo "# $2: $n_harmed of $n_tried were cut, $n_ok succeeded"
}

most=12
cut_each "a source cut in a copy comes back" source "$of_source" ok
cut_each "so does a destination" destination "$of_destination" ok
most=3
cut_each "a source may be cut in the handshake" source "$at_start" failed
cut_each "and so may a destination" destination "$at_start" failed
