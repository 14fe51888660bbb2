#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What servers say that the daemon has started is in its log, with their names
# in front, and no more of it than leaves room for others.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit memory --version
plan 17

server()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$tmp/$1"
	chmod 755 "$tmp/$1"
	echo "{ name = \"$1\"; command = [ \"$tmp/$1\" ]; }"
}
serve="exec nbdkit -f memory 1M"
job()
{
	echo "{ name = \"$1\"; source = \"$1\"; destination = \"null\"; }"
}
conf "endpoints = ( { name = \"null\"; uri = \"null:\"; },
  $(server talks "echo to its output; echo to its error >&2; $serve"),
  $(server shouts "printf '\\033[31mred\\n' >&2; seq 1000 >&2; $serve"),
  $(server fails "echo why not >&2; exit 3"),
  $(server quiet "exit 4"),
  $(server ends "(while :; do echo x; done) & $serve") );
jobs = ( $(job talks), $(job shouts), $(job fails), $(job quiet),
  $(job ends) );"
start_daemon "$tmp/conf"
said()
{
	grep -c "info: job '$1': server of '$1': $2\$" "$tmp/daemon.log"
}

ok "a job whose server talks succeeds" "$nbdsync" start --wait --quiet talks
is "its standard output is logged, by name" "$(said talks "to its output")" 1
is "and its standard error" "$(said talks "to its error")" 1
is "and not without that name" \
    "$(grep -c '^to its' "$tmp/daemon.log" "$tmp/daemon.out" 2>/dev/null |
    cut -d : -f 2 | sort -u)" 0
ok "the log of the job has it, too" "$nbdsync" log talks
like "with the rest" "$out" "server of 'talks': to its error"

ok "a job whose server shouts succeeds" "$nbdsync" start --wait --quiet shouts
is "a hundred lines of it are logged" "$(said shouts '[^ ]*')" 100
is "from the first" "$(said shouts '.*red')" 1
ok "and of the rest how many they were" wait_for \
    '[ "$(said shouts "and 901 more lines")" = 1 ]'
is "nothing of it reaches a terminal as it is" \
    "$(grep -c "$(printf '\033')" "$tmp/daemon.log")" 0

exits 4 "a job whose server cannot start fails" "$nbdsync" start --wait \
    --quiet fails
like "with what it has said last" "$err" \
    "command '.*/fails' exited with status 3: why not"
exits 4 "and one whose server says nothing" "$nbdsync" start --wait --quiet \
    quiet
like "with how it ended alone" "$err" "exited with status 4\$"

ok "a server that never stops talking is stopped" "$nbdsync" start --wait \
    --quiet ends
run "$nbdsync" probe --socket "$NBDSYNC_SOCKET" talks
ok "who probes one has it logged as well" wait_for \
    "grep -q \"info: server of 'talks': to its error\" '$tmp/daemon.log'"
