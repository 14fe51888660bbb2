#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks run around a run: in order, in an environment of their own, each with
# its time; and what they say of the run is done.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
plan 76

umask 022
# Every other block differs.
perl -e 'print "a" x 4096, "b" x 4096 for 1 .. 1000' >"$tmp/a"
perl -e 'print "a" x 8192 for 1 .. 1000' >"$tmp/b"
cat >"$tmp/hook" <<END
#!/bin/sh
cat >"$tmp/\$1.json"
env | sort >"$tmp/\$1.env"
echo \$\$ \$(ps -o sid= -p \$\$) >"$tmp/\$1.session"
echo "\$1" >>"$tmp/order"
echo "this is \$1"
echo "and a complaint of \$1" >&2
case \$2 in
hang) trap '' TERM; sleep 100 & wait; sleep 100 ;;
held) while [ -e "$tmp/held" ]; do sleep 0.05; done ;;
*) exit \${2:-0} ;;
esac
END
chmod 755 "$tmp/hook"
hook()
{
	echo "[ \"$tmp/hook\", \"$1\", \"${2:-0}\" ];"
}
job()
{
	echo "{ name = \"$1\"; source = \"src\"; destination = \"dst\";" \
	    "pre = $(hook job-pre "${2:-0}") post = $(hook job-post "${3:-0}")" \
	    "on_failure = $(hook fail 0) hook_timeout = \"${4:-60s}\"; }"
}
conf "endpoints = (
  { name = \"src\"; command = [ \"sh\", \"-c\",
    \"echo opened >>$tmp/order; exec nbdkit -f pattern 1M\" ];
    pre = $(hook src-pre) post = $(hook src-post) },
  { name = \"a\"; path = \"$tmp/a\"; }, { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"gone\"; command = [ \"/nonexistent/server\" ]; },
  { name = \"dst\"; uri = \"null:\";
    pre = $(hook dst-pre) post = $(hook dst-post 3) } );" \
"jobs = ( $(job good), $(job bad 1), $(job skip 75), $(job slow hang 0 5s),
  { name = \"held\"; source = \"src\"; destination = \"dst\";
    post = $(hook held held) hook_timeout = \"60s\"; },
  { name = \"unborn\"; source = \"src\"; destination = \"dst\";
    pre = $(hook job-pre 1) post = $(hook held held)
    hook_timeout = \"60s\"; },
  { name = \"differs\"; source = \"a\"; destination = \"b\"; mode = \"verify\";
    on_failure = $(hook differs) },
  { name = \"several\"; source = \"gone\"; destination = \"dst\";
    pre = ( [ \"$tmp/hook\", \"one\" ], [ \"$tmp/hook\", \"two\", \"1\" ],
      [ \"$tmp/hook\", \"three\" ] );
    on_failure = ( [ \"$tmp/hook\", \"four\", \"1\" ], [ \"$tmp/hook\", \"five\" ] ); },
  { name = \"broken\"; source = \"gone\"; destination = \"dst\";
    on_failure = $(hook fail) } );"
start_daemon "$tmp/conf"

start_job good
ok "a job with hooks ends" wait_job good
is "with success, although a hook after it failed" \
    "$(job_field good .last_run.result)" succeeded
is "all ran in order, and nothing was opened before" \
    "$(tr '\n' ' ' <"$tmp/order")" \
    "job-pre src-pre dst-pre opened dst-post src-post job-post "
like "what a hook says is logged" "$(cat "$tmp/daemon.log")" \
    "info: job 'good': pre: this is job-pre"
like "as a warning, if it is on standard error" "$(cat "$tmp/daemon.log")" \
    "warning: job 'good': pre of 'src': and a complaint of src-pre"
like "and the failure, too" "$(cat "$tmp/daemon.log")" \
    "error: job 'good': post of 'dst' failed: .*exited with status 3"
is "the environment is made from nothing" \
    "$(grep -v -e ^NBDSYNC_ -e ^PATH= -e ^PWD= -e ^SHLVL= -e ^_= \
	-e ^OLDPWD= "$tmp/src-pre.env")" ""
like "the session is of its own" "$(cat "$tmp/src-pre.session")" \
    '^([0-9]+) \1$'
like "and tells the job" "$(cat "$tmp/src-pre.env")" "NBDSYNC_JOB=good"
like "the run" "$(cat "$tmp/src-pre.env")" "NBDSYNC_RUN=$run"
like "its state" "$(cat "$tmp/src-pre.env")" "NBDSYNC_STATE=preparing"
like "also afterwards" "$(cat "$tmp/job-post.env")" "NBDSYNC_STATE=stopping"
like "how much was done" "$(cat "$tmp/job-post.env")" "NBDSYNC_BYTES=1048576"
like "the hook" "$(cat "$tmp/src-pre.env")" "NBDSYNC_HOOK=pre"
like "the endpoint" "$(cat "$tmp/src-pre.env")" "NBDSYNC_ENDPOINT=src"
like "afterwards the result" "$(cat "$tmp/job-post.env")" \
    "NBDSYNC_RESULT=succeeded"
is "standard input is JSON of the same" \
    "$(jq -c '[.hook, .job, .run, .destinations]' "$tmp/job-pre.json")" \
    "[\"pre\",\"good\",\"$run\",[\"dst\"]]"
is "with the result" "$(jq -r .last_run.result "$tmp/job-post.json")" \
    succeeded

rm "$tmp/order"
start_job bad
ok "a job whose first hook fails ends" wait_job bad
is "without success" "$(job_field bad .last_run.result)" failed
like "with a reason" "$(job_field bad .last_run.failure.message)" \
    "^pre: command .*hook' exited with status 1"
is "nothing was opened, and the hooks after it ran" \
    "$(tr '\n' ' ' <"$tmp/order")" "job-pre dst-post src-post job-post fail "
like "they know" "$(cat "$tmp/fail.env")" "NBDSYNC_RESULT=failed"
like "and why" "$(cat "$tmp/fail.env")" "NBDSYNC_ERROR=pre: command"

rm "$tmp/order"
start_job skip
ok "a job whose first hook exits with 75 ends" wait_job skip
is "as skipped" "$(job_field skip .last_run.result)" skipped
is "which is no failure" "$(tr '\n' ' ' <"$tmp/order")" \
    "job-pre dst-post src-post job-post "
is "nor a run that counts" "$(job_field skip .counters.runs)" 0
is "or says anything of the destination" "$(job_field skip .health)" unknown
is "but the history has it" "$(api /v1/jobs/skip/history |
    jq -r '.runs[].result')" skipped
events '?since=0&job=skip' "$tmp/events"
is "and those who listen" "$(jq -r 'select(.event | startswith("run.")) |
    .event' "$tmp/events" | tr '\n' ' ')" "run.started run.skipped "
exits 0 "nor for a command" "$nbdsync" start --wait --quiet skip
like "but it is said" "$err" "a hook had the run skipped"

start_job slow
ok "a job is preparing" \
    wait_for '[ "$(job_field slow .state)" = preparing ]'
ok "a hook that takes too long does not hold it up" wait_job slow 60
like "it is the reason" "$(job_field slow .last_run.failure.message)" \
    "^pre: it took too long and was ended"

start_job slow
ok "another" wait_for '[ "$(job_field slow .state)" = preparing ]'
is "is cancelled" "$(api_status /v1/jobs/slow/cancel --request POST)" 202
ok "ends" wait_job slow 60
is "as cancelled" "$(job_field slow .last_run.result)" cancelled
# The log says the same only once a second.
is "and a hook after it that fails is counted, as ever" "$(api /metrics |
    grep -F 'hook_runs_total{job="slow",hook="post",result="failed"}' |
    cut -d ' ' -f 2)" 2

# The hooks after a run: what has ended is not cancelled any more.
: >"$tmp/held"
start_job held
ok "the hook after a run runs" wait_for "[ -e '$tmp/held.json' ]"
is "the run can be cancelled" \
    "$(api_status /v1/jobs/held/cancel --request POST)" 202
rm "$tmp/held"
ok "it ends when the hook does" wait_job held
is "as what it had ended" "$(job_field held .last_run.result)" succeeded

# Nothing of it goes on, so nothing is left to be begun again.
rm "$tmp/held.json"
: >"$tmp/held"
start_job held
held_run=$run
wait_for "[ -e '$tmp/held.json' ]"
is "a run whose hooks still run is counted once" \
    "$(api /metrics | grep -c '^nbdsync_bytes_total{job="held",.*"read"} '\
"$((2 * 1048576))"'$')" 1
exits 8 "who waits for its end waits for them" \
    "$nbdsync" wait --timeout 300ms held
exits 8 "or for the job to be idle" \
    "$nbdsync" wait --for=idle --timeout 300ms held
is "the job can be paused meanwhile" \
    "$(api_status /v1/jobs/held/pause --request POST)" 200
rm "$tmp/held"
ok "it ends when the hook does" wait_job held
is "is resumed" "$(api_status /v1/jobs/held/resume --request POST)" 200
is "and what had ended is not run again" \
    "$(job_field held '[.state, .last_run.id, .last_run.result] |
	join(" ")')" "idle $held_run succeeded"

rm "$tmp/held.json"
: >"$tmp/held"
start_job unborn
ok "the hook after a run that was never begun runs" \
    wait_for "[ -e '$tmp/held.json' ]"
is "its state says so" "$(job_field unborn .state)" stopping
is "it can be cancelled" \
    "$(api_status /v1/jobs/unborn/cancel --request POST)" 202
rm "$tmp/held"
ok "it ends when the hook does" wait_job unborn
is "as what it had ended" "$(job_field unborn .last_run.result)" failed

rm -f "$tmp/fail.env"
start_job broken
ok "a run that fails" wait_job broken
like "has its hook run" "$(cat "$tmp/fail.env")" "NBDSYNC_JOB=broken"

rm "$tmp/order"
start_job several
ok "a job with several hooks of a kind ends" wait_job several
is "before the run up to the first that fails, afterwards all are run" \
    "$(tr '\n' ' ' <"$tmp/order")" "one two dst-post four five "

start_job differs
ok "a run with much to tell ends" wait_job differs
is "its hook is told all of it" "$(jq '.last_run.differences | length' \
    "$tmp/differs.json")" 1000

chmod 777 "$tmp/hook"
exits 78 "a program that others may change is refused" "$nbdsync" reload
chmod 755 "$tmp/hook"
chmod 777 "$tmp"
exits 78 "or put another in the place of" "$nbdsync" reload
like "which is said" "$err" \
    "the directory '$tmp' of '.*/hook' can be written to by"
is "as it is when it would be run" "$(start_job good && wait_job good
    job_field good .last_run.failure.message |
    grep -c "the directory '$tmp' of")" 1
chmod 1777 "$tmp"
exits 0 "but not where only its owner can" "$nbdsync" reload
chmod 700 "$tmp"
exits 0 "or nobody else comes" "$nbdsync" reload

# Its name may lead through places that are anybody's: what counts, and is
# run, is what is there in the end.
mkdir -p "$tmp/open/ours" "$tmp/links" "$tmp/bin"
printf '#!/bin/sh\necho "$0" >"%s"\n' "$tmp/ran" >"$tmp/bin/named"
chmod 755 "$tmp/bin/named"
ln -s "$tmp/bin/named" "$tmp/links/named"
cp "$tmp/bin/named" "$tmp/open/ours"
chmod 777 "$tmp/open" "$tmp/links"
sed "s,jobs = (,& { name = \"linked\"; source = \"a\"; destination = \"dst\";\
    pre = [ \"$tmp/links/named\" ]; }\,," "$tmp/conf" >"$tmp/conf.linked"
cp "$tmp/conf.linked" "$tmp/conf"
exits 0 "the directory of a symbolic link may be anybody's" "$nbdsync" reload
ok "what it leads to is run" "$nbdsync" start --wait --quiet linked
is "by its own name" "$(cat "$tmp/ran")" "$tmp/bin/named"
sed "s,/links/named,/open/ours/named," "$tmp/conf.linked" >"$tmp/conf"
exits 78 "a directory further up may not" "$nbdsync" reload
like "and is named" "$err" "the directory '$tmp/open' of '.*/ours/named' can be"
cp "$tmp/conf.linked" "$tmp/conf"

rm "$tmp/held.json"
: >"$tmp/held"
start_job held
wait_for "[ -e '$tmp/held.json' ]"
{
	wait_for '[ "$(job_field held .state)" = stopping ]' &&
	    : >"$tmp/waited"
	rm "$tmp/held"
} &
stop_process daemon
is "a daemon that is stopped ends well" "$?" 0
ok "but only after the hook of a run that has ended" [ -e "$tmp/waited" ]
