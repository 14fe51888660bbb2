#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is asked of a job waits until the store has said what an earlier daemon
# knew of it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires sqlite3 --version
requires mkfifo --version
plan 18

# jobs NAME...: all of them of the same slow disk
jobs()
{
	list_=
	for name_; do
		list_="$list_${list_:+,} $(slow_job "$name_" s n)"
	done
	conf "endpoints = ( $(slow_endpoint s),
	  { name = \"n\"; uri = \"null:\"; } ); jobs = ( $list_ );"
}
# As a file system hangs.
hold_store()
{
	rm -f "$tmp/hold"
	mkfifo "$tmp/hold"
	start_process hold sh -c \
	    "exec '$builddir/tests/lib/hold-thread' $(pid_of daemon) \
	    nbdsync-store <'$tmp/hold'"
	exec 8>"$tmp/hold"
	wait_for "grep -q held '$tmp/hold.log'" || bail "it is not held"
}
release_store()
{
	exec 8>&-
	wait "$(pid_of hold)"
	rm "$tmp/hold.started"
}
# ask JOB WHAT: in the background, its answer in $tmp/JOB.answer
ask()
{
	( exec 8>&-; api "/v1/jobs/$1/$2" --request POST ) \
	    >"$tmp/$1.answer" &
	asked="${asked-} $!"
}
# None has been answered, though others are.
none_answered()
{
	api /v1/version >/dev/null && ! cat "$tmp"/*.answer | grep -q .
}
answer_of()
{
	jq -r "$2" "$tmp/$1.answer"
}
n_log()
{
	grep -c "$1" "$tmp/daemon.log"
}

# Jobs that are paused, two of them with a run that is to go on.
jobs other a b c d
start_daemon "$tmp/conf"
start_job b
wait_copied b
start_job d
wait_copied d
"$nbdsync" pause --quiet --reason 'as before' --all
ok "jobs are paused" wait_for '[ "$(sql "SELECT count(*) FROM jobs
    WHERE is_paused AND paused_reason = '\''as before'\''")" = 5 ]'
wait_for '[ "$(job_field b .state)$(job_field d .state)" = pausedpaused ]'

# Their daemon has gone, and this one hears of them while its store hangs.
stop_process daemon
jobs other
start_daemon "$tmp/conf"
hold_store
jobs other a b c d
"$nbdsync" reload --quiet
ask a start
ask b resume
ask c pause
ask d cancel
is "what is known by itself does not wait" "$(job_field a .state)" idle
ok "no answer comes before the store's" none_answered
exits 12 "in the end the command says that it may be tried again" \
    "$nbdsync" start a
like "and why" "$err" 'not known yet, and nothing was done'
is "nothing has begun" "$(n_log 'run .* started')" 0

# The first four have been refused in the same way: once more.
for pid in $asked; do
	wait "$pid"
done
is "others are told the same" "$(answer_of a \
    '"\(.status) \(.type) \(.hint)"')" "503 urn:nbdsync:no-state try again"
rm "$tmp"/*.answer
asked=
ask a start
ask b resume
ask c pause
ask d cancel
ok "they wait again" none_answered
release_store
for pid in $asked; do
	wait "$pid"
done
is "then a start meets the pause of before" "$(answer_of a \
    '"\(.status) \(.detail)"')" "423 job 'a' is paused: as before"
is "and starts nothing" "$(job_field a '"\(.state) \(.run)"')" "paused null"
is "a job is resumed" "$(answer_of b .paused)" false
ok "with the run that was to go on" wait_for \
    '[ "$(job_field b .run.trigger)" = resume ]'
is "a pause is the new one" "$(answer_of c .pause.reason)" ""
is "what was to go on is cancelled" "$(job_field d \
    '"\(.state) \(.pause.run_goes_on)"')" "paused false"

# Who has gone away meanwhile wants nothing any more.
jobs other
"$nbdsync" reload --quiet
"$nbdsync" cancel --quiet b
wait_for '[ "$(api /v1/jobs | jq ".jobs | length")" = 1 ]'
hold_store
jobs other new
"$nbdsync" reload --quiet
rm "$tmp"/*.answer
( exec 8>&-; exec curl --verbose --max-time 60 --request POST \
    --unix-socket "$NBDSYNC_SOCKET" http://localhost/v1/jobs/new/start ) \
    >"$tmp/new.answer" 2>"$tmp/new.sent" &
asker=$!
wait_for "grep -q '^> POST' '$tmp/new.sent'"
ok "it is not answered either" none_answered
kill -KILL $asker
wait $asker
is "a client can be killed while it waits" "$?" 137
release_store
wait_for '[ "$(job_field new .uuid)" != null ]'
is "then nothing is started" "$(job_field new .run)" null
stop_process daemon
is "the daemon ends well" "$?" 0
