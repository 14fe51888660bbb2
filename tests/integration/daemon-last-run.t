#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon tells of a last run with a hundred thousand bad ranges, and what it
# has left, after a restart, and keeps nobody waiting for it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires sqlite3 --version
requires ddrescuelog --version
plan 22

size=$((4 * MiB))
make_data "$tmp/data" $size 7
truncate -s $size "$tmp/copy" "$tmp/other"
start_nbdkit src -r eval get_size="echo $size" pread="
	if [ \$4 -lt 1003000 ] && [ \$((\$4 + \$3)) -gt 1000000 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
head -c 1M "$tmp/data" >"$tmp/short"
truncate -s 2M "$tmp/short"
start_nbdkit long pattern --filter=cow 4M
# jobs COPY: the endpoint that is called copy leads there
jobs()
{
	conf "endpoints = ( { name = \"bad\"; uri = \"$(uri src)\"; },
	  { name = \"copy\"; path = \"$tmp/$1\"; }, $(slow_endpoint slow),
	  { name = \"data\"; path = \"$tmp/data\"; },
	  { name = \"short\"; path = \"$tmp/short\"; },
	  { name = \"long\"; uri = \"$(uri long)\"; },
	  { name = \"null\"; uri = \"null:\"; } );
	jobs = ( { name = \"j\"; source = \"bad\"; destination = \"copy\";
	    retries = 0; on_read_error = \"skip\"; },
	  { name = \"rest\"; source = \"short\"; destination = \"long\";
	    zero_rest = true; },
	  $(slow_job killed slow null) );"
}
map()
{
	api "/v1/jobs/$1/map?$2" | jq -c '.stretches // .runs'
}
restart()
{
	stop_process daemon
	start_daemon "$tmp/conf"
	wait_for '[ "$(job_field j .last_run.id)" != null ]'
}

jobs copy
start_daemon "$tmp/conf"
"$nbdsync" start --wait --quiet j
"$nbdsync" start --wait --quiet rest
before=$(map j exact=1)
is "a run has skipped what was bad" "$before" \
    '[[0,999936,"durable"],[999936,3072,"error"],[1003008,3191296,"durable"]]'
restart
is "the next daemon's map has that, too, to the byte" \
    "$(map j exact=1)" "$before"
is "also zeroes behind the end of the source" "$(map rest cells=4)" \
    '[["durable",1],["zero",3]]'
"$nbdsync" map --ddrescue "$tmp/mapfile" j
is "and its mapfile" "$(ddrescuelog -t "$tmp/mapfile" |
    sed -n 's/.*bad-sector: *\([0-9]*\) B.*/\1/p')" 3072

printf spoilt | dd of="$tmp/copy" bs=1 seek=2097152 conv=notrunc status=none
"$nbdsync" verify --wait --quiet j
before=$(map j cells=8)
is "a comparison has found something" "$before" \
    '[["durable",1],["error",1],["durable",2],["differs",1],["durable",3]]'
restart
is "the next daemon knows" "$(map j cells=8)" "$before"
dd if="$tmp/data" of="$tmp/copy" bs=1M skip=2 seek=2 count=1 conv=notrunc \
    status=none
"$nbdsync" verify --wait --quiet --range 2MiB:1MiB j
is "until it is equal again" "$(map j cells=4)" \
    '[["error",1],["durable",3]]'

# It is of the disk that was written, whatever that is called.
jobs other
restart
is "another disk of the same name has no map yet" "$(map j exact=1)" '[]'
jobs copy
restart
is "and that one has it again" "$(map j cells=4)" \
    '[["error",1],["durable",3]]'
jobs other
"$nbdsync" reload --quiet
is "so it is without a restart" "$(map j exact=1)" '[]'
jobs copy
"$nbdsync" reload --quiet

# Who is killed cannot say what it has left.
start_job killed
wait_copied killed
kill -KILL "$(pid_of daemon)"
wait "$(pid_of daemon)" 2>/dev/null
rm "$tmp/daemon.started"
start_daemon "$tmp/conf"
wait_for '[ "$(job_field killed .last_run.result)" = failed ]'
is "of a run that its daemon was killed in there is no map" \
    "$(map killed exact=1)" '[]'

# A hundred thousand bad ranges.
n=100000
id=$(job_field j .last_run.id)
stop_process daemon
sql "UPDATE runs SET report = json_set(report, '\$.bad_ranges', (
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
	WHERE i < $n - 1)
    SELECT json_group_array(json_object('side', 'source', 'destination', 0,
	'offset_bytes', i * 1024, 'length_bytes', 512, 'error',
	'Input/output error', 'errno', 5, 'filled', json('false'))) FROM n))
    WHERE id = '$id'"
sql "UPDATE jobs SET map = json_set(map, '\$.stretches', (
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
	WHERE i < $n - 1)
    SELECT json_group_array(json_array(i * 512, 512,
	iif(i % 2, 'error', 'durable'))) FROM n)) WHERE name = 'j'"
start_daemon "$tmp/conf"
# used THREAD: microseconds of a processor that it has used
used()
{
	awk '{ printf "%d", $1 / 1000 }' \
	    "/proc/$(pid_of daemon)/task/$1/schedstat"
}
store_thread()
{
	grep -lx nbdsync-store /proc/"$(pid_of daemon)"/task/*/comm |
	    sed 's|/comm$||; s|.*/||'
}
wait_for "[ \"\$(job_field j .last_run.id)\" = $id ]"
store=$(used "$(store_thread)")
main=$(used "$(pid_of daemon)")
ok "the store's thread reads a report that is very long ($store us)" \
    [ "$store" -gt 20000 ]
ok "and the main thread does not ($main us)" [ "$main" -lt $((store / 2)) ]
is "the status has the first of the ranges" \
    "$(job_field j '.last_run | "\(.bad_ranges | length) \(.lists_are_cut)"')" \
    "100 true"
is "the map has all" "$(api '/v1/jobs/j/map?exact=1' |
    jq '.stretches | length')" $n
main=$(used "$(pid_of daemon)")
api "/v1/runs/$id" >"$tmp/run"
main=$(($(used "$(pid_of daemon)") - main))
is "and so has the history" "$(jq '.report.bad_ranges | length' "$tmp/run")" $n
ok "which is not kept waiting either ($main us)" [ "$main" -lt \
    $((store / 4)) ]
is "with what else there is to a run" "$(jq -r '"\(.id) \(.job) \(.result)"' \
    "$tmp/run")" "$id j $(job_field j .last_run.result)"
api /v1/jobs >"$tmp/jobs"
is "the list of jobs has them in order" "$(jq -c '[.jobs[].job]' \
    "$tmp/jobs")" '["j","rest","killed"]'
is "each with its last run" "$(jq -r '[.jobs[].last_run.result] | join(" ")' \
    "$tmp/jobs")" "$(job_field j .last_run.result) succeeded failed"

# As an older version left it when it had no memory.
sql "UPDATE runs SET report = substr(report, 1, 100) WHERE job = 'rest'"
id=$(job_field rest .last_run.id)
is "what is no report is not told as one" "$(api "/v1/runs/$id" |
    jq -c '[.id, .result, .report]')" "[\"$id\",\"succeeded\",null]"
stop_process daemon
is "the daemon ends well" $? 0
