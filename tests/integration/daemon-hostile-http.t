#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Requests that are broken in every way do not harm the daemon, nor start
# anything.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MIO::Socket::UNIX -e 1
plan 7

conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(slow_job vm1 slow n) );"
start_daemon "$tmp/conf"

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

# One that sends a byte now and then, and never ends.
cat >"$tmp/drip.pl" <<'END'
use IO::Socket::UNIX;
$| = 1;
my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
print "begun\n";
while (1) { $s->syswrite('x') or last; select undef, undef, undef, 0.2 }
END
start_process drip perl "$tmp/drip.pl" "$NBDSYNC_SOCKET"
wait_for "grep -q begun '$tmp/drip.log'"
is "who drips does not hold up others" "$(api_status /v1/jobs)" 200
stop_process drip
stop_process daemon
is "the daemon ends well" "$?" 0
