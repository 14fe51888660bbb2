#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hooks after a run that the daemon was killed in run when it is there
# again, once, and before anything else of that job.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires sqlite3 --version
plan 21

umask 022
cat >"$tmp/hook" <<END
#!/bin/sh
cat >"$tmp/\$1.json"
env | grep ^NBDSYNC_ | sort >"$tmp/\$1.env"
echo "\$1" >>"$tmp/order"
while [ -e "$tmp/held" ]; do sleep 0.05; done
END
chmod 755 "$tmp/hook"
hook()
{
	echo "$1 = [ \"$tmp/hook\", \"$2\" ];"
}
hooks="$(hook pre pre) $(hook post post) $(hook on_failure failure)"
write_conf()
{
	conf "endpoints = ( $(slow_endpoint slow | sed 's/}$//')
	    $(hook post source) }, $(slow_endpoint other),
	  { name = \"n\"; uri = \"null:\"; } );" \
	    "jobs = ( $(slow_job one slow n "$hooks ${1-}"),
	    $(slow_job plain other n) );"
}
# In a run of each job.
kill_daemon()
{
	for job_ in one plain; do
		start_job "$job_"
		wait_copied "$job_"
	done
	run=$(job_field one .run.id)
	uuid=$(job_field one .run.uuid)
	# That they have begun is to be stored.
	wait_for "[ \$(sql \"SELECT count(*) FROM jobs
	    WHERE json_extract(counters, '\$.begun.id') != ''\") = 2 ]"
	stop_process daemon KILL
	rm -f "$tmp"/*.json "$tmp"/*.env "$tmp/order"
}
state()
{
	job_field one .state
}

write_conf
start_daemon "$tmp/conf"
kill_daemon
: >"$tmp/held"
start_daemon "$tmp/conf"
ok "the hooks after it are run" wait_for "[ -s '$tmp/source.env' ]"
is "the job is stopping meanwhile" "$(state)" stopping
exits 7 "and does not start" "$nbdsync" start one
like "which says why" "$err" "job 'one' still runs the hooks after a run"
is "others do not" "$(job_field plain .state)" idle
rm "$tmp/held"
ok "they end" wait_for '[ "$(state)" = idle ]'
is "in their order, and without those before a run" \
    "$(tr '\n' ' ' <"$tmp/order")" "source post failure "
is "they know which run it was" "$(grep -e RUN= -e RUN_UUID= -e TRIGGER= \
    "$tmp/post.env" | tr '\n' ' ')" \
    "NBDSYNC_RUN=$run NBDSYNC_RUN_UUID=$uuid NBDSYNC_TRIGGER=control "
is "and what became of it" "$(grep -e ERROR= -e RESULT= "$tmp/failure.env" |
    tr '\n' ' ')" "NBDSYNC_ERROR=the daemon ended while it ran \
NBDSYNC_RESULT=failed "
is "as standard input has it" "$(jq -c '[.job, .run, .result,
    .last_run.id, .last_run.result, .destinations]' "$tmp/post.json")" \
    "[\"one\",\"$run\",\"failed\",\"$run\",\"failed\",[\"n\"]]"
stop_process daemon
rm "$tmp/order"
start_daemon "$tmp/conf"
wait_for '[ "$(job_field one .uuid)" != null ]'
is "another restart runs none" "$(state; cat "$tmp/order" 2>&1)" \
    "idle
cat: $tmp/order: No such file or directory"

# What is due waits for them, and is not left out.
kill_daemon
write_conf 'interval = "1h";'
: >"$tmp/held"
start_daemon "$tmp/conf"
ok "another one was killed, and the job is due" \
    wait_for "[ -s '$tmp/source.env' ]"
is "nothing begins before they have ended" "$(job_field one .run)" null
rm "$tmp/held"
ok "but then" wait_for '[ "$(job_field one .run.trigger)" = schedule ]'
is "it was not skipped" "$(job_field one .schedule.skipped)" 0
is "all others came first" "$(tr '\n' ' ' <"$tmp/order")" \
    "source post failure pre "

# A daemon that is told to end waits for them; a job that goes, too.
"$nbdsync" cancel --quiet --wait one
write_conf
"$nbdsync" reload --quiet
kill_daemon
: >"$tmp/held"
start_daemon "$tmp/conf"
wait_for "[ -s '$tmp/source.env' ]"
conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(slow_job plain slow n) );"
ok "the job is taken out" "$nbdsync" reload
is "and is there until they have ended" "$(state)" stopping
{
	wait_for "grep -q 'stopping, ' '$tmp/daemon.log'" &&
	    : >"$tmp/waited"
	rm "$tmp/held"
} &
stop_process daemon
is "the daemon ends well" "$?" 0
ok "after them" [ -e "$tmp/waited" ]
is "all of them" "$(tr '\n' ' ' <"$tmp/order")" "source post failure "
