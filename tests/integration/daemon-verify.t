#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run may compare only, whatever the mode of the job.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
plan 10

truncate -s 8M "$tmp/copy"
conf "endpoints = (
  { name = \"a\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"b\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; } );"
start_daemon "$tmp/conf"
exits 9 "disks that differ are 9" "$nbdsync" verify --wait j
is "which the result says" "$(job_field j .last_run.result)" differences-found
is "nothing was written" "$(tr -d '\0' <"$tmp/copy" | wc -c)" 0
is "the job is not consistent" "$(job_field j .consistent)" false
is "the mode is the job's again" "$(job_field j .mode)" copy
exits 0 "a copy" "$nbdsync" start --wait j
exits 0 "makes them equal" "$nbdsync" verify --wait j
is "which is consistent" "$(job_field j .consistent)" true
is "what was compared is counted" "$(api /metrics | awk \
    '/^nbdsync_verify_mismatch_bytes_total/ { print ($2 > 0) }')" 1
exits 6 "a job that is none" "$nbdsync" verify nosuch
