#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# A slow network: connections to a TCP port of this machine are passed on to a
# Unix socket, one way or the other at a rate.
#
#	slow-proxy.pl PORT SOCKET down|up BYTES_PER_SECOND
#
# It ends with its parent.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOL_SOCKET SO_RCVBUF SO_SNDBUF);

my ($port, $path, $way, $rate) = @ARGV;
my $piece = 16384;

# Few bytes are on their way, as in a cable.
sub narrow {
	my ($socket) = @_;
	setsockopt($socket, SOL_SOCKET, SO_RCVBUF, $piece);
	setsockopt($socket, SOL_SOCKET, SO_SNDBUF, $piece);
}

sub pass {
	my ($from, $to, $is_slow) = @_;
	while (sysread($from, my $buf, $piece)) {
		select(undef, undef, undef, length($buf) / $rate) if $is_slow;
		while (length $buf) {
			my $n = syswrite($to, $buf) or exit 0;
			substr($buf, 0, $n, '');
		}
	}
	shutdown($to, 1);
}

$SIG{CHLD} = $SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
    Listen => 16, ReuseAddr => 1) or die "port $port: $!";
narrow($listener);
while (1) {
	my $client = $listener->accept or next;
	next if fork;
	my $server = IO::Socket::UNIX->new(Peer => $path) or exit 1;
	narrow($client);
	if (fork) {
		pass($server, $client, $way eq 'down');
	} else {
		pass($client, $server, $way eq 'up');
	}
	exit 0;
}
