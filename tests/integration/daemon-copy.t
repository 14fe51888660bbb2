#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job that is started over the control API copies its disk, and says so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
plan 15

make_data "$tmp/source" $((5 * MiB + 513)) 1
make_data "$tmp/destination" $((5 * MiB + 513)) 2
make_data "$tmp/part" $((4 * MiB)) 3
cp "$tmp/part" "$tmp/part.before"
start_nbdkit server file "$tmp/source"
conf "endpoints = (
  { name = \"a\"; uri = \"$(uri server)\"; },
  { name = \"b\"; command = [ \"nbdkit\", \"file\", \"$tmp/destination\" ]; },
  { name = \"p\"; path = \"$tmp/part\"; } );
jobs = ( { name = \"all\"; source = \"a\"; destination = \"b\"; },
  { name = \"some\"; source = \"a\"; destination = \"p\";
    ranges = ( { from = \"2048s\"; length = \"64KiB\"; to = \"512s\"; },
	       { from = \"0\"; length = \"1s\"; to = \"3MiB\"; } ); } );"
start_daemon "$tmp/conf"

is "a job is idle at first" "$(job_field all .state)" idle
is "and never ran" "$(job_field all .last_run)" null
is "all jobs are listed in the order of the file" \
    "$(api /v1/jobs | jq -r '[.jobs[].job] | join(" ")')" "all some"

run api /v1/jobs/all/start --request POST --include
like "start answers 202" "$out" '^HTTP/1.1 202'
like "and says where to look" "$out" '^Location: /v1/jobs/all'
rev=$(echo "$out" | tail -n 1 | jq .rev)
id=$(echo "$out" | tail -n 1 | jq -r .run)
ok "the run ends" wait_job all
is "it has succeeded" "$(job_field all .last_run.result)" succeeded
is "it is the run that was started" "$(job_field all .last_run.id)" "$id"
is "all bytes are accounted for" \
    "$(job_field all .last_run.progress.durable_bytes)" $((5 * MiB + 513))
ok "the disks are equal" cmp "$tmp/source" "$tmp/destination"
like "the log says how much" "$(cat "$tmp/daemon.log")" \
    "info: job 'all': succeeded: 5.0 MiB in "

start_job some
wait_job some
is "a job of two ranges succeeds" "$(job_field some .last_run.result)" \
    succeeded
part()
{
	dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" \
	    status=none | cksum
}
is "the first range is where it belongs" \
    "$(part "$tmp/part" $((256 * KiB)) $((64 * KiB)))" \
    "$(part "$tmp/source" $((1 * MiB)) $((64 * KiB)))"
is "the second as well" "$(part "$tmp/part" $((3 * MiB)) 512)" \
    "$(part "$tmp/source" 0 512)"
n=$(cmp -l "$tmp/part" "$tmp/part.before" | awk -v a=$((256 * KiB)) \
    -v b=$((320 * KiB)) -v c=$((3 * MiB)) '
	!($1 > a && $1 <= b) && !($1 > c && $1 <= c + 512) { n++ }
	END { print n + 0 }')
is "and nothing else has changed" "$n" 0
