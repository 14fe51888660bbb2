#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The event stream: first what is, then what happens; and the command for it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MIO::Socket::UNIX -e 1
plan 38

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

start_process all curl --silent --no-buffer --noproxy '*' --unix-socket \
    "$NBDSYNC_SOCKET" http://localhost/v1/events
start_process one curl --silent --no-buffer --noproxy '*' --unix-socket \
    "$NBDSYNC_SOCKET" 'http://localhost/v1/events?job=slow'
ok "a client is told when it is up to date" wait_for \
    "grep -q '\"event\":\"live\"' '$tmp/all.log'"
is "before that, of all jobs" "$(jq -r 'select(.event == "snapshot") |
    .job + " " + .status.state' "$tmp/all.log" | tr '\n' ' ')" \
    "quick idle slow idle "
wait_for "grep -q live '$tmp/one.log'"
exits 0 "a job runs" "$nbdsync" start --wait quick
ok "which is told to its end" wait_for \
    "grep -q '\"event\":\"run.succeeded\"' '$tmp/all.log'"
is "from the start" "$(jq -r 'select(.job == "quick" and .old == "idle" and
    .new != "idle") | .event' "$tmp/all.log")" run.started
is "with the state before" "$(jq -r 'select(.event == "run.succeeded") |
    .new' "$tmp/all.log")" idle
is "and the run" "$(jq -r 'select(.event == "run.succeeded") | .run' \
    "$tmp/all.log")" "$(job_field quick .last_run.id)"
is "numbers rise by one" "$(jq -r 'select(has("at") and .event != "heartbeat") |
    .seq' "$tmp/all.log" | awk 'NR > 1 && $1 != last + 1 { print "gap" }
    { last = $1 }')" ""
"$nbdsync" pause --quiet slow
"$nbdsync" resume --quiet slow
ok "pauses are told" wait_for "grep -q job.resumed '$tmp/one.log'"
is "who asked for one job hears of that alone" \
    "$(jq -r 'select(has("job")) | .job' "$tmp/one.log" | sort -u)" slow
kill -HUP "$(pid_of daemon)"
ok "a new configuration is told to all" wait_for \
    "grep -q config.reloaded '$tmp/one.log'"

seq=$(jq -r 'select(.event == "run.started") | .seq' "$tmp/all.log")
events "?since=$seq" "$tmp/since"
is "who says what it has seen gets the rest" "$(jq -r \
    'select(.event == "run.succeeded") | .job' "$tmp/since")" quick
is "and no snapshot" "$(grep -c snapshot "$tmp/since")" 0
is "nor what it knows" "$(grep -c run.started "$tmp/since")" 0
events "?since=$(date -u -d '1 hour ago' +%FT%TZ)" "$tmp/since"
is "or since when gets what was then" "$(head -n 1 "$tmp/since" | jq .seq)" 1
is "which is all, and no snapshot" "$(grep -c snapshot "$tmp/since")" 0
second=$(date +%s)
wait_for '[ "$(date +%s)" -gt "$second" ]'
mark=$(date -u +%FT%TZ)
"$nbdsync" pause --quiet slow
"$nbdsync" resume --quiet slow
events "?since=$mark" "$tmp/since"
is "not what was before" "$(jq -r 'select(.event != "heartbeat") |
    .event' "$tmp/since" | tr '\n' ' ')" \
    "job.paused job.resumed live "
events "?since=$(date -u -d '1 hour' +%FT%TZ)" "$tmp/since"
is "what has not been yet is nothing" "$(head -n 1 "$tmp/since" |
    jq -r .event)" live
is "since is a number, or a time" "$(api_status '/v1/events?since=x')" 400
is "the job is one" "$(api_status '/v1/events?job=none')" 404

