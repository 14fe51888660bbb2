#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Requests that are broken in every way do not harm the daemon, nor start
# anything.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MIO::Socket::UNIX -e 1
plan 12

conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(seq -f "{ name = \"other%g\"; source = \"slow\";
    destination = \"n\"; }," 1000) $(slow_job vm1 slow n) );"
start_daemon "$tmp/conf"

# One that sends a byte now and then, and never ends, and one that takes its
# answer so, which is more than a socket holds.
cat >"$tmp/drip.pl" <<'END'
use IO::Poll;
use IO::Socket::UNIX;
$| = 1;
$SIG{PIPE} = 'IGNORE';
my ($path, $how) = @ARGV;
my $begun = time;
my $s = IO::Socket::UNIX->new(Peer => $path) or die;
$s->syswrite("GET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n") if $how eq 'take';
print "begun\n";
my $poll = IO::Poll->new;
$poll->mask($s => POLLIN);
my ($text, $last) = ('', '');
while (1) {
	last if $how eq 'take' ? !$s->sysread($text, 2048) : !$s->syswrite('x');
	select undef, undef, undef, 0.2;
	$poll->poll(0);
	# Cut off.  What has come before is there: is it all?
	if ($how eq 'take' && $poll->events($s) & POLLHUP) {
		$last = substr($last . $text, -3)
		    while $s->sysread($text, 65536);
		print $last eq "]}\n" ? "whole\n" : "cut\n";
		last;
	}
}
print "ended after ", time - $begun, " s\n";
END
start_process drip perl "$tmp/drip.pl" "$NBDSYNC_SOCKET" send
start_process slow perl "$tmp/drip.pl" "$NBDSYNC_SOCKET" take
wait_for "grep -q begun '$tmp/drip.log' && grep -q begun '$tmp/slow.log'"
start_process listener "$nbdsync" events --json
api "/v1/jobs/vm1?since=$(job_field vm1 .rev)&wait=33" >"$tmp/waiter" &
waiter=$!
is "who drips does not hold up others" "$(api_status /v1/jobs)" 200

# Valid requests with bytes changed, cut, doubled, by a seed; every answer is
# an error in order, or a good one to what happened to be good.
cat >"$tmp/mutate.pl" <<'END'
use IO::Socket::UNIX;
my ($path, $n, $seed) = @ARGV;
srand $seed;
my @valid = (
	"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /v1/jobs/vm1?wait=0&since=1 HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /v1/jobs/vm1/map?cells=10 HTTP/1.0\r\n\r\n",
	"POST /v1/jobs/none/start HTTP/1.1\r\nHost: x\r\n"
	    . "Content-Length: 2\r\n\r\n{}",
	"POST /v1/jobs/none/pause HTTP/1.1\r\nHost: x\r\n"
	    . "Content-Length: 14\r\n\r\n{\"reason\":\"x\"}",
	"PUT /v1/jobs/none/cancel HTTP/1.1\r\nHost: x\r\n"
	    . "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
);
my @words = ("\0", "%00", "\r\n", ":", " ", "Content-Length: -1\r\n",
    "Content-Length: 99999999999999999999\r\n", "Expect: 100-continue\r\n",
    "Transfer-Encoding: chunked\r\n", "HTTP/9.9", "\xff\xfe", "/../",
    "x" x 9000, "Host: y\r\n", "Connection: close\r\n", "{\"a\":");
my %seen;
for my $i (1 .. $n) {
	my $text = $valid[rand @valid];
	for (0 .. rand 4) {
		my $at = int rand(length($text) + 1);
		my $how = int rand 5;
		substr($text, $at, 1) = chr int rand 256
		    if $how == 0 && $at < length $text;
		$text = substr($text, 0, $at) if $how == 1;
		substr($text, $at, 0) = $words[rand @words] if $how == 2;
		substr($text, $at, int rand 9) = '' if $how == 3;
		$text .= $text if $how == 4 && length $text < 20000;
	}
	my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!";
	$s->syswrite($text);
	$s->shutdown(1);
	my $answer = '';
	local $SIG{ALRM} = sub { die "request $i is not answered:\n$text\n" };
	alarm 60;
	1 while $s->sysread($answer, 65536, length $answer);
	alarm 0;
	$seen{$answer =~ /^HTTP\/1\.[01] (\d)\d\d / ? "$1xx" :
	    $answer eq '' ? 'closed' : 'odd'}++;
}
print join(' ', map { "$_=$seen{$_}" } sort keys %seen), "\n";
exit(exists $seen{odd} ? 1 : 0);
END
ok "a thousand broken requests are answered or closed" \
    perl "$tmp/mutate.pl" "$NBDSYNC_SOCKET" 1000 1
echo "# $out"
like "with errors among them" "$out" 4xx
like "and good ones" "$out" 2xx
is "the daemon still answers" "$(api_status /v1/version)" 200
is "nothing was started" "$(job_field vm1 .state)" idle

# By then many may take as long as there is for one byte.
ok "who drips is cut off in the end" wait_for "grep -q ended '$tmp/drip.log'" 90
wait_for "grep -q ended '$tmp/slow.log'" 90
ok "so is who takes an answer bit by bit" grep -q cut "$tmp/slow.log"
is "before their time is over they are served" "$(sed -n \
    's/^ended after \([0-9]*\) s$/\1/p' "$tmp/drip.log" "$tmp/slow.log" |
    awk '$1 >= 20 { n++ } END { print n + 0 }')" 2
wait $waiter
ok "but none who waits for an answer" grep -q '"job"' "$tmp/waiter"
ok "nor who listens to events" kill -0 "$(pid_of listener)"
stop_process listener INT
stop_process daemon
is "the daemon ends well" "$?" 0
