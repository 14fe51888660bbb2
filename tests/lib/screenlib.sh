# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# "nbdsync status --watch" on a real terminal, sourced after testlib.sh.
#
#	start_terminals			once, before the others
#	open_screen COLUMNS ROWS [OPTIONS [ENVIRONMENT]]
#	keys KEY...			type them
#	show				what is seen, also in $tmp/shown
#	shows PATTERN			within a while
#	stop_screen			leave it by q, which is waited for
#	term ...			tmux

term()
{
	tmux -f /dev/null -S "$tmp/tmux" "$@"
}

start_terminals()
{
	start_process tmux tmux -f /dev/null -S "$tmp/tmux" -D
	wait_for '[ -S "$tmp/tmux" ]' || bail "no tmux"
}

open_screen()
{
	term new-session -d -s screen -x "$1" -y "$2" \
	    "env LC_ALL=C.UTF-8 ${4-} '$nbdsync' status --watch=200ms ${3-}; echo left \$?; sleep 60"
}

keys()
{
	term send-keys -t screen "$@"
}

show()
{
	term capture-pane -p -t screen >"$tmp/shown" 2>&1
	cat "$tmp/shown"
}

shows()
{
	wait_for "show | grep -q -e '$1'"
}

stop_screen()
{
	keys q
	shows '^left'
	term kill-session -t screen
}
