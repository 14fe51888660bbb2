#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# status, start and cancel do what they say, with the exit codes of nbdsync(1).
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires script --version
plan 61

# The daemon is killed below, and leaves the directories of its servers.
TMPDIR=$tmp
export TMPDIR

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

ok "status shows all jobs" "$nbdsync" status
like "under a heading" "$(echo "$out" | head -n 1)" \
    '^JOB +STATE +PROGRESS +RATE +LAST$'
is "in the order of the file" "$(echo "$out" | awk 'NR > 1 { print $1 }' |
    tr '\n' ' ')" "quick bad slow "
like "as they are" "$out" '^quick +idle +- +- +never ran$'
is "in aligned columns" "$(echo "$out" |
    awk '{ print match($0, /STATE|idle/) }' | sort -u | wc -l)" 1
ok "status shows one job" "$nbdsync" status quick
like "with its source" "$out" '^source: +quick$'
ok "status as JSON" "$nbdsync" status --json
is "is the daemon's" "$(echo "$out" | jq -r '[.jobs[].job] | join(" ")')" \
    "quick bad slow"
ok "one job as JSON" "$nbdsync" status --json slow
is "is the job" "$(echo "$out" | jq -r .job)" slow

ok "start --wait ends with the run" "$nbdsync" start --wait quick
is "silently" "$out$err" ""
like "status tells how it ended" "$("$nbdsync" status)" \
    '^quick +idle +- +- +succeeded 20[0-9-]+ [0-9:]+$'
run "$nbdsync" status quick
like "and how much was copied" "$out" 'done: +8\.0 MiB copied in .*, flushed'
utc=$(job_field quick .last_run.finished_at)
TZ=XYZ-5
export TZ
run "$nbdsync" status quick
unset TZ
like "and when, in local time" "$out" \
    "finished: +$(date -u -d "$utc +5 hours" '+%Y-%m-%d %H:%M:%S')"
ok "start --wait --json" "$nbdsync" start --wait --json quick
is "prints the job" "$(echo "$out" | jq -r .last_run.result)" succeeded

exits 4 "start --wait of what fails is 4" "$nbdsync" start --wait bad
like "with the reason" "$err" \
    "^nbdsync: start: job 'bad' failed: source 'bad': read .*Input/output"
run "$nbdsync" status bad
like "which status shows as well" "$out" 'failure: +source .*Input/output'

ok "start without --wait is over at once" "$nbdsync" start slow
like "and says which run" "$out" "^run [^ ]+ of job 'slow' has started$"
exits 7 "start of a running job is a conflict" "$nbdsync" start slow
like "in words" "$err" "^nbdsync: start: job 'slow' is running"
wait_copied slow
run "$nbdsync" status
like "status shows how far it is" "$out" \
    '^slow +copying +0% +[0-9.]+ [KM]?i?B/s +never ran$'
run "$nbdsync" status slow
like "in detail, too" "$out" '^progress: +0%, [0-9.]+ [KM]iB of 64\.0 MiB'
ok "cancel is over at once" "$nbdsync" cancel slow
like "and says which run" "$out" \
    "^run [^ ]+ of job 'slow' is being cancelled$"
rev=0
wait_job slow
is "the run ends as cancelled" "$(job_field slow .last_run.result)" cancelled
exits 7 "cancel of an idle job is a conflict" "$nbdsync" cancel slow
like "in words" "$err" "^nbdsync: cancel: job 'slow' is not running"

exits 8 "a wait that takes too long is 8" \
    "$nbdsync" start --wait --timeout 300ms slow
like "in words" "$err" 'has not ended in time; it goes on$'
is "and the run goes on" "$(job_field slow .run.id)" \
    "$(echo "$err" | sed 's/.*run \([^ ]*\) of.*/\1/')"
exits 0 "cancel --wait waits" "$nbdsync" cancel --wait slow
is "until the job is idle" "$(job_field slow .state)" idle

start_process start "$nbdsync" start --wait slow
wait_copied slow
exits 0 "a run that somebody waits for is cancelled" "$nbdsync" cancel \
    --wait --json slow
is "with the job as JSON" "$(echo "$out" | jq -r .last_run.result)" cancelled
wait "$(pid_of start)"
is "who waited gets 5" $? 5
like "and a sentence" "$(cat "$tmp/start.log")" "job 'slow' was cancelled"

# The shell has what it starts in the background ignore SIGINT.
start_process start env --default-signal=INT "$nbdsync" start --wait slow
wait_copied slow
kill -USR1 "$(pid_of start)"
ok "SIGUSR1 prints a line while waiting" wait_for \
    "grep -q '^ *[0-9]*%  .*/64.0 MiB' '$tmp/start.log'"
stop_process start INT
is "to be interrupted is 130" "$status" 130
like "and is told" "$(cat "$tmp/start.log")" 'no longer waiting; run .* goes on'
is "the run goes on" "$(job_field slow '.run != null')" true

"$nbdsync" cancel --wait slow
exits 8 "the bar in a terminal" script -qec \
    "stty cols 100; '$nbdsync' start --wait --timeout 4s slow" /dev/null
shown=$(printf '%s' "$out" | tr '\r' '\n')
like "is that of a copy" "$shown" '^ *[0-9]+%  [=.]+  [0-9.]+ [KM]iB/64\.0 MiB'
like "and makes way for messages" "$shown" '^nbdsync: start: run '

start_process lines "$nbdsync" wait --progress=200ms slow
ok "without a terminal lines are printed on request" wait_for \
    "[ \$(grep -c '^ *[0-9]*%  .*/64.0 MiB' '$tmp/lines.log') -ge 2 ]"
"$nbdsync" cancel --wait slow
wait "$(pid_of lines)"
is "until the end" $? 5
run "$nbdsync" start --progress --wait quick
like "which says as of when the copy is" "$err" \
    '^quick as of 20[-0-9]* [0-9:]*: 8.0 MiB copied in .*, flushed$'
exits 2 "who does not wait sees no progress" "$nbdsync" start --progress quick

exits 6 "a job that does not exist is 6" "$nbdsync" status nosuch
is "in one sentence" "$err" "nbdsync: status: there is no job 'nosuch'"
exits 6 "to be started" "$nbdsync" start nosuch
exits 6 "to be cancelled" "$nbdsync" cancel nosuch
exits 6 "or with a name that no job can have" "$nbdsync" status 'a job/..'
is "in one sentence" "$err" "nbdsync: status: there is no job 'a job/..'"
run "$nbdsync" start qick
like "a slip of the finger is understood" "$err" "did you mean 'quick'"

"$nbdsync" cancel --wait --quiet slow
start_process start "$nbdsync" start --wait slow
wait_copied slow
kill -KILL "$(pid_of daemon)"
wait "$(pid_of start)"
is "a daemon that dies under a wait is 10" $? 10
like "and told" "$(tail -n 1 "$tmp/start.log")" '^nbdsync: start: '
