#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Destinations lose power again and again: of what no flush has covered, some
# is lost, some survives, in another order and torn.  A copy that succeeds has
# all its bytes on the file, even if the server is killed then.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
requires jq --version
plan 5

# With zeroes, and a tail that is no whole sector.
make_data "$tmp/data" $((6 * MiB + 100)) disk
dd if=/dev/zero of="$tmp/data" bs=64K seek=30 count=20 conv=notrunc \
    status=none
make_data "$tmp/old" $((6 * MiB + 100)) old
start_volatile src "$tmp/data"
rounds 15 1000
n_crashes=0 n_ok=0 bad=

# A server that dies after some writes, in a process of its own.
start_doomed()
{
	random 40
	crash_after=$((random + 1))
	random 100000
	start_volatile dst "$tmp/dst.img" survive=some "seed=$random" \
	    "crash-after=$crash_after" "multi-conn=$multi_conn"
}

begin_copy()
{
	random 2
	multi_conn=$(echo yes no | cut -d ' ' -f $((random + 1)))
	random 3
	connections=$((random + 1))
	random 3
	words=$(echo "--allocated --sync --no-progress" |
	    cut -d ' ' -f $((random + 1)))
	case $words in
	--sync) cp "$tmp/old" "$tmp/dst.img" ;;
	*) fresh "$tmp/dst.img" ;;
	esac
	start_doomed
	[ "$multi_conn" = yes ] || connections=1
	start_process copy timeout -k 5 120 "$nbdsync" copy --json "$words" \
	    --request-size 64KiB --connections "$connections" \
	    "$(uri src)" "$(uri dst)"
}

is_over()
{
	! is_running_ "$(pid_of copy)"
}

# A few crashes, then a server that stays.
survive()
{
	begin_copy
	random 4
	for i in $(seq $((random + 1))); do
		wait_for "is_over || ! is_running_ $(pid_of dst)" 60
		is_over && return
		stop_process dst
		n_crashes=$((n_crashes + 1))
		start_doomed
	done
	wait_for "is_over || ! is_running_ $(pid_of dst)" 60
	is_over && return
	stop_process dst
	n_crashes=$((n_crashes + 1))
	start_volatile dst "$tmp/dst.img" "multi-conn=$multi_conn"
	wait_for is_over 120
}

: >"$tmp/dst.events"
n_rounds=0
while [ "$n_crashes" -lt "$rounds" ]; do
	survive
	wait "$(pid_of copy)"
	copy_status=$?
	rm -f "$tmp/copy.started"
	stop_process dst KILL
	n_rounds=$((n_rounds + 1))
	if [ "$copy_status" -ne 0 ]; then
		bad="$bad exit-$copy_status:$n_rounds"
		comment_ <"$tmp/copy.log"
	elif cmp "$tmp/data" "$tmp/dst.img" | comment_ &&
	    cmp -s "$tmp/data" "$tmp/dst.img"; then
		n_ok=$((n_ok + 1))
	else
		bad="$bad WRONG:$n_rounds"
	fi
done

lost=$(awk '/^crash/ { lost += $3; all += $5; some += $3 > 0 }
    END { print lost + 0, all + 0, some + 0 }' "$tmp/dst.events")
echo "# $n_rounds copies, $n_crashes power cuts; lost, unflushed bytes," \
    "cuts that lost any: $lost"
is "each copy succeeds, and its bytes are on the file" "$bad" ""
is "all of them" "$n_ok" "$n_rounds"
ok "power was cut as often as it should" test "$n_crashes" -ge "$rounds"
ok "most of the cuts lost something" \
    test "$(echo "$lost" | cut -d ' ' -f 3)" -ge $((rounds / 2))
ok "and let something survive" \
    test "$(echo "$lost" | cut -d ' ' -f 1)" -lt \
    "$(echo "$lost" | cut -d ' ' -f 2)"
