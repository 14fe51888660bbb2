#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Messages of the daemon go where the configuration says, as it says.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires journalctl --version
requires nbdkit --filter=delay pattern --version
requires perl -MSocket -e 1
plan 57

listen_at journal
listen_at syslog

conf "log = ( { type = \"stderr\"; level = \"warning\"; },
  { type = \"journal\"; path = \"$tmp/journal.sock\"; },
  { type = \"syslog\"; path = \"$tmp/syslog.sock\"; },
  { type = \"file\"; path = \"$tmp/json\"; format = \"json\"; },
  { type = \"file\"; path = \"$tmp/logfmt\"; format = \"logfmt\"; },
  { type = \"file\"; path = \"$tmp/human\"; },
  { type = \"file\"; path = \"$tmp/none/at-all\"; } );
endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\";
    on_read_error = \"stop\"; } );"
start_daemon "$tmp/conf"
"$nbdsync" start --wait --quiet quick
"$nbdsync" start --wait --quiet bad 2>/dev/null
run_id=$(job_field bad .last_run.id)
uuid=$(job_field bad .uuid)

# The message of the failure, by outlet.
is "JSON has one object a line" "$(jq -c . "$tmp/json" | wc -l)" \
    "$(wc -l <"$tmp/json")"
jq -c 'select(.id == "run-failed")' "$tmp/json" >"$tmp/failed"
is "the failed run is there once" "$(wc -l <"$tmp/failed")" 1
is "with its level" "$(jq -r .level "$tmp/failed")" error
is "with the job" "$(jq -r '.job + " " + .job_uuid' "$tmp/failed")" \
    "bad $uuid"
is "with the run" "$(jq -r .run "$tmp/failed")" "$run_id"
is "with the endpoint" "$(jq -r .endpoint "$tmp/failed")" bad
is "with the place" "$(jq '.offset >= 0 and .length > 0' "$tmp/failed")" true
is "with the error" "$(jq .errno "$tmp/failed")" 5
like "with a sentence" "$(jq -r .message "$tmp/failed")" \
    "^job 'bad': failed: .*Input/output error"
line=$(grep 'id=run-failed' "$tmp/logfmt")
like "logfmt has it as words" "$line" \
    '^time=[-0-9T:.]+Z level=error msg="job .bad.: failed: .*" id=run-failed job=bad run='
like "to its end" "$line" ' endpoint=bad offset=[0-9]+ length=[0-9]+ errno=5$'
like "people get time and level" "$(grep 'failed:' "$tmp/human")" \
    "^[-0-9T:.]+Z error: job 'bad': failed: "
ok "syslog gets it with its priority" wait_for \
    "grep -Eq \"^<27>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} nbdsyncd\[\$(pid_of daemon)\]: job 'bad': failed: \" $tmp/syslog.log"
ok "information is of another priority" grep -q "^<30>.* is ready" \
    "$tmp/syslog.log"
field()
{
	awk -v RS='--\n' '/MESSAGE=job .bad.: failed/' "$tmp/journal.log" |
	    sed -n "s/^$1=//p"
}
ok "the journal gets it" wait_for '[ -n "$(field MESSAGE)" ]'
is "with a priority" "$(field PRIORITY)" 3
is "with who we are" "$(field SYSLOG_IDENTIFIER)" nbdsync
is "with the job's fields" \
    "$(field NBDSYNC_JOB) $(field NBDSYNC_JOB_UUID) $(field NBDSYNC_RUN)" \
    "bad $uuid $run_id"
is "with endpoint and error" "$(field NBDSYNC_ENDPOINT) $(field ERRNO)" \
    "bad 5"
like "with the place on the disk" \
    "$(field NBDSYNC_OFFSET) $(field NBDSYNC_LENGTH)" '^[0-9]+ [1-9][0-9]*$'
like "with the place in the source" "$(field CODE_FILE) $(field CODE_LINE)" \
    '^daemon/job/result.c [0-9]+$'
catalog=$srcdir/packaging/journal/nbdsync.catalog
ok "with an id that the catalog explains" grep -q "^-- $(field MESSAGE_ID)\$" \
    "$catalog"
mkdir -p "$tmp/root/usr/lib/systemd/catalog"
cp "$catalog" "$tmp/root/usr/lib/systemd/catalog"
ok "journalctl can read the catalog" journalctl --root="$tmp/root" \
    --update-catalog
is "all of it" "$(journalctl --root="$tmp/root" --list-catalog |
    grep -c '^[0-9a-f]\{32\} ')" "$(grep -c '^-- ' "$catalog")"
is "the catalog has all ids, and no other" "$(sed -n 's/^-- //p' "$catalog" |
    sort)" "$(sed -n 's/^	    "\([0-9a-f]\{32\}\)" },$/\1/p' \
    "$srcdir/daemon/log/messages.c" | sort)"
is "what is below an outlet's level does not go there" \
    "$(grep -c 'info:' "$tmp/daemon.log")" 0
like "the first outlet is told of one that fails" \
    "$(grep none/at-all "$tmp/daemon.log")" \
    "warning: log: cannot write to '.*': No such file or directory"
is "once" "$(grep -c none/at-all "$tmp/daemon.log")" 1

mv "$tmp/human" "$tmp/human.1"
kill -HUP "$(pid_of daemon)"
ok "SIGHUP opens files anew" wait_for "grep -q 'taken over' $tmp/human"
is "and what was moved away stays as it was" \
    "$(grep -c 'taken over' "$tmp/human.1")" 0
mkdir "$tmp/none"
ok "what could not be opened is tried again" wait_for \
    "'$nbdsync' pause -q quick; '$nbdsync' resume -q quick; [ -s $tmp/none/at-all ]"

# What the daemon remembers.
run "$nbdsync" log bad
is "the log of a job begins with its run" "$(echo "$out" | head -n 1 |
    cut -c 22-)" "info     job 'bad': run $run_id started: 'bad' to 'n'"
unlike "and has nothing of others" "$out" quick
is "that of a run has the failure" "$("$nbdsync" log "$run_id" --level error |
    grep -c "job 'bad': failed")" 1
is "the end of it is what is asked for" "$("$nbdsync" log --json --limit 2 |
    jq '.messages | length')" 2
exits 6 "of no job there is no log" "$nbdsync" log none

start_process follow "$nbdsync" log --follow quick
ok "who follows begins with what was" wait_for \
    "grep -q 'run .* started' $tmp/follow.log"
"$nbdsync" pause --quiet quick --reason follow
ok "and goes on" wait_for "grep -q 'POST /v1/jobs/quick/pause' $tmp/follow.log"
stop_process follow INT
is "until interrupted" "$?" 130
"$nbdsync" resume --quiet quick
start_process few "$nbdsync" log --follow --limit 1 quick
ok "who follows may want little of what was" wait_for "[ -s $tmp/few.log ]"
"$nbdsync" pause --quiet quick
ok "and gets all that is new" wait_for \
    "grep -q 'POST /v1/jobs/quick/pause' $tmp/few.log"
is "also of one moment" "$(grep -c "job 'quick': paused" "$tmp/few.log")" 1
stop_process few INT
"$nbdsync" resume --quiet quick

# More of it, for a while.
is "the level is set" "$(api /v1/log/level --request PUT \
    --data '{"level":"debug","ttl":"1h"}' | jq -r .level)" debug
ok "and counts" wait_for \
    "'$nbdsync' status >/dev/null; grep -q 'GET /v1/jobs' $tmp/human"
is "until it is the configured one" "$(api /v1/log/level --request PUT \
    --data '{"level":"default"}' | jq -c .)" \
    '{"level":null,"job":null,"until":null}'
is "or until its time is over" "$(api /v1/log/level --request PUT \
    --data '{"level":"error","ttl":"1s"}' | jq -r .level)" error
: >"$tmp/human"
ok "although nothing as bad is logged then" wait_for \
    "'$nbdsync' pause -q quick; '$nbdsync' resume -q quick; [ -s $tmp/human ]"
ok "the command sets it as well" "$nbdsync" loglevel --for 1h debug
is "and says so" "$out" "log level debug for 1h"
like "the answer is JSON if need be" "$("$nbdsync" loglevel --json --job \
    "$(api /v1/jobs | jq -r '.jobs[0].job')" info | jq -r '"\(.level) \(
    .until)"')" "^info null$"
exits 2 "no level is refused" "$nbdsync" loglevel loud
like "in words" "$err" '"level" must be error, warning, info, debug or default'
exits 6 "nor is there a level of no job" "$nbdsync" loglevel --job nosuch info
exits 2 "nor one for no time" "$nbdsync" loglevel --for ever info
ok "it is taken back" "$nbdsync" loglevel --quiet default
is "a level that is none is refused" "$(api_status /v1/log/level \
    --request PUT --data '{"level":"loud"}')" 400
stop_process daemon
is "the daemon ends well" "$?" 0
