#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGHUP takes over a new configuration without disturbing a running job, and
# keeps the old one when the new one is wrong.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 14

endpoints="endpoints = ( $(slow_endpoint slow),
  { name = \"fast\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"null\"; uri = \"null:\"; } );"
conf "$endpoints" "jobs = ( $(slow_job old slow null) );"
start_daemon "$tmp/conf"
pid=$(pid_of daemon)
start_job old
wait_copied old

conf "$endpoints" "jobs = ( $(slow_job old slow null),
  { name = \"new\"; source = \"fast\"; destination = \"null\"; } );"
kill -HUP "$pid"
ok "a job that was added appears" \
    wait_for '[ "$(api_status /v1/jobs/new)" = 200 ]'
is "the running job is the same run" "$(job_field old .run.id)" "$run"
was=$(job_field old .run.progress.done_bytes)
ok "and goes on" \
    wait_for "[ \$(job_field old .run.progress.done_bytes) -gt $was ]"
old=$run
start_job new
ok "the new job runs" wait_job new
is "and succeeds" "$(job_field new .last_run.result)" succeeded

conf "$endpoints" 'jobs = ( { name = "broken"; } );'
kill -HUP "$pid"
ok "a wrong configuration is reported with its line" wait_for \
    "grep -q 'error: .*/conf:.*\"source\" is missing' '$tmp/daemon.log'"
ok "and not taken over" wait_for \
    "grep -q 'error: .*all goes on as before' '$tmp/daemon.log'"
is "its job is not there" "$(api_status /v1/jobs/broken)" 404
is "the others are" "$(api_status /v1/jobs/new)" 200

conf "$endpoints" 'jobs = ( );'
kill -HUP "$pid"
ok "an idle job that was removed is gone" \
    wait_for '[ "$(api_status /v1/jobs/new)" = 404 ]'
is "a running one is still there" "$(job_field old .run.id)" "$old"
is "cancelling it" "$(api_status /v1/jobs/old/cancel --request POST)" 202
ok "ends it and lets it vanish" \
    wait_for '[ "$(api_status /v1/jobs/old)" = 404 ]'

stop_process daemon
is "the daemon ends well" "$?" 0
