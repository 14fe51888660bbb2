#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A copy that was killed, cancelled or failed goes on from what was durable,
# if the disks are what they were; else all is copied, and it is said why.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=log --filter=cache file --version
requires nbdkit sh --version
requires jq --version
plan 42

size=$((32 * MiB))
make_data "$tmp/data" $size 1
checkpoint=$tmp/checkpoint

hold_half "$tmp/held" "$tmp/data"
start_source()
{
	start_nbdkit src sh "$tmp/held"
}

# A server that keeps what is written in memory until it is told to flush.
start_destination()
{
	start_nbdkit dst --filter=log --filter=cache file "$tmp/dst.img" \
	    logfile="$tmp/dst.busy"
}

fresh()
{
	rm -f "$tmp/dst.img" "$tmp/dst.busy" "$checkpoint"*
	truncate -s $size "$tmp/dst.img"
}

set -- --connections 2 --queue-depth 2 --request-size 256KiB --json \
    --checkpoint "$checkpoint" "$(uri src)" "$(uri dst)"

# It does not come to its end before it is let go.
begin_copy()
{
	touch "$tmp/hold"
	start_process copy "$nbdsync" copy "$@"
}

# What it has asked for it gets: it waits for that.
interrupt_copy()
{
	kill -INT "$(pid_of copy)"
	wait_for "grep -q 'once more ends it' '$tmp/copy.log'"
	rm "$tmp/hold"
	stop_process copy 0
}

kill_copy()
{
	stop_process copy KILL
	rm "$tmp/hold"
}

wait_for_writes()
{
	wait_for "[ \$(grep -c '\.\.\.Write id=' '$tmp/dst.busy') -ge $1 ]" ||
	    bail "the copy did not come to $1 writes"
}

# Only what was flushed.
cut_power()
{
	stop_process dst KILL
	start_destination
}

resumed_bytes()
{
	jq .progress.destinations[0].resumed_bytes
}

# Interrupted: what was written is flushed, and counts.
start_source
fresh
start_destination
begin_copy "$@"
wait_for_writes 40
interrupt_copy
is "a copy is interrupted" $? 130
cut_power
ok "and goes on" "$nbdsync" copy "$@"
written=$(echo "$out" | jq .progress.written_bytes)
is "as the result says" "$(echo "$out" | jq .resumed)" true
like "and a message" "$err" "went on from $checkpoint: .* were done already"
ok "with what it had written" [ "$(echo "$out" | resumed_bytes)" \
    -ge $((40 * 256 * KiB)) ]
ok "which is not written again" [ "$written" -le $((size - 40 * 256 * KiB)) ]
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"
start_destination
ok "after a success it begins anew" "$nbdsync" copy "$@"
is "as the result says" "$(echo "$out" | jq -c '[.resumed, .not_resumed]')" \
    "[false,null]"
stop_process dst

# Killed, and the destination's memory with it: with many checkpoints.
fresh
start_destination
begin_copy --checkpoint-interval 100ms "$@"
# Two connections flush ten times a second each: by the sixth flush what the
# first have covered is noted.
wait_for "[ \$(grep -c '\.\.\.Flush id=' '$tmp/dst.busy') -ge 6 ]" ||
    bail "the copy did not flush on its way"
kill_copy
# nbdkit (1.32) may abort when a client goes away.
stop_process src
start_source
cut_power
ok "a copy that was killed goes on" "$nbdsync" copy "$@"
is "as the result says" "$(echo "$out" | jq .resumed)" true
ok "with something that was durable" [ "$(echo "$out" | resumed_bytes)" -gt 0 ]
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

# What was written is gone, or the source is another: the canary notices.
fresh
start_destination
begin_copy "$@"
wait_for_writes 40
interrupt_copy
stop_process dst
truncate -s 0 "$tmp/dst.img"
truncate -s $size "$tmp/dst.img"
start_destination
ok "a destination that has lost all is copied from the beginning" \
    "$nbdsync" copy "$@"
is "as the result says" "$(echo "$out" | jq .resumed)" false
like "with the reason" "$err" "did not go on from .*: what the last run had"
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

fresh
start_destination
begin_copy "$@"
wait_for_writes 40
interrupt_copy
stop_process dst
truncate -s $((size + MiB)) "$tmp/dst.img"
start_destination
ok "a destination of another size is copied from the beginning" \
    "$nbdsync" copy "$@"
like "with the reason" "$err" "destination has another size"
stop_process dst

