#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The control socket answers while jobs copy as fast as they can, while many
# clients wait, and while others connect and say nothing.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MIO::Socket::UNIX -e 1
requires prlimit --version
plan 20

conf "endpoints = ( $(slow_endpoint slow),
  { name = \"big\"; command = [ \"nbdkit\", \"pattern\", \"1T\" ]; },
  { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"busy\"; source = \"big\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

start_job busy
wait_copied busy
i=0
while [ $i -lt 50 ]; do
	api /v1/jobs/busy --output "$tmp/body" \
	    --write-out '%{time_total}\n' >>"$tmp/times"
	i=$((i + 1))
done
is "fifty questions are answered under load" "$(wc -l <"$tmp/times")" 50
# Not the slowest: the machine may have other things to do.
like "most of them at once" "$(sort -n "$tmp/times" | sed -n 30p)" '^0\.'
is "the job was running all the time" "$(jq -r .state "$tmp/body")" copying
api_status /v1/jobs/busy/cancel --request POST >/dev/null
wait_job busy

start_job slow
wait_copied slow
# The change of its state may still be told.
api "/v1/jobs/slow?since=$(job_field slow .rev)&wait=2" >/dev/null
begin=$(date +%s)
is "who waits for nothing new gets the answer in the end" \
    "$(api "/v1/jobs/slow?since=$(job_field slow .rev)&wait=1" |
    jq -r .state)" copying
ok "after the time it asked for" [ $(($(date +%s) - begin)) -ge 1 ]
is "who knows less gets it at once" \
    "$(api "/v1/jobs/slow?since=1&wait=60" | jq -r .state)" copying

n_fds()
{
	find "/proc/$(pid_of daemon)/fd" | wc -l
}

# Clients that wait: those that hang up make room for others.
rev=$(job_field slow .rev)
pids=
for i in $(seq 40); do
	curl --silent --noproxy '*' --unix-socket "$NBDSYNC_SOCKET" \
	    "http://localhost/v1/jobs/slow?since=$rev&wait=60" >/dev/null &
	pids="$pids $!"
done
wait_for '[ "$(n_fds)" -gt 40 ]'
for pid in $pids; do
	kill "$pid"
done
ok "clients that hang up are forgotten" \
    wait_for '[ "$(n_fds)" -lt 30 ]'
for i in $(seq 10); do
	api "/v1/jobs/slow?since=$rev&wait=60" >"$tmp/waiter.$i" &
	last=$!
done
is "cancelling" "$(api_status /v1/jobs/slow/cancel --request POST)" 202
wait "$last"
like "wakes those who wait" "$(jq -r .state "$tmp/waiter.10")" \
    '^(stopping|idle)$'
wait_job slow

# More connections than there may be, that say nothing.
cat >"$tmp/flood.pl" <<'END'
use IO::Socket::UNIX;
$| = 1;
my @s;
push @s, IO::Socket::UNIX->new(Peer => $ARGV[0]) || die for 1 .. 300;
print "connected\n";
sleep;
END
start_process flood perl "$tmp/flood.pl" "$NBDSYNC_SOCKET"
ok "three hundred clients connect" wait_for "grep -q connected '$tmp/flood.log'"
ok "no more than 256 of them are accepted" \
    [ "$(n_fds)" -lt 290 ]
stop_process flood
ok "when they are gone, the daemon answers again" \
    wait_for 'api /v1/version --max-time 2 >/dev/null 2>&1'

# Whoever listens leaves room for others.
cat >"$tmp/listen.pl" <<'END'
use IO::Socket::UNIX;
$| = 1;
my @s;
for (1 .. 129) {
	my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) || die;
	print $s "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
	print scalar <$s>;
	push @s, $s;
}
sleep;
END
start_process listen perl "$tmp/listen.pl" "$NBDSYNC_SOCKET"
ok "one of 129 clients that listen is told that it is too much" wait_for \
    "[ \"\$(grep -c ' 503 ' '$tmp/listen.log')\" = 1 ]"
is "others are answered" "$(api_status /v1/version --max-time 60)" 200
stop_process listen

# No descriptor is left: it goes on waiting, without a fuss.
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$(pid_of daemon)/stat"
}
complaints()
{
	grep -c 'cannot accept a connection' "$tmp/daemon.log"
}
prlimit --pid "$(pid_of daemon)" --nofile=5:4096
begin=$(date +%s)
before=$(ticks)
api /v1/version --max-time 4 >/dev/null 2>&1
is "without a descriptor nobody is answered" $? 28
# The figures first, the time after them.
n=$(complaints)
spent=$(($(ticks) - before))
took=$(($(date +%s) - begin))
ok "which is told" [ "$n" -ge 1 ]
ok "at most once a second" [ "$n" -le $((took + 1)) ]
ok "and takes no time" [ "$spent" -lt $((took * 20)) ]
prlimit --pid "$(pid_of daemon)" --nofile=4096:4096
ok "with descriptors again, it answers" \
    wait_for 'api /v1/version --max-time 2 >/dev/null 2>&1'
stop_process daemon
is "the daemon ends well" "$?" 0
