#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes wrong while a run is waited for is told as what it is.  A daemon
# cannot be brought to answer like this at a given moment, so this is none.
. "$srcdir/tests/lib/testlib.sh"
requires perl -e 'use IO::Socket::UNIX'
plan 18

# A run "r1" of job "j" is started, and then the job knows of another one.
# What the history answers is in a file; "hold": nothing, but $tmp/asked.
# GET /v1/jobs/p knows what was before the daemon at the seventh answer.
cat >"$tmp/daemon.pl" <<'END'
use IO::Socket::UNIX;
my $dir = shift;
my $listener = IO::Socket::UNIX->new(Listen => 8,
    Local => "$dir/control.sock") or die $!;
my $rev = 0;
sub answer
{
	my ($client, $status, $text) = @_;
	print $client "HTTP/1.1 $status x\r\nContent-Type: application/json" .
	    "\r\nContent-Length: " . length($text) . "\r\n\r\n$text";
}
my @held;
while (my $client = $listener->accept) {
	my $line = <$client>;
	while (my $header = <$client>) {
		last if $header =~ /^\r?$/;
	}
	$rev++;
	my $idle = "\"job\": \"j\", \"state\": \"idle\", \"rev\": $rev";
	if ($line =~ m,^POST ,) {
		answer($client, 202, '{"run": "r1"}');
	} elsif ($line =~ m,^GET /v1/jobs/p,) {
		answer($client, 200, "{$idle, \"uuid\": " .
		    ($rev < 7 ? "null" : '"u"') . '}');
	} elsif ($line =~ m,^GET /v1/jobs/,) {
		answer($client, 200, "{$idle, \"last_run\": {\"run\": \"r2\"}}");
	} else {
		open(my $f, '<', "$dir/history") or die $!;
		chomp(my $history = <$f>);
		my ($what, $text) = split(/ /, $history, 2);
		close $f;
		if ($what eq 'hold') {
			push @held, $client;
			open(my $asked, '>>', "$dir/asked") or die $!;
			print $asked "asked\n";
			next;
		}
		answer($client, $what, $text) if $what ne 'close';
	}
	close $client;
}
END
start_process daemon perl "$tmp/daemon.pl" "$tmp"
wait_for "[ -S '$tmp/control.sock' ]"

exits 0 "the past of a job is waited for, whatever else changes of it" \
    "$nbdsync" wait p

: >"$tmp/asked"
history()
{
	echo "$*" >"$tmp/history"
}
told()
{
	like "$1: in words" "$err" "$2"
	is "$1: that are said once" "$(echo "$err" | wc -l)" 1
}
start()
{
	exits "$1" "$2" "$nbdsync" start --wait j
}

history 404 '{"detail": "there is no run r1"}'
start 1 "a run that nobody knows of any more is 1"
told "it" "knows nothing of run r1 of job 'j' any more; was it restarted"
history 503 '{"detail": "the state directory is slow"}'
start 12 "a history that cannot be read now is 12"
told "that" '^nbdsync: start: the state directory is slow$'
history 403 '{"detail": "you may not"}'
start 11 "one that may not be read is 11"
told "so" '^nbdsync: start: you may not$'
history close
start 10 "a daemon that goes then is 10"
told "such" '^nbdsync: start: '
unlike "which is not that it has forgotten" "$err" 'knows nothing'

# The shell has what it starts in the background ignore SIGINT.
history hold
start_process start env --default-signal=INT "$nbdsync" start --wait j
wait_for "[ -s '$tmp/asked' ]"
kill -USR1 "$(pid_of start)"
ok "who wants a line then asks again" wait_for \
    "[ \$(wc -l <'$tmp/asked') -ge 2 ]"
stop_process start INT
is "to be interrupted then is 130" "$status" 130
like "and the run is said to go on" "$(cat "$tmp/start.log")" \
    "no longer waiting; run r1 of job 'j' goes on"
is "and nothing else" "$(wc -l <"$tmp/start.log")" 1
