#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a user may do is decided by who it is and what the configuration says.
# Only root can be several users; others test what they are themselves.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"

conf 'endpoints = ( { name = "n"; uri = "null:"; },
  { name = "m"; path = "/nonexistent"; } );
jobs = ( { name = "j"; source = "m"; destination = "n"; } );'
start_daemon "$tmp/conf"
if [ "$(id -u)" -ne 0 ]; then
	plan 1
	is "the daemon's own user may do everything" \
	    "$(api_status /v1/jobs/j/start --request POST)" 202
	exit
fi
requires setpriv --version
plan 17

nobody=$(id -u nobody)
group=$(id -g nobody)
chmod 755 "$tmp"
as_nobody()
{
	setpriv --reuid="$nobody" --regid="$group" --clear-groups \
	    curl --silent --noproxy '*' --output /dev/null \
	    --write-out '%{http_code}' --unix-socket "$NBDSYNC_SOCKET" "$@"
}
reload()
{
	{
		cat "$tmp/conf"
		echo "log = { level = \"debug\"; }; x-$1 = 1;"
	} >"$tmp/next"
	sed "s/^control = { /&$2 /" "$tmp/next" >"$tmp/new"
	before=$(grep -c 'taken over: ' "$tmp/daemon.log")
	cp "$tmp/conf" "$tmp/saved"
	cp "$tmp/new" "$tmp/conf"
	kill -HUP "$(pid_of daemon)"
	wait_for "[ \$(grep -c 'taken over: ' '$tmp/daemon.log') -gt $before ]"
	cp "$tmp/saved" "$tmp/conf"
}

is "without the right to the socket's file nobody connects" \
    "$(as_nobody http://x/v1/version)" 000
chmod 666 "$NBDSYNC_SOCKET"
is "with it, everybody hears the version" \
    "$(as_nobody http://x/v1/version)" 200
is "but sees no jobs" "$(as_nobody http://x/v1/jobs)" 403
is "and starts none" "$(as_nobody --request POST http://x/v1/jobs/j/start)" 403
is "root does" "$(api_status /v1/jobs/j/start --request POST)" 202
rev=0
wait_job j

reload a 'viewers = [ "nobody" ];'
is "a viewer sees jobs" "$(as_nobody http://x/v1/jobs)" 200
is "but starts none" "$(as_nobody --request POST http://x/v1/jobs/j/start)" 403
is "and cancels none" "$(as_nobody --request POST http://x/v1/jobs/j/cancel)" \
    403

reload b "operators = [ \"@$(id -gn nobody)\" ];"
is "an operator, by its group, sees jobs" "$(as_nobody http://x/v1/jobs)" 200
is "and starts them" "$(as_nobody --request POST http://x/v1/jobs/j/start)" 202
like "the log says who it was" "$(cat "$tmp/daemon.log")" \
    "info: control: uid $nobody \(operator\): POST /v1/jobs/j/start: 202"

reload c ''
is "and after another reload it is nobody again" \
    "$(as_nobody http://x/v1/jobs)" 403

# One user cannot keep the others out: not with silence, not by listening.
cat >"$tmp/flood.pl" <<'END'
use IO::Socket::UNIX;
$| = 1;
my @s;
for (1 .. 400) {
	my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) || last;
	syswrite $s, $ARGV[1];
	push @s, $s;
	print "connected\n";
}
sleep;
END
n_fds()
{
	find "/proc/$(pid_of daemon)/fd" | wc -l
}
crlf=$(printf '\r\n.')
crlf=${crlf%.}
for what in '' "GET /v1/version HTTP/1.1${crlf}Host: x$crlf$crlf"; do
	start_process flood setpriv --reuid="$nobody" --regid="$group" \
	    --clear-groups perl "$tmp/flood.pl" "$NBDSYNC_SOCKET" \
	    "$what"
	wait_for "[ \"\$(grep -c connected '$tmp/flood.log')\" -ge 250 ]"
	is "root gets in though another has taken all that it gets" \
	    "$(api_status /v1/jobs --max-time 20)" 200
	ok "which is a part only" wait_for '[ "$(n_fds)" -lt 100 ]'
	stop_process flood
done
stop_process daemon
is "the daemon ends well" "$?" 0