# Reached in another way, or copied in another one.
#	begins_anew SENTENCE REASON ARGS...
begins_anew()
{
	sentence=$1
	reason=$2
	shift 2
	fresh
	start_destination
	begin_copy --connections 2 --queue-depth 2 --request-size 256KiB \
	    --checkpoint "$checkpoint" "$(uri src)" "$(uri dst)"
	wait_for_writes 40
	interrupt_copy
	run "$nbdsync" copy --json --checkpoint "$checkpoint" "$@"
	is "$sentence" "$status $(echo "$out" | resumed_bytes)" "0 0"
	like "with the reason" "$(echo "$out" | jq -r .not_resumed)" "$reason"
	stop_process dst
}
start_nbdkit other -r file "$tmp/data"
ln -s dst.sock "$tmp/same.sock"
begins_anew "so is one from another source" "^the source is another one$" \
    "$(uri other)" "$(uri dst)"
begins_anew "and one to another destination" \
    "^the destination is another one$" "$(uri src)" "$(uri same)"
begins_anew "and one of another part" "^mode, ranges or settings have" \
    --range 0:16MiB "$(uri src)" "$(uri dst)"
fresh
start_destination
begin_copy "$@"
wait_for_writes 40
interrupt_copy
ok "so is one that is to be, all the same" "$nbdsync" copy --full "$@"
like "with the reason" "$(echo "$out" | jq -r .not_resumed)" "asked for"
stop_process dst

# What an older run had kept is gone as soon as a new one begins.
fresh
start_destination
begin_copy "$@"
wait_for_writes 40
interrupt_copy
rm "$tmp/dst.busy"
stop_process dst
start_destination
begin_copy --checkpoint-interval 1h --full "$@"
wait_for_writes 1
kill_copy
cut_power
stop_process src KILL
start_source
ok "a full copy that was killed at once is followed by another" \
    "$nbdsync" copy "$@"
is "from the beginning" "$(echo "$out" | jq .resumed)" false
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

# A server that dies for good, and comes back another day.
fresh
start_destination
begin_copy --reconnect 0 "$@"
wait_for_writes 40
stop_process src KILL
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)"
wait "$(pid_of copy)"
is "a copy whose source dies fails" $? 4
rm -f "$tmp/copy.started"
start_source
cut_power
ok "and goes on when it is back" "$nbdsync" copy "$@"
is "as the result says" "$(echo "$out" | jq .resumed)" true
stop_process dst
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

# A file that is no checkpoint is left alone.
echo "not a database, but long enough to be looked at" >"$tmp/text"
start_destination
exits 1 "a file that is no checkpoint is refused" "$nbdsync" copy \
    --checkpoint "$tmp/text" "$(uri src)" "$(uri dst)"
like "with its name" "$err" "$tmp/text: "
ok "and left alone" grep -q "not a database" "$tmp/text"

# A server that could not flush may have lost what any connection wrote, and
# may call the next flush a success.
start_failing()
{
	start_nbdkit dst eval get_size="echo $size" can_write='exit 0' \
	    can_flush='exit 0' thread_model='echo parallel' \
	    flush="if [ -e '$tmp/broken' ] && mkdir '$tmp/told'; then
			echo EIO lost >&2
			exit 1
		fi
		echo >>'$tmp/flushes'" \
	    pread="dd if='$tmp/dst.img' skip=\$4 count=\$3 bs=64K \
	        status=none iflag=skip_bytes,count_bytes,fullblock" \
	    pwrite="dd of='$tmp/dst.img' seek=\$4 bs=64K status=none \
	        oflag=seek_bytes conv=notrunc"
}
fresh
stop_process dst
start_failing
begin_copy --checkpoint-interval 100ms "$@"
wait_for "[ \$(wc -l <'$tmp/flushes') -ge 6 ]" || bail "no flush"
touch "$tmp/broken"
rm "$tmp/hold"
wait_for "[ -d '$tmp/told' ]" || bail "no flush failed"
wait_for "! is_running_ $(pid_of copy)"
wait "$(pid_of copy)"
is "a flush that fails fails the copy" $? 4
rm "$tmp/broken"
ok "another try" "$nbdsync" copy "$@"
is "begins anew" "$(echo "$out" | resumed_bytes)" 0
is "with all of it" "$(echo "$out" | jq .progress.written_bytes)" $size
ok "and is right" cmp "$tmp/data" "$tmp/dst.img"
