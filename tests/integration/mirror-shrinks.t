#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror whose source becomes smaller says so, once, and leaves alone what
# the destination has behind it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
plan 13

shrunk_from()
{
	job_field m .run.progress.mirror.shrunk_from_bytes
}

n_told()
{
	grep -c 'become smaller than the 4.0 MiB it had' "$1"
}

# That what it has now is what the destination begins with.
is_followed()
{
	head -c "$(stat -c %s "$source")" "$1" | cmp -s - "$source"
}

source=$tmp/a
make_data "$tmp/a" $((4 * MiB)) disk
cp "$tmp/a" "$tmp/whole"
truncate -s 8M "$tmp/b" "$tmp/c"
for i in a b c; do
	start_nbdkit $i file "$tmp/$i"
done
conf "endpoints = ( { name = \"a\"; uri = \"$(uri a)\"; },
  { name = \"b\"; uri = \"$(uri b)\"; } );
jobs = ( { name = \"m\"; mode = \"mirror\"; source = \"a\";
    destination = \"b\"; pass_interval = \"0\"; } );"
start_daemon "$tmp/conf"
start_job m
start_process mirror "$nbdsync" mirror --interval 0 "$(uri a)" "$(uri c)"
ok "a job mirrors a disk" wait_for 'is_followed "$tmp/b"'
ok "so does a command" wait_for 'is_followed "$tmp/c"'
ok "and it has a complete pass" wait_for \
    'grep -q "first pass is complete" "$tmp/mirror.log"'
wait_for '[ "$(job_field m .run.progress.mirror.passes_complete)" -gt 0 ]'
is "its source has always had as much" "$(shrunk_from)" 0

# In the middle of a pass it would have zeroes there, for the server.
stop_process a
source=$tmp/smaller
head -c 3M "$tmp/a" >"$source"
start_nbdkit a file "$source"
ok "then it has less" wait_for '[ "$(shrunk_from)" = 4194304 ]'
ok "which the log tells" wait_for '[ "$(n_told "$tmp/daemon.log")" = 1 ]'
ok "and the command" wait_for '[ "$(n_told "$tmp/mirror.log")" = 1 ]'
"$nbdsync" status m >"$tmp/status"
ok "and status" grep -q '^shrunk: .*the 4.0 MiB it had$' "$tmp/status"
printf 'new' | dd of="$source" bs=1 seek=2000000 conv=notrunc status=none
ok "it is followed" wait_for 'is_followed "$tmp/b" && is_followed "$tmp/c"'
ok "what lies behind stays" [ "$(tail -c +3145729 "$tmp/b" | head -c 1048576 |
    cksum)" = "$(tail -c +3145729 "$tmp/whole" | cksum)" ]

truncate -s 5M "$source"
ok "that it has more is no trouble" wait_for '[ "$(shrunk_from)" = 0 ]'
ok "and followed as well" wait_for 'is_followed "$tmp/b"'
is "so it was told once" "$(n_told "$tmp/daemon.log") $(n_told \
    "$tmp/mirror.log")" "1 1"
