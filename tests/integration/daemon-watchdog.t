#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service manager gets signs of life for as long as every worker gives
# them, and no longer.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
requires perl -MIO::Socket::UNIX -e 1
plan 12

start_receiver
NOTIFY_SOCKET=$tmp/notify.sock WATCHDOG_USEC=2000000
export NOTIFY_SOCKET WATCHDOG_USEC
n_signs()
{
	grep -c 'WATCHDOG=1' "$tmp/receiver.log"
}
logged()
{
	wait_for "grep -q '$1' '$tmp/daemon.log'"
}

conf 'daemon = { workers = 2; };
endpoints = ( { name = "p"; command = [ "nbdkit", "pattern", "1M" ]; },
  { name = "n"; uri = "null:"; } );
jobs = ( { name = "one"; source = "p"; destination = "n"; } );'
start_daemon "$tmp/conf"
ok "signs come, again and again" wait_for '[ "$(n_signs)" -ge 3 ]'

n_seen()
{
	grep -c 'worker 1 gives no sign of life' "$tmp/daemon.log"
}

# As a thread hangs in the kernel: the other worker and the main thread go on.
mkfifo "$tmp/hold"
seen=$(n_seen)
start_process hold sh -c \
    "exec '$builddir/tests/lib/hold-thread' $(pid_of daemon) nbdsync-w1 \
    <'$tmp/hold'"
exec 8>"$tmp/hold"
ok "one worker is held" wait_for "grep -q held '$tmp/hold.log'"
ok "that is seen" wait_for '[ "$(n_seen)" -gt "$seen" ]'
before=$(n_signs)
seen=$(n_seen)
api /v1/version >/dev/null
# Four times in the two seconds they would come.
sleep 2
is "no more signs are given" "$(n_signs)" "$before"
is "although the main thread answers" "$(api_status /v1/version)" 200
is "it is said once" "$(n_seen)" "$seen"
exec 8>&-
ok "when it goes on, that is seen" logged \
    'warning: worker 1 gives signs of life again'
ok "and signs come again" wait_for '[ "$(n_signs)" -gt "'"$before"'" ]'
"$nbdsync" start --wait --quiet one
is "a job runs" "$?" 0
stop_process daemon
is "the daemon ends well" "$?" 0
like "having asked for as long as shutdown_grace, and a little" \
    "$(cat "$tmp/receiver.log")" 'EXTEND_TIMEOUT_USEC=65000000'

unset WATCHDOG_USEC
before=$(n_signs)
start_daemon "$tmp/conf"
stop_process daemon
is "who does not ask for signs gets none" "$(n_signs)" "$before"
