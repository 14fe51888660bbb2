#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror whose passes fail is told of wherever one may look: in the log, as
# an event, by a hook, its health, and by the commands.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error file --version
requires jq --version
plan 43

mirror()
{
	job_field m ".run.progress.mirror.$1"
}

n_logged()
{
	grep -c "$1" "$tmp/daemon.log"
}

health_of_metrics()
{
	api /metrics | sed -n 's/^nbdsync_job_health{job="m"} //p'
}

# What is told when a pass of this many failed ones is over.
between()
{
	api /v1/jobs/m >"$tmp/between"
	jq -e ".run.progress | .mirror.next_pass_at != null and
	    .mirror.passes_failed >= $1" "$tmp/between" >"$tmp/is-between"
}

make_data "$tmp/a" $((4 * MiB)) 1
truncate -s $((4 * MiB)) "$tmp/b" "$tmp/c"
start_nbdkit destination file "$tmp/b"
umask 022
cat >"$tmp/hook" <<END
#!/bin/sh
echo "\$NBDSYNC_EVENT \$NBDSYNC_HOOK \$NBDSYNC_RUN \$NBDSYNC_ERROR" >>"$tmp/hooks"
END
chmod 755 "$tmp/hook"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"gone\"; uri = \"nbd+unix:///?socket=$tmp/gone.sock\"; },
  { name = \"b\"; uri = \"$(uri destination)\"; } );
jobs = ( { name = \"two\"; mode = \"mirror\"; source = \"a\";
    destinations = [ \"c\", \"gone\" ]; pass_interval = \"1s\"; reconnect = \"0\"; },
  { name = \"m\"; mode = \"mirror\"; source = \"a\";
    destination = \"b\"; pass_interval = \"200ms\"; reconnect = \"0\";
    on_mirror_failing = [ \"$tmp/hook\" ]; } );"
start_daemon "$tmp/conf"
start_process events "$nbdsync" events --json
start_job m
ok "it is in sync" wait_for '[ "$(mirror in_sync)" = true ]'
ok "which is fine" "$nbdsync" check m
ok "status says how many passes are complete" "$nbdsync" status m
like "and that it is in sync" "$out" '^passes: +[0-9]+ complete, in sync$'
like "and since when" "$out" '^consistent: +as of [0-9.]+ ?[a-z]+ ago$'
is "nothing has failed" "$(n_logged 'warning: job .m.')" 0
not_ok "and no hook was run" test -e "$tmp/hooks"

stop_process destination KILL
ok "without its destination passes fail" wait_for \
    '[ "$(mirror passes_failed)" -ge 1 ]'
ok "the log says so, and why" wait_for \
    "grep \"warning: job 'm': pass [0-9]* has failed, and is tried again: \" \
    '$tmp/daemon.log' | grep -q \"destination 'b'\""
ok "there is an event" wait_for \
    "grep -q 'job.mirror-failing' '$tmp/events.log'"
ok "a hook is run" wait_for "grep -q '^job.mirror-failing on_mirror_failing' \
    '$tmp/hooks'"
like "which is told of what" "$(cat "$tmp/hooks")" \
    "^job.mirror-failing on_mirror_failing $run destination 'b': "
is "with its health" "$(grep job.mirror-failing "$tmp/events.log" |
    jq -r '"\(.job) \(.new) \(.health)"')" "m mirroring warn"
is "which the job has, too" "$(job_field m .health)" warn
is "and the daemon" "$(api /v1/health | jq -r .health)" warn
is "and the figures" "$(health_of_metrics)" 1
exits 1 "it is a warning" "$nbdsync" check m
like "that says why" "$out" \
    "^NBDSYNC WARNING - m: passes fail: destination 'b': "
# The first may have had its connection cut, and the others find no server.
ok "more passes fail" wait_for 'between 2'
n=$(n_logged 'has failed, and is')
ok "and more" wait_for 'between 3'
is "between them nothing moves" "$(jq -c '.run.progress |
    [.rate_bytes_per_s, .eta_s]' "$tmp/between")" "[0,null]"
is "that is not said each time" "$(n_logged 'has failed, and is')" "$n"
is "nor told" "$(grep -c job.mirror-failing "$tmp/events.log")" 1
ok "status shows it" "$nbdsync" status m
like "how many have failed" "$out" \
    '^passes: +[0-9]+ complete, [0-9]+ failed since then$'
like "and why" "$out" "^last failure: destination 'b': "
like "and how old it is what the destination has" "$out" \
    '^consistent: +as of [0-9.]+ ?[a-z]+ ago$'
like "the table has it" "$("$nbdsync" status)" '^m +mirroring +failing +-'

# Another server, and another reason.  By now the pause before a pass may be
# as long as it becomes, a minute.
touch "$tmp/trouble"
start_nbdkit destination --filter=error file "$tmp/b" \
    error-pread-rate=100% error-file="$tmp/trouble"
ok "when the cause is another, that is said" wait_for \
    "grep 'has failed, and is' '$tmp/daemon.log' |
    grep -q 'read .*: Input/output error'" 150
rm "$tmp/trouble"
ok "when a pass is complete, it is in sync again" wait_for \
    '[ "$(mirror in_sync)" = true ]' 150
ok "which is said" wait_for \
    "grep -q \"info: job 'm': a pass is complete again, after [1-9]\" \
    '$tmp/daemon.log'"
is "once" "$(n_logged 'complete again')" 1
ok "and told" wait_for "grep -q job.mirror-recovered '$tmp/events.log'"
ok "also by the hook" wait_for \
    "grep -q '^job.mirror-recovered on_mirror_failing' '$tmp/hooks'"
is "each of which was run once" "$(wc -l <"$tmp/hooks")" 2
ok "that is fine" "$nbdsync" check m
not_ok "in the figures, too" [ "$(health_of_metrics)" = 1 ]
n=$(n_logged 'warning: job .m.')

api /v1/jobs/m/cancel --request POST >/dev/null
wait_job m
is "what is ended then has not failed" "$(n_logged 'warning: job .m.')" "$n"

# One of two destinations was never there.
start_job two
ok "a first pass that fails for one destination is told, too" wait_for \
    "grep \"warning: job 'two': pass [0-9]* has failed, and is tried again: \" \
    '$tmp/daemon.log' | grep -q \"destination 'gone'\""
is "as the job's health" "$(job_field two .health)" warn
exits 1 "it is a warning" "$nbdsync" check two
run "$nbdsync" status two
like "status has no pass that would be complete" "$out" \
    '^passes: +0 complete, [0-9]+ failed$'
ok "it is mirroring all the same, in later passes" wait_for \
    '[ "$(job_field two .run.progress.mirror.pass)" -ge 3 ] &&
    [ "$(job_field two .state)" = mirroring ]'
