#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is to outlive the daemon gets into the store, if that is locked for a
# while, or has no room for so much at once.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
requires sqlite3 --version
requires mkfifo --version
plan 14

n=300
start_nbdkit src -r --threads=1 pattern 64K
conf "endpoints = ( { name = \"src\"; uri = \"$(uri src)\"; },
  { name = \"dst\"; uri = \"null:\"; } );" \
    "jobs = ( $(seq -f '{ name = "j%g"; source = "src";
	destination = "dst"; connections = 1; },' 1 "$n")
  { name = \"p\"; source = \"src\"; destination = \"dst\"; } );"

all_stored()
{
	wait_for "[ \"\$(sql 'SELECT count(*) FROM jobs
	    WHERE length(counters) > 0')\" = $((n + 1)) ]" 60
}
# Those that have run once, as the daemon knows.
n_done()
{
	api /v1/jobs | jq '[.jobs[] | select(.counters.runs == 1)] | length'
}
store_is()
{
	wait_for "[ \"\$(api /v1/health | jq -r .store.state)\" = $1 ]"
}

start_daemon "$tmp/conf"
all_stored || bail "the store does not have them"

# A pause that cannot be written at once.
lock_state
"$nbdsync" pause --quiet --reason "works" p
ok "a pause meets a store that is locked" store_is stale
unlock_state
ok "and gets there afterwards" wait_for '[ "$(sql "SELECT paused_reason
    FROM jobs WHERE name = '\''p'\'' AND is_paused")" = works ]'
ok "which then is well again" store_is ok
is "that was said once" "$(grep -c "job 'p': .* not stored" \
    "$tmp/daemon.log")" 1

# The daemon ends while it is locked.
lock_state
"$nbdsync" resume --quiet p
ok "so does the end of the pause" store_is stale
kill "$(pid_of daemon)"
unlock_state
stop_process daemon 0
is "the daemon, told to end, ends well" $? 0
is "and what was resumed stays so" "$(sql "SELECT is_paused
    FROM jobs WHERE name = 'p'")" 0

# It begins while it is locked.
sql "UPDATE jobs SET is_paused = 1 WHERE name = 'p'"
lock_state
start_daemon "$tmp/conf"
ok "what is stored is known though it is locked" \
    wait_for '[ "$(job_field p .state)" = paused ]'

# More than the queue has room for.
api '/v1/jobs/j[1-300]/start' --request POST >/dev/null
ok "many jobs meet the lock" store_is stale
unlock_state
ok "they end" wait_for "[ \"\$(n_done)\" = $n ]" 120
ok "each is in the history" wait_for \
    "[ \"\$(sql 'SELECT count(DISTINCT job) FROM runs')\" = $n ]" 60
ok "each is counted" wait_for "[ \"\$(sql 'SELECT count(*) FROM jobs
    WHERE counters LIKE '\''%\"runs\":1,%'\''')\" = $n ]" 60
stop_process daemon
is "the daemon ends" $? 0
start_daemon "$tmp/conf"
ok "another daemon knows it" wait_for "[ \"\$(n_done)\" = $n ]" 60
stop_process daemon
