#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Both servers' block sizes are obeyed: nbdkit refuses what does not.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=blocksize-policy file --version
requires nbdkit --filter=log file --version
plan 17

size=$((5 * MiB + 8192))
make_data "$tmp/src.img" $size disk
strict="--filter=blocksize-policy file"
errors=blocksize-error-policy=error

# copies SENTENCE SOURCE-PARAMETERS DESTINATION-PARAMETERS
copies()
{
	rm -f "$tmp/dst.img" "$tmp/src.log" "$tmp/dst.log"
	truncate -s $size "$tmp/dst.img"
	# shellcheck disable=SC2086
	start_nbdkit src -r --filter=log $strict "$tmp/src.img" $errors \
	    logfile="$tmp/src.log" $2
	# shellcheck disable=SC2086
	start_nbdkit dst --filter=log $strict "$tmp/dst.img" $errors \
	    logfile="$tmp/dst.log" $3
	ok "$1" "$nbdsync" copy "$(uri src)" "$(uri dst)"
	ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
	stop_process src
	stop_process dst
}

# The largest count of the requests of that kind in a log.
largest()
{
	sed -n "s/.* $2 .*count=\(0x[0-9a-f]*\).*/\1/p" "$tmp/$1.log" |
	    while read -r n; do echo $((n)); done | sort -n | tail -n 1
}

copies "a source with 4096-byte blocks is read" \
    "blocksize-minimum=4096" ""
copies "a destination with 4096-byte blocks is written" \
    "" "blocksize-minimum=4096"
copies "a source with requests of at most 64 KiB is read" \
    "blocksize-maximum=65536" ""
is "no read is larger" "$(largest src Read)" 65536
copies "a destination with requests of at most 64 KiB is written" \
    "" "blocksize-maximum=65536"
is "no write is larger" "$(largest dst Write)" 65536
copies "4096-byte blocks, 64 KiB at most, at both ends" \
    "blocksize-minimum=4096 blocksize-maximum=65536" \
    "blocksize-minimum=4096 blocksize-maximum=65536"

# A source that ends inside the destination's block.
truncate -s $((size + 512)) "$tmp/src.img"
truncate -s $((size + 8192)) "$tmp/dst.img"
cp "$tmp/dst.img" "$tmp/before.img"
start_nbdkit src -r file "$tmp/src.img"
# shellcheck disable=SC2086
start_nbdkit dst --filter=log $strict "$tmp/dst.img" $errors \
    logfile="$tmp/refused.log" blocksize-minimum=4096
exits 4 "a tail that the destination cannot write is refused" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
like "the message says why" "$err" "blocks of 4096 bytes"
ok "before anything is written" cmp "$tmp/dst.img" "$tmp/before.img"
stop_process dst
ok "the destination was connected to" grep -q Connect "$tmp/refused.log"
not_ok "and not written to" grep -Eq 'Write|Zero' "$tmp/refused.log"
