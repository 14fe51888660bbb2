#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A request that fails makes the run fail, with side, offset, length and
# cause, and was really sent.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=error --filter=log pattern --version
plan 24

# Not all zero, or nothing would be read; with a hole, or nothing zeroed.
make_data "$tmp/src.img" $((4 * MiB)) disk
truncate -s $((8 * MiB)) "$tmp/src.img"
truncate -s $((8 * MiB)) "$tmp/dst.img"

# fails WHAT SIDE LOG-WORD MESSAGE ERROR-FILTER-ARGS...
fails()
{
	what=$1
	side=$2
	word=$3
	message=$4
	shift 4
	rm -f "$tmp/faulty.log"
	filters="--filter=log --filter=error"
	faults="$* logfile=$tmp/faulty.log"
	if [ "$side" = source ]; then
		# shellcheck disable=SC2086
		start_nbdkit src -r $filters file "$tmp/src.img" $faults
		start_nbdkit dst file "$tmp/dst.img"
	else
		start_nbdkit src -r file "$tmp/src.img"
		# shellcheck disable=SC2086
		start_nbdkit dst $filters file "$tmp/dst.img" $faults
	fi
	exits 4 "a failing $what fails the run" \
	    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
	like "the message names side, request and cause" "$err" "$message"
	is "the result says so too" \
	    "$(echo "$out" | jq -r '.result + " " + .failure.side')" \
	    "failed $side"
	stop_process src
	stop_process dst
	ok "the $what was sent" grep -q " $word " "$tmp/faulty.log"
}

fails read source Read \
    "source '[^']*': read of [0-9]+ bytes at offset [0-9]+: Input/output error" \
    error-pread=EIO error-pread-rate=50%
fails write destination Write \
    "destination '[^']*': write of [0-9]+ bytes at offset [0-9]+: No space left" \
    error-pwrite=ENOSPC error-pwrite-rate=100%
fails write-zeroes destination Zero \
    "destination '[^']*': write-zeroes of [0-9]+ bytes at offset [0-9]+: Operation not permitted" \
    error-zero=EPERM error-zero-rate=100%

# The error filter has no flush: a server of its own says no.
cat >"$tmp/noflush.sh" <<'EOF'
case "$1" in
get_size) echo 8388608 ;;
can_write | can_flush | can_zero) exit 0 ;;
pwrite) cat >/dev/null ;;
zero) exit 0 ;;
flush) echo flush >>"$FLUSHED"; echo 'EIO the cache is on fire' >&2; exit 1 ;;
*) exit 2 ;;
esac
EOF
chmod +x "$tmp/noflush.sh"
FLUSHED=$tmp/flushed
export FLUSHED
start_nbdkit src -r file "$tmp/src.img"
start_nbdkit dst sh "$tmp/noflush.sh"
exits 4 "a failing flush fails the run" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
like "the message says it was the flush" "$err" \
    "destination '[^']*': flush: Input/output error"
is "all was written" "$(echo "$out" | jq .progress.done_bytes)" 8388608
is "and nothing is called durable" \
    "$(echo "$out" | jq .progress.durable_bytes)" 0
is "nor is it all" "$(echo "$out" | jq '.progress.ratio < 1')" true
ok "the flush was sent" test -s "$tmp/flushed"
stop_process dst

# Block status that fails is no reason to fail: all is read.
truncate -s 0 "$tmp/dst.img"
truncate -s $((8 * MiB)) "$tmp/dst.img"
stop_process src
start_nbdkit src -r --filter=log --filter=error file "$tmp/src.img" \
    error-extents=EIO error-extents-rate=100% logfile="$tmp/extents.log"
start_nbdkit dst file "$tmp/dst.img"
ok "failing block status does not fail the run" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
warnings=$err
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
ok "block status was sent" grep -q ' Extents ' "$tmp/extents.log"
like "what was done without is said" "$warnings" "block status"
stop_process src

# The same with one lane and with several, in any of their requests: where
# nothing is tried again, not one of them passes.
for lanes in 1 4; do
	start_nbdkit src -r --filter=error pattern size=64M \
	    error-pread=EIO error-pread-rate=5%
	stop_process dst
	start_nbdkit dst --filter=checkwrite pattern size=64M
	exits 4 "rare errors are not overlooked with $lanes connections" \
	    "$nbdsync" copy --connections $lanes --request-size 256KiB \
	    --on-read-error stop "$(uri src)" "$(uri dst)"
	stop_process src
done
