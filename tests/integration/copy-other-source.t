#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A source that comes back in the middle of a copy with other limits is refused,
# and nothing of it is copied.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=blocksize-policy --filter=log sh --version
requires nbdkit --filter=multi-conn --filter=truncate sh --version
plan 12

size=$((16 * MiB))
make_data "$tmp/data" $size 1
hold_half "$tmp/held" "$tmp/data"

# comes_back SENTENCE NBDKIT-ARGS...: it is killed, and these take its place
comes_back()
{
	sentence=$1
	shift
	rm -f "$tmp/dst.img" "$tmp/other.busy"
	truncate -s $size "$tmp/dst.img"
	touch "$tmp/hold"
	start_nbdkit src sh "$tmp/held"
	start_process copy "$nbdsync" copy --json --connections 1 \
	    --queue-depth 2 --request-size 256KiB "$(uri src)" "$tmp/dst.img"
	wait_for "[ \$(tr -d '\0' <'$tmp/dst.img' | head -c 65536 |
	    wc -c) -gt 60000 ]" || bail "nothing is copied"
	stop_process src KILL
	rm "$tmp/hold"
	start_nbdkit src --filter=log "$@" logfile="$tmp/other.busy"
	wait_for "! is_running_ $(pid_of copy)"
	wait "$(pid_of copy)"
	is "$sentence" $? 4
	like "which the message says" "$(cat "$tmp/copy.log")" \
	    "source '[^']*': came back as another disk \(size, limits"
	ok "it was connected to" grep -q Connect "$tmp/other.busy"
	not_ok "and not read" grep -q ' Read id=' "$tmp/other.busy"
	stop_process src
}

comes_back "a source with other block sizes is refused" \
    --filter=blocksize-policy sh "$tmp/held" blocksize-minimum=4096 \
    blocksize-error-policy=error
comes_back "so is one that lacks a sector" --filter=truncate sh "$tmp/held" \
    truncate=$((size - 512))
comes_back "so is one that may not have several connections any more" \
    --filter=multi-conn sh "$tmp/held" multi-conn-mode=disable
