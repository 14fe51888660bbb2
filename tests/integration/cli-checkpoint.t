#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync checkpoint shows from where a job or a copy would go on.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires sqlite3 --version
plan 20

put()
{
	"$builddir/tests/lib/put-checkpoint" "$@" || bail "no checkpoint"
}

put "$tmp/file" copy 3
run "$nbdsync" checkpoint show "$tmp/file"
is "show prints a file's checkpoint" "$status" 0
is "its generation" "$(echo "$out" | jq .generation)" 3
is "the sides" "$(echo "$out" | jq -r \
    '"\(.source.identity) \(.destinations[0].identity)"')" \
    "nbd://there/disk nbd://here/disk"
is "what is durable, as ranges" \
    "$(echo "$out" | jq -c '.destinations[0].durable')" \
    '[{"from":0,"to":4096},{"from":8192,"to":12288}]'
is "and as a sum" "$(echo "$out" | jq '.destinations[0].durable_bytes')" 8192
is "when it was" "$(echo "$out" | jq -r .saved_at)" 2025-11-26T10:11:12.000Z
exits 0 "discard drops it" "$nbdsync" checkpoint discard "$tmp/file"
run "$nbdsync" checkpoint show "$tmp/file"
is "then there is none" "$status" 1
like "which is said" "$err" 'has no checkpoint'

run "$nbdsync" checkpoint show "$tmp/nothing"
is "a file that is missing is an error" "$status" 1
not_ok "and is not made" [ -e "$tmp/nothing" ]
make_data "$tmp/disk" 40000 1
cksum <"$tmp/disk" >"$tmp/before"
run "$nbdsync" checkpoint discard "$tmp/disk"
is "what is no checkpoint is refused" "$status" 1
is "and left alone" "$(cksum <"$tmp/disk"; find "$tmp" -name 'disk*' |
    wc -l)" "$(cat "$tmp/before"; echo 1)"
exits 2 "a word that it does not know is refused" \
    "$nbdsync" checkpoint shew "$tmp/file"
exits 2 "the checkpoint of a job is not discarded here" \
    "$nbdsync" checkpoint discard one

conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; } );
jobs = ( { name = \"one\"; source = \"a\"; destination = \"b\"; } );"
start_daemon "$tmp/conf"
wait_for '[ "$(job_field one .uuid)" != null ]'
put "$tmp/state/state.db" one 7
run "$nbdsync" checkpoint show one
is "show prints that of a job" "$status $(echo "$out" | jq .generation)" "0 7"
is "as the daemon tells it" "$out" \
    "$(api /v1/jobs/one/checkpoint | jq --indent 2 .)"
exits 0 "reset drops it" "$nbdsync" reset --quiet --confirm one
run "$nbdsync" checkpoint show one
is "then there is none of the job" "$status" 6
run "$nbdsync" checkpoint show nobody
is "no job, no checkpoint" "$status" 6
