#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A bar on a terminal that is stopped, as by Ctrl-S, holds up neither the copy
# nor who wants to end it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/screenlib.sh"
requires nbdkit --filter=log --filter=delay pattern --version
requires tmux -V
plan 9

conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(slow_job slow slow n) );"
start_daemon "$tmp/conf"
start_terminals

# in_terminal COMMAND...: $pid, once there is a bar
in_terminal()
{
	term new-session -d -s screen -x 80 -y 24 \
	    "env LC_ALL=C.UTF-8 $*; s=\$?; echo; echo left \$s; sleep 60"
	shows '% .*·' || bail "no bar"
	pid=$(pgrep -P "$(term list-panes -t screen -F '#{pane_pid}')" nbdsync)
}

in_terminal "'$nbdsync' copy --connections 1 --queue-depth 1 \
    --request-size 4KiB \[ nbdkit --filter=log --filter=delay pattern 64M \
    rdelay=50ms logfile=$tmp/reads \] null:"
keys C-s
# As long as two redraws take.
n=$(grep -c ' Read ' "$tmp/reads")
wait_for "[ \$(grep -c ' Read ' '$tmp/reads') -gt $((n + 30)) ]"
ok "a copy that is told to end while its terminal is stopped" \
    kill -TERM "$pid"
ok "does" wait_for "[ ! -e /proc/$pid ]"
show >/dev/null
is "and it is stopped" "$(grep -c '^left' "$tmp/shown")" 0
keys C-q
ok "the exit status is that of an interrupt" shows '^left 130'
term kill-session -t screen

in_terminal "'$nbdsync' start --wait slow"
keys C-s
n=$(job_field slow .run.progress.done_bytes)
wait_for "[ \$(job_field slow .run.progress.done_bytes) -gt \
    $((n + 30 * 4096)) ]"
kill -TERM "$pid"
ok "who waits for a job can be told, too" wait_for "[ ! -e /proc/$pid ]"
keys C-q
ok "with the same status" shows '^left 130'
is "the job goes on" "$(job_field slow '.run != null')" true
term kill-session -t screen
"$nbdsync" cancel --wait --quiet slow

# What is copied meanwhile is copied, and told when the terminal goes on.
truncate -s 8M "$tmp/copy"
in_terminal "'$nbdsync' copy \[ nbdkit --filter=rate pattern 8M \
    rate=4M rate-file=$tmp/rate \] '$tmp/copy'"
keys C-s
echo 100G >"$tmp/rate"
nbdkit pattern 8M --run "nbdcopy \$uri '$tmp/wanted'"
ok "a copy goes on while its terminal is stopped" wait_for \
    "cmp '$tmp/copy' '$tmp/wanted'"
keys C-q
ok "and tells of its success then" shows '8.0 MiB copied in'
term kill-session -t screen
stop_process daemon
