#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of a checkpoint hangs, and the copy does not.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires jq --version
requires sqlite3 --version
plan 16
# Who does not wait for a thread that hangs leaves it behind.
TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}report_thread_leaks=0
export TSAN_OPTIONS

size=$((4 * MiB))
make_data "$tmp/data" $size 3
truncate -s $size "$tmp/dst.img"
# The second half is read when the store is held.
: >"$tmp/wait"
start_nbdkit src -r eval get_size="echo $size" pread="
	while [ \$4 -ge $((size / 2)) ] && [ -e '$tmp/wait' ]; do
		sleep 0.1
	done
	dd if='$tmp/data' skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
start_nbdkit dst file "$tmp/dst.img"

# As a thread hangs in the kernel.
start_process copy "$nbdsync" copy --json --connections 1 --queue-depth 1 \
    --request-size 64KiB --checkpoint "$tmp/state" \
    --checkpoint-interval 100ms "$(uri src)" "$(uri dst)"
ok "a copy has a store" wait_for "[ -s '$tmp/state-wal' ]"
mkfifo "$tmp/hold"
start_process hold sh -c \
    "exec '$builddir/tests/lib/hold-thread' $(pid_of copy) nbdsync-store \
    <'$tmp/hold'"
exec 8>"$tmp/hold"
ok "which is held" wait_for "grep -q held '$tmp/hold.log'"
rm "$tmp/wait"
# A thread that is traced has not ended before its tracer lets it go.
ok "it ends all the same" \
    wait_for "grep -q 'its disk does not answer' '$tmp/copy.log'" 120
exec 8>&-
wait_for "! is_running_ $(pid_of copy)" 30
wait "$(pid_of copy)"
is "as a success" $? 0
like "which has not heard of the store" "$(cat "$tmp/copy.log")" \
    "could not be saved: the store has not answered"
is "all of it was copied" "$(sed -n '/^{/,/^}/p' "$tmp/copy.log" |
    jq .progress.written_bytes)" $size
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

# Nor does what only looks at one.  The lock is where its thread is caught.
mkfifo "$tmp/commands" "$tmp/release"
start_process lock sh -c "exec sqlite3 '$tmp/state' <'$tmp/commands'"
exec 9>"$tmp/commands"
echo "BEGIN EXCLUSIVE; SELECT 'is held';" >&9
wait_for "grep -q 'is held' '$tmp/lock.log'" || bail "it is not locked"
for words in "checkpoint show" "checkpoint discard"; do
	run timeout 60 "$nbdsync" $words "$tmp/state"
	is "$words of a file that is locked does not wait for ever" \
	    "$status" 12
	like "and says so" "$err" 'is in use: .*another program holds it$'
done
run timeout 60 "$nbdsync" copy --checkpoint "$tmp/state" "$(uri src)" \
    "$(uri dst)"
is "nor does a copy" "$status" 12
like "which says so" "$err" 'state: database is locked$'

# On a busy machine it may have gone before it is caught.
exec 8<>"$tmp/release"
caught()
{
	is_running_ "$(pid_of show)" ||
	    start_process show "$nbdsync" checkpoint show "$tmp/state"
	start_process catch sh -c "exec '$builddir/tests/lib/hold-thread' \
	    $(pid_of show) nbdsync-store <'$tmp/release'"
	wait_for "[ -s '$tmp/catch.log' ]"
	grep -q held "$tmp/catch.log"
}
start_process show "$nbdsync" checkpoint show "$tmp/state"
ok "the thread that looks at it is held" wait_for caught
ok "which is told" \
    wait_for "grep -q 'its disk does not answer$' '$tmp/show.log'"
stop_process catch KILL
wait "$(pid_of show)"
is "and has an exit status of its own" $? 8
exec 9>&-
