#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The screen of status --watch on a terminal that is stopped, as by Ctrl-S, or
# takes nothing: it can be ended.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/screenlib.sh"
requires tmux -V
plan 8

conf "endpoints = ( { name = \"n\"; uri = \"null:\"; } ); jobs = ();"
start_daemon "$tmp/conf"
start_terminals

# The process in the terminal, once the screen is there.
screen_pid()
{
	shows '^ q quit' >/dev/null
	pgrep -P "$(term list-panes -t screen -F '#{pane_pid}')"
}

open_screen 80 24
pid=$(screen_pid)
keys C-s
keys C-q
keys '?'
ok "a terminal that goes on again shows what has been asked for" \
    shows 'What it does'
keys C-s
kill -TERM "$pid"
ok "one that is stopped holds up nobody who is to end" \
    wait_for "[ ! -e /proc/$pid ]"
show >/dev/null
ok "it was" [ "$(grep -c '^left' "$tmp/shown")" = 0 ]
keys C-q
ok "the exit status is that of an interrupt" shows '^left 130'
term kill-session -t screen

open_screen 80 24
pid=$(screen_pid)
keys C-s
keys C-c
ok "Ctrl-C ends it as well" wait_for "[ ! -e /proc/$pid ]"
ok "with the same status" shows '^left 130'
ok "and the terminal is the one that it was" [ "$(grep -c 'q quit' \
    "$tmp/shown")" = 0 ]
term kill-session -t screen
stop_process daemon
is "the daemon ends well" $? 0
