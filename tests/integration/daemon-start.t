#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is asked of one run counts for this run, and for no other.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 66

truncate -s 8M "$tmp/copy"
truncate -s 64M "$tmp/other"
conf "endpoints = (
  { name = \"a\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"b\"; path = \"$tmp/copy\"; },
  $(slow_endpoint slow), { name = \"c\"; path = \"$tmp/other\"; },
  { name = \"stuck\"; command = [ \"nbdkit\", \"--filter=delay\",
      \"memory\", \"8M\", \"wdelay=600\" ]; } );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; },
  { name = \"part\"; source = \"a\"; destination = \"b\";
    ranges = ( { from = \"1MiB\"; length = \"2MiB\"; to = \"1MiB\"; } ); },
  { name = \"one\"; source = \"a\"; destination = \"stuck\"; },
  { name = \"two\"; source = \"a\"; destination = \"stuck\"; },
  $(slow_job slow slow c) );"
start_daemon "$tmp/conf"

# refused JOB/ACTION BODY: 400, and why.
refused()
{
	api "/v1/jobs/$1" --data "$2" | jq -r '"\(.status) \(.detail)"'
}

is "a mode that is none" "$(refused j/start '{"mode":"move"}')" \
    '400 "mode" is "move", but must be copy, sync, verify or mirror'
is "a mode that is no text" "$(refused j/start '{"mode":1}')" \
    '400 "mode" in the body must be of type string'
is "a rate that is none" "$(refused j/start '{"rate":"fast"}')" \
    '400 "rate" is "fast", but must be a rate, such as "200MB/s", or "0" for none'
is "a rate that is a number" "$(refused j/start '{"rate":5}')" \
    '400 "rate" in the body must be of type string'
is "a reason that is a book" "$(refused j/start \
    "{\"reason\":\"$(printf '%0128d' 0)\"}")" \
    '400 "reason" must have at most 127 bytes'
is "also of a pause" "$(refused j/pause \
    "{\"reason\":\"$(printf '%0126d' 0)ü\"}")" \
    '400 "reason" must have at most 127 bytes'
is "a key that is of another command" "$(refused j/start '{"ranges":[]}')" \
    '400 unknown key "ranges" in the body'
is "no ranges" "$(refused j/verify '{"ranges":[]}')" \
    '400 "ranges" must have 1 to 4096 of them'
is "ranges that are a text" "$(refused j/verify '{"ranges":"all"}')" \
    '400 "ranges" in the body must be of type array'
is "a range that is no object" "$(refused j/verify '{"ranges":[1]}')" \
    '400 each of "ranges" must be an object with "from" and "length"'
is "a range from nowhere" "$(refused j/verify '{"ranges":[{"length":1}]}')" \
    '400 "from" and "length" of a range must be numbers of bytes'
is "a range below 0" "$(refused j/verify \
    '{"ranges":[{"from":-1,"length":1}]}')" \
    '400 "from" and "length" of a range must be numbers of bytes'
is "a range with more" "$(refused j/verify '{"ranges":[{"from":0,"to":1}]}')" \
    '400 a range has "from" and "length" only'
is "an empty range" "$(refused j/verify \
    '{"ranges":[{"from":0,"length":0}]}')" '400 a range is empty'
is "a range that the job has not" "$(refused part/verify \
    '{"ranges":[{"from":4194304}]}')" "400 job 'part': the ranges have\
 nothing in common with those of the job"
is "a sample of nothing" "$(refused j/verify '{"sample":"0%"}')" \
    '400 "sample" is "0%", but must be a share above 0%, such as "1%"'
is "a sample that is a number" "$(refused j/verify '{"sample":1}')" \
    '400 "sample" in the body must be of type string'
is "force that is no truth" "$(refused j/cancel '{"force":"yes"}')" \
    '400 "force" in the body must be of type boolean'
is "none of that has started anything" \
    "$(api /v1/jobs | jq -r '[.jobs[].state] | unique | join(" ")')" idle

exits 9 "start --mode verify compares" \
    "$nbdsync" start --wait --mode verify j
is "and writes nothing" "$(tr -d '\0' <"$tmp/copy" | wc -c)" 0
is "which the run says" "$(job_field j .last_run.mode)" verify
exits 0 "verify of a part of a part" \
    "$nbdsync" start --wait --mode sync --reason 'a try' part
is "start --mode sync writes" "$(job_field part .last_run.mode)" sync
is "the reason is kept" "$(job_field part .last_run.reason)" "a try"
is "in the history, too" "$(api "/v1/runs/$(job_field part .last_run.id)" |
    jq -r .report.reason)" "a try"
like "and logged" "$(cat "$tmp/daemon.log")" "'part': run .*: a try"
is "the mode is the job's again" "$(job_field part .mode)" copy

# What is there of the copy is 1 MiB to 3 MiB.
exits 0 "verify --range of what is equal" "$nbdsync" verify --wait \
    --range 1MiB:1MiB --range 2MiB:1MiB j
is "has looked at no more" \
    "$(job_field j .last_run.progress.total_bytes)" $((2 * MiB))
is "it is no last success" "$(job_field j .last_success)" null
is "nor is the whole consistent" "$(job_field j .consistent)" false
exits 9 "verify --range of more than that" "$nbdsync" verify --wait \
    --range 2MiB:1025KiB j
is "says where it differs" "$(job_field j '.last_run.differences[0].offset_bytes')" \
    $((3 * MiB))
exits 9 "a sample of two ranges" "$nbdsync" verify --wait --sample 0.5% \
    --range 0:1MiB --range 3MiB:512KiB j
is "is of both" "$(job_field j .last_run.progress.total_bytes)" \
    $((MiB + MiB / 2))
is "and partial" "$(job_field j .last_run.partial)" true
exits 0 "a range without end" "$nbdsync" verify --wait --range 0: part
is "is cut to what the job has" \
    "$(job_field part .last_run.progress.total_bytes)" $((2 * MiB))
exits 2 "a range with a place at the destination" \
    "$nbdsync" verify --range 0:1MiB:1GiB j
exits 2 "a range that is none" "$nbdsync" verify --range some j
exits 2 "a mode that is none, by the command" \
    "$nbdsync" start --mode move j
exits 0 "a copy" "$nbdsync" start --wait j
exits 0 "a sample of it" "$nbdsync" verify --wait --sample 1% j
ok "is of 1 MiB at most" [ \
    "$(job_field j .last_run.progress.total_bytes)" -le $MiB ]
exits 0 "100% is no sample" "$nbdsync" verify --wait --sample 100% j
is "is a success of the whole" "$(job_field j .consistent)" true

ok "a rate for this run" "$nbdsync" start --rate 7MiB/s --mode verify slow
is "counts" "$(job_field slow '"\(.limits.rate_bytes_per_s) \(
    .limits.as_configured)"')" "$((7 * MiB)) false"
like "limits shows it" "$("$nbdsync" limits slow | tail -n 1)" \
    "^slow +7.0 MiB/s +set +- +1 +[a-z-]+$"
like "and that of all" "$("$nbdsync" limits | grep '^j ')" \
    "^j +none +configured +- +measured +-$"
is "also as JSON" "$("$nbdsync" limits --json slow | jq -c \
    '.limits[0] | [.job, .rate_bytes_per_s, .as_configured, .until]')" \
    "[\"slow\",$((7 * MiB)),false,null]"
is "of each job" "$("$nbdsync" limits --json | jq '.limits | length')" \
    "$(api /v1/jobs | jq '.jobs | length')"
exits 6 "but not of none" "$nbdsync" limits nosuch
"$nbdsync" pause --reason later slow >/dev/null
wait_for '[ "$(job_field slow .state)" = paused ]'
is "the run is ended by a pause" "$(job_field slow .last_run.mode)" verify
"$nbdsync" resume slow >/dev/null
wait_for '[ "$(job_field slow .run.mode)" = verify ]'
is "and is the same after it" "$(job_field slow \
    '"\(.run.trigger) \(.run.mode) \(.limits.rate_bytes_per_s)"')" \
    "resume verify $((7 * MiB))"
"$nbdsync" rate slow 9MiB/s >/dev/null
is "another rate takes its place" \
    "$(job_field slow .limits.rate_bytes_per_s)" $((9 * MiB))
"$nbdsync" rate slow default >/dev/null
is "and default is as configured" \
    "$(job_field slow .limits.rate_bytes_per_s)" 0
"$nbdsync" cancel --wait slow >/dev/null
"$nbdsync" start --rate 7MiB/s slow >/dev/null
"$nbdsync" cancel --wait slow >/dev/null
is "when the run has ended, so has its rate" "$(job_field slow \
    '"\(.limits.rate_bytes_per_s) \(.limits.as_configured)"')" "0 true"

# What has been read is on its way to a disk that does not answer.
for job in one two; do
	start_job $job
	wait_for "[ \$(job_field $job '.run.progress.read_bytes // 0') -gt 0 ]"
done
ok "a run is cancelled" "$nbdsync" cancel one
ok "and another, by force" "$nbdsync" cancel --force two
# Both at one moment: the other one waits for some seconds.
ok "which does not wait" wait_for '[ "$(api /v1/jobs | jq -r \
    ".jobs | map(select(.job == \"one\" or .job == \"two\").state) |
    join(\" \")")" = "stopping idle" ]' 10
is "and is cancelled" "$(job_field two .last_run.result)" cancelled
wait_for '[ "$(job_field one .state)" = idle ]'
like "the log says so" "$(cat "$tmp/daemon.log")" \
    "warning: job 'two': run .* is ended without waiting"
exits 7 "what does not run is not cancelled by force" \
    "$nbdsync" cancel --force two
stop_process daemon
is "the daemon ends well" "$?" 0
