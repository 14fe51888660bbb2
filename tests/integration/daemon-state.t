#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever is wrong with the state directory, the daemon runs, says so, and
# copies.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires sqlite3 --version
plan 27

make_data "$tmp/source" $((1 * MiB)) 1
make_data "$tmp/destination" $((1 * MiB)) 2
with_state()
{
	conf "daemon = { state_dir = \"$1\"; };
endpoints = (
  { name = \"a\"; path = \"$tmp/source\"; },
  { name = \"b\"; path = \"$tmp/destination\"; } );
jobs = ( { name = \"one\"; source = \"a\"; destination = \"b\"; } );"
	start_daemon "$tmp/conf"
}
store()
{
	api /v1/health | jq -r ".store.$1"
}
# The daemon has come to know that it is so.
store_is()
{
	wait_for "[ \"\$(store state)\" = $1 ] &&
	    ! store detail | grep -q 'being opened'" || store detail
	store state
}
copies()
{
	make_data "$tmp/destination" $((1 * MiB)) 3
	start_job one
	wait_job one
	cmp "$tmp/source" "$tmp/destination" &&
	    [ "$(job_field one .last_run.result)" = succeeded ]
}
stop_daemon()
{
	stop_process daemon
}

with_state "$tmp/new"
is "a directory that is missing is made" "$(store_is ok)" ok
ok "the job copies" copies
is "and is for the daemon alone" "$(stat -c %a "$tmp/new")" 700
ok "the daemon ends well" stop_daemon

with_state "$tmp/no/such/place"
is "one that cannot be made is said" "$(store_is unavailable)" unavailable
like "and why" "$(store detail)" 'No such file or directory'
is "the health warns of it" "$(api /v1/health | jq -r .health)" warn
like "the log tells it" "$(cat "$tmp/daemon.log")" \
    'error: state: unavailable: .*No such file'
ok "the job copies all the same" copies
is "there is no history to show" "$(api /v1/runs | jq -r .type)" \
    urn:nbdsync:no-state
ok "the daemon ends well without it" stop_daemon
with_state "$tmp/no/such/place"
exits 12 "how a run ended that nobody knows of is no success" \
    "$nbdsync" wait one
like "and said not to be known" "$err" "job 'one' .* is not known yet"
stop_daemon

mkdir "$tmp/damaged"
make_data "$tmp/damaged/state.db" 40000 4
with_state "$tmp/damaged"
is "a damaged database is begun afresh" "$(store_is ok)" ok
is "the old one is kept" "$(cat "$tmp/damaged"/state.db.damaged-* | wc -c)" \
    40000
like "the log says where" "$(cat "$tmp/daemon.log")" \
    "error: state: .*is now 'state.db.damaged-"
ok "the job copies then, too" copies
ok "that daemon ends well" stop_daemon

mkdir "$tmp/newer"
cp "$tmp/new/state.db" "$tmp/newer/"
sqlite3 "$tmp/newer/state.db" 'PRAGMA user_version = 99' || bail "no sqlite3"
cksum <"$tmp/newer/state.db" >"$tmp/before"
with_state "$tmp/newer"
is "a database of a newer version is refused" "$(store_is unavailable)" \
    unavailable
like "with a sentence" "$(store detail)" 'a newer nbdsync has made it'
ok "the job copies meanwhile" copies
ok "this daemon ends well" stop_daemon
is "and the database is as it was" "$(cksum <"$tmp/newer/state.db")" \
    "$(cat "$tmp/before")"
is "nothing else was set aside" \
    "$(find "$tmp/newer" -name '*damaged*' | wc -l)" 0

# What is damaged while the daemon runs has lost what the daemon still knows.
with_state "$tmp/later"
store_is ok >/dev/null
"$nbdsync" pause --quiet --reason "works" one
sql()
{
	sqlite3 -cmd ".timeout 20000" "$tmp/later/state.db" "$1" 2>/dev/null
}
wait_for '[ "$(sql "SELECT paused_reason FROM jobs")" = works ]'
sql "UPDATE jobs SET last_attempt_ms = 1; PRAGMA wal_checkpoint(TRUNCATE)" \
    >/dev/null
make_data "$tmp/garbage" $((11 * 4096)) 5
dd if="$tmp/garbage" of="$tmp/later/state.db" bs=4096 seek=1 conv=notrunc \
    2>/dev/null
api /v1/runs >/dev/null
ok "one that is damaged later is set aside, too" \
    wait_for 'ls "$tmp/later" | grep -q damaged'
ok "and the fresh one gets what is known" \
    wait_for '[ "$(sql "SELECT paused_reason FROM jobs")" = works ]'
ok "the last daemon ends well" stop_daemon
