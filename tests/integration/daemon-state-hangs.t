#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A state directory on a disk that hangs keeps the daemon from nothing for
# long, and the log says what it is.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
requires strace -e inject=openat:delay_enter=1 true
plan 9

conf 'endpoints = ( { name = "p"; command = [ "nbdkit", "pattern", "1M" ]; },
  { name = "n"; uri = "null:"; } );
jobs = ( { name = "one"; source = "p"; destination = "n"; } );'
# The thread of the store hangs where it opens the database.
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 start_process daemon strace -f -qq \
    -e signal=none -o "$tmp/trace" -e trace=openat \
    -P "$STATE_DIRECTORY/state.db" -e inject=openat:delay_enter=12000000 \
    "$nbdsyncd" --config "$tmp/conf"
wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
ok "it hangs" wait_for "grep -q state.db '$tmp/trace'"
ok "before the directory is touched, it is named" grep -q \
    "info: state: in '$STATE_DIRECTORY'" "$tmp/daemon.log"
ok "the daemon is ready" grep -q 'nbdsyncd .* is ready' "$tmp/daemon.log"
ok "that it has to do without is soon in the log" wait_for \
    "grep -q 'warning: state: the database has not been opened within 5 s' \
    '$tmp/daemon.log'"
is "for programs, too" "$(api /v1/log | jq -r \
    '[.messages[] | select(.id == "state-trouble").level] | join(" ")')" \
    warning
ok "it is told when it is over" wait_for \
    "grep -q 'info: state: ok again' '$tmp/daemon.log'" 60
exits 0 "then jobs run" "$nbdsync" start --wait --quiet one
is "and it was said once" "$(grep -c 'has not been opened' \
    "$tmp/daemon.log")" 1
kill "$(api /v1/version | jq .pid)"
ok "the daemon ends" wait_for "! is_running_ $(pid_of daemon)" 60
