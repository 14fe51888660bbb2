#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync reload says what changed, or what is wrong, and many reloads, broken
# ones among them, do not disturb a job that runs.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 40

: "${RELOADS:=40}"

endpoints="endpoints = ( $(slow_endpoint slow),
  { name = \"fast\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"null\"; uri = \"null:\"; } );"
job()
{
	echo "{ name = \"$1\"; source = \"fast\"; destination = \"null\"; ${2:-} }"
}
sum()
{
	cat "$@" | sha256sum | cut -d ' ' -f 1
}

conf "$endpoints" "jobs = ( $(slow_job old slow null), $(job same),
    $(job gone), $(job other) );"
start_daemon "$tmp/conf"
start_job old
wait_copied old

first=$(sum "$tmp/conf")
conf "$endpoints" "jobs = ( $(slow_job old slow null), $(job same),
    $(job new), $(job other "queue_depth = 3;") );"
exits 0 "--dry-run tells what would change" "$nbdsync" reload --dry-run
like "what would come" "$out" "^added: new$"
like "what would go" "$out" "^removed: gone$"
like "what would be different" "$out" "^changed: other$"
like "and how much would not" "$out" "^unchanged: 2 jobs$"
is "the configuration is the one before" \
    "$(api /v1/version | jq -r .config_sha256)" "$first"
is "but nothing comes" "$(api_status /v1/jobs/new)" 404
is "and nothing goes" "$(api_status /v1/jobs/gone)" 200

exits 0 "reload takes it over, with the lists as JSON" "$nbdsync" reload --json
is "of names" "$(echo "$out" | jq -c \
    '[.ok, .dry_run, .added, .removed, .changed, .unchanged]')" \
    '[true,false,["new"],["gone"],["other"],["old","same"]]'
is "the configuration in force is told by its hash" \
    "$(api /v1/version | jq -r .config_sha256)" "$(sum "$tmp/conf")"
is "and the new job is there" "$(api_status /v1/jobs/new)" 200
is "and the old one is not" "$(api_status /v1/jobs/gone)" 404

cp "$tmp/conf" "$tmp/good"
echo 'jobs = ( { name = "x"; sorce = "a"; } );' >"$tmp/conf"
exits 78 "a configuration with mistakes is not taken over" "$nbdsync" reload
like "it is said how many there are" "$err" "has 3 mistakes; the old one"
like "each with file and line" "$err" \
    "$tmp/conf:1:24: job \"x\": unknown key \"sorce\" \(did you mean \"source\""
ok "and they are in the log" \
    grep -q "error: .*/conf:1:24: job \"x\": unknown key" "$tmp/daemon.log"
is "as a problem with a list" "$(api /v1/config/reload --request POST |
    jq -c '[.type, .status, (.problems | length)]')" \
    '["urn:nbdsync:bad-configuration",422,3]'
rm "$tmp/conf"
exits 78 "nor is one that is not there" "$nbdsync" reload --dry-run
like "which is said" "$err" "$tmp/conf: cannot be read: No such file"
mkdir "$tmp/conf"
exits 78 "nor is a directory" "$nbdsync" reload
rmdir "$tmp/conf"

n=0 wrong=0
was=$(job_field old .run.progress.done_bytes)
while [ $((n += 1)) -le "$RELOADS" ]; do
	cp "$tmp/good" "$tmp/conf"
	want=0
	case $((n % 4)) in
	0)	echo '@include "/"' >>"$tmp/conf"; want=78 ;;
	1)	echo '/* never closed' >>"$tmp/conf"; want=78 ;;
	2)	sed -i "s/queue_depth = 3/queue_depth = $((n + 4))/" "$tmp/conf"
	esac
	"$nbdsync" reload >"$tmp/out" 2>"$tmp/err"
	[ $? -eq $want ] || { wrong=$((wrong + 1)); cat "$tmp/err"; }
done
is "each of $RELOADS reloads ends as it should" "$wrong" 0
is "the running job is the same run" "$(job_field old .run.id)" "$run"
ok "and goes on" \
    wait_for "[ \$(job_field old .run.progress.done_bytes) -gt $was ]"

cp "$tmp/good" "$tmp/conf"
pid=$(pid_of daemon)
n=0
while [ $((n += 1)) -le 50 ]; do
	kill -HUP "$pid"
done
exits 0 "after a storm of signals a reload is answered" "$nbdsync" reload
is "and the run goes on" "$(job_field old .run.id)" "$run"

mkdir "$tmp/conf.d"
echo '# the first' >"$tmp/conf.d/a.conf"
echo '# the last' >"$tmp/conf.d/b.conf"
echo "include_dir = \"$tmp/conf.d\";" >>"$tmp/conf"
exits 0 "a configuration of several files" "$nbdsync" reload
is "has the hash of all, in their order" \
    "$(api /v1/version | jq -r .config_sha256)" \
    "$(sum "$tmp/conf" "$tmp/conf.d/a.conf" "$tmp/conf.d/b.conf")"
# Who wants to be sure that nothing writes any more can wait for it.
conf "$endpoints" "jobs = ( $(job same) );"
start_process reload "$nbdsync" reload --wait
wait_for "grep -q \"job 'old': no longer configured; it goes\" \
    '$tmp/daemon.log'"
is "a job that is no longer configured runs on" "$(job_field old .run.id)" \
    "$run"
ok "and is waited for" kill -0 "$(pid_of reload)"
is "cancelling it" "$(api_status /v1/jobs/old/cancel --request POST)" 202
wait "$(pid_of reload)"
is "ends the waiting" $? 0
is "then it is gone" "$(api_status /v1/jobs/old)" 404
like "what has changed is told" "$(cat "$tmp/reload.log")" '^removed: .*old'
exits 0 "nothing is waited for where nothing runs" "$nbdsync" reload --wait
echo 'daemon = { workers = 3; }; web = { listen = "127.0.0.1:1"; };' \
    >>"$tmp/conf"
exits 0 "what only a restart can change is taken over" "$nbdsync" reload
like "and said not to count yet" "$out" \
    "^counts after a restart: daemon\.workers web\.listen$"
is "in the log, too" "$(grep -c 'the change counts after a restart' \
    "$tmp/daemon.log")" 2
is "the next time it is nothing new" "$("$nbdsync" reload --json |
    jq -c .after_restart)" '[]'
stop_process daemon
is "the daemon ends well" "$?" 0
