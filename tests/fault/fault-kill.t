#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon that is killed at any instant, again and again: what it had noted
# is gone on from, and in the end the copy is right.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires nbdkit --filter=delay file --version
rounds 10 1000
plan 5

make_data "$tmp/data" $((32 * MiB)) disk
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = (
  { name = \"data\"; command = [ \"sh\", \"-c\",
      \"exec nbdkit -r --filter=delay file $tmp/data rdelay=\$(cat $tmp/delay)\" ]; },
  { name = \"copy\"; command = [ \"nbdkit\", \"file\", \"$tmp/copy.img\" ]; } );
jobs = ( { name = \"j\"; source = \"data\"; destination = \"copy\";
    connections = 2; queue_depth = 2; request_size = \"64KiB\";
    checkpoint = \"1s\"; } );"

# A copy takes 128 reads of 20 ms on each of four ways, and more; the first one
# is in no danger of being finished.
n_kills=0
n_in_run=0
n_copies=0
n_resumed=0
n_right=0
slowest=0

# At a random instant of a run, or of the daemon's start or the run's.
kill_it()
{
	random 8
	if [ "$random" = 0 ]; then
		start_process daemon "$nbdsyncd" --config "$tmp/conf"
	else
		start_daemon "$tmp/conf"
		start_job j
		n_in_run=$((n_in_run + 1))
	fi
	random 250
	sleep "$((random / 100)).$(printf %02d $((random % 100)))"
	stop_process daemon KILL
	n_kills=$((n_kills + 1))
}

# The first kill is no matter of chance: something is to be gone on with.
kill_when_noted()
{
	echo 500ms >"$tmp/delay"
	start_daemon "$tmp/conf"
	start_job j
	wait_for "[ \"\$(api /v1/jobs/j/checkpoint |
	    jq '[.. | .durable_bytes? // 0] | max')\" -gt 0 ]" ||
	    bail "no checkpoint was saved"
	stop_process daemon KILL
	n_kills=1
	n_in_run=1
	echo 20ms >"$tmp/delay"
}

finish()
{
	start_daemon "$tmp/conf"
	start_job j
	rev=0
	wait_job j 120 || slowest=$((slowest + 1))
	if [ "$(job_field j .last_run.result)" = succeeded ] &&
	    cmp -s "$tmp/data" "$tmp/copy.img"; then
		n_right=$((n_right + 1))
	fi
	job_field j .last_run >"$tmp/last_run"
	[ "$(jq .resumed "$tmp/last_run")" != true ] ||
	    n_resumed=$((n_resumed + 1))
	stop_process daemon
}

fresh "$tmp/copy.img"
kill_when_noted
finish
n_copies=1
while [ "$n_kills" -lt "$rounds" ]; do
	fresh "$tmp/copy.img"
	random 5
	for i in $(seq $((random + 1))); do
		kill_it
	done
	finish
	n_copies=$((n_copies + 1))
done
echo "# $n_kills kills, $n_in_run after a run began, in $n_copies copies;" \
    "$n_resumed went on in the end"
is "all copies end" "$slowest" 0
is "and are right" "$n_right" "$n_copies"
ok "runs were killed" [ "$n_in_run" -gt 0 ]
ok "and gone on with" [ "$n_resumed" -gt 0 ]
is "nothing is left behind but the store" "$(ls "$tmp/state" | grep -v state)" ""
