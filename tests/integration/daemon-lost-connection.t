#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A connection that is lost while a run copies, and its coming back, are in
# the log, with all that is known of it, and in the figures.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires perl -MSocket -e 1
plan 15

start_process journal perl -MSocket -e '
	socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
	bind(S, pack_sockaddr_un($ARGV[0])) or die;
	$| = 1;
	while (defined recv(S, $_, 65536, 0)) { print; print "\n--\n" }' \
    "$tmp/journal.sock"
wait_for "[ -S $tmp/journal.sock ]"
start_source()
{
	start_nbdkit source --filter=delay pattern 64M rdelay=50ms
}
start_source
conf "log = ( { type = \"stderr\"; },
  { type = \"journal\"; path = \"$tmp/journal.sock\"; },
  { type = \"file\"; path = \"$tmp/json\"; format = \"json\"; },
  { type = \"file\"; path = \"$tmp/logfmt\"; format = \"logfmt\"; } );
endpoints = ( { name = \"s\"; uri = \"$(uri source)\"; },
  { name = \"d\"; uri = \"null:\"; } );
jobs = ( $(slow_job vm s d) );"
start_daemon "$tmp/conf"
metric()
{
	api /metrics | awk -v name="$1" '$1 == name { print $2 }'
}
is "no connection is lost" "$(metric 'nbdsync_connections_lost{job="vm"}')" 0
start_job vm
wait_copied vm
stop_process source KILL
ok "one that is lost is in the log" wait_for \
    "grep -q \"warning: job 'vm': connection 1 to the source 's' is lost, and tried again: \" '$tmp/daemon.log'"
is "and in the figures" "$(metric 'nbdsync_connections_lost{job="vm"}')" 1
jq -c 'select(.id == "connection-lost")' "$tmp/json" >"$tmp/lost"
is "as JSON it has its job and run, endpoint and number" \
    "$(jq -r '"\(.job) \(.run) \(.endpoint) \(.connection)"' "$tmp/lost")" \
    "vm $run s 1"
ok "and an error" jq -e '.errno > 0' "$tmp/lost"
like "as words, too" "$(grep id=connection-lost "$tmp/logfmt")" \
    ' endpoint=s connection=1 errno=[1-9]'
field()
{
	awk -v RS='--\n' '/MESSAGE=job .vm.: connection 1 to/' \
	    "$tmp/journal.log" | sed -n "s/^$1=//p"
}
ok "in the journal as well" wait_for '[ "$(field NBDSYNC_CONN)" = 1 ]'
is "with the endpoint" "$(field NBDSYNC_ENDPOINT)" s
is "messages of no connection have no such field" \
    "$(grep -c '^NBDSYNC_CONN=' "$tmp/journal.log")" 1
is "it is said once" "$(grep -c 'is lost' "$tmp/daemon.log")" 1
start_source
ok "that it is back is in the log, too" wait_for \
    "grep -q \"info: job 'vm': all connections are there again\" '$tmp/daemon.log'"
is "and in the figures" "$(metric 'nbdsync_connections_lost{job="vm"}') $(
    metric 'nbdsync_reconnects_total{job="vm"}')" "0 1"
is "the run is the same" "$(job_field vm .run.id)" "$run"
api /v1/jobs/vm/cancel --request POST >/dev/null
ok "and can be ended" wait_job vm
stop_process daemon
is "the daemon ends well" $? 0
