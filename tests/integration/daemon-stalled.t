#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run that does not go on says so, before long, and when it is over.  What
# is flushed is progress, too: that is over soon.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires nbdkit file --version
requires jq --version
plan 17

make_data "$tmp/data" $((4 * MiB)) 1
truncate -s 4M "$tmp/copy"
touch "$tmp/hold" "$tmp/later"
start_nbdkit src -r eval get_size="echo $((4 * MiB))" pread="
	while [ -e $tmp/hold ] && [ \$4 -ge $((2 * MiB)) ]; do sleep 0.1; done
	while [ -e $tmp/later ] && [ \$4 -ge $((3 * MiB)) ]; do sleep 0.1; done
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
umask 022
cat >"$tmp/hook" <<-END
	#!/bin/sh
	cat >"$tmp/input"
	echo "\$NBDSYNC_HOOK \$NBDSYNC_EVENT \$NBDSYNC_JOB \$NBDSYNC_RUN" \
	    >>"$tmp/hooks"
	END
chmod 755 "$tmp/hook"
conf "endpoints = (
  { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\";
  connections = 1; queue_depth = 1; request_size = \"256KiB\";
  checkpoint = \"1s\"; stalled_after = \"12s\";
  on_stalled = [ \"$tmp/hook\" ]; } );"
start_daemon "$tmp/conf"
start_process events "$nbdsync" events --json
start_job vm

# How long nothing has moved, each time that it is not called stalled.
longest=0
look()
{
	api /v1/jobs/vm >"$tmp/job"
	[ "$(jq -r .state "$tmp/job")" != stalled ] || return 0
	ms_=$(jq '.run.progress.stalled_ms' "$tmp/job")
	[ "$ms_" -le "$longest" ] || longest=$ms_
	return 1
}
wait_for look 60
is "a run that does not go on is stalled" $? 0
ok "within 15 s" [ "$longest" -lt 15000 ]
is "which is its phase, too" "$(jq -r .run.progress.phase "$tmp/job")" stalled
is "of all that limits a run that moves, nothing limits it" \
    "$(jq -r .run.progress.limited_by "$tmp/job")" none
ok "with how long nothing has moved" [ "$(jq .run.progress.stalled_ms \
    "$tmp/job")" -ge 10000 ]
ok "the table has it" eval '"$nbdsync" status | grep -q stalled'
wait_for "grep -q job.stalled '$tmp/events.log'"
is "and there is an event" $? 0
ok "the log says so" wait_for "grep -q \
    \"warning: job 'vm': stands still: nothing has moved for 1\" \
    '$tmp/daemon.log'"
ok "when it lasts, the hook is run" wait_for "[ -s '$tmp/hooks' ]"
is "for this run" "$(cat "$tmp/hooks")" "on_stalled job.stalled vm $run"
ok "which is told for how long" jq -e '.stalled_s >= 12 and .stalled_s < 60
    and .trigger == "control" and .source == "s"' "$tmp/input"
rm "$tmp/hold"
wait_for "grep -q job.recovered '$tmp/events.log'"
is "and one when it goes on" $? 0
ok "the log has it" wait_for "grep -q \"info: job 'vm': goes on again\" \
    '$tmp/daemon.log'"
ok "the hook is run once more" wait_for \
    "[ \$(grep -c . '$tmp/hooks') -ge 2 ]"
is "for that" "$(sed -n 2p "$tmp/hooks")" \
    "on_stalled job.recovered vm $run"
rm "$tmp/later"
ok "it runs to its end" wait_job vm 60
ok "with all that there is" cmp "$tmp/data" "$tmp/copy"
