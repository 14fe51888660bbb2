#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whoever asks first, and what is due when the daemon starts, meets jobs whose
# past is known.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit memory --version
requires strace -e inject=openat:delay_enter=1 true
plan 8

port=$(free_port)
# All of them write to the same disk: what one has met with there, the others
# have to know.
{
	echo "metrics = { listen = \"127.0.0.1:$port\"; };"
	echo "endpoints = ( { name = \"n\"; uri = \"null:\"; },"
	echo '  { name = "p"; command = [ "nbdkit", "pattern", "1M" ]; } );'
	echo 'jobs = ( { name = "due"; source = "p"; destination = "n";'
	echo '    interval = "1h"; }'
	for i in $(seq 40); do
		echo ", { name = \"j$i\"; source = \"p\"; destination = \"n\"; }"
	done
	echo ');'
} >"$tmp/jobs"
conf "$(cat "$tmp/jobs")"
start_daemon "$tmp/conf"
ok "a job has run" "$nbdsync" start --wait --quiet j40
wait_for "[ \"\$(job_field due .last_run.result)\" = succeeded ]"
stop_process daemon

start_slowly()
{
	rm -f "$tmp/trace"
	# shellcheck disable=SC2086
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 start_process daemon \
	    strace -f -qq -e signal=none -o "$tmp/trace" -e trace=openat \
	    -P "$STATE_DIRECTORY/state.db" \
	    -e inject=openat:delay_enter=1000000:when=1 \
	    "$nbdsyncd" --config "$tmp/conf"
	wait_for "[ -S '$NBDSYNC_SOCKET' ]"
}

start_slowly
run "$nbdsync" status --json j40
is "the first answer" "$status" 0
holds "has the run of before" '.last_run.result == "succeeded"'
kill "$(api /v1/version | jq .pid)"
wait_for "! is_running_ $(pid_of daemon)"

start_slowly
like "so have the first figures" "$(curl --silent --show-error \
    --noproxy '*' "http://127.0.0.1:$port/metrics" |
    grep 'nbdsync_job_last_success_timestamp_seconds{job="j40"}')" ' [1-9]'
kill "$(api /v1/version | jq .pid)"
wait_for "! is_running_ $(pid_of daemon)"

# As if it had been long ago.
sql "update jobs set last_fire_ms = last_fire_ms - 86400000
    where name = 'due'"
start_daemon "$tmp/conf"
wait_for "[ \"\$(api '/v1/jobs/due/history' | jq '.runs | length')\" = 2 ]"
run api /v1/jobs/due
holds "a run that is due is made" '.last_run.trigger == "catch-up"'
holds "it is a success" '.last_run.result == "succeeded"'
holds "and believes nothing of its disks that is not so" \
    '.last_run.gave_up == []'
stop_process daemon
is "the daemon ends well" "$?" 0
