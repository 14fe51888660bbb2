#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was missed while the daemon was down is run once; what is paused, or
# waits for its window, still does.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires sqlite3 --version
plan 44

# A minute that does not come while this runs.
minute=$(date -d '30 minutes' +%-M)

# window_at HOURS: of an hour, which begins in so many
window_at()
{
	echo "$(date -d "$1 hours" +%H:%M)-$(date -d "$(($1 + 1)) hours" \
	    +%H:%M)"
}
# conf_with WINDOW; $cron is the schedule of the job of that name
cron="$minute * * * *"
conf_with()
{
	conf "endpoints = ( { name = \"q\"; command = [ \"nbdkit\", \"pattern\",
	    \"1M\" ]; }, $(slow_endpoint slow),
	  { name = \"n\"; uri = \"null:\"; },
	  { name = \"d\"; path = \"$tmp/disk\"; } );
	jobs = ( { name = \"cron\"; source = \"q\"; destination = \"n\";
	    schedule = \"$cron\"; },
	  { name = \"never\"; source = \"q\"; destination = \"n\";
	    schedule = \"$minute * * * *\"; catch_up = false; },
	  { name = \"often\"; source = \"q\"; destination = \"n\";
	    interval = \"2h\"; },
	  { name = \"asleep\"; source = \"q\"; destination = \"n\";
	    interval = \"2h\"; },
	  $(slow_job wished slow d "mode = \"copy\";"),
  $(slow_job night slow n "interval = \"52w\"; window = \"$1\";") );"
}
# Each job has been asked about, and what was due has begun.
restart()
{
	stop_process daemon || bail "the daemon does not end"
	[ $# -eq 0 ] || sql "$1"
	start_daemon "$tmp/conf"
	for job_ in cron never often asleep wished night; do
		wait_for "[ \$(job_field $job_ .uuid) != null ]"
	done
}
n_runs()
{
	job_field "$1" .counters.runs
}
# What has begun is in the history when it has ended.
rest()
{
	wait_for "[ \$(job_field $1 .run) = null ]"
}

truncate -s 64M "$tmp/disk"
conf_with "$(window_at 3)"
start_daemon "$tmp/conf"
ok "an interval begins with a run" wait_for '[ $(n_runs often) -eq 1 ]'
is "a time of day is still to come" "$(n_runs cron)" 0
ok "that is remembered" wait_for \
    '[ "$(sql "SELECT last_fire_ms > 0 FROM jobs WHERE name = '\''often'\''")" = 1 ]'
"$nbdsync" pause --quiet --reason "on a plane" asleep
wait_for '[ "$(n_runs asleep)" -ge 1 ]'
n_asleep=$(n_runs asleep)

restart
is "what is not due does not run after a restart" "$(rest often
    n_runs often)" 1
is "a pause is still one" "$(job_field asleep \
    '"\(.state) \(.pause.reason)"')" "paused on a plane"

ago=$((($(date +%s) - 4 * 3600) * 1000))
restart "UPDATE jobs SET last_fire_ms = $ago
    WHERE name != 'night'"
ok "what was missed is run" wait_for '[ "$(n_runs cron)" -eq 1 ]'
is "once, however often it was missed" "$(job_field cron \
    .last_run.trigger)" catch-up
is "with an interval, too" "$(wait_for '[ "$(n_runs often)" -eq 2 ]'
    job_field often .last_run.trigger)" catch-up
ok "unless that is not wanted" wait_for \
    '[ "$(job_field never .schedule.last_skip.reason)" = "its time had passed" ]'
is "then there is no run" "$(n_runs never)" 0
ok "nor of what is paused" wait_for \
    '[ "$(job_field asleep .schedule.last_skip.reason)" = "the job is paused" ]'
is "which says so" "$(n_runs asleep)" "$n_asleep"
restart
is "another restart runs nothing again" "$(rest cron; rest often
    n_runs cron) $(n_runs often)" "1 2"
stop_process daemon
n_before=$(sql "SELECT count(*) FROM runs WHERE job = 'cron'")
sql "UPDATE jobs SET last_fire_ms = $ago WHERE name IN ('cron', 'never')"
cron="59 23 31 12 *"
conf_with "$(window_at 3)"
start_daemon "$tmp/conf"
ok "what had the same times has missed some" wait_for \
    '[ "$(job_field never .schedule.skipped)" -gt 0 ]'
ok "times that were not asked for then were not missed" wait_for \
    "[ \"\$(sql \"SELECT last_fire_ms > $ago FROM jobs
    WHERE name = 'cron'\")\" = 1 ]"
is "so none is caught up with" "$(rest cron
    sql "SELECT count(*) FROM runs WHERE job = 'cron'")" "$n_before"
"$nbdsync" resume --quiet asleep
restart
is "what was resumed stays so" "$(job_field asleep .paused)" false

# What was wished of a run is still wished when its pause has outlived us.
"$nbdsync" start --quiet --mode verify --rate 2MB/s --reason "on request" wished
wait_copied wished
"$nbdsync" pause --quiet wished
ok "a run is paused" wait_for '[ "$(job_field wished .state)" = paused ]'
restart
is "it is still paused after a restart" "$(job_field wished .state)" paused
"$nbdsync" resume --quiet wished
wait_copied wished
is "and goes on as what it was" "$(job_field wished \
    '"\(.run.trigger) \(.run.mode) \(.run.reason)"')" \
    "resume verify on request"
is "as fast as it was to go" "$(job_field wished .limits.rate_bytes_per_s)" \
    2000000
"$nbdsync" cancel --quiet --wait wished
"$nbdsync" verify --quiet --range 1M:2M --sample 50% --repair wished
wait_copied wished
"$nbdsync" pause --quiet wished
wait_for '[ "$(job_field wished .state)" = paused ]'
restart
"$nbdsync" resume --quiet wished
wait_copied wished
is "also of a part" "$(job_field wished '"\(.run.partial) \(.run.mode)"')" \
    "true verify"
is "no larger than it was" "$(job_field wished \
    '.run.progress.total_bytes <= 2097152')" true
"$nbdsync" cancel --quiet --wait wished

# The window.
is "outside of its window nothing has begun" "$(job_field night .run)" null
conf_with "$(window_at -1 | sed 's/-.*/-/')$(date -d '1 hours' +%H:%M)"
"$nbdsync" reload >/dev/null
ok "it begins when the window opens" wait_for \
    '[ "$(job_field night .run.trigger)" != null ]'
wait_copied night
conf_with "$(window_at 3)"
"$nbdsync" reload >/dev/null
ok "it is held when the window closes" wait_for \
    '[ "$(job_field night .state)" = held ]'
is "as its log says" "$("$nbdsync" log night | grep -c 'window has closed')" 1
restart
is "also after a restart" "$(job_field night .state)" held
start_job night
wait_copied night
is "who starts it by hand may" "$(job_field night .run.trigger)" control
"$nbdsync" reload >/dev/null
is "and is not held" "$(job_field night .state)" copying
"$nbdsync" cancel --quiet --wait night
is "that one is over then" "$(job_field night .state)" idle

conf_with "$(window_at -1 | sed 's/-.*/-/')$(date -d '1 hours' +%H:%M)"
"$nbdsync" reload >/dev/null
is "and nothing is left to go on with" "$(job_field night .run)" null
restart "UPDATE jobs SET last_fire_ms = 1000"
ok "what is due begins" wait_for '[ "$(job_field night .run)" != null ]'
wait_copied night
conf_with "$(window_at 3)"
"$nbdsync" reload >/dev/null
wait_for '[ "$(job_field night .state)" = held ]'
conf_with "$(window_at -1 | sed 's/-.*/-/')$(date -d '1 hours' +%H:%M)"
"$nbdsync" reload >/dev/null
ok "and goes on by itself when the window opens again" wait_for \
    '[ "$(job_field night .run.trigger)" = window ]'
is "from where it was" "$(wait_for \
    '[ "$(job_field night .state)" = copying ]'
    job_field night .last_run.result)" cancelled
"$nbdsync" pause --quiet night
wait_for '[ "$(job_field night .state)" = paused ]'
is "a pause is one in its window" "$(job_field night .run)" null
conf_with "$(window_at 3)"
"$nbdsync" reload >/dev/null
"$nbdsync" resume --quiet night
is "resumed outside of its window it waits for that" \
    "$(job_field night '"\(.state) \(.run)"')" "held null"
conf_with "$(window_at -1 | sed 's/-.*/-/')$(date -d '1 hours' +%H:%M)"
"$nbdsync" reload >/dev/null
ok "and goes on in it" wait_for \
    '[ "$(job_field night .run.trigger)" = window ]'
wait_copied night
"$nbdsync" pause --quiet night
wait_for '[ "$(job_field night .state)" = paused ]'
"$nbdsync" cancel --quiet night 2>/dev/null
stop_process daemon
is "the daemon ends well" "$?" 0

# The database is locked while the daemon asks it, and the pause comes first.
mkfifo "$tmp/lock"
often()
{
	sql "SELECT $1 FROM jobs WHERE name = 'often'"
}
counted=$(often "json_extract(counters, '\$.runs')")
start_process locker sh -c "exec sqlite3 '$tmp/state/state.db' <'$tmp/lock'"
exec 5>"$tmp/lock"
echo "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE; SELECT 'locked';" >&5
wait_for "grep -q locked $tmp/locker.log"
start_daemon "$tmp/conf"
"$nbdsync" pause --quiet --reason early often
is "a pause may come while nothing can be written" \
    "$(job_field often .state)" paused
{
	wait_for "grep -q stopping $tmp/daemon.log"
	echo 'ROLLBACK;' >&5
} &
stop_process daemon
is "the daemon waits for what it has to write" "$?" 0
is "and the pause is stored" "$(often 'is_paused || paused_reason')" 1early
is "with all that was there" \
    "$(often "json_extract(counters, '\$.runs')")" "$counted"
exec 5>&-
stop_process locker
like "each name of a run is unique" "$(sql \
    'SELECT count(*) - count(DISTINCT id) FROM runs')" '^0$'
