#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job may fill what its source could not be read for.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires nbdkit file --version
requires jq --version
plan 27

make_data "$tmp/data" $((4 * MiB)) 7
cp "$tmp/data" "$tmp/copy"
touch "$tmp/bad"
start_nbdkit src -r eval get_size="echo $((4 * MiB))" pread="
	if [ -e $tmp/bad ] && [ \$4 -lt 1003000 ] &&
	    [ \$((\$4 + \$3)) -gt 1000000 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
conf "endpoints = (
  { name = \"a\"; uri = \"$(uri src)\"; },
  { name = \"b\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; retries = 0;
    on_read_error = \"skip\"; fill = \"pattern\"; } );"
start_daemon "$tmp/conf"
exits 13 "a run with bad ranges is one" "$nbdsync" start --wait j
is "also where they are filled" "$(job_field j .last_run.result)" \
    finished-with-bad-ranges
is "that is counted" "$(job_field j .last_run.filled_bytes)" 3072
is "all has been seen to" \
    "$(job_field j '.last_run.progress.ratio == 1')" true
is "what was given up is told apart" "$(job_field j '.last_run.progress |
    .total_bytes - .done_bytes, .failed_bytes' | tr '\n' ' ')" "3072 3072 "
like "as it is in words" "$("$nbdsync" status j)" \
    'done: .* copied in .*, 3\.0 KiB bad$'
is "and listed" "$(job_field j .last_run.bad_ranges[0].filled)" true
is "for the destination, too" \
    "$(job_field j '.last_run.progress.destinations[0].filled_bytes')" 3072
ok "the pattern is there" grep -aq \
    "^nbdsync: not read from the source, at offset 0x00000000000f4200" \
    "$tmp/copy"
ok "the log tells" grep -q "filled 3072 of these bytes" "$tmp/daemon.log"
is "the history has it" "$(api "/v1/runs/$(job_field j .last_run.id)" |
    jq .report.filled_bytes)" 3072
exits 13 "comparing fills nothing" "$nbdsync" verify --wait j
is "as it says" "$(job_field j .last_run.filled_bytes)" 0
rm "$tmp/bad"
exits 0 "another run" "$nbdsync" start --wait j
ok "makes it right" cmp "$tmp/data" "$tmp/copy"

# A run that is ended while it fills; the server holds what is filled.
start_nbdkit held eval get_size="echo $((4 * MiB))" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" \
    pread="dd if=$tmp/copy skip=\$4 count=\$3 bs=64K status=none \
	iflag=skip_bytes,count_bytes,fullblock" pwrite="
	if [ \$4 = 999936 ]; then
		: >$tmp/is-held
		while [ -e $tmp/held ]; do sleep 0.05; done
		rm $tmp/is-held
	fi
	dd of=$tmp/copy seek=\$4 bs=64K oflag=seek_bytes conv=notrunc \
	    status=none"
conf "endpoints = (
  { name = \"a\"; uri = \"$(uri src)\"; },
  { name = \"b\"; uri = \"$(uri held)\"; } );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; retries = 0;
    on_read_error = \"skip\"; fill = \"pattern\"; } );"
exits 0 "with another destination" "$nbdsync" reload

# Until it fills.
begin()
{
	touch "$tmp/bad" "$tmp/held"
	"$nbdsync" start --full --quiet j
	wait_for "[ -e '$tmp/is-held' ]" || bail "nothing is filled"
}

let_go()
{
	rm "$tmp/held"
	wait_for "[ ! -e '$tmp/is-held' ]" || bail "the server hangs"
}

begin
exits 0 "a run that fills is cancelled" "$nbdsync" cancel --wait j
is "and has filled nothing" "$(job_field j \
    '"\(.last_run.result) \(.last_run.filled_bytes)"')" "cancelled 0"
let_go
begin
ok "it is paused" "$nbdsync" pause j
wait_for '[ "$(job_field j .state)" = paused ]'
is "when it has ended" $? 0
is "as cancelled" "$(job_field j .last_run.result)" cancelled
let_go
ok "and resumed" "$nbdsync" resume j
exits 13 "runs again, and fills" "$nbdsync" wait j
is "what it had not" "$(job_field j .last_run.filled_bytes)" 3072
begin
stop_process daemon
is "a daemon ends well while a run fills" $? 0
let_go
rm "$tmp/bad"
start_daemon "$tmp/conf"
exits 0 "another run, later" "$nbdsync" start --wait j
ok "makes all right" cmp "$tmp/data" "$tmp/copy"
