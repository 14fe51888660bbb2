#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The figures have every state that a job can be in, every way that its runs
# and hooks end, and what was verified; what is about the past is there after
# a restart of the daemon, too.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
plan 31

umask 022
make_data "$tmp/a" $((4 * MiB)) 1
truncate -s 4M "$tmp/b" "$tmp/c"
printf '#!/bin/sh\nexit $1\n' >"$tmp/hook"
chmod 755 "$tmp/hook"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; }, { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"gone\"; command = [ \"/nonexistent/server\" ]; } );
jobs = ( { name = \"mirror\"; mode = \"mirror\"; source = \"a\";
    destination = \"b\"; pass_interval = \"1h\"; },
  { name = \"verify\"; mode = \"verify\"; source = \"a\"; destination = \"b\"; },
  { name = \"repair\"; mode = \"verify\"; repair = true; source = \"a\";
    destination = \"b\"; },
  { name = \"copy\"; source = \"a\"; destination = \"c\"; verify = \"after\";
    pre = [ \"$tmp/hook\", \"0\" ];
    post = ( [ \"$tmp/hook\", \"75\" ], [ \"$tmp/hook\", \"3\" ] ); },
  { name = \"skip\"; source = \"a\"; destination = \"c\";
    pre = [ \"$tmp/hook\", \"75\" ]; },
  { name = \"bad\"; source = \"gone\"; destination = \"c\";
    on_failure = [ \"$tmp/hook\", \"0\" ]; } );"
start_daemon "$tmp/conf"

metric()
{
	api /metrics | awk -v name="$1" '$1 == name { print $2 }'
}
runs()
{
	metric "nbdsync_job_runs_total{job=\"$1\",result=\"$2\"}"
}
hooks()
{
	metric "nbdsync_hook_runs_total{job=\"$1\",hook=\"$2\",result=\"$3\"}"
}
is_positive()
{
	awk -v n="${1:-0}" 'BEGIN { exit !(n > 0) }'
}

is "what has limited no run yet is told as well" \
    "$(metric 'nbdsync_limited_seconds_total{job="copy",by="network"}')" 0
is "each job is in one state" "$(api /metrics |
    grep -c '^nbdsync_job_state{.*} 1$')" 6

start_job mirror
ok "a mirror comes to rest between two passes" wait_for \
    '[ "$(job_field mirror .state)" = mirroring ]'
is "which is a state of the figures, too" \
    "$(metric 'nbdsync_job_state{job="mirror",state="mirroring"}')" 1
api /v1/jobs/mirror/cancel --request POST >/dev/null
ok "it ends" wait_job mirror
is "as stopped" "$(job_field mirror .last_run.result)" stopped
is "which counts as success" "$(runs mirror succeeded)" 1
like "and is in the log of the job" "$("$nbdsync" log mirror)" \
    'stopped, after [1-9][0-9]* passes'

is "nothing was verified" "$(metric 'nbdsync_verify_bytes_total{job="verify"}') $(
    metric 'nbdsync_verify_last_clean_timestamp_seconds{job="verify"}')" "0 0"
begin=$(date +%s)
ok "equal disks are compared" "$nbdsync" start --wait --quiet verify
is "all of them" "$(metric 'nbdsync_verify_bytes_total{job="verify"}')" \
    $((4 * MiB))
clean=$(metric 'nbdsync_verify_last_clean_timestamp_seconds{job="verify"}')
ok "that they are right is known from then on" \
    [ "${clean%.*}" -ge "$begin" ]

printf x | dd of="$tmp/b" bs=1 seek=1000000 conv=notrunc status=none
exits 9 "when they differ, they are compared, too" \
    "$nbdsync" start --wait --quiet verify
is "which is no proof" "$(metric \
    'nbdsync_verify_last_clean_timestamp_seconds{job="verify"}')" "$clean"
ok "what differs is repaired" "$nbdsync" start --wait --quiet repair
is "which is a success" "$(job_field repair .last_run.result) $(
    runs repair succeeded)" "repaired 1"
ok "and a proof" is_positive "$(metric \
    'nbdsync_verify_last_clean_timestamp_seconds{job="repair"}')"
like "that the log of the job has" "$("$nbdsync" log repair)" \
    'warning .*[1-9][0-9]* bytes that differed were repaired'
is "of a verification that is only a part there is none" "$(
    "$nbdsync" verify --quiet --wait --range 0:1M verify >/dev/null 2>&1
    metric 'nbdsync_verify_last_clean_timestamp_seconds{job="verify"}')" \
    "$clean"

ok "a copy is read back" "$nbdsync" start --wait --quiet copy
is "all of it" "$(metric 'nbdsync_verify_bytes_total{job="copy"}')" \
    $((4 * MiB))
ok "and right" is_positive "$(metric \
    'nbdsync_verify_last_clean_timestamp_seconds{job="copy"}')"
is "hooks are counted by how they end" "$(hooks copy pre succeeded) $(
    hooks copy post skipped) $(hooks copy post failed) $(
    hooks copy post succeeded)" "1 1 1 0"
is "the one that had nothing to do is no error" \
    "$(grep -c "job 'copy': post failed" "$tmp/daemon.log")" 1
"$nbdsync" start --wait --quiet skip
is "one that skips its run is no failure" "$(hooks skip pre skipped) $(
    hooks skip pre failed) $(runs skip skipped)" "1 0 1"
"$nbdsync" start --wait --quiet bad 2>/dev/null
is "one after a failure is counted as such" "$(hooks bad on_failure succeeded) $(
    hooks bad post succeeded)" "1 0"
is "the job is not well" "$(job_field bad .health)" warn

attempt=$(metric 'nbdsync_job_last_attempt_timestamp_seconds{job="bad"}')
stop_process daemon
is "the daemon ends well" $? 0
start_daemon "$tmp/conf"
ok "after a restart it is still not" wait_for \
    '[ "$(job_field bad .health)" = warn ]'
is "when it was tried last is known" "$(metric \
    'nbdsync_job_last_attempt_timestamp_seconds{job="bad"}')" "$attempt"
ok "and what was verified" wait_for "[ \"\$(metric \
    'nbdsync_verify_last_clean_timestamp_seconds{job=\"verify\"}')\" = $clean ]"
stop_process daemon
