#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync info lists the metadata contexts of any server, or does without.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit memory --version
requires nbdkit --filter=exitlast memory --version
requires qemu-nbd --version
requires qemu-img --version
requires jq --version
[ -x "$builddir/tests/lib/ext-server" ] || {
	echo "1..0 # SKIP tests/lib/ext-server was not built"
	exit 0
}
plan 26

# The contexts of the JSON in $out, and whether the server listed them.
contexts()
{
	echo "$out" | jq -c '[.contexts, .contexts_listed]'
}

qemu-img create -q -f qcow2 "$tmp/disk.qcow2" 4M
qemu-img bitmap --add -f qcow2 "$tmp/disk.qcow2" changes
qemu-img bitmap --add -f qcow2 "$tmp/disk.qcow2" 'since: day 1'
start_qemu_nbd qcow2 -r -f qcow2 -B 'since: day 1' -A "$tmp/disk.qcow2"
ok "QEMU has contexts of its own" "$nbdsync" info --json "$(uri qcow2)"
is "which are listed once each" "$(contexts)" '[["base:allocation",'\
'"qemu:allocation-depth","qemu:dirty-bitmap:since: day 1"],true]'
ok "as text" "$nbdsync" info "$(uri qcow2)"
is "they have a line each" "$(echo "$out" | sed -n '/^contexts:/,$p')" "\
contexts:           base:allocation
                    qemu:allocation-depth
                    qemu:dirty-bitmap:since: day 1"
is "and all is well" "$err" ""

start_nbdkit memory memory 1M
ok "nbdkit has one" "$nbdsync" info --json "$(uri memory)"
is "which is listed" "$(contexts)" '[["base:allocation"],true]'
start_nbdkit plain --no-sr memory 1M
ok "without structured replies there is none" \
    "$nbdsync" info --json "$(uri plain)"
is "and no list" "$(contexts)" '[[],false]'
ok "as text" "$nbdsync" info "$(uri plain)"
like "that is none" "$out" '^contexts: +none$'

# It refuses to list.
start_process ext "$builddir/tests/lib/ext-server" "$tmp/ext.sock" 1048576
wait_for "[ -S '$tmp/ext.sock' ]"
ok "a server that cannot list them is no error" \
    "$nbdsync" info --json "$(uri ext)"
is "what was asked for by name is there" "$(contexts)" \
    '[["base:allocation"],false]'
is "nothing is said" "$err" ""
is "its extended headers are told" "$(echo "$out" |
    jq -c '[.extended_headers, .structured_replies]')" '[true,true]'
ok "as text, too" "$nbdsync" info "$(uri ext)"
like "they are told" "$out" '^extended headers: +yes$'
run "$nbdsync" info "$(uri memory)"
like "and where they are not there" "$out" '^extended headers: +no$'

# These are gone after their first client, before the list.
start_process once qemu-nbd -r -f qcow2 -A -k "$tmp/once.sock" \
    --pid-file="$tmp/once.pid" "$tmp/disk.qcow2"
wait_for "[ -s '$tmp/once.pid' ]"
ok "a server of one connection is no error" \
    "$nbdsync" info --json "$(uri once)"
is "its well-known contexts are there" "$(contexts)" \
    '[["base:allocation","qemu:allocation-depth"],false]'
like "that there is no list is said" "$err" \
    '^nbdsync: info: there is no list of contexts: '
is "in one line" "$(echo "$err" | wc -l)" 1
ok "a command that ends with its first client is none" \
    "$nbdsync" info --json [ nbdkit --filter=exitlast memory 1M ]
is "with all it has told" "$(echo "$out" |
    jq -c '[.size_bytes, .base_allocation]')" '[1048576,true]'

ok "a name that is no text is shown" "$nbdsync" info --json \
    [ nbdkit --filter=exportname memory 1M exportname=a exportdesc=fixed:x ]
is "and valid JSON" "$(echo "$out" | jq -r .description)" x
