#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job whose last success is too old says so, to all who may want to know.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
plan 37

cat >"$tmp/hook" <<-END
	#!/bin/sh
	echo "\$NBDSYNC_HOOK \$NBDSYNC_EVENT \$NBDSYNC_JOB" >>"$tmp/hooks"
	cat >"$tmp/input"
	while [ -e "$tmp/hold" ]; do sleep 0.05; done
	END
chmod 755 "$tmp/hook"
conf_with()
{
	conf "endpoints = ( { name = \"q\"; command = [ \"nbdkit\", \"pattern\",
	    \"1M\" ]; }, { name = \"n\"; uri = \"null:\"; } );
	jobs = ( { name = \"vm\"; source = \"q\"; destination = \"n\"; $1 },
	  { name = \"free\"; source = \"q\"; destination = \"n\"; } );"
}
conf_with "rpo_warn = \"1h\"; rpo_crit = \"2h\"; on_rpo = [ \"$tmp/hook\" ];"
start_daemon "$tmp/conf"
start_process events "$nbdsync" events --json

is "a fresh job is nothing to worry about" "$(job_field vm .health)" unknown
is "its RPO is known" "$(job_field vm '.rpo | del(.age_s)' | jq -c .)" \
    '{"warn_s":3600,"crit_s":7200,"level":"ok","violated":false}'
is "a job without has none" "$(job_field free .rpo)" null
exits 0 "check is content" "$nbdsync" check

conf_with "rpo_warn = \"1s\"; rpo_crit = \"2h\"; on_rpo = [ \"$tmp/hook\" ];"
"$nbdsync" reload >/dev/null
ok "without a success it becomes a warning" wait_for \
    '[ "$(job_field vm .health)" = warn ]'
is "which is a violation" "$(job_field vm .rpo.violated)" true
is "of the level" "$(job_field vm .rpo.level)" warn
exits 1 "check warns" "$nbdsync" check vm
like "with the reason" "$out" '^NBDSYNC WARNING - vm: RPO violated'
like "and the age, with its limits" "$out" ' rpo_age=[0-9]+s;1;7200( |$)'
is "the whole is no better" "$(api /v1/health | jq -r .health)" warn
is "and names the job" "$(api /v1/health | jq -r .job_health.vm)" warn
ok "an event tells of it" wait_for \
    "grep -q 'job.rpo-warning' $tmp/events.log"
ok "the hook is run" wait_for "grep -q . $tmp/hooks"
is "once, with what it needs" "$(cat "$tmp/hooks")" \
    "on_rpo job.rpo-warning vm"
ok "and JSON" wait_for "[ \"\$(jq -r .event $tmp/input)\" = job.rpo-warning ]"
like "the log has it" "$("$nbdsync" log vm)" \
    "warning +job 'vm': RPO violated: no success for"
metric()
{
	api /metrics | awk -v name="$1" '$1 == name { print $2 }'
}
is "the figures have the limit" \
    "$(metric 'nbdsync_job_rpo_seconds{job="vm",level="warn"}')" 1
is "and the health" "$(metric 'nbdsync_job_health{job="vm"}')" 1

conf_with "rpo_warn = \"1s\"; rpo_crit = \"2s\"; on_rpo = [ \"$tmp/hook\" ];"
"$nbdsync" reload >/dev/null
ok "in the end it is critical" wait_for '[ "$(job_field vm .health)" = crit ]'
exits 2 "for check, too" "$nbdsync" check
is "the whole answers with 503" "$(api_status /v1/health)" 503
ok "another event tells of it" wait_for \
    "grep -q 'job.rpo-critical' $tmp/events.log"
ok "and the hook" wait_for "grep -q 'job.rpo-critical vm' $tmp/hooks"

conf_with "rpo_warn = \"1h\"; rpo_crit = \"2h\"; on_rpo = [ \"$tmp/hook\" ];"
"$nbdsync" reload >/dev/null
"$nbdsync" start --wait --quiet vm
is "after a success all is well" "$(job_field vm .health)" ok
ok "an event tells of that" wait_for \
    "grep -q 'job.rpo-recovered' $tmp/events.log"
ok "and the hook" wait_for "grep -q 'job.rpo-recovered vm' $tmp/hooks"
is "which is told of no change twice" "$(grep -c . "$tmp/hooks")" 3
exits 0 "check is content again" "$nbdsync" check
like "status has it, too" "$("$nbdsync" status vm)" '^RPO: +[0-9.]+ ?m?s, ok$'
is "but not of a job without" "$("$nbdsync" status free | grep -c RPO)" 0
uuid=$(job_field vm .last_run.uuid)
like "the run has a name for others" "$uuid" \
    '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
# One hook at a time, but none that is for something worse is lost.
rm "$tmp/hooks"
touch "$tmp/hold"
conf_with "rpo_warn = \"1s\"; rpo_crit = \"2s\"; on_rpo = [ \"$tmp/hook\" ];"
"$nbdsync" reload >/dev/null
ok "while the hook for a warning runs, it becomes critical" wait_for \
    '[ "$(job_field vm .health)" = crit ] && [ -e "$tmp/hooks" ]'
before=$(cat "$tmp/hooks")
rm "$tmp/hold"
wait_for '[ "$(grep -c . "$tmp/hooks")" -ge 2 ] ||
    [ "$before" = "on_rpo job.rpo-critical vm" ]'
is "and that has its own, afterwards" "$(tail -n 1 "$tmp/hooks")" \
    "on_rpo job.rpo-critical vm"

rm "$tmp/hooks"
conf_with "rpo_warn = \"1s\"; rpo_repeat = \"1s\"; on_rpo = [ \"$tmp/hook\" ];"
"$nbdsync" reload >/dev/null
ok "what lasts is told again and again, where that is wished" wait_for \
    '[ "$(grep -c job.rpo-warning "$tmp/hooks")" -ge 3 ]'

conf_with "rpo_warn = \"2h\"; rpo_crit = \"1h\";"
like "a limit behind the other is refused" "$("$nbdsync" reload 2>&1)" \
    '"rpo_crit" must be longer than "rpo_warn"'
stop_process events INT
stop_process daemon
is "the daemon ends well" "$?" 0
