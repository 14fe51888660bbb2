#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# /metrics is what Prometheus wants, and has the figures of the jobs.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires certtool --version
requires nbdkit --filter=delay pattern --version
requires perl -e 1
plan 47

make_ca "$tmp/pki"
make_cert "$tmp/pki" client tls_www_client 'expiration_days = 2'
conf "tls = ( { name = \"site\"; ca = \"$tmp/pki/ca-cert.pem\";
    cert = \"$tmp/pki/client-cert.pem\"; key = \"$tmp/pki/client-key.pem\"; } );
endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

check()
{
	perl "$srcdir/tests/lib/check-metrics.pl" "$@"
}

# metric NAME-WITH-LABELS
metric()
{
	api /metrics | awk -v name="$1" '$1 == name { print $2 }'
}

like "the type is that of the text format" "$(api /metrics --output /dev/null \
    --write-out '%{content_type}')" '^text/plain; version=0\.0\.4'
api /metrics >"$tmp/metrics"
is "the text is well-formed and well-named" "$(check <"$tmp/metrics")" ""
built=$(tr -d '"\n' <"$builddir/daemon/control/commit.inc")
if [ -e "$srcdir/.git" ] && git -C "$srcdir" rev-parse HEAD >/dev/null 2>&1
then
	[ "$built" ] || bail "it was built from no commit"
fi
is "it says from what it was built" "$(sed -n \
    's/^nbdsync_build_info{.*commit="\([^"]*\)".*/\1/p' "$tmp/metrics")" \
    "$built"
is "what has not happened is 0 from the start" \
    "$(metric 'nbdsync_job_runs_total{job="bad",result="failed"}')" 0
is "a job that never ran has unknown health" \
    "$(metric 'nbdsync_job_health{job="quick"}')" 3
is "and no last success" \
    "$(metric 'nbdsync_job_last_success_timestamp_seconds{job="quick"}')" 0
is "its state is idle" \
    "$(metric 'nbdsync_job_state{job="quick",state="idle"}')" 1
is "and no other" "$(grep '^nbdsync_job_state{job="quick"' "$tmp/metrics" |
    grep -c ' 1$')" 1
"$nbdsync" start --wait --quiet quick
is "a run that succeeded counts" \
    "$(metric 'nbdsync_job_runs_total{job="quick",result="succeeded"}')" 1
is "with what it read" \
    "$(metric 'nbdsync_bytes_total{job="quick",side="source",kind="read"}')" \
    8388608
is "the copy is consistent" \
    "$(metric 'nbdsync_job_consistent{job="quick"}')" 1
is "the health is good" "$(metric 'nbdsync_job_health{job="quick"}')" 0
now=$(date +%s)
is "a certificate expires in two days" "$(metric \
    'nbdsync_tls_certificate_expiry_timestamp_seconds{name="site",file="cert"}' |
    awk -v now="$now" '{ print int(($1 - now + 3600) / 86400) }')" 2
like "which the log warns of" "$(cat "$tmp/daemon.log")" \
    'warning: tls "site": a certificate of "cert" expires in (2 days|4[0-9] hours), at 20'
ok "the last success is now" [ "$(metric \
    'nbdsync_job_last_success_timestamp_seconds{job="quick"}' |
    cut -d . -f 1)" -gt $((now - 60)) ]
"$nbdsync" start --wait --quiet bad 2>/dev/null
is "a run that failed counts, too" \
    "$(metric 'nbdsync_job_runs_total{job="bad",result="failed"}')" 1
is "and is no health" "$(metric 'nbdsync_job_health{job="bad"}')" 1
ok "an error was logged" [ "$(metric \
    'nbdsync_log_messages_total{level="error"}')" -ge 1 ]
is "requests are counted by job and kind" "$(metric \
    'nbdsync_requests_total{job="quick",side="source",command="read"}' |
    awk '{ print ($1 > 0) }')" 1
is "those that fail with their error" "$(metric \
    'nbdsync_request_errors_total{side="source",command="read",errno="EIO"}' |
    awk '{ print ($1 > 0) }')" 1
is "with how long they took" "$(metric \
    'nbdsync_request_duration_seconds_count{side="source",command="read"}')" \
    "$(api /metrics | awk '/^nbdsync_requests_total{.*"source",command="read"/ {
	n += $2 } END { print n }')"
is "jobs that have not run have sent none" "$(metric \
    'nbdsync_requests_total{job="slow",side="source",command="read"}')" 0
