#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs go no faster than they may, one by one and all together, and that can be
# changed while they run.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
plan 43

endpoints='endpoints = (
  { name = "big"; command = [ "nbdkit", "pattern", "1T" ]; },
  { name = "small"; command = [ "nbdkit", "pattern", "8M" ]; },
  { name = "n"; uri = "null:"; } );'

# conf_rates RATE_MAX A B: two jobs without end, and their rates.
conf_rates()
{
	conf "daemon = { rate_max = \"$1\"; };" "$endpoints" "jobs = (
	  { name = \"a\"; source = \"big\"; destination = \"n\"; rate = \"$2\"; },
	  { name = \"b\"; source = \"big\"; destination = \"n\"; rate = \"$3\"; },
	  { name = \"s\"; source = \"small\"; destination = \"n\"; } );"
}

reload()
{
	lines_=$(grep -c 'taken over' "$tmp/daemon.log")
	kill -HUP "$(pid_of daemon)"
	wait_for "[ \$(grep -c 'taken over' '$tmp/daemon.log') -gt $lines_ ]"
}

read_bytes()
{
	job_field "$1" .run.progress.read_bytes
}

# Both at one moment: sets $a and $b.
read_both()
{
	answer_=$(api /v1/jobs)
	a=$(echo "$answer_" | jq '.jobs[0].run.progress.read_bytes')
	b=$(echo "$answer_" | jq '.jobs[1].run.progress.read_bytes')
}

# A run says what limited it in the last while.
is_limited()
{
	[ "$(job_field "$1" .run.progress.limited_by)" = rate-limit ]
}

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

conf_rates 0 4MiB/s 0
start_daemon "$tmp/conf"
began=$(now_ms)
start_job a
ok "a job with a rate goes on" \
    wait_for "[ \$(read_bytes a) -gt $((6 * MiB)) ]"
# The figure first, the time after it: what is too fast is seen.
got=$(read_bytes a)
took=$(($(now_ms) - began))
ok "no faster than that" \
    [ "$got" -le $((4 * MiB * (took + 100) / 1000 + MiB)) ]
ok "it says so" wait_for "is_limited a"
is "and what the rate is" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((4 * MiB))

# On the way: upwards, by more than the rate before could do in that time.
conf_rates 0 400MiB/s 0
reload
is "a new rate counts at once" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((400 * MiB))
was=$(read_bytes a)
began=$(now_ms)
wait_for "[ \$(read_bytes a) -gt $((was + 40 * MiB)) ]" 60
ok "the run goes on faster" [ $(($(now_ms) - began)) -lt 9000 ]

# Both together, from one moment on.
conf_rates 8MiB/s 0 0
reload
start_job b
ok "a limit for all is shared: the second one goes on" \
    wait_for '[ $(read_bytes b) -gt 0 ]'
began=$(now_ms)
read_both
a_was=$a
b_was=$b
wait_for "[ \$(read_bytes a) -gt $((a + 8 * MiB)) ]" 60
read_both
a=$((a - a_was))
b=$((b - b_was))
took=$(($(now_ms) - began))
# What was in flight before the change is not much.
ok "they are no faster than that together" \
    [ $((a + b)) -le $((8 * MiB * (took + 300) / 1000 + 2 * MiB)) ]
ok "each has its half" [ $((a - b)) -lt $((4 * MiB)) ]
ok "so has the other" [ $((b - a)) -lt $((4 * MiB)) ]
ok "both say so" wait_for "is_limited a && is_limited b"

# What one does not want is the other's: 8 MiB with 1/16 would take 8 s more.
conf_rates 16MiB/s 1MiB/s 1MiB/s
reload
start_job s
ok "what others leave can be had" wait_job s 60
is "and all is copied" "$(job_field s .last_run.result)" succeeded

# Set by hand, it holds instead of what is configured.
ok "a rate can be set by hand" "$nbdsync" rate a 3MiB/s
is "and counts at once" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((3 * MiB))
is "the job says where it comes from" \
    "$(job_field a .limits.as_configured)" false
conf_rates 0 2MiB/s 1MiB/s
reload
is "a reload leaves it alone" "$(job_field a .limits.rate_bytes_per_s)" \
    $((3 * MiB))
ok "it can be taken back" "$nbdsync" rate --quiet a default
is "what is configured now holds" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((2 * MiB))
is "for a while" "$(api_status /v1/jobs/a/limits --request PATCH --data \
    '{"rate":"0","ttl":"1s"}')" 200
ok "it reverts by itself" \
    wait_for '[ "$(job_field a .limits.as_configured)" = true ]'
is "for the run, too" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((2 * MiB))
is "what is no rate is refused" "$(api_status /v1/jobs/a/limits \
    --request PATCH --data '{"rate":"fast"}')" 400
is "so is what is no time" "$(api_status /v1/jobs/a/limits \
    --request PATCH --data '{"rate":"0","ttl":"soon"}')" 400
is "and nothing at all" "$(api_status /v1/jobs/a/limits --request PATCH)" 400
is "a job that is not there is told" "$(api_status /v1/jobs/x/limits \
    --request PATCH --data '{"rate":"0"}')" 404
exits 2 "a rate for no job is a usage error" "$nbdsync" rate a
# From an hour ago on so fast, and from in an hour on as fast as it will; the
# other way round after the reload.
conf_table()
{
	conf "$endpoints" "jobs = (
	  { name = \"a\"; source = \"big\"; destination = \"n\"; rate_table = [
	    \"$(date -d '1 hour ago' +%H:%M) $1\",
	    \"$(date -d '1 hour' +%H:%M) $2\" ]; },
	  { name = \"b\"; source = \"big\"; destination = \"n\"; } );"
}
conf_table 2MiB/s 0
reload
is "a timetable says how fast it is now" \
    "$(job_field a .run.progress.rate_limit_bytes_per_s)" $((2 * MiB))
conf_table 4MiB/s 1MiB/s
reload
is "and can be changed" "$(job_field a .limits.rate_bytes_per_s)" \
    $((4 * MiB))
is "the job is as configured" "$(job_field a .limits.as_configured)" true
conf "daemon = { rate_table = [ \"00:00 2MiB/s\" ]; };" "$endpoints" \
    'jobs = ( { name = "a"; source = "big"; destination = "n"; },
	{ name = "b"; source = "big"; destination = "n"; } );'
reload
ok "all together may have a timetable, too" wait_for "is_limited a"
began=$(now_ms)
a=$(read_bytes a)
ok "and go on" wait_for "[ \$(read_bytes a) -gt $((a + 2 * MiB)) ]" 60
a=$(($(read_bytes a) - a))
took=$(($(now_ms) - began))
ok "no faster than that" \
    [ "$a" -le $((2 * MiB * (took + 300) / 1000 + 2 * MiB)) ]
# Connections, from the next run on: a pause is a way to have it at once.
run "$nbdsync" limits --connections 3 a
like "connections can be set by hand, too" "$out" '^a .* 3, set +rate-limit$'
first=$(job_field a .run.id)
"$nbdsync" pause --quiet a
wait_for '[ "$(job_field a .state)" = paused ]'
"$nbdsync" resume --quiet a
ok "the next run has as many" wait_for \
    '[ "$(job_field a .run.progress.connections)" = 3 ]'
ok "which is another one" [ "$(job_field a .run.id)" != "$first" ]
"$nbdsync" limits --connections 2 --for 1h a >/dev/null
is "they may be for a while" "$(job_field a .limits.connections)" 2
"$nbdsync" limits --connections 2 --for 1s a >/dev/null
ok "and are as configured then" wait_for \
    '[ "$(job_field a .limits.connections_as_configured)" = true ]'
is "no more than there may be" "$(api_status /v1/jobs/a/limits \
    --request PATCH --data '{"connections":65}')" 400
is "nor less than none" "$(api_status /v1/jobs/a/limits \
    --request PATCH --data '{"connections":-1}')" 400
exits 2 "of all jobs they cannot be set" "$nbdsync" limits --connections 2
exits 2 "nor for a while without a number" "$nbdsync" limits --for 1h a

for job in a b; do
	api_status /v1/jobs/$job/cancel --request POST >/dev/null
done
stop_process daemon
is "the daemon ends well" "$?" 0
