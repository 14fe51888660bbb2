#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A copy goes no faster than its rate.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=checkwrite --filter=nozero --filter=log pattern \
    --version
requires nbdkit --filter=stats null --version
requires jq --version
plan 19

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# What takes too long proves nothing; what is too fast is wrong.
took_at_least()
{
	took=$(($(now_ms) - began))
	is "$1" "$([ "$took" -ge "$2" ] && echo yes || echo "no: $took ms")" yes
}

size=$((4 * MiB))
start_nbdkit src -r --filter=stats pattern $size statsfile="$tmp/stats"
start_nbdkit dst --filter=checkwrite pattern $size

# 4 MiB at 4 MiB/s, which is little for any machine; a twentieth of a second of
# it may go at once.
began=$(now_ms)
ok "a copy with a rate is right" "$nbdsync" copy --json --rate 4MiB/s \
    "$(uri src)" "$(uri dst)"
took_at_least "and takes its time" 900
is "it says what it was limited by" \
    "$(echo "$out" | jq -r .progress.limited_by)" rate-limit
is "and to what" \
    "$(echo "$out" | jq .progress.rate_limit_bytes_per_s)" $size
stop_process src
like "the bytes were really read" "$(cat "$tmp/stats")" \
    "^read: .*4\.0* MiB"

began=$(now_ms)
start_nbdkit src -r pattern $size
ok "comparing with a rate works" "$nbdsync" compare --json --rate 4MiB/s \
    "$(uri src)" "$(uri src)"
took_at_least "and takes its time" 900
is "and all was compared" "$(echo "$out" | jq .progress.equal_bytes)" $size
stop_process dst

# 400 KiB/s are 20 KiB in a twentieth of a second.
start_nbdkit slow -r --filter=log pattern 512K logfile="$tmp/log"
start_nbdkit dst --filter=checkwrite pattern 512K
ok "a small rate works" "$nbdsync" copy --quiet --rate 400KiB/s \
    "$(uri slow)" "$(uri dst)"
is "by requests that are small" "$(sed -n \
    's/.* Read id=.* count=\(0x[0-9a-f]*\) .*/\1/p' "$tmp/log" | sort -u)" \
    0x2000

# A day and more, if zeroes that are not read counted.
start_nbdkit sparse -r memory 100G
start_nbdkit thin memory 100G
ok "holes are not counted" "$nbdsync" copy --json --rate 1MB/s \
    "$(uri sparse)" "$(uri thin)"
is "all of it were holes" "$(echo "$out" | jq .progress.zeroed_bytes)" \
    $((100 * GiB))

start_nbdkit zeroes -r memory $size
start_nbdkit raw --filter=nozero memory $size
began=$(now_ms)
ok "zeroes that are written as bytes are" "$nbdsync" copy --json \
    --rate 4MiB/s "$(uri zeroes)" "$(uri raw)"
took_at_least "counted" 900
is "they were not read" "$(echo "$out" | jq .progress.read_bytes)" 0

ok "0 is no limit" "$nbdsync" copy --json --rate 0 "$(uri src)" "$(uri raw)"
is "and none is told" \
    "$(echo "$out" | jq .progress.rate_limit_bytes_per_s)" 0
exits 2 "what is no rate is refused" "$nbdsync" copy --rate 5MB \
    "$(uri src)" "$(uri raw)"
like "with an example" "$err" "'5MB' is not a rate such as '200MB/s'"