is "what is about a job is counted by job" "$(metric \
    'nbdsync_job_log_messages_total{job="bad",level="error"}')" 1
is "and not for others" "$(metric \
    'nbdsync_job_log_messages_total{job="quick",level="error"}')" 0
is "a failed read was tried again" "$(metric \
    'nbdsync_retries_total{job="bad"}' | awk '{ print ($1 > 0) }')" 1
is "open files are counted" "$(metric process_open_fds |
    awk '{ print ($1 > 3) }')" 1
start_job slow
wait_copied slow
ok "a request that waits for its answer is told" wait_for \
    '[ "$(metric "nbdsync_inflight_requests{job=\"slow\",side=\"source\"}")" = 1 ]'
ok "what limits a run is told with the time" wait_for \
    "api /metrics | grep -q '^nbdsync_limited_seconds_total{job=\"slow\",by='"
wait_for '[ "$(metric "nbdsync_job_state{job=\"slow\",state=\"copying\"}")" = 1 ]'
is "a run shows what it has yet to do" "$(api /metrics |
    awk '$1 == "nbdsync_job_dirty_bytes{job=\"slow\"}" { print ($2 > 0) }')" 1
ok "where it would go on is of some age" wait_for \
    '[ "$(metric "nbdsync_checkpoint_age_seconds{job=\"slow\"}" | tr -d 0.)" ]'
is "that of a job that does not run is of none" \
    "$(metric 'nbdsync_checkpoint_age_seconds{job="quick"}')" 0
is "it could be saved" \
    "$(metric 'nbdsync_checkpoint_write_failures_total{job="slow"}')" 0
is "it mirrors nothing" "$(metric 'nbdsync_job_lag_seconds{job="slow"}') $(
    metric 'nbdsync_job_in_sync{job="slow"}')" "0 0"
is "jobs that run are counted" "$(metric nbdsync_jobs_running)" 1
is "the text stays well-formed" "$(api /metrics | check)" ""
"$nbdsync" pause --quiet slow
ok "nothing is on its way when its run has ended" wait_for \
    '[ "$(metric "nbdsync_inflight_requests{job=\"slow\",side=\"source\"}")" = 0 ]'
is "a pause shows" "$(metric 'nbdsync_job_paused{job="slow"}')" 1
is "requests are counted by route" "$(metric \
    'nbdsync_control_requests_total{method="POST",path_template="/v1/jobs/{job}/pause",code="2xx"}')" 1
api /v1/none >/dev/null
is "and what is none" "$(metric \
    'nbdsync_control_requests_total{method="",path_template="",code="4xx"}')" 1
is "the configuration is good" \
    "$(metric nbdsync_config_last_reload_successful)" 1
echo broken >"$tmp/conf"
kill -HUP "$(pid_of daemon)"
ok "until one is refused" wait_for \
    '[ "$(metric nbdsync_config_last_reload_successful)" = 0 ]'

is "the manual has each figure, and no other" "$(sed -n \
    's/^\.It Cm \([np][a-z]*_[a-z_]*\)$/\1/p' "$srcdir/doc/nbdsync-api.7" |
    sort)" "$(api /metrics | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' | sort)"

# What the alert rules and the dashboard speak of is there.
api /metrics | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' | sort >"$tmp/known"
spoken()
{
	grep -o 'nbdsync_[a-z_]*' "$srcdir/packaging/prometheus/$1" | sort -u |
	    comm -23 - "$tmp/known"
}
is "alerts are about figures that there are" "$(spoken alerts.yml)" ""
is "and so is the dashboard" "$(spoken grafana-dashboard.json)" ""

printf '%s\n' '# HELP h_seconds x' '# TYPE h_seconds histogram' \
    'h_seconds_bucket{a="b",le="1"} 2' 'h_seconds_bucket{a="b",le="+Inf"} 1' \
    'h_seconds_sum{a="b"} 1' 'h_seconds_count{a="b"} 2' >"$tmp/bad"
is "buckets that shrink are found, and a count that differs" \
    "$(check <"$tmp/bad" | wc -l)" 2
printf '# TYPE a_seconds counter\na_seconds{x="1} 5\na_seconds 1\n' >"$tmp/bad"
is "the check finds what is wrong" "$(check <"$tmp/bad" | wc -l)" 4
stop_process daemon
is "the daemon ends well" "$?" 0
