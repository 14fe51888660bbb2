#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon whose state can only be read knows what its jobs are, and above all
# which are paused.  Root may write everywhere: another user has to try.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires [ "$(id -u)" -eq 0 ]
requires setpriv --version
requires nbdkit pattern --version
nobody=$(id -u nobody)
cat >"$tmp/as_nobody" <<END
#!/bin/sh
exec setpriv --reuid=$nobody --regid=$(id -g nobody) --clear-groups "\$@"
END
chmod 755 "$tmp" "$tmp/as_nobody"
requires "$tmp/as_nobody" "$nbdsyncd" --version
plan 11

mkdir "$tmp/run" "$tmp/state"
chown nobody "$tmp/run" "$tmp/state"
NBDSYNC_SOCKET=$tmp/run/control.sock
start_nbdkit src -r --threads=1 pattern 64K
chmod 666 "$tmp/src.sock"
conf "daemon = { state_dir = \"$tmp/state\"; };
endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"paused\"; source = \"s\"; destination = \"n\";
    interval = \"1s\"; },
  { name = \"other\"; source = \"s\"; destination = \"n\";
    interval = \"1s\"; } );"
chmod 644 "$tmp/conf"

start_as_nobody()
{
	start_process daemon "$tmp/as_nobody" "$nbdsyncd" \
	    --config "$tmp/conf"
	wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
}

n_runs()
{
	job_field "$1" .counters.runs
}

start_as_nobody
wait_for '[ "$(n_runs paused)" -ge 1 ]'
"$nbdsync" pause --quiet --reason works paused
wait_for '[ "$(sql "SELECT paused_reason FROM jobs
    WHERE name = '\''paused'\''")" = works ]'
stop_process daemon
is "a job is paused, and the daemon ends" $? 0
n=$(sql "SELECT count(*) FROM runs WHERE job = 'paused'")
last=$(sql "SELECT id FROM runs WHERE job = 'paused' ORDER BY seq DESC LIMIT 1")

# The same with what is left by a daemon that was killed.
for end in TERM KILL; do
	chmod 555 "$tmp/state"
	chmod 444 "$tmp"/state/state.db*
	start_as_nobody
	ok "with a state that can only be read it is paused ($end)" \
	    wait_for '[ "$(job_field paused .state)" = paused ]'
	is "which the health tells" "$(api /v1/health | jq -r .store.state)" \
	    unavailable
	wait_for "[ \"\$(job_field other .last_run.result)\" = succeeded ]"
	first=$(job_field other .last_run.id)
	wait_for "[ \"\$(job_field other .last_run.id)\" != '$first' ]"
	is "while others run by themselves it does not" \
	    "$(job_field paused .last_run.id)" "$last"
	is "the history is what it was" \
	    "$(api /v1/jobs/paused/history | jq '.runs | length')" "$n"
	stop_process daemon
	chmod 755 "$tmp/state"
	chmod 644 "$tmp"/state/state.db*
	[ $end = TERM ] || break
	start_as_nobody
	ok "when it can be written again that is noted" wait_for \
	    '[ "$(api /v1/health | jq -r .store.state)" = ok ]'
	wait_for '[ "$(job_field paused .state)" = paused ]'
	stop_process daemon KILL
	is "the log of a daemon that was killed is there" \
	    "$(find "$tmp/state" -name '*-wal' | wc -l)" 1
done
