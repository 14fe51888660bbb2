#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A connection that is lost in the middle of a copy comes back, and what no
# flush had covered is done again: also where the server has lost it.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=delay --filter=log --filter=cache file --version
requires jq --version
plan 46

make_data "$tmp/data" $((32 * MiB)) 1
size=$(size_of "$tmp/data")

# In the background; wait_for_copy ends it.  Slow enough to be caught in the
# middle: 128 reads at 50 ms, 4 at a time.
begin_copy()
{
	start_process copy "$nbdsync" copy --connections 2 --queue-depth 2 \
	    --request-size 256KiB --json "$@"
}

start_source()
{
	start_nbdkit src --filter=delay file "$tmp/data" rdelay=50ms
}

# The destination's file, through a log; further words are filters.
start_destination()
{
	start_nbdkit "$@" file "$tmp/$1.img" logfile="$tmp/$1.busy"
}

fresh()
{
	rm -f "$tmp/$1.img" "$tmp/$1.busy"
	truncate -s "$size" "$tmp/$1.img"
}

# Until so many writes of it have been acknowledged.
wait_for_writes()
{
	wait_for "[ \$(grep -c '\.\.\.Write id=' '$tmp/$1.busy') -ge $2 ]" ||
	    bail "the copy did not come to $2 writes"
}

end_copy()
{
	wait_for "! is_running_ $(pid_of copy)" 60 || {
		echo "# the copy hangs"
		kill -KILL "$(pid_of copy)"
	}
	wait "$(pid_of copy)"
	status=$?
	rm -f "$tmp/copy.started"
	result=$(cat "$tmp/copy.log")
}

# The kernel's numbers of the sockets that it has open.
sockets_of()
{
	ls -l "/proc/$(pid_of "$1")/fd" | grep -o 'socket:.*' | sort |
	    tr '\n' ' '
}

start_source
fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process src KILL
start_source
end_copy
is "a source that is killed and started again is copied" $status 0
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
ok "and the result tells of it" jq -e '.progress.reconnects >= 2' \
    "$tmp/copy.log"

fresh dst
stop_process dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
start_destination dst --filter=log
end_copy
is "so is one whose destination is" $status 0
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
ok "with what was done twice" jq -e \
    ".progress.written_bytes > $size and .progress.durable_bytes == $size" \
    "$tmp/copy.log"
stop_process dst

# A server that keeps what is written in memory until it is told to flush.
fresh dst
start_destination dst --filter=log --filter=cache
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 40
stop_process dst KILL
not_ok "a server killed with a volatile cache loses what was acknowledged" \
    cmp -n $((4 * MiB)) "$tmp/data" "$tmp/dst.img"
start_destination dst --filter=log --filter=cache
end_copy
is "and all of it is written again" $status 0
stop_process dst TERM
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
ok "with what was done twice" jq -e \
    ".progress.written_bytes >= $size + 40 * 262144" "$tmp/copy.log"

# Several destinations: one goes away, the other does not wait for it.
fresh a
fresh b
start_destination a --filter=log
start_destination b --filter=log --filter=cache
begin_copy "$(uri src)" "$(uri a)" "$(uri b)"
wait_for_writes b 20
stop_process b KILL
wait_for "[ \$(grep -c '\.\.\.Write id=' '$tmp/a.busy') -ge 126 ]"
is "a destination goes on while another one is away" $? 0
start_destination b --filter=log --filter=cache
end_copy
is "which catches up" $status 0
stop_process a TERM
stop_process b TERM
ok "the one is right" cmp "$tmp/data" "$tmp/a.img"
ok "the other is right" cmp "$tmp/data" "$tmp/b.img"

# The same when only what differs is written.
fresh dst
dd if="$tmp/data" of="$tmp/dst.img" bs=1M count=10 conv=notrunc status=none
start_destination dst --filter=log --filter=cache
begin_copy --sync "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
start_destination dst --filter=log --filter=cache
end_copy
is "a sync survives it as well" $status 0
stop_process dst TERM
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"

# A server that falls silent is left, and found again.  nbdkit 1.32 may abort
# where several threads answer a connection that is gone ("sock >= 0").
fresh dst
start_destination dst --threads=1 --filter=log
begin_copy --io-timeout 1s "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
before=$(sockets_of copy)
kill -STOP "$(pid_of dst)"
wait_for "[ \"\$(sockets_of copy)\" != '$before' ]"
is "a destination that is silent is left" $? 0
kill -CONT "$(pid_of dst)"
end_copy
is "and written when it answers again" $status 0
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"
ok "over new connections" jq -e '.progress.reconnects >= 1' "$tmp/copy.log"
stop_process dst

# Another disk at the same place.
fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
truncate -s 40M "$tmp/other.img"
start_nbdkit dst --filter=log file "$tmp/other.img" \
    logfile="$tmp/other.busy"
