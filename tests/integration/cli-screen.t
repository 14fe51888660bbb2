#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The screen of status --watch, in a real terminal.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/screenlib.sh"
requires nbdkit --filter=delay pattern --version
requires tmux -V
plan 67

conf "endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\";
    rpo_crit = \"1s\"; },
  $(slow_job slow slow n),
  { name = \"third\"; source = \"quick\"; destination = \"n\";
    rpo_warn = \"1h\"; schedule = \"0 2 * * *\"; } );"
start_daemon "$tmp/conf"

start_terminals

open_screen 80 24
ok "the first job is selected" shows '^>quick  *idle  *never ran'
ok "the heading counts the jobs" shows '3 jobs  0 running  0 paused'
ok "the last line has the keys" [ "$(show | sed -n '24s/^ q quit.*/keys/p')" \
    = keys ]
ok "the RPO has a column at the end of the list" shows '^ JOB .* ETA *RPO$'
ok "where one is violated, it stands out" shows '^>quick .* CRIT$'
is "where there is none, nothing is" "$(sed -n 's/^ slow .*  *ok$/bad/p' \
    "$tmp/shown")" ""
ok "and what is well is just told" grep -q '^ third .* 02:00:00 .* ok$' \
    "$tmp/shown"
ok "no line is wider than the terminal" [ "$(LC_ALL=C.UTF-8 wc -L \
    <"$tmp/shown")" -le 80 ]
is "the README shows its legend and its keys" "$(sed -n \
    -e '/^  x failed/p' -e '/^ q quit/p' "$srcdir/README.md")" "$(sed -n \
    -e '/^  x failed/p' -e '/^ q quit/p' "$tmp/shown")"
keys End
ok "end selects the last" shows '^>third'
keys PPage
ok "a page up is more than there are" shows '^>quick'
keys NPage
ok "a page down, too" shows '^>third'
keys Home
ok "home selects the first" shows '^>quick'
keys C-Up C-Down C-Right F5 DC
keys Down
ok "down selects the next, and keys that mean nothing do nothing" \
    shows '^>slow'
keys s
ok "s starts it" shows '^>slow  *copying'
ok "and says so" grep -q "job 'slow' is started" "$tmp/shown"
wait_copied slow
ok "its bar has a percentage" shows '^>slow  *copying  *[^ ]*  *[0-9]*%'
ok "the map is drawn" shows '^\[.*·\]'
ok "with a legend" shows '█ durable'
ok "trouble would be told" grep -q '^ retries 0   reconnects 0' "$tmp/shown"
keys -
ok "and what was logged of it last" wait_for "show |
    grep -q '^ [0-9:]* job .slow.: at most .*/s'"
ok "minus slows it down" wait_for \
    '[ "$(job_field slow .limits.rate_bytes_per_s)" -gt 0 ]'
limit=$(job_field slow .limits.rate_bytes_per_s)
ok "and says how much" shows "^ job .slow.: at most .*/s"
shows '^>slow'
keys +
ok "plus makes it faster" wait_for \
    '[ "$(job_field slow .limits.rate_bytes_per_s)" -gt "$limit" ]'
keys l
ok "l shows its log" shows "job .slow.: run .* started"
ok "and nothing of others" wait_for '! show | grep -q "^.quick"'
keys Escape
shows '^>slow'
keys /
keys t h
ok "a slash asks for letters of a name" shows '^ /th_'
ok "and chooses by them" shows '^>third'
is "and no others" "$(grep -c '^.quick\|^.slow' "$tmp/shown")" 0
ok "its RPO is there, and when it runs next" grep -q \
    'next: .* 02:00:00  RPO: .* ok' "$tmp/shown"
keys BSpace BSpace s l
ok "letters can be taken back" shows '^>slow'
keys Enter j
ok "with enter keys are keys again" shows '^>slow'
keys Escape
ok "escape shows all" shows '^.third'
wait_for 'show | grep -q "^>slow"'
keys p
ok "to pause what runs is asked about" shows "Pause, and end the run of .slow."
keys y
ok "it is paused then" shows '^>slow  *paused'
keys c
ok "what would go on after it is asked about, too" \
    shows "Cancel the run of .slow.?"
keys y
ok "and does not" wait_for '[ "$(job_field slow .pause.run_goes_on)" = false ]'
keys p
shows '^>slow  *idle'
keys s
shows '^>slow  *copying'
keys c
ok "c asks first" shows "Cancel the run of .slow.?"
keys n
ok "no means no" wait_for '! show | grep -q Cancel.the'
is "and the run goes on" "$(job_field slow '.run != null')" true
keys c
shows 'Cancel the run'
keys y
ok "yes means yes" shows '^>slow  *idle  *cancelled'
keys k p
ok "p pauses what does not run, at once" shows '^>quick  *paused'
keys p
ok "and resumes it" shows '^>quick  *idle'
keys j j
shows '^>third'
sed 's/jobs = (/& { name = "first"; source = "quick"; destination = "n"; },/' \
    "$tmp/conf" >"$tmp/conf.new"
cp "$tmp/conf" "$tmp/conf.old"
mv "$tmp/conf.new" "$tmp/conf"
"$nbdsync" reload --quiet
ok "a job that comes is listed" shows '^ first'
ok "and the one that was selected is" grep -q '^>third' "$tmp/shown"
mv "$tmp/conf.old" "$tmp/conf"
"$nbdsync" reload --quiet
ok "one that goes is not" wait_for '! show | grep -q first'
ok "with the same result" grep -q '^>third' "$tmp/shown"
keys k k
shows '^>quick'
keys '?'
ok "the help names the commands" shows 'nbdsync cancel JOB'
ok "also those for speed and log" shows 'nbdsync log JOB'
keys Escape Enter
ok "a key right behind escape is one, too" \
    wait_for '! show | grep -q "^>quick\|nbdsync cancel"'
keys Enter
ok "escape leaves it" shows '^>quick'
keys Enter
ok "enter shows the map alone" wait_for '! show | grep -q "^>quick"'
keys Enter
shows '^>quick'

term resize-window -t screen -x 120 -y 40
ok "a larger terminal is filled" wait_for \
    "show | sed -n 40p | grep -q 'q quit'"
ok "and has room for how long the daemon is up" grep -q \
    '^ nbdsync [^ ]*  .*up [0-9.]* s  3 jobs' "$tmp/shown"
term resize-window -t screen -x 40 -y 10
ok "a small one is not overrun" wait_for "show | sed -n 10p |
    grep -q 'q quit' && sed -n 1p '$tmp/shown' | grep -q ' nbdsync '"
term resize-window -t screen -x 80 -y 24
shows '^>quick'

# A daemon that hangs does not hold up who wants to leave.
stop_screen
kill -STOP "$(pid_of daemon)"
open_screen 80 24
wait_for '[ "$(term display-message -p -t screen "#{alternate_on}")" = 1 ]'
keys q
ok "it can be left while it waits for an answer" wait_for "show | grep -q '^left 0'" 8
term kill-session -t screen
kill -CONT "$(pid_of daemon)"

# Stopped by Ctrl-Z, as any other command.
term new-session -d -s screen -x 80 -y 24 "env LC_ALL=C.UTF-8 PS1='ready> ' \
    bash --norc --noprofile -i"
shows '^ready>'
keys "'$nbdsync' status --watch=200ms" Enter
ok "it runs in the shell's foreground" shows '^>quick'
keys C-z
ok "Ctrl-Z gives the terminal back" shows 'Stopped'
keys fg Enter
ok "and it goes on from there" shows '^>quick'
keys q
shows '^ready>'
term kill-session -t screen
open_screen 80 24
shows '^>quick'

kill -STOP "$(pid_of daemon)"
kill -KILL "$(pid_of daemon)"
ok "without the daemon the jobs stay" shows '^>quick'
ok "and the reason is told" shows 'no nbdsyncd answers.*…$'
keys q
ok "q leaves, well" shows '^left 0'
is "and the screen is the one of before" "$(show | grep -c quick)" 0
stop_screen

rm -f "$NBDSYNC_SOCKET"
start_daemon "$tmp/conf"
open_screen 80 24 --ascii
shows '^>quick'
is "--ascii is ASCII" "$(LC_ALL=C grep -c '[^ -~]' "$tmp/shown")" 0
stop_screen
"$nbdsync" start slow >/dev/null
open_screen 80 24 slow NO_COLOR=1
shows '^>slow  *copying'
is "with a name it is that job alone" "$(grep -c third "$tmp/shown")" 0
is "without colour there is none" "$(term capture-pane -e -p -t screen |
    grep -c "$(printf '\033')\\[3[123]m")" 0
stop_screen
ok "without a terminal it is a table" "$nbdsync" status --watch
