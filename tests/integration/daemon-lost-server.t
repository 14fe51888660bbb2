#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that is killed fails its run, with job, side, place and cause in
# the log; the daemon lives, and other jobs are not touched.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 12

start_nbdkit source --filter=delay pattern 64M rdelay=50ms
start_nbdkit destination --filter=delay memory 64M wdelay=50ms
conf "endpoints = ( $(slow_endpoint slow),
  { name = \"s\"; uri = \"$(uri source)\"; },
  { name = \"d\"; uri = \"$(uri destination)\"; },
  { name = \"data\"; command = [ \"nbdkit\", \"pattern\", \"64M\" ]; },
  { name = \"null\"; uri = \"null:\"; } );
jobs = ( $(slow_job other slow null),
  $(slow_job from s null 'reconnect = "0";'),
  $(slow_job to data d 'reconnect = "0";'),
  { name = \"again\"; source = \"data\"; destination = \"null\"; } );"
start_daemon "$tmp/conf"
start_job other
other=$run

# lost JOB SERVER SIDE
lost()
{
	start_job "$1"
	wait_copied "$1"
	stop_process "$2" KILL
	ok "job '$1' ends when its $3 is killed" wait_job "$1"
	is "as failed" "$(job_field "$1" .last_run.result)" failed
	is "because of its $3" "$(job_field "$1" .last_run.failure.side)" "$3"
	like "which the log says" "$(cat "$tmp/daemon.log")" \
	    "error: job '$1': failed: .*$3"
}

lost from source source
lost to destination destination
is "health names both" "$(api /v1/health | jq -r '.health, .failed_jobs[]' |
    tr '\n' ' ')" "warn from to "
is "the other job runs on" "$(job_field other .run.id)" "$other"
start_job again
wait_job again
is "and a new one succeeds" "$(job_field again .last_run.result)" succeeded
stop_process daemon
is "the daemon ends well" "$?" 0