end_copy
is "a server that comes back with another size is refused" $status 4
like "the message says so" "$result" "destination .*came back as another disk"
not_ok "nothing is written to it" grep -q " Write id=" "$tmp/other.busy"
ok "it was connected to, though" grep -q "Connect" "$tmp/other.busy"
stop_process dst

fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
start_nbdkit dst -r --filter=log file "$tmp/dst.img" logfile="$tmp/ro.busy"
end_copy
is "so is one that comes back read-only" $status 4
like "the message says so" "$result" "destination .*came back as another disk"
not_ok "nothing is written to it" grep -q " Write id=" "$tmp/ro.busy"
ok "it was connected to, though" grep -q "Connect" "$tmp/ro.busy"
stop_process dst

fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
start_nbdkit dst --filter=log --filter=blocksize-policy file "$tmp/dst.img" \
    blocksize-minimum=4096 blocksize-error-policy=error \
    logfile="$tmp/coarse.busy"
end_copy
is "so is one with other block sizes" $status 4
like "the message says so" "$result" "destination .*came back as another disk"
not_ok "nothing is written to it" grep -q " Write id=" "$tmp/coarse.busy"
stop_process dst

fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process src KILL
start_nbdkit src file "$tmp/other.img"
end_copy
is "so is a source that comes back with another size" $status 4
like "the message says so" "$result" "source .*came back as another disk"
stop_process src
stop_process dst
start_source

# The same in all but what it holds: that was flushed, and is not there.
fresh dst
start_destination dst --filter=log
begin_copy --checkpoint-interval 100ms "$(uri src)" "$(uri dst)"
wait_for "grep -q '\.\.\.Flush id=' '$tmp/dst.busy'" || bail "no flush"
stop_process dst KILL
rm -f "$tmp/other.img" "$tmp/other.busy"
truncate -s "$size" "$tmp/other.img"
start_nbdkit dst --filter=log file "$tmp/other.img" \
    logfile="$tmp/other.busy"
end_copy
is "a server that comes back with nothing of it is refused" $status 4
like "the message says so" "$result" \
    "destination .*came back as another disk: what was written to it"
not_ok "nothing is written to it" grep -q " Write id=" "$tmp/other.busy"
ok "it was looked at, though" grep -q " Read id=" "$tmp/other.busy"
stop_process dst

fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process src KILL
start_nbdkit src file "$tmp/other.img"
end_copy
is "so is a source that comes back with other content" $status 4
like "the message says so" "$result" \
    "source .*came back as another disk: what was read"
stop_process src
stop_process dst

# One that has changed meanwhile is still the same.
start_source
fresh dst
start_destination dst --filter=log
begin_copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process src KILL
cp "$tmp/data" "$tmp/kept"
make_data "$tmp/news" $((3 * MiB)) 9
dd if="$tmp/news" of="$tmp/data" bs=1M seek=1 conv=notrunc status=none
start_source
end_copy
is "a source that was written meanwhile is not" $status 0
stop_process dst
cp "$tmp/kept" "$tmp/data"

# One that does not come back.
fresh dst
start_destination dst --filter=log
begin_copy --reconnect 1s "$(uri src)" "$(uri dst)"
wait_for_writes dst 20
stop_process dst KILL
end_copy
is "a server that stays away fails the run" $status 4
like "after the time it was given" "$result" \
    "destination .*dst.sock.*given up after [0-9]+ s and [0-9]+ tries"

# One that is there each time, and never answers one request.
touch "$tmp/hold"
cat >"$tmp/mute" <<END
case \$1 in
thread_model) echo parallel ;;
get_size) echo $((4 * MiB)) ;;
pread)
	if [ \$4 -eq $((2 * MiB)) ]; then
		echo >>"$tmp/asked"
		while [ -e "$tmp/hold" ]; do sleep 0.1; done
	fi
	head -c \$3 /dev/zero | tr '\\0' x ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/mute"
fresh dst
start_destination dst --filter=log
start_nbdkit mute sh "$tmp/mute"
exits 4 "a server that never answers one request is given up" timeout 60 \
    "$nbdsync" copy --connections 1 --request-size 256KiB --io-timeout 500ms \
    --reconnect 1s --range 0:4MiB "$(uri mute)" "$(uri dst)"
like "as its source" "$err" "source .*mute.sock.*given up after"
ok "after several times" [ "$(wc -l <"$tmp/asked")" -ge 5 ]
rm "$tmp/hold"
stop_process mute
stop_process dst

# Cancelled while it waits.
fresh dst
start_destination dst --filter=log
start_process copy "$nbdsync" copy "$(uri src)" "$(uri dst)"
wait_for_writes dst 4
stop_process dst KILL
stop_process copy TERM
is "a copy that waits for a server can be interrupted" $status 130
