#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What answers is no NBD server, or nobody does: a sentence, and no hanging.
. "$srcdir/tests/lib/testlib.sh"
requires perl -e 'use IO::Socket::UNIX'
plan 15

cat >"$tmp/answer.pl" <<'END'
# Answers the first bytes of a client, or the mere connection, with a text.
use IO::Socket::UNIX;
my ($path, $text, $then) = @ARGV;
my $listener = IO::Socket::UNIX->new(Listen => 8, Local => $path) or die $!;
$text =~ s/\\n/\n/g;
while (my $client = $listener->accept) {
	print $client $text;
	$client->flush;
	<$client> while $then eq 'wait' && !eof $client;
	close $client;
}
END
serve()
{
	start_process "$1" perl "$tmp/answer.pl" "$tmp/$1.sock" "$2" "$3"
	wait_for "[ -S '$tmp/$1.sock' ]"
}
told()
{
	is "$1: one line" "$(echo "$err" | wc -l)" 1
	like "$1: that begins like all" "$err" '^nbdsync: [a-z]+: '
	# The name of our directory may be anything.
	unlike "$1: without names from the inside" \
	    "$(echo "$err" | sed "s,$tmp,,g")" \
	    '(_|NBD_FAILURE|errno|EPROTO|0x)'
}

serve http 'HTTP/1.1 400 Bad Request\n\nno NBD server here' close
exits 1 "a web server cannot be listed" "$nbdsync" list "$(uri http)"
told "a web server"
exits 1 "nor looked at" "$nbdsync" info "$(uri http)"
exits 4 "nor copied" "$nbdsync" copy "$(uri http)" null:
told "a copy of it"

serve silent '' wait
exits 1 "a server that says nothing is given up" \
    "$nbdsync" list --timeout 300ms "$(uri silent)"
told "silence"

exits 1 "a socket that does not exist" "$nbdsync" list "$(uri none)"
is "one line" "$(echo "$err" | wc -l)" 1
