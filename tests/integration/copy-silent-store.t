#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of a checkpoint hangs, and the copy does not.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires jq --version
plan 7

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
