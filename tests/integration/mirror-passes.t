#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mirroring: pass after pass, with a source that changes and a destination
# that goes away.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay --filter=error file --version
requires jq --version
requires env --default-signal=INT true
plan 44

change()
{
	printf '%s' "$2" | dd of="$1" bs=1 seek="$3" conv=notrunc status=none
}

mirror()
{
	job_field "$1" ".run.progress.mirror.$2"
}

# Passes that begin from now on: the one under way may have begun before.
wait_passes()
{
	now_=$(mirror "$1" passes_complete)
	wait_for "[ \$(mirror $1 passes_complete) -ge $((now_ + 2)) ]" 60
}

# Was it ever said to be in sync since a pass has failed?
watch_failed()
{
	api "/v1/jobs/$1" | jq -c '.run.progress.mirror |
	    select(.in_sync and (.passes_failed > 0 or .failure != null))' \
	    >>"$tmp/lies"
}

make_data "$tmp/a" $((6 * MiB + 512)) 1
truncate -s $((20 * MiB)) "$tmp/a"
for i in b c d e; do
	truncate -s $((20 * MiB)) "$tmp/$i"
done
touch "$tmp/trouble"
start_nbdkit bad --filter=error file "$tmp/a" error-pread-rate=100% \
    error-file="$tmp/trouble"
