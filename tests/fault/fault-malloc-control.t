#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One allocation fails while a daemon answers a request, or runs what that has
# asked for: each in turn, of each request that there is.  It goes on, without
# a leak, and no run succeeds wrongly.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires test -x "$faults/nbdsyncd-starved"
requires nbdkit --filter=delay pattern --version
requires perl -e 1
plan 6

make_data "$tmp/data" $MiB disk
fresh "$tmp/dst.img"
start_nbdkit src -r file "$tmp/data"
start_nbdkit dst file "$tmp/dst.img"
conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; },
  { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( $(slow_job slow slow n),
  { name = \"j\"; source = \"s\"; destination = \"d\"; } );"

# METHOD PATH BODY.  RUN is the last one of job j, which is to be copied; job
# slow is what can be cancelled.  Events have no end.
cat >"$tmp/requests" <<'END'
GET /
GET /v1/version
GET /v1/schema
GET /v1/health
GET /v1/events
GET /metrics
GET /v1/jobs
GET /v1/jobs/j
POST /v1/jobs/j/start {"reason":"it must"}
GET /v1/jobs/j/map
POST /v1/jobs/j/verify {"ranges":[{"from":0,"length":65536}]}
POST /v1/jobs/slow/cancel
POST /v1/jobs/slow/stop {"force":true}
POST /v1/jobs/slow/pause {"reason":"works"}
POST /v1/jobs/slow/resume
PATCH /v1/jobs/j/limits {"rate":"1GB/s","ttl":"1h"}
POST /v1/config/check
POST /v1/config/reload
GET /v1/jobs/j/history
GET /v1/jobs/j/checkpoint
POST /v1/jobs/j/reset {"confirm":"j"}
GET /v1/runs
GET /v1/runs/RUN
GET /v1/runs/RUN/log
GET /v1/log
PUT /v1/log/level {"level":"info","ttl":"1h"}
GET /v1/endpoints
POST /v1/endpoints/s/probe
POST /v1/shutdown {"confirm":"nbdsyncd","grace":"5s"}
END

# Let the N-th allocation from now on fail; 0: none.
starve_next()
{
	perl -e 'print pack "S", $ARGV[0]' "$1" |
	    dd of="$STARVE_NEXT" bs=2 conv=notrunc status=none
}

n_left()
{
	od -An -tu2 -N 2 "$STARVE_NEXT" | tr -d ' '
}

# ask METHOD PATH [BODY]: 0 if it was granted.
ask()
{
	limit=60
	[ "$2" != /v1/events ] || limit=0.2
	rm -f "$tmp/answer"
	curl --silent --fail-with-body --noproxy '*' --max-time $limit \
	    --output "$tmp/answer" --unix-socket "$NBDSYNC_SOCKET" --request "$1" \
	    ${3:+--data "$3"} "http://localhost$2"
}

is_idle()
{
	api "/v1/jobs/$1" 2>/dev/null | jq -e '.run == null' >/dev/null ||
	    ! is_running_ "$(pid_of daemon)"
}

# What each request finds, and needs afterwards to have done all it does.
before()
{
	case $path in
	*/slow/cancel | */slow/stop | */slow/pause)
		ask POST /v1/jobs/slow/start ;;
	*/slow/resume)
		ask POST /v1/jobs/slow/start
		ask POST /v1/jobs/slow/pause ;;
	*/j/start)
		dd if=/dev/zero of="$tmp/dst.img" bs=$MiB count=1 \
		    conv=notrunc status=none ;;
	esac
}

after()
{
	case $path in
	*/j/start | */j/verify)
		wait_for "is_idle j" ;;
	*/slow/cancel | */slow/stop)
		ask POST "$path" "$body"
		wait_for "is_idle slow" ;;
	*/slow/pause | */slow/resume)
		[ "$(job_field slow .pause)" = null ] ||
		    wait_for "is_idle slow"
		ask POST /v1/jobs/slow/resume
		ask POST /v1/jobs/slow/cancel '{"force":true}'
		wait_for "is_idle slow" ;;
	esac
}

# With the run that was told the last time.
asked_path()
{
	echo "$path" | sed "s/RUN/$last_run/"
}

