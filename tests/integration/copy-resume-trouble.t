#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can go wrong while a copy looks whether it may go on from where the
# last one ended: a destination that is not there, a server that does not
# answer, somebody who has changed his mind.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires jq --version
plan 23

size=$((8 * MiB))
make_data "$tmp/data" $size 1
checkpoint=$tmp/checkpoint

# A server of the file $2.  While there are such files: $1.hold, reads wait;
# $1.bad, they fail; $1.slow, they take their time; $1.lag, writes behind the
# first MiB wait.
start_eval()
{
	start_nbdkit "$1" eval get_size="echo $size" can_write='exit 0' \
	    can_flush='exit 0' flush="echo >>'$tmp/$1.flushes'" \
	    thread_model='echo parallel' \
	    pread="while [ -e '$tmp/$1.hold' ]; do
			echo >>'$tmp/$1.held'
			sleep 0.1
		done
		if [ -e '$tmp/$1.bad' ]; then
			echo EIO bad >&2
			exit 1
		fi
		[ ! -e '$tmp/$1.slow' ] || sleep 0.1
		dd if='$2' skip=\$4 count=\$3 bs=64K \
	        status=none iflag=skip_bytes,count_bytes,fullblock" \
	    pwrite="while [ -e '$tmp/$1.lag' ] && [ \$4 -ge $MiB ]; do
			sleep 0.1
		done
		dd of='$2' seek=\$4 bs=64K status=none \
	        oflag=seek_bytes conv=notrunc"
}

set -- --connections 1 --queue-depth 2 --request-size 64KiB --json \
    --checkpoint "$checkpoint" --checkpoint-interval 100ms \
    "$(uri src)" "$(uri dst)"

# Copy a part more.  A flush is sent after the one before it has been answered,
# so that what that one has covered is kept.
go_on_for_a_while()
{
	: >"$tmp/dst.flushes"
	touch "$tmp/src.slow"
	start_process copy "$nbdsync" copy "$@"
	wait_for "[ \$(wc -l <'$tmp/dst.flushes') -ge 6 ]" 60 ||
	    bail "nothing was copied"
	stop_process copy INT
	rm "$tmp/src.slow"
}

copy_a_part()
{
	rm -f "$checkpoint"*
	go_on_for_a_while "$@"
}

lose_all()
{
	truncate -s 0 "$tmp/dst.img"
	truncate -s $size "$tmp/dst.img"
}

# nbdkit (1.32) may abort when a client goes away that it owes an answer.
start_anew()
{
	stop_process src
	stop_process dst
	start_eval src "$tmp/data"
	start_eval dst "$tmp/dst.img"
}

lose_all
start_eval src "$tmp/data"
start_eval dst "$tmp/dst.img"

# One of two destinations cannot even be tried.
mkdir "$tmp/here"
copy_a_part "$@" "$tmp/here/b.img"
mv "$tmp/here" "$tmp/elsewhere"
go_on_for_a_while "$@" "$tmp/here/b.img"
like "a copy goes on without a destination that cannot be opened" \
    "$(cat "$tmp/copy.log")" "went on from"
like "and names the one" "$(cat "$tmp/copy.log")" \
    "destination '.*b\.img'.*cannot create"
mv "$tmp/elsewhere" "$tmp/here"
ok "and goes on with it when it is there again" \
    "$nbdsync" copy "$@" "$tmp/here/b.img"
is "from where each was" "$(echo "$out" | jq -c '.resumed,
    (.progress.destinations | .[0].resumed_bytes > .[1].resumed_bytes)')" \
    "true
true"
for file in dst.img here/b.img; do
	ok "$file is right" cmp "$tmp/data" "$tmp/$file"
done

# Cancelled while the source does not answer.
copy_a_part "$@"
touch "$tmp/src.hold"
rm -f "$tmp/src.held"
start_process copy "$nbdsync" copy "$@"
wait_for "[ -e '$tmp/src.held' ]" || bail "nothing was looked at"
stop_process copy INT
is "one that looks at a source that is silent can be cancelled" $? 130
rm "$tmp/src.hold"
start_anew
ok "what it has to go on from is kept" "$nbdsync" copy "$@"
is "as the next one shows" "$(echo "$out" | jq .resumed)" true

# The source fails, and the destination does not answer.
copy_a_part "$@"
touch "$tmp/src.bad" "$tmp/dst.hold"
rm -f "$tmp/dst.held"
exits 4 "it fails if one disk fails and the other is silent" \
    "$nbdsync" copy --reconnect 0 "$@"
like "and names that" "$err" "destination '.*dst\.sock'.*does not answer"
ok "which was asked" [ -e "$tmp/dst.held" ]
rm "$tmp/src.bad" "$tmp/dst.hold"
start_anew

# One that had got further than the other one has lost that since.
start_lagging()
{
	truncate -s 0 "$tmp/lag.img"
	truncate -s $size "$tmp/lag.img"
	start_eval lag "$tmp/lag.img"
}

rm -f "$checkpoint"*
lose_all
start_lagging
touch "$tmp/lag.lag"
start_process copy "$nbdsync" copy --max-lag 64KiB "$@" "$(uri lag)"
wait_for "cmp -s '$tmp/data' '$tmp/dst.img'" || bail "it did not get ahead"
wait_for "[ '$tmp/dst.flushes' -nt '$tmp/dst.img' ]" ||
    bail "that is not flushed"
stop_process copy INT
rm "$tmp/lag.lag"
stop_process dst
dd if=/dev/zero of="$tmp/dst.img" bs=1M seek=4 count=4 conv=notrunc status=none
start_eval dst "$tmp/dst.img"
ok "one of two that has lost what it was ahead with" "$nbdsync" copy "$@" \
    "$(uri lag)"
like "is seen to have" "$(echo "$out" | jq -r .not_resumed)" \
    'not on the destination'
ok "and gets it again" cmp "$tmp/data" "$tmp/dst.img"
ok "as the other one gets all" cmp "$tmp/data" "$tmp/lag.img"
start_anew

# What is to be zero is looked at, if it does not go on.
lose_all
copy_a_part --destination-is-zero "$@"
lose_all
ok "a destination that has lost all may be zero, as promised" \
    "$nbdsync" copy --destination-is-zero "$@"
ok "and is copied from the beginning" [ "$(echo "$out" | jq -c \
    '[.resumed, .progress.written_bytes]')" = "[false,$size]" ]

# The source is gone while it is looked at.
lose_the_source()
{
	touch "$tmp/src.hold"
	rm -f "$tmp/src.held"
	start_process copy "$nbdsync" copy "$@"
	wait_for "[ -e '$tmp/src.held' ]" || bail "nothing was looked at"
	stop_process src KILL
	rm "$tmp/src.hold"
}

wait_for_copy()
{
	wait_for "! is_running_ $(pid_of copy)" 60
	wait "$(pid_of copy)"
}

copy_a_part "$@"
lose_the_source "$@"
start_eval src "$tmp/data"
wait_for_copy
is "a source that comes back is looked at again" $? 0
like "and the copy goes on" "$(cat "$tmp/copy.log")" "went on from"
copy_a_part "$@"
lose_the_source --reconnect 0 "$@"
wait_for_copy
is "without a source that stays away it fails" $? 4
start_eval src "$tmp/data"
ok "and another goes on" "$nbdsync" copy "$@"
is "from the same place" "$(echo "$out" | jq .resumed)" true