start_nbdkit source file "$tmp/a"
start_nbdkit destination file "$tmp/b"
conf "endpoints = (
  { name = \"a\"; uri = \"$(uri source)\"; },
  { name = \"b\"; uri = \"$(uri destination)\"; },
  { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"bad\"; uri = \"$(uri bad)\"; },
  { name = \"e\"; path = \"$tmp/e\"; },
  $(slow_endpoint slow), { name = \"null\"; uri = \"null:\"; },
  { name = \"gone\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; } );
jobs = ( { name = \"m\"; mode = \"mirror\"; source = \"a\";
    destination = \"b\"; pass_interval = \"0\"; reconnect = \"0\"; },
  { name = \"rare\"; mode = \"mirror\"; source = \"a\";
    destination = \"c\"; pass_interval = \"1h\"; rpo_warn = \"20s\"; },
  { name = \"retried\"; mode = \"mirror\"; source = \"bad\";
    destination = \"e\"; on_read_error = \"retry\"; retries = 1000; pass_interval = \"0\"; },
  { name = \"never\"; mode = \"mirror\"; source = \"gone\";
    destination = \"c\"; } );"
start_daemon "$tmp/conf"
start_process events "$nbdsync" events --json
start_job m
ok "passes follow each other" wait_passes m
ok "and make the disks equal" cmp "$tmp/a" "$tmp/b"
is "the state is" "$(job_field m .state)" mirroring
is "it says that it is in sync" "$(mirror m in_sync)" true
is "since when" "$(mirror m consistent_at | sed 's/[0-9]/9/g')" \
    9999-99-99T99:99:99.999Z
is "and how long ago, as a number" "$(mirror m consistent_age_ms | tr -d 0-9)" ""
change "$tmp/a" "something else" 15000000
ok "what changes between passes" wait_passes m
ok "is there after another" cmp "$tmp/a" "$tmp/b"

# The source is written all the time, while passes read it.
i=0
while [ $i -lt 300 ]; do
	change "$tmp/a" "$i" $((i * 61001 % 20000000))
	i=$((i + 1))
done
ok "when a busy source is quiet again" wait_passes m
ok "it is equal after a pass" cmp "$tmp/a" "$tmp/b"

before=$(mirror m consistent_at)
stop_process destination
ok "a pass without destination fails" wait_for \
    '[ "$(mirror m passes_failed)" -gt 0 ]'
is "and it is not in sync" "$(mirror m in_sync)" false
like "it says why" "$(mirror m failure)" "^destination 'b': "
is "the state is no other" "$(job_field m .state)" mirroring
change "$tmp/a" "while it is away" 3000000
for i in 1 2 3 4 5 6 7 8; do
	watch_failed m
	sleep 0.1
done
ok "it goes on trying" wait_for '[ "$(mirror m passes_failed)" -gt 1 ]'
after=$(mirror m consistent_at)
ok "the consistent time stands still" \
    [ "$(mirror m consistent_at)" = "$after" ]
age=$(mirror m consistent_age_ms)
sleep 0.1
ok "and its age grows" [ "$(mirror m consistent_age_ms)" -gt "$age" ]
not_ok "the disks differ" cmp "$tmp/a" "$tmp/b"
start_nbdkit destination file "$tmp/b"
ok "when it is back, so is the mirror" wait_for \
    'watch_failed m; [ "$(mirror m in_sync)" = true ]' 60
is "without failed passes" "$(mirror m passes_failed)" 0
ok "equal" cmp "$tmp/a" "$tmp/b"
is "it was never called in sync when a pass had failed" \
    "$(cat "$tmp/lies")" ""
ok "its consistent time is a later one" \
    [ "$(printf '%s\n' "$before" "$(mirror m consistent_at)" | sort |
    tail -n 1)" != "$before" ]

# Smaller than it was: no later pass can make that good.
stop_process destination
truncate -s 1M "$tmp/b"
start_nbdkit destination file "$tmp/b"
rev=$(job_field m .rev)
wait_job m 60
is "a destination that has become too small ends it" \
    "$(job_field m .last_run.result)" failed
like "and why is told" "$(job_field m .last_run.failure.message)" \
    "destination is too small"

ok "a job has not succeeded for too long" wait_for \
    "grep 'job.rpo-warning' '$tmp/events.log' | grep -q rare"
start_job rare
ok "a first pass is complete" wait_for \
    '[ "$(mirror rare passes_complete)" = 1 ]'
ok "the disks are equal" cmp "$tmp/a" "$tmp/c"
consistent=$(mirror rare consistent_at)
is "that is its last success, though it goes on" "$(job_field rare \
    '"\(.last_success.finished_at) \(.last_consistent_at)"')" \
    "$consistent $consistent"
ok "so it is within its RPO again" wait_for \
    "grep 'job.rpo-recovered' '$tmp/events.log' | grep -q rare"
like "the next is told" "$(mirror rare next_pass_at)" '^20'
api /v1/jobs/rare/cancel --request POST >/dev/null
wait_job rare
is "cancelled then, it is stopped" "$(job_field rare .last_run.result)" \
    stopped
is "which makes the copy no younger" "$(job_field rare \
    '.last_success.finished_at')" "$consistent"

# Figures of all passes.
metric()
{
	api /metrics | sed -n "s/^$1{job=\"retried\".*} //p" | awk '{ n += $1 }
	    END { print n + 0 }'
}
start_job retried
ok "reads of a pass are tried again" wait_for \
    '[ "$(job_field retried .run.progress.retries)" -gt 0 ]'
before=$(job_field retried .run.progress.retries)
rm "$tmp/trouble"
wait_passes retried
ok "what has happened in a pass is counted after it, too" \
    [ "$(job_field retried .run.progress.retries)" -ge "$before" ]
ok "also in the figures" [ "$(metric nbdsync_retries_total)" -ge "$before" ]
api /v1/jobs/retried/cancel --request POST >/dev/null
start_job never
wait_job never
is "a first pass that fails is a failure" \
    "$(job_field never .last_run.result)" failed

# Without a daemon.
mirror="env --default-signal=INT $nbdsync mirror"
# shellcheck disable=SC2086
start_process mirror $mirror --interval 1h "$(uri source)" "$tmp/d"
ok "the command mirrors, too" wait_for \
    "grep -q 'first pass is complete' '$tmp/mirror.log'"
ok "equally" cmp "$tmp/a" "$tmp/d"
stop_process mirror INT
is "stopped between passes, it succeeds" "$status" 0
like "and says so" "$(cat "$tmp/mirror.log")" \
    'stopped after 1 complete passes; what the source had at 20'
# shellcheck disable=SC2086
start_process mirror $mirror --interval 1h --sync --json "$(uri source)" \
    "$tmp/d"
wait_for "grep -q 'first pass is complete' '$tmp/mirror.log'"
stop_process mirror INT
is "its report is that of a run that is over" "$(sed -n '/^{/,$p' \
    "$tmp/mirror.log" | jq -c '[.result, .progress.phase,
    .progress.ratio == 1]')" '["stopped","finished",true]'

# A second pass that is held in a read.
head -c $((1 * MiB)) "$tmp/a" >"$tmp/small"
truncate -s $((1 * MiB)) "$tmp/e"
cat >"$tmp/hold" <<END
case \$1 in
get_size) echo $((1 * MiB)) ;;
pread)
	while [ -e "$tmp/held" ]; do
		: >"$tmp/is-held"
		sleep 0.1
	done
	dd if="$tmp/small" bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 2>/dev/null ;;
can_write) exit 3 ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/hold"
start_nbdkit holding -r sh "$tmp/hold"
rm "$tmp/mirror.log"
# shellcheck disable=SC2086
start_process mirror $mirror --interval 0 --sync "$(uri holding)" "$tmp/e"
wait_for "grep -q 'first pass is complete' '$tmp/mirror.log'"
: >"$tmp/held"
wait_for "[ -e '$tmp/is-held' ]"
stop_process mirror INT
rm "$tmp/held"
is "stopped in a pass, it does not" "$status" 130
like "but tells when it was complete last" "$(cat "$tmp/mirror.log")" \
    'cancelled in pass [0-9]+; the destination was last complete with what'
