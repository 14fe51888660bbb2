#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Commands that do not fit what a job does: each is answered with a sentence,
# the right status and exit code, and what goes on goes on.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 86

conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; },
  { name = \"stuck\"; command = [ \"nbdkit\", \"--filter=delay\",
      \"pattern\", \"64M\", \"rdelay=600\" ]; } );
jobs = ( $(slow_job vm1 slow n), $(slow_job stuck stuck n) );"
start_daemon "$tmp/conf"

# says SENTENCE STATUS TYPE EXIT DETAIL PATH BODY WORDS...: what the API
# answers to a POST, and the command of these words exits with and says
says()
{
	sentence=$1
	wanted="$2 urn:nbdsync:$3"
	code=$4
	detail=$5
	answer=$(api "$6" --request POST --data "$7")
	shift 7
	is "$sentence is refused" \
	    "$(echo "$answer" | jq -r '"\(.status) \(.type)"')" "$wanted"
	like "in words" "$(echo "$answer" | jq -r .detail)" "^$detail\$"
	exits "$code" "by the command, too: nbdsync $*" "$nbdsync" "$@"
	like "in the same words" "$err" "^nbdsync: [a-z]*: $detail( \(.*\))?\$"
}

# fine SENTENCE WORDS...
fine()
{
	sentence=$1
	shift
	exits 0 "$sentence: nbdsync $*" "$nbdsync" "$@"
}

# Idle.
says "cancelling nothing" 409 job-idle 7 "job 'vm1' is not running" \
    /v1/jobs/vm1/cancel '{}' cancel vm1
says "ending it by force" 409 job-idle 7 "job 'vm1' is not running" \
    /v1/jobs/vm1/stop '{"force":true}' stop --force vm1
fine "resuming what is not paused does no harm" resume vm1
is "and changes nothing" "$(job_field vm1 '"\(.state) \(.paused)"')" \
    "idle false"
says "a reset that is not meant" 400 bad-request 2 \
    "the next run of (job )?'vm1' would be a full one.*" \
    /v1/jobs/vm1/reset '{"confirm":"vm2"}' reset vm1
fine "one that is meant" reset --confirm vm1
fine "it may be done twice" reset --confirm vm1

# Running.
start_job vm1
wait_copied vm1
says "starting it twice" 409 job-running 7 "job 'vm1' is running" \
    /v1/jobs/vm1/start '{}' start vm1
says "comparing while it copies" 409 job-running 7 "job 'vm1' is running" \
    /v1/jobs/vm1/verify '{"sample":"1%"}' verify --sample 1% vm1
says "a reset while it runs" 409 job-running 7 "job 'vm1' is running" \
    /v1/jobs/vm1/reset '{"confirm":"vm1"}' reset --confirm vm1
fine "resuming what runs does no harm" resume vm1
is "all that has left the run alone" "$(job_field vm1 .run.id)" "$run"
fine "a run is cancelled" cancel vm1
rev=0
wait_job vm1
is "its end is one end" "$(api /v1/jobs/vm1/history |
    jq -c '[.runs[].result]')" '["cancelled"]'

# Paused.
fine "a job is paused" pause --reason one vm1
fine "a paused one is paused again" pause --reason two vm1
is "which has the last word" "$(job_field vm1 '"\(.state) \(.pause.reason)"')" \
    "paused two"
says "starting a paused one" 423 job-paused 7 "job 'vm1' is paused: two" \
    /v1/jobs/vm1/start '{}' start vm1
like "with what would help" "$err" "\(nbdsync resume vm1\)$"
says "comparing a paused one" 423 job-paused 7 "job 'vm1' is paused: two" \
    /v1/jobs/vm1/verify '{}' verify vm1
says "cancelling a paused one" 409 job-idle 7 "job 'vm1' is not running" \
    /v1/jobs/vm1/cancel '{}' cancel vm1
fine "it is resumed" resume vm1
fine "and again" resume vm1
is "nothing was started by that" "$(job_field vm1 .run)" null

# Ending.
start_job stuck
wait_for '[ "$(job_field stuck .state)" = copying ]'
"$nbdsync" cancel --quiet stuck
wait_for '[ "$(job_field stuck .state)" = stopping ]'
says "starting one that is about to end" 409 job-running 7 \
    "job 'stuck' is running" /v1/jobs/stuck/start '{}' start stuck
fine "asking again does no harm" cancel stuck
fine "and force is added to what was asked for before" cancel --force stuck
rev=0
ok "and ends it" wait_job stuck

# The daemon.
start_job stuck
wait_for '[ "$(job_field stuck .state)" = copying ]'
is "the daemon is not ended by mistake" "$(api_status /v1/shutdown \
    --data '{"confirm":"yes"}')" 400
is "the end of the daemon is accepted" "$(api_status /v1/shutdown \
    --data '{"confirm":"nbdsyncd"}')" 202
says "starting a job while it ends" 503 stopping 12 "the daemon is stopping" \
    /v1/jobs/vm1/start '{}' start vm1
is "reloading while it ends is refused" "$(api /v1/config/reload \
    --request POST | jq -r '"\(.status) \(.type)"')" \
    "503 urn:nbdsync:stopping"
exits 12 "by the command, too: nbdsync reload" "$nbdsync" reload
is "ending it twice is refused" "$(api /v1/shutdown \
    --data '{"confirm":"nbdsyncd"}' | jq -r '"\(.status) \(.type)"')" \
    "503 urn:nbdsync:stopping"
wait "$(pid_of daemon)"
is "it ends well" $? 0
is "and nothing is left running" "$(for pid in $(pgrep -x nbdkit); do
	tr '\0' '\n' <"/proc/$pid/environ" | grep -x "TMPDIR=$tmp"
done 2>/dev/null)" ""

# What does not exist, for every command that takes a job.
start_daemon "$tmp/conf"
for words in status start verify diff cancel wait pause resume map limits \
    history log "rate nosuch 1MB/s" "checkpoint show" "reset --confirm" \
    "events --job" "loglevel debug --job"; do
	case $words in
	*nosuch*) ;;
	*) words="$words nosuch" ;;
	esac
	# shellcheck disable=SC2086
	run "$nbdsync" $words
	is "no such job: nbdsync $words" "$status $(echo "$err" |
	    sed "s/^nbdsync: ${words%% *}: //")" "6 there is no job 'nosuch'"
done