# What is answered is JSON, whatever is lacking.
is_whole()
{
	case $path in
	/ | /metrics | /v1/events) return 0 ;;
	esac
	[ ! -s "$tmp/answer" ] || jq -e . "$tmp/answer" >/dev/null 2>&1
}

# One request, of which the N-th allocation fails: says if all is well.
starve_request()
{
	before
	starve_next "$1"
	ask "$method" "$(asked_path)" "$body"
	[ $? -ne 28 ] || [ "$path" = /v1/events ] || bad="$bad HUNG:$path:$1"
	is_whole || bad="$bad TORN:$path:$1"
	case $path in
	*/j/start | */j/verify) wait_for "is_idle j" ||
	    bad="$bad HANGS:$path:$1" ;;
	esac
	n_used=$(($1 - $(n_left)))
	starve_next 0
	after
	is_running_ "$(pid_of daemon)" || bad="$bad CRASHED:$path:$1"
	[ "$path" != /v1/jobs/j/start ] || check_copy "$1"
}

# It may not have been started at all.
check_copy()
{
	run_=$(job_field j .last_run.id)
	[ "$run_" != "$last_run" ] || return 0
	last_run=$run_
	[ "$(job_field j .last_run.result)" != succeeded ] ||
	    cmp -s "$tmp/data" "$tmp/dst.img" || bad="$bad WRONG:$1"
}

# Some of its allocations, or all.
starve_each()
{
	starve_request 60000
	total=$n_used
	n_all=$((n_all + total))
	rounds 2 "$total"
	for i in $(seq "$rounds"); do
		n=$i
		if [ "$rounds" -lt "$total" ]; then
			random "$total"
			n=$((random + 1))
		fi
		starve_request "$n"
		[ "$n_used" -lt "$n" ] || n_starved=$((n_starved + 1))
		is_running_ "$(pid_of daemon)" || return
	done
}

start_starved()
{
	rm -f "$NBDSYNC_SOCKET"
	starve_next 0
	start_process daemon "$faults/nbdsyncd-starved" --config "$tmp/conf"
	wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
}

STARVE_LOG=$tmp/starved
STARVE_NEXT=$tmp/next
export STARVE_LOG STARVE_NEXT
head -c 2 /dev/zero >"$STARVE_NEXT"
start_starved
is "all that a daemon can be asked for is" \
    "$(sed 's|RUN|{run}|; s|/j\>|/{job}|; s|/slow\>|/{job}|
	s|/s/|/{endpoint}/|' "$tmp/requests" | cut -d ' ' -f 1,2 | sort)" \
    "$(api /v1/schema | jq -r '.routes[] | "\(.method) \(.path)"' | sort)"

start_job j
wait_job j
last_run=$(job_field j .last_run.id)
bad= n_all=0 n_starved=0
while read -r method path body <&3; do
	[ "$path" != /v1/shutdown ] || continue
	starve_each
	is_running_ "$(pid_of daemon)" || break
done 3<"$tmp/requests"
echo "# $n_starved of about $n_all allocations failed in turn"
is "a daemon bears it when there is no memory for an answer" "$bad" ""
ok "and there was none" [ "$n_starved" -gt 30 ]
start_job j
wait_job j
is "then it works as ever" "$(job_field j .last_run.result)" succeeded
stop_process daemon
is "and ends well, without a leak" $? 0

# It can be asked to end but once.
bad= n_ends=0
rounds 3 100
for i in $(seq "$rounds"); do
	n=$i
	if [ "$rounds" -lt 100 ]; then
		random 30
		n=$((random + 1))
	fi
	start_starved
	starve_next "$n"
	ask POST /v1/shutdown '{"confirm":"nbdsyncd","grace":"5s"}'
	starve_next 0
	# It may lack memory for the answer only.
	grep -q 'control: stopping' "$tmp/daemon.log" ||
	    kill "$(pid_of daemon)"
	wait_for "! is_running_ $(pid_of daemon)" ||
	    kill -KILL "$(pid_of daemon)"
	wait "$(pid_of daemon)" || bad="$bad $n"
	rm -f "$tmp/daemon.started"
done
is "it ends well, too, when there is none for that" "$bad" ""
