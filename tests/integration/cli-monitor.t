#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# map, check and completion: pictures, a line for Nagios, the shell's help.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires xmllint --version
plan 30

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
exits 3 "check without a daemon is UNKNOWN" "$nbdsync" check
start_daemon "$tmp/conf"

exits 0 "jobs that never ran are no trouble" "$nbdsync" check
is "in one line with figures" "$out" "NBDSYNC OK - 3 ok, 0 warning, 0\
 critical, 0 running | ok=3 warning=0 critical=0 running=0"
exits 1 "a map of what never ran" "$nbdsync" map quick
like "is none" "$err" "nothing is known of the disk of job 'quick' yet"
"$nbdsync" start --wait --quiet quick
exits 0 "a map of a run that ended" "$nbdsync" map --ascii --cells 64 quick
is "is all durable" "$(echo "$out" | head -n 1)" \
    "       0 B  $(printf '%064d' 0 | tr 0 '#')"
like "with a legend" "$out" '^x failed   ! differs   0 zeroes   # durable   = not flushed'
exits 0 "the map as JSON" "$nbdsync" map --json --cells 10 quick
is "is the daemon's" "$(echo "$out" | jq -c .runs)" '[["durable",10]]'
exits 0 "the map for ddrescue" "$nbdsync" map --ddrescue "$tmp/map" quick
is "has a status of the whole" "$(sed -n 3p "$tmp/map")" \
    "0x00000000     +               1"
is "and of its stretches" "$(sed -n '5,$p' "$tmp/map")" \
    "0x00000000  0x00800000  +"
exits 1 "a file that cannot be written" "$nbdsync" map --svg /nonexistent/x \
    quick
exits 6 "a map of no job" "$nbdsync" map nosuch
exits 2 "too many cells" "$nbdsync" map --cells 70000 quick

start_job slow
wait_copied slow
exits 0 "the map of a run as SVG" "$nbdsync" map --svg "$tmp/map.svg" slow
ok "is well-formed" xmllint --noout "$tmp/map.svg"
like "and says what is where" "$(cat "$tmp/map.svg")" \
    '<title>to do: [0-9]+ to 67108864</title>'
run "$nbdsync" map --ascii slow
like "as text it has what is to do" "$out" ' MiB  \.{64}$'
exits 0 "a job that runs is well" "$nbdsync" check slow
like "and counted" "$out" 'running=1$'
"$nbdsync" cancel --wait --quiet slow

"$nbdsync" start --wait bad 2>/dev/null
exits 1 "a job that failed is a warning" "$nbdsync" check
like "which is named" "$out" '^NBDSYNC WARNING - bad: failed; 2 ok, 1 warning'
exits 3 "check of no job is UNKNOWN" "$nbdsync" check nosuch
exits 1 "check as JSON has the same status" "$nbdsync" check --json
is "and the same words" "$(echo "$out" | jq -r '"\(.state) \(.worst)"')" \
    "WARNING bad: failed"

cat >"$tmp/complete" <<'END'
PATH=$(dirname "$1"):$PATH
eval "$("$1" completion bash)"
shift
COMP_WORDS=(nbdsync "$@")
COMP_CWORD=$#
_nbdsync
echo "${COMPREPLY[*]}"
END
complete()
{
	bash "$tmp/complete" "$nbdsync" "$@"
}
is "bash completes commands" "$(complete co)" \
    "copy compare configcheck completion"
is "and their options" "$(complete pause --re)" --reason
is "and names of jobs" "$(complete start q)" quick
