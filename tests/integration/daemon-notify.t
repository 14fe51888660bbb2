#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service manager is told when the daemon is ready, what it does, and
# when it stops.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MIO::Socket::UNIX -e 1
plan 17

start_receiver
told()
{
	wait_for "grep -q -e '$1' '$tmp/receiver.log'"
}

conf "log = ( { type = \"stderr\"; }, { type = \"file\";
    path = \"$tmp/log\"; } );
endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(slow_job one slow n), $(slow_job two slow n) );"
NOTIFY_SOCKET=$tmp/notify.sock
export NOTIFY_SOCKET
start_daemon "$tmp/conf"
ok "it is ready, with its jobs" told 'READY=1 STATUS=2 jobs, 0 running'
is "that is the first it says" "$(grep -c . "$tmp/receiver.log")" 1
start_job one
ok "a job runs" told '^STATUS=2 jobs, 1 running'

ok "and later how far that is" told \
    '^STATUS=2 jobs, 1 running; one [0-9]*% [0-9.]* [KM]iB/s'
ok "how far it is by then" wait_for \
    "[ \"\$(grep -o 'running; one .*' '$tmp/receiver.log' | sort -u |
    grep -c one)\" -ge 2 ]" 40
mv "$tmp/log" "$tmp/log.1"
n_told()
{
	grep -c -e READY -e RELOADING "$tmp/receiver.log"
}
before=$(n_told)
"$nbdsync" reload --dry-run --quiet
is "that it is asked what a reload would change is nobody's business" \
    "$(n_told)" "$before"
not_ok "nor are files opened anew for it" [ -e "$tmp/log" ]
kill -HUP "$(pid_of daemon)"
ok "it re-reads its configuration" told '^RELOADING=1 MONOTONIC_USEC=[0-9]'
ok "and is ready again" told '^READY=1 STATUS=2 jobs, 1 running'

stop_process daemon
is "it ends well" "$?" 0
ok "it says that it stops" told 'STOPPING=1 STATUS=2 jobs, 1 running'
ok "and that the job has ended" told '^STATUS=2 jobs, 0 running, stopping'

# systemd waits 90 s for a service that is stopping, unless it is asked to.
start_daemon "$tmp/conf"
start_job one
is "it is told to stop, and to give its runs ten minutes" \
    "$(api_status /v1/shutdown --request POST \
    --data '{"confirm":"nbdsyncd","grace":"10m"}')" 202
ok "it stops" wait_for "! is_running_ $(pid_of daemon)" 60
ok "having asked for as much" told 'EXTEND_TIMEOUT_USEC=605000000'
rm -f "$tmp/daemon.started"
is "and for no more" "$(grep -c 'EXTEND_TIMEOUT_USEC=' \
    "$tmp/receiver.log")" 2

unset NOTIFY_SOCKET
start_daemon "$tmp/conf"
ok "without a service manager it runs as well" api /v1/version
