#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The screen of status --watch with jobs that fail, mirror, are paused, and
# have long names.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/screenlib.sh"
requires nbdkit --filter=error pattern --version
requires tmux -V
plan 20

long=a-name-that-is-as-long-as-names-may-be-which-is-sixty-three-ch.
make_data "$tmp/a" $((1 * MiB)) 1
truncate -s 1M "$tmp/b"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; }, { name = \"n\"; uri = \"null:\"; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread=EIO\", \"error-pread-rate=100%\" ]; } );
jobs = ( { name = \"failing\"; source = \"bad\"; destination = \"n\";
    retries = 0; },
  { name = \"m\"; mode = \"mirror\"; source = \"a\"; destination = \"b\";
    pass_interval = \"100ms\"; },
  { name = \"$long\"; source = \"a\"; destination = \"n\"; },
  { name = \"paused\"; source = \"a\"; destination = \"n\"; },
  { name = \"timed\"; source = \"a\"; destination = \"n\";
    schedule = \"0 2 * * *\"; } );"
start_daemon "$tmp/conf"
start_job failing
wait_job failing
is "a job without a schedule has no next run" \
    "$(job_field failing .next_run_at)" null
is "nor the run that has failed" "$(api /v1/jobs | jq -c \
    '[.jobs[] | select(.next_run_at != null) | .job]')" '["timed"]'
"$nbdsync" start --quiet m
"$nbdsync" pause --quiet paused --reason \
    "metered link at the customer's site until the new fibre is there" ||
    bail "no pause"

start_terminals

open_screen 80 24
ok "what failed says why, on a line of its own" shows \
    "^ source .bad.: read of .* at offset .*: Input/output error\$"
ok "and when, with nothing cut off" shows '^ last: failed [-0-9]* [0-9:]*$'
ok "a mirror is in sync, and how old its copy is, is told" shows \
    '^ m  *mirroring  *in sync, .* old'
ok "a long name is cut, and shows it" shows '^ a-name-that-is… idle'
ok "so is a long reason" shows "^ paused  *paused  *metered .*…\$"
ok "what runs by itself says when" shows \
    '^ timed  *idle  *never ran  next [-0-9]* 02:00:00$'
ok "help is offered" shows '^ q quit  ? help'
is "no line is wider than the terminal" "$([ "$(LC_ALL=C.UTF-8 wc -L \
    <"$tmp/shown")" -le 80 ] && echo yes)" yes
ok "all columns begin where their heading does" [ "$(sed -n \
    's/^[ >][^ ]* *\(idle\|paused\|mirroring\) .*/\1/p' "$tmp/shown" |
    wc -l)" = "$(LC_ALL=C.UTF-8 grep -c \
    '^.\{17\}\(idle\|paused\|mirroring\)' "$tmp/shown")" ]
term resize-window -t screen -x 140 -y 30
ok "on a wide terminal it is whole" shows "^ $long idle"
ok "under a heading that moves along" shows "^ JOB  *STATE" &&
    [ "$(sed -n 's/STATE.*//p' "$tmp/shown" | wc -L)" -eq 65 ]
term resize-window -t screen -x 60 -y 10
ok "on a low one the list is all there is" shows '^ timed'
ok "whole" grep -q '^>failing' "$tmp/shown"
ok "with the keys below" [ "$(sed -n '10s/^ q quit.*/keys/p' \
    "$tmp/shown")" = keys ]
stop_screen

open_screen 80 24 --ascii
ok "in ASCII a cut name ends with a tilde" shows '^ a-name-that-is~ idle'
ok "and nothing else is used" sh -c "! LC_ALL=C grep -q '[^ -~]' '$tmp/shown'"
stop_screen
is "the table for no terminal cuts nothing" "$("$nbdsync" status |
    grep -c "^$long ")" 1
is "and says in sync, too" "$("$nbdsync" status | sed -n \
    's/^m  *mirroring  *\(in sync\) .*/\1/p')" "in sync"
