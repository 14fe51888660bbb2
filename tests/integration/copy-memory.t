#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs use no more memory for what is on its way than they may, and come to
# their end all the same.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=checkwrite --filter=delay pattern --version
requires nbdkit --filter=multi-conn null --version
plan 35

field()
{
	echo "$out" | jq --raw-output ".progress.$1"
}

# is_at_most SENTENCE N LIMIT
is_at_most()
{
	ok "$1 ($2)" [ "$2" -le "$3" ]
}

reload()
{
	lines_=$(grep -c 'taken over' "$tmp/daemon.log")
	kill -HUP "$(pid_of daemon)"
	wait_for "[ \$(grep -c 'taken over' '$tmp/daemon.log') -gt $lines_ ]"
}

size=$((64 * MiB))
start_nbdkit src -r pattern $size
start_nbdkit slow --filter=checkwrite --filter=delay pattern $size wdelay=20ms

ok "without a limit that matters there are connections" "$nbdsync" copy \
    --json --connections 8 "$(uri src)" "$(uri slow)"
is "as many as are of use" "$(field connections)" 5
free=$(field memory_peak_bytes)
ok "with one the copy is right as well" "$nbdsync" copy --json \
    --connections 4 --memory-max 5MiB "$(uri src)" "$(uri slow)"
is "over fewer connections" "$(field connections)" 2
is "in the end all of it is free" "$(field memory_bytes)" 0
peak=$(field memory_peak_bytes)
is_at_most "no more memory was used" "$peak" $((5 * MiB))
ok "which is less than it would be" [ "$peak" -lt "$free" ]
ok "and nearly all of it" [ "$peak" -gt $((4 * MiB)) ]

ok "one connection can do with the least" "$nbdsync" copy --json \
    --request-size 1MiB --memory-max 2300kB "$(uri src)" "$(uri slow)"
is_at_most "which holds" "$(field memory_peak_bytes)" 2300000
exits 4 "with less nothing is begun" "$nbdsync" copy --request-size 1MiB \
    --memory-max 2MiB "$(uri src)" "$(uri slow)"
like "for a reason" "$err" "needs [0-9]* bytes of memory, and only 2097152"
ok "requests of no size in particular are smaller with less" "$nbdsync" copy \
    --json --memory-max 2MiB "$(uri src)" "$(uri slow)"
is_at_most "which holds, too" "$(field memory_peak_bytes)" $((2 * MiB))
ok "they go on becoming smaller" "$nbdsync" copy --memory-max 256KiB \
    --range 0:4MiB "$(uri src)" "$(uri slow)"
exits 2 "what is no size is refused" "$nbdsync" copy --memory-max much a b

ok "comparing with a limit works" "$nbdsync" compare --json \
    --memory-max 2MiB "$(uri src)" "$(uri src)"
is "to the end" "$(field equal_bytes)" $size
is_at_most "with no more memory" "$(field memory_peak_bytes)" $((2 * MiB))
stop_process slow

# Several destinations, one of them slow.
start_nbdkit a --filter=checkwrite pattern $size
start_nbdkit b --filter=checkwrite --filter=delay pattern $size wdelay=20ms
ok "several destinations with a limit are right" "$nbdsync" copy --json \
    --memory-max 4MiB "$(uri src)" "$(uri a)" "$(uri b)"
is_at_most "with no more memory" "$(field memory_peak_bytes)" $((4 * MiB))

# One limit for all jobs of a daemon.  None of them ends by itself.
jobs=
for i in 1 2 3 4; do
	jobs="$jobs${jobs:+,}
	  { name = \"j$i\"; source = \"big\"; destination = \"n\";
	    connections = 1; }"
done
jobs="$jobs, { name = \"long\"; source = \"big\"; destination = \"far\";
    mode = \"verify\"; connections = 1; },
  { name = \"distant\"; source = \"distant\"; destination = \"n\"; }"
conf 'daemon = { memory_max = "8MiB"; };
endpoints = ( { name = "n"; uri = "null:"; },
  { name = "far"; command = [ "nbdkit", "--filter=delay", "pattern", "1T",
    "rdelay=5ms" ]; },
  { name = "distant"; command = [ "nbdkit", "--filter=delay", "pattern",
    "1T", "rdelay=100ms" ]; },
  { name = "big"; command = [ "nbdkit", "pattern", "1T" ]; } );'"
jobs = ( $jobs );"
start_daemon "$tmp/conf"
start_job distant
ok "one that has no room for more connections is limited by memory" wait_for \
    '[ "$(job_field distant .run.progress.limited_by)" = memory ]'
ok "and has fewer than a distant disk gets otherwise" \
    [ "$(job_field distant .run.progress.connections)" -lt 8 ]
api_status /v1/jobs/distant/cancel --request POST >/dev/null
wait_job distant
for i in 1 2 3 4; do
	start_job j$i
	[ $i = 4 ] || wait_copied j$i
done
ok "a run for which there is no memory waits" \
    wait_for '[ "$(job_field j4 .run.progress.limited_by)" = memory ]'
is "for its first connection" "$(job_field j4 .run.progress.read_bytes)" 0
sed -i 's/memory_max = "8MiB"/memory_max = "64KiB"/' "$tmp/conf"
reload
ok "when there never will be enough it does not wait on" wait_for \
    '[ "$(job_field j4 .last_run.result)" = failed ]'
like "and says so" "$(job_field j4 .last_run.failure.message)" \
    "needs [0-9]* bytes of memory, and only 65536"
sed -i 's/memory_max = "64KiB"/memory_max = "8MiB"/' "$tmp/conf"
reload
start_job j4
ok "but does when there may be" \
    wait_for '[ "$(job_field j4 .run.progress.limited_by)" = memory ]'
api_status /v1/jobs/j2/cancel --request POST >/dev/null
ok "when another one ends it goes on" wait_copied j4
for i in 1 3 4; do
	api_status /v1/jobs/j$i/cancel --request POST >/dev/null
done
ok "a comparison takes what is left" eval 'start_job long; wait_for "
    [ \$(api /v1/health | jq .memory_bytes) -gt $((6 * MiB)) ]"'
start_job j1
ok "and gives it to one that begins" wait_copied j1
for i in long j1; do
	api_status /v1/jobs/$i/cancel --request POST >/dev/null
done
ok "all of them can be ended" \
    wait_for '[ "$(api /v1/health | jq .running)" = 0 ]'
peak=$(api /v1/health | jq .memory_peak_bytes)
is_at_most "they have used no more memory together" "$peak" $((8 * MiB))
ok "and nearly all of it" [ "$peak" -gt $((6 * MiB)) ]
is "in the end all of it is free" "$(api /v1/health | jq .memory_bytes)" 0
