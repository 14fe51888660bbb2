#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the commands of the daemon say where no daemon answers.
. "$srcdir/tests/lib/testlib.sh"
requires perl -e 'use IO::Socket::UNIX'
plan 24

exits 10 "a socket that does not exist" "$nbdsync" status
like "is named, with the reason" "$err" \
    "^nbdsync: status: no nbdsyncd answers on '$NBDSYNC_SOCKET': No such file"
like "and what may be the matter" "$err" 'is the daemon running'
exits 10 "--socket says which" "$nbdsync" status --socket "$tmp/other"
like "the other one" "$err" "'$tmp/other'"

perl -e 'use IO::Socket::UNIX;
    IO::Socket::UNIX->new(Listen => 1, Local => $ARGV[0])' "$tmp/dead"
exits 10 "a socket nobody listens on" "$nbdsync" status --socket "$tmp/dead"
like "is told with its reason" "$err" "'$tmp/dead': Connection refused;"
for command in start cancel; do
	exits 10 "$command says the same" "$nbdsync" $command --socket \
	    "$tmp/dead" vm1
	exits 10 "with --wait, too" "$nbdsync" $command --wait --socket \
	    "$tmp/dead" vm1
done
long=$(printf '%0200d' 0)
exits 1 "a path too long for a socket" "$nbdsync" status --socket "/$long"
is "is one line" "$(echo "$err" | wc -l)" 1

cat >"$tmp/answer.pl" <<'END'
# Reads a request, sends the bytes of a file, closes.
use IO::Socket::UNIX;
my ($path, $file) = @ARGV;
my $listener = IO::Socket::UNIX->new(Listen => 8, Local => $path) or die $!;
while (my $client = $listener->accept) {
	while (my $line = <$client>) {
		last if $line =~ /^\r?$/;
	}
	open(my $fh, '<', $file) or die $!;
	print $client $_ while <$fh>;
	close $client;
}
END
answer()
{
	rm -f "$tmp/answer.sock"
	printf '%b' "$1" >"$tmp/answer.txt"
	start_process answer perl "$tmp/answer.pl" "$tmp/answer.sock" \
	    "$tmp/answer.txt"
	wait_for "[ -S '$tmp/answer.sock' ]"
}
bad_answer()
{
	answer "$2"
	exits 10 "$1 is no daemon" "$nbdsync" status --socket "$tmp/answer.sock"
	like "$1: one sentence" "$err" \
	    "^nbdsync: status: what answers on '.*' is no nbdsyncd: "
	stop_process answer
}
bad_answer "an NBD server" 'NBDMAGICIHAVEOPT\0003\n'
bad_answer "silence" ''
bad_answer "half an answer" 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{'
bad_answer "a web page" 'HTTP/1.1 200 OK\r\n\r\n<html>'
head='HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
answer "$head"'6\r\n{"jobs\r\n5;x\r\n":[]}\r\n0\r\n\r\n'
exits 0 "chunks are understood" "$nbdsync" status --socket "$tmp/answer.sock"
stop_process answer
answer 'HTTP/1.1 403 Forbidden\r\n\r\n{"title":"x","detail":"you may not"}'
exits 11 "what the daemon forbids is permission denied" \
    "$nbdsync" start --socket "$tmp/answer.sock" vm1
is "in its words" "$err" "nbdsync: start: you may not"
