#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Both servers' block sizes are obeyed: nbdkit refuses what does not.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=blocksize-policy file --version
requires nbdkit --filter=log file --version
plan 12

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
