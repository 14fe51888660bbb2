#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs that run by themselves, and do not while they run still.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 14

endpoints="endpoints = ( $(slow_endpoint slow),
  { name = \"fast\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"null\"; uri = \"null:\"; } );"
job()
{
	echo "{ name = \"$1\"; source = \"fast\"; destination = \"null\"; $2 }"
}
# Not while this runs.
then=$(date -d '12 hours' +%-H)
slow=$(slow_job slow slow null)
conf "$endpoints" "jobs = ( $(job often 'interval = "1s";'),
    $(job nightly "schedule = \"0 $then * * *\";"), $(job told ''),
    ${slow% \}} interval = \"1s\"; } );"
start_daemon "$tmp/conf"
ok "a job with an interval runs by itself" \
    wait_for '[ "$(job_field often .last_run.trigger)" = schedule ]'
first=$(job_field often .last_run.id)
ok "and again" wait_for \
    "[ \$(job_field often .last_run.id) != '$first' ]"
is "with success" "$(job_field often .last_run.result)" succeeded
like "the time of the next run is known" \
    "$(job_field nightly .schedule.next_run_at)" '^20..-..-..T..:00:00'
is "such a job has not run yet" "$(job_field nightly .last_run)" null
is "a job without a schedule has none" "$(job_field told .schedule)" null

ok "a run that is due while one runs is skipped" \
    wait_for '[ "$(job_field slow .schedule.skipped)" -gt 1 ]'
is "with the reason" "$(job_field slow .schedule.last_skip.reason)" \
    "the one before is still running"
ok "which is in the log" grep -q "job 'slow': a run that was due is skipped" \
    "$tmp/daemon.log"
is "it is the first run that goes on" \
    "$(grep -c "job 'slow': run .* started" "$tmp/daemon.log")" 1

is "a paused job" "$(api_status /v1/jobs/often/pause --request POST)" 200
was=$(job_field often .schedule.skipped)
ok "skips what is due" wait_for \
    "[ \$(job_field often .schedule.skipped) -gt $was ]"
is "as it is paused" "$(job_field often .schedule.last_skip.reason)" \
    "the job is paused"

stop_process daemon
is "the daemon ends well" "$?" 0