start_process cmd "$nbdsync" events --job slow
wait_for "grep -q 'slow.*idle' '$tmp/cmd.log'"
"$nbdsync" pause --quiet slow
ok "the command shows them" wait_for "grep -q 'job.paused' '$tmp/cmd.log'"
stop_process cmd INT
"$nbdsync" resume --quiet slow
start_process cmd "$nbdsync" events --job slow --since 1h
ok "also those that have been" wait_for "grep -q 'job.paused' '$tmp/cmd.log'"
is "without what is" "$(grep -c 'now  *slow' "$tmp/cmd.log")" 0
stop_process cmd INT
exits 2 "a time that is none is refused" "$nbdsync" events --since yesterday

ok "a line comes now and then, though nothing happens" wait_for \
    "grep -q '\"event\":\"heartbeat\"' '$tmp/all.log'"
# Who reads, but has no processor to do it with, would be given up as well.
stop_process all
stop_process one

# One that never reads: more than a buffer's worth of events.
cat >"$tmp/deaf.pl" <<'END'
use IO::Socket::UNIX;
$| = 1;
my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) || die;
print $s "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
print "asked\n";
sleep;
END
start_process deaf perl "$tmp/deaf.pl" "$NBDSYNC_SOCKET"
wait_for "grep -q asked '$tmp/deaf.log'"
i=0
while [ $i -lt 40 ]; do
	# A request each, many on one connection.
	# shellcheck disable=SC2046
	curl --silent --noproxy '*' --unix-socket "$NBDSYNC_SOCKET" \
	    --request POST $(for _ in $(seq 400); do
		echo "http://localhost/v1/jobs/slow/pause"
	done) >/dev/null
	i=$((i + 1))
	grep -q 'takes too little' "$tmp/daemon.log" && break
done
ok "a client that does not read is given up" \
    grep -q 'takes too little; disconnecting it' "$tmp/daemon.log"
stop_process deaf
is "which is counted" "$(api /metrics |
    awk '$1 == "nbdsync_events_dropped_total" { print $2 }')" 1
# More than are kept: then the first of them are not.
newest()
{
	events "?since=$(date -u -d '1 hour' +%FT%TZ)" "$tmp/newest"
	head -n 1 "$tmp/newest" | jq .seq
}
while [ "$(newest)" -lt $((seq + 4100)) ]; do
	# shellcheck disable=SC2046
	curl --silent --noproxy '*' --unix-socket "$NBDSYNC_SOCKET" \
	    --request POST $(for _ in $(seq 400); do
		echo "http://localhost/v1/jobs/slow/pause"
	done) >/dev/null
done
events "?since=$seq" "$tmp/since"
is "who was away for too long hears what is missing" "$(head -n 1 \
    "$tmp/since" | jq -r '"\(.event) \(.from)"')" "gap $((seq + 1))"
is "and then what comes behind it" "$(sed -n 2p "$tmp/since" | jq .seq)" \
    "$(($(head -n 1 "$tmp/since" | jq .to) + 1))"
is "which is as much as is kept" "$(grep -c job.changed "$tmp/since")" 4096
start_process cmd "$nbdsync" events --since "$seq"
ok "the command says it" wait_for "grep -q \
    '^gap  *events $((seq + 1)) to [0-9]* are no longer kept$' '$tmp/cmd.log'"
stop_process cmd INT
stop_process daemon
is "the daemon ends well" "$?" 0

# Who listens is not to take the end of the daemon for that of the events.
start_daemon "$tmp/conf"
for signal in TERM KILL; do
	start_process cmd "$nbdsync" events
	start_process follow "$nbdsync" log --follow
	wait_for "[ -s '$tmp/cmd.log' ] && [ -s '$tmp/follow.log' ]"
	stop_process daemon "$signal"
	wait "$(pid_of cmd)"
	is "with the daemon, ended by SIG$signal, its events end" "$?" 10
	like "which is said" "$(cat "$tmp/cmd.log")" \
	    "nbdsync: events: the nbdsyncd on '.*' has ended"
	wait "$(pid_of follow)"
	is "so does its log" "$?" 10
	[ "$signal" = KILL ] || start_daemon "$tmp/conf"
done
