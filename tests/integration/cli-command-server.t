#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync list and info start a server in brackets, ask it, and end it.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires nbdkit memory --version
requires qemu-nbd --version
requires jq --version
plan 17

truncate -s 3M "$tmp/disk.img"

ok "info asks a command" "$nbdsync" info [ nbdkit memory 5M ]
like "and tells its size" "$out" '^size: +5242880 bytes'
ok "also with options on both sides" \
    "$nbdsync" info --json [ nbdkit --exit-with-parent -r memory 5M ] \
    --timeout 20s
is "which are the command's in the brackets" \
    "$(echo "$out" | jq -c '[.size_bytes, .read_only]')" "[5242880,true]"
ok "the command may be another server" \
    "$nbdsync" info --json [ qemu-nbd -t -r -f raw "$tmp/disk.img" ]
is "with its disk" "$(echo "$out" | jq .size_bytes)" 3145728

mkdir "$tmp/disks"
truncate -s 1M "$tmp/disks/alpha" "$tmp/disks/beta"
ok "list asks a command" "$nbdsync" list [ nbdkit file dir="$tmp/disks" ]
is "for all its exports" "$(echo "$out" | sort | tr '\n' ,)" "alpha,beta,"

ok "the server is gone when the answer is there" "$nbdsync" info \
    [ sh -c 'echo $$ >"$1"; exec nbdkit -f memory 1M' sh "$tmp/pid" ]
not_ok "as its process shows" kill -0 "$(cat "$tmp/pid")"
is "and so are its files" "$(find "$tmp" -type s)" ""

exits 1 "a command that ends is an error" "$nbdsync" list [ sh -c 'exit 3' ]
is "and tells its status" "$err" \
    "nbdsync: list: cannot list the exports: command 'sh' exited with status 3"
exits 1 "a command that does not exist is an error" \
    "$nbdsync" info [ /nowhere/server ]
like "and told by name" "$err" "cannot run command '/nowhere/server': No such"
exits 2 "a bracket that is not closed is a usage error" \
    "$nbdsync" list [ nbdkit memory 1M
exits 2 "and so are two commands" "$nbdsync" info [ true ] [ true ]
