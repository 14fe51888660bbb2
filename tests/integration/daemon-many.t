#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hundred jobs at once share two workers, and none has to wait until another
# is finished.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
plan 6

# Disks without end, so that no job is finished before we say so.
# Two threads a connection: a hundred times sixteen would be the limit.
start_nbdkit src -r --threads=2 pattern 1T
start_nbdkit dst --threads=2 null 1T

conf 'daemon = { memory_max = "384MiB"; };' 'endpoints = (
  { name = "src"; uri = "'"$(uri src)"'"; },
  { name = "dst"; uri = "'"$(uri dst)"'"; } );' "jobs = ( $(for i in $(seq -f j%g 1 100); do
	echo "{ name = \"$i\"; source = \"src\"; destination = \"dst\";
	    connections = 1; },"
done | sed '$ s/,$//') );"
start_daemon "$tmp/conf"

# How many of the jobs that run have copied more than they had in FILE?
n_further()
{
	api /v1/jobs | jq --slurpfile before "$1" '[.jobs[] |
	    select(.run.progress.destinations[0].done_bytes >
		($before[0][.job] // 0))] | length'
}

remember()
{
	api /v1/jobs | jq '[.jobs[] | { (.job):
	    .run.progress.destinations[0].done_bytes }] | add' >"$1"
}

api '/v1/jobs/j[1-100]/start' --request POST >/dev/null
echo '{}' >"$tmp/none"
ok "each job moves before any is finished" \
    wait_for "[ \"\$(n_further '$tmp/none')\" = 100 ]" 120
is "they all run" "$(api /v1/jobs |
    jq '[.jobs[] | select(.run != null)] | length')" 100
remember "$tmp/first"
ok "and each goes on" wait_for "[ \"\$(n_further '$tmp/first')\" = 100 ]" 120
remember "$tmp/second"
ok "time after time" wait_for "[ \"\$(n_further '$tmp/second')\" = 100 ]" 120
ok "in the memory that they share" [ "$(api /v1/jobs |
    jq '[.jobs[].run.progress.memory_bytes] | add')" -le $((384 * MiB)) ]

api '/v1/jobs/j[1-100]/cancel' --request POST >/dev/null
ok "all of them end when they are to" wait_for "[ \$(api /v1/jobs |
    jq '[.jobs[] | select(.run != null)] | length') = 0 ]" 120
