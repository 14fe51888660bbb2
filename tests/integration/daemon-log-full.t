#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon goes on while nobody takes what it logs, and says how much of it
# was lost.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
requires mkfifo --version
plan 12

# fill: more than a pipe has room for
fill()
{
	api '/v1/jobs/j/pause?[1-1500]' --request POST >/dev/null
}
# What is in the pipe, for a moment.
drain()
{
	timeout 1 cat <"$tmp/err"
}

# blocked FORMAT
blocked()
{
	conf "log = ( { type = \"stderr\"; format = \"$1\"; } );
endpoints = ( { name = \"q\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"j\"; source = \"q\"; destination = \"n\"; } );"
	mkfifo "$tmp/err"
	exec 7<>"$tmp/err"
	start_process daemon sh -c "exec '$nbdsyncd' --config '$tmp/conf' \
	    2>'$tmp/err' 7>&-"
	wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
	ok "$1: many messages that nobody takes hold up nobody" fill
	is "the daemon answers" "$(api_status /v1/version --max-time 20)" 200
	"$nbdsync" resume --quiet j
	ok "and works" "$nbdsync" start --wait --quiet j
	drain >"$tmp/first"
	"$nbdsync" pause --quiet j
	drain >"$tmp/second"
	like "when they are taken again, it says how many were lost" \
	    "$(cat "$tmp/second")" 'log: [1-9][0-9]* messages were lost here'
	n_lost=$(sed -n 's/.*log: \([0-9]*\) messages were lost here.*/\1/p' \
	    "$tmp/second")
	# Two of each request, if it is the first of its kind.
	ok "none is missing that is not counted" \
	    [ $(($(grep -c POST "$tmp/first") + n_lost)) -ge 1500 ]
	stop_process daemon
	is "it ends well" "$?" 0
	exec 7>&-
	rm "$tmp/err"
}

blocked human
blocked json
