#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync list shows the exports of any server, or says why it cannot.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires nbdkit --filter=exportname memory --version
requires qemu-nbd --version
requires nbd-server -V
requires jq --version
requires perl -e 'use IO::Socket::INET'
plan 21

mkdir "$tmp/disks"
truncate -s 1M "$tmp/disks/alpha" "$tmp/disks/beta two"
start_nbdkit dir file dir="$tmp/disks"
ok "the exports of nbdkit are listed" "$nbdsync" list "$(uri dir)"
is "a name a line" "$(echo "$out" | sort | tr '\n' ,)" "alpha,beta two,"
ok "and as JSON" "$nbdsync" list --json "$(uri dir)"
is "with all names" "$(echo "$out" |
    jq -r '[.exports[].name] | sort | join(",")')" "alpha,beta two"

start_qemu_nbd qemu -r -f raw -x system -D 'The system disk' \
    "$tmp/disks/alpha"
ok "the export of qemu-nbd is listed" "$nbdsync" list "$(uri qemu)"
is "with its description" "$out" "system	The system disk"
ok "and as JSON" "$nbdsync" list --json "$(uri qemu)"
is "with its description" "$(echo "$out" | jq -r '.exports[0].description')" \
    "The system disk"

start_nbdkit default memory 1M
ok "a default export without a name is listed" "$nbdsync" list "$(uri default)"
is "as quotes, not as an empty line" "$out" "''"

long=$(printf 'n%.0s' $(seq 4000))
start_nbdkit long --filter=exportname memory 1M exportname="$long" \
    exportname-list=explicit exportdesc=fixed:"$long"
ok "a name of 4000 bytes is listed" "$nbdsync" list "$(uri long)"
is "and not cut, nor is its description" "$out" "$long	$long"

# Two nbd-servers: one that allows the list, one whose policy forbids it.
start_nbd_server()
{
	port=$(free_port)
	printf '[generic]\nlistenaddr = 127.0.0.1\nport = %s\n' "$port" \
	    >"$tmp/$1.conf"
	printf 'allowlist = %s\n[one]\nexportname = %s\n' "$2" \
	    "$tmp/disks/alpha" >>"$tmp/$1.conf"
	# It goes to the background by itself.
	at_exit "kill \$(cat '$tmp/$1.server')"
	nbd-server -C "$tmp/$1.conf" -p "$tmp/$1.server" >"$tmp/$1.log" \
	    2>&1 </dev/null
	wait_for "'$nbdsync' info nbd://127.0.0.1:$port/one >/dev/null 2>&1" ||
	    bail "nbd-server did not start"
}
start_nbd_server allowing true
ok "the exports of nbd-server are listed" \
    "$nbdsync" list "nbd://127.0.0.1:$port"
is "by name" "$out" one
start_nbd_server forbidding false
exits 11 "a list that the policy forbids is permission denied" \
    "$nbdsync" list "nbd://127.0.0.1:$port"
like "and said so" "$err" '^nbdsync: list: .*polic'
is "in one line" "$(echo "$err" | wc -l)" 1

start_nbdkit old --oldstyle memory 1M
exits 1 "a server too old to be asked is another error" \
    "$nbdsync" list "$(uri old)"
like "and said so" "$err" '^nbdsync: list: .*(old|list)'
unlike "it is not called a policy" "$err" polic
is "nothing goes to standard output" "$out" ""
