#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a run has written can be compared later with the digests that it has
# left, without the source.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires nbdkit file --version
requires nbdkit --filter=blocksize-policy file --version
requires jq --version
plan 58

size=$((70 * MiB + 512))
make_data "$tmp/data" $size 7
for image in a b c; do
	truncate -s $size "$tmp/$image"
done
touch "$tmp/fine"
make_data "$tmp/odd" $((3 * MiB + 100)) 8
start_nbdkit src --filter=log -r eval get_size="echo $size" pread="
	if [ ! -e $tmp/fine ] && [ \$4 -lt 1003000 ] &&
	    [ \$((\$4 + \$3)) -gt 1000000 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=256K status=none \
	    iflag=skip_bytes,count_bytes,fullblock" logfile="$tmp/src.busy"
# A disk that cannot be written once it is to break.
start_nbdkit frail --filter=error file "$tmp/c" error-pwrite=EIO \
    error-pwrite-rate=100% error-pwrite-file="$tmp/broken"
truncate -s $((3 * MiB + 100)) "$tmp/blocky"
start_nbdkit blocky --filter=blocksize-policy file "$tmp/blocky" \
    blocksize-error-policy=error blocksize-minimum=512
# One that does not answer reads while it is told to wait.
truncate -s $size "$tmp/mended"
start_nbdkit mended eval get_size="echo $size" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" pread="
	while [ -e '$tmp/wait' ]; do
		: >'$tmp/waits'
		sleep 0.1
	done
	dd if='$tmp/mended' skip=\$4 count=\$3 bs=256K status=none \
	    iflag=skip_bytes,count_bytes,fullblock" \
    pwrite="dd of='$tmp/mended' seek=\$4 bs=256K status=none \
	oflag=seek_bytes conv=notrunc"
configure()
{
	conf "endpoints = (
	  { name = \"src\"; uri = \"$(uri src)\"; },
	  { name = \"a\"; path = \"$tmp/a\"; },
	  { name = \"b\"; path = \"$tmp/b\"; },
	  { name = \"odd\"; path = \"$tmp/odd\"; },
	  { name = \"mended\"; uri = \"$(uri mended)\"; },
	  { name = \"blocky\"; uri = \"$(uri blocky)\"; },
	  { name = \"odder\"; path = \"$tmp/odder\"; },
	  { name = \"frail\"; uri = \"$(uri frail)\"; } );
	jobs = (
	  { name = \"j\"; source = \"src\"; destinations = [ $1 ]; retries = 0;
	    on_read_error = \"skip\"; verify = \"after\"; recheck = \"0\"; },
	  { name = \"plain\"; source = \"src\"; destination = \"b\"; },
	  { name = \"two\"; source = \"src\"; retries = 0;
	    destinations = [ \"a\", \"frail\" ]; verify = \"after\"; },
	  { name = \"mend\"; source = \"src\"; destination = \"mended\";
	    verify = \"after\"; recheck = \"0\"; repair = true; },
	  { name = \"odd\"; source = \"odd\"; 
	    destinations = [ \"odder\", \"blocky\" ];
	    verify = \"after\";
	    ranges = ( { from = \"1MiB\"; to = \"1MiB\"; },
	      { from = \"0\"; length = \"1MiB\"; to = \"0\"; } ); } );"
}

configure '"a"'
start_daemon "$tmp/conf"

# stored JOB: compares it.
stored()
{
	: >"$tmp/src.busy"
	"$nbdsync" verify --stored --wait "$@"
}

spoil()
{
	printf X | dd of="$tmp/$1" bs=1 seek="$2" conv=notrunc status=none
}

# The report is in the history a moment after the end of the run.
in_history()
{
	id_=$(job_field "$1" .last_run.id)
	wait_for "[ \"\$(api_status '/v1/runs/$id_')\" = 200 ]"
}

exits 7 "before any run there is nothing to compare with" stored j
like "which is said" "$err" "no run in the history that has written anything"
exits 0 "a copy that is read back" "$nbdsync" start --wait j
in_history j
success=$(job_field j .last_success.finished_at)
exits 0 "is still the same later" stored j
ok "the source is not looked at" test ! -s "$tmp/src.busy"
is "all of it was read" "$(job_field j .last_run.progress.verified_bytes)" \
    $size
is "it wrote nothing" \
    "$(job_field j .last_run.progress.destinations[0].written_bytes)" 0
like "the run is named" "$(job_field j .last_run.reason)" "digests of run"
is "it is no success of the job" \
    "$(job_field j .last_success.finished_at)" "$success"
in_history j
exits 0 "another comparison between does not matter" stored j
in_history j

spoil a $((65 * MiB))
exits 9 "a byte that has flipped is found" stored j
is "with its block" "$(job_field j '[.last_run.differences[] |
    [.destination, .offset_bytes, .length_bytes]]' | jq -c .)" \
    "[[0,$((64 * MiB)),$((size - 64 * MiB))]]"
is "the other one is right" \
    "$(job_field j .last_run.progress.verified_bytes)" $((64 * MiB))
ok "without the source" test ! -s "$tmp/src.busy"
is "nothing was mended" "$(dd if="$tmp/a" bs=1 skip=$((65 * MiB)) count=1 \
    status=none)" X
in_history j
exits 0 "a repair" "$nbdsync" verify --repair --wait j
in_history j
exits 7 "is a run that leaves no digests" stored j
like "as is said" "$err" "has left no digests"

# Other runs.
exits 0 "a copy again" "$nbdsync" start --wait j
in_history j
exits 0 "leaves some" stored j
in_history j
configure '"b"'
exits 0 "with another destination" "$nbdsync" reload
exits 7 "there is nothing to compare with" stored j
like "as is said" "$err" "had other destinations"
configure '"a"'
sed "s|path = \"$tmp/a\"|path = \"$tmp/b\"|" "$tmp/conf" >"$tmp/conf.new"
mv "$tmp/conf.new" "$tmp/conf"
exits 0 "with another disk of the same name" "$nbdsync" reload
exits 7 "there is nothing either" stored j
like "for the same reason" "$err" "had other destinations"
configure '"a"'
exits 0 "with the old one" "$nbdsync" reload
exits 0 "there is again" stored j
in_history j
exits 0 "a run that reads nothing back" "$nbdsync" start --wait plain
in_history plain
exits 7 "leaves no digests" stored plain
like "which has a remedy" "$err" "verify = \"after\""

# What was skipped leaves its block without a digest, and no other.
rm "$tmp/fine"
exits 13 "a run that skips something" "$nbdsync" start --wait j
in_history j
exits 3 "leaves a block without a digest" stored j
like "which is told" "$(job_field j '.last_run.gave_up[]')" \
    "$((64 * MiB)) bytes were not verified: .* at offset 0,"
is "and not called verified" \
    "$(job_field j .last_run.progress.verified_bytes)" $((size - 64 * MiB))
is "nor the comparison a success" "$(job_field j .last_run.result)" \
    succeeded-with-warnings
in_history j
spoil a $((65 * MiB))
exits 9 "what has spoilt in the other block is found" stored j
in_history j
touch "$tmp/fine"

# A destination that has failed.
touch "$tmp/broken"
exits 3 "a run with a destination that fails" "$nbdsync" start --wait two
in_history two
exits 3 "is compared with what the other one has" stored two
like "and the failed one is named" \
    "$(job_field two '.last_run.destination_failures[1]')" "had failed there"
is "what there is, is right" \
    "$(job_field two .last_run.progress.verified_bytes)" $size

# Of several that are right, each is compared.
rm "$tmp/broken"
exits 0 "a run with two destinations" "$nbdsync" start --wait two
in_history two
spoil c 5
exits 9 "of which one is spoilt" stored two
is "is found so" "$(job_field two '[.last_run.differences[].destination]' |
    jq -c .)" "[1]"
is "there is a word for that" "$(api /v1/jobs/plain/verify \
    -d '{"stored": true}' | jq -r .type)" urn:nbdsync:no-digests
is "nothing else may be asked for with it" "$(api_status /v1/jobs/j/verify \
    -d '{"stored": true, "repair": true}')" 400

# A range that ends inside a block, and another one behind it.
exits 3 "a range that ends inside a block of one of two is copied" \
    "$nbdsync" start --wait odd
in_history odd
exits 3 "the other is compared later" stored odd
is "as a whole" "$(job_field odd .last_run.progress.verified_bytes)" \
    $((3 * MiB + 100))

# Paused, and resumed by another daemon that has not got the digests any more.
exits 0 "a job that repairs what differs" "$nbdsync" start --wait mend
in_history mend
spoil mended $((65 * MiB))
touch "$tmp/wait"
"$nbdsync" verify --stored mend
ok "is compared with what it has written" wait_for "[ -e '$tmp/waits' ]"
"$nbdsync" pause --quiet mend
rm "$tmp/wait"
ok "until it is paused" wait_for '[ "$(job_field mend .state)" = paused ]'
stop_process daemon
: >"$tmp/src.busy"
start_daemon "$tmp/conf"
wait_for '[ "$(job_field mend .state)" = paused ]'
"$nbdsync" resume --quiet mend
is "another daemon does not begin it again" "$(job_field mend .state)" idle
ok "nor anything else, with the source" test ! -s "$tmp/src.busy"
is "and repairs nothing" "$(dd if="$tmp/mended" bs=1 skip=$((65 * MiB)) \
    count=1 status=none)" X

# What a daemon was killed in has written something, and left no digests.
exits 0 "a job copies once more" "$nbdsync" start --wait mend
in_history mend
api /v1/jobs/mend/start --data '{"rate":"1MiB/s"}' >/dev/null
wait_copied mend
stop_process daemon KILL
start_daemon "$tmp/conf"
in_history mend
exits 7 "what is left of a run in which the daemon was killed" stored mend
like "has nothing to be compared with" "$err" "the last that has written"
