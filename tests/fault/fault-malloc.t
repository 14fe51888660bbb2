#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One allocation fails, each in turn: in the start of a copy and its run, and
# in the daemon's start, reload, run and answers.  Nothing crashes, leaks or
# hangs, and no run succeeds wrongly.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires test -x "$faults/nbdsync-starved"
plan 6

make_data "$tmp/data" $MiB disk
STARVE_LOG=$tmp/starved
export STARVE_LOG
start_nbdkit src -r file "$tmp/data"
touch "$tmp/dst.img"
fresh "$tmp/dst.img"
start_nbdkit dst file "$tmp/dst.img"

conf "endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"j\"; source = \"s\"; destination = \"d\"; } );"

# A copy with two lanes, without a daemon.
use_copy()
{
	judged "$tmp/data" "$tmp/dst.img" "$faults/nbdsync-starved" copy --json \
	    --request-size 64KiB --connections 2 --connect-timeout 5s \
	    --io-timeout 5s --reconnect 5s "$(uri src)" "$(uri dst)"
	[ "$verdict" != failed ] || [ -n "$err" ] || verdict=SILENT
}

is_up()
{
	"$nbdsync" status >/dev/null 2>&1
}

# Everything that the daemon can be asked for, with a run in between.
ask_all()
{
	for path in version health jobs jobs/j jobs/nope nope; do
		api "/v1/$path" >/dev/null 2>&1
	done
	api /v1/jobs/j/start --request POST >/dev/null 2>&1
	wait_for "! api /v1/jobs/j 2>/dev/null |
	    jq -e '.run != null' >/dev/null" 30
	kill -HUP "$(pid_of daemon)" 2>/dev/null
	api /v1/jobs/j/cancel --request POST >/dev/null 2>&1
	result=$(job_field j ".last_run |
	    select(.started_at >= \"$since\").result" 2>/dev/null)
}

# It may refuse to start, and it may have no memory for an answer.
use_daemon()
{
	rm -f "$NBDSYNC_SOCKET"
	result=
	# What is known of earlier runs is no result of this one.
	since=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
	start_process daemon "$faults/nbdsyncd-starved" --config "$tmp/conf"
	wait_for "is_up || ! is_running_ $(pid_of daemon)" 30
	is_up && ask_all
	kill -TERM "$(pid_of daemon)" 2>/dev/null
	wait_for "! is_running_ $(pid_of daemon)" 30 ||
	    kill -KILL "$(pid_of daemon)"
	wait "$(pid_of daemon)"
	end_status=$?
	rm -f "$tmp/daemon.started"
	case $end_status in
	0) verdict=ok ;;
	137) verdict=HUNG ;;
	[1-9] | [1-8][0-9])
		verdict=failed
		[ -s "$tmp/daemon.log" ] || verdict=SILENT
		;;
	*) verdict=CRASHED ;;
	esac
	if [ "$result" = succeeded ] && ! cmp -s "$tmp/data" "$tmp/dst.img"
	then
		verdict=WRONG
	fi
	case $verdict in
	[A-Z]*) tail -n 60 "$tmp/daemon.log" | comment_ ;;
	esac
}

# The disk is made empty by writing, for the server has it open.
starve_once()
{
	rm -f "$STARVE_LOG"
	dd if=/dev/zero of="$tmp/dst.img" bs=$MiB count=1 conv=notrunc \
	    status=none
	STARVE_AT=$2
	export STARVE_AT
	"use_$1"
	STARVE_AT=0
}

# starve SENTENCE WHAT: some of its allocations, or each.
starve()
{
	bad= n_starved=0 n_ok=0
	starve_once "$2" 0
	is "$1 works while there is memory" "$verdict" ok
	# Of the daemon, and not of what it starts to read a configuration.
	total=$(awk '/^allocated/ && $2 > n { n = $2 } END { print n + 0 }' \
	    "$STARVE_LOG")
	rounds "$3" "$((total + 20))"
	for i in $(seq "$rounds"); do
		n=$i
		if [ "$rounds" -lt "$total" ]; then
			random "$total"
			n=$((random + 1))
		fi
		starve_once "$2" "$n"
		grep -q ^starved "$STARVE_LOG" && n_starved=$((n_starved + 1))
		case $verdict in
		ok) n_ok=$((n_ok + 1)) ;;
		[A-Z]*) bad="$bad $verdict:$n" ;;
		esac
	done
	is "$1 bears it when some memory is missing" "$bad" ""
	ok "and some was" test "$n_starved" -gt $((rounds / 3))
	echo "# $1: $n_starved of about $total allocations failed in turn," \
	    "$n_ok times it ended well"
}

starve "a copy" copy 20
starve "a daemon" daemon 8
