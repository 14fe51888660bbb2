#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What cannot be printed is an error; what is not printed is none.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit memory --version
plan 11

start_nbdkit disk memory 1M
exits 1 "a full disk under standard output is an error" \
    sh -c "'$nbdsync' info '$(uri disk)' >/dev/full"
like "and told" "$err" '^nbdsync: cannot write to standard output'
exits 1 "for JSON, too" \
    sh -c "'$nbdsync' list --json '$(uri disk)' >/dev/full"
exits 1 "a copy that cannot print its result has not done all" \
    sh -c "'$nbdsync' copy --json '$(uri disk)' null: >/dev/full"
exits 1 "a reader that went away is an error" sh -c "
    { while (trap '' PIPE; env echo) 2>/dev/null; do sleep 0.05; done
    '$nbdsync' --help; echo \$? >'$tmp/status'; } | true
    exit \$(cat '$tmp/status')"
exits 1 "so is a closed standard output" \
    sh -c "'$nbdsync' info '$(uri disk)' >&-"
exits 0 "unless nothing is printed" \
    sh -c "'$nbdsync' copy '$(uri disk)' null: >&-"
exits 0 "without any standard descriptors a copy works" \
    sh -c "'$nbdsync' copy '$(uri disk)' '$tmp/copy' <&- >&- 2>&-"
is "and writes nothing but the disk" "$(size_of "$tmp/copy")" $MiB
exits 4 "a failed copy stays one with a full disk under its JSON" \
    sh -c "'$nbdsync' copy --json '$tmp/none' null: >/dev/full"
like "and is told" "$err" "^nbdsync: copy: source '.*/none'"
