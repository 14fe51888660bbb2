#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A run may compare only, whatever the mode of the job; and one that writes
# may read back what it has written.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit pattern --version
requires nbdkit file --version
plan 45

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
ranges=$(for i in $(seq 0 99); do echo "--range $((i * 65536)):4096"; done)
# shellcheck disable=SC2086
exits 0 "a part of them can be compared, in many ranges" \
    "$nbdsync" verify --wait $ranges j
is "and no more than it" "$(job_field j .last_run.progress.done_bytes)" \
    $((100 * 4096))
exits 6 "a job that is none" "$nbdsync" verify nosuch

# Read back after the copy, from a disk that takes its time, or loses a byte.
truncate -s 8M "$tmp/slow" "$tmp/odd"
cat >"$tmp/slow.sh" <<END
#!/bin/sh
case \$1 in
get_size) echo 8388608 ;;
thread_model) echo parallel ;;
can_write|can_flush|flush) exit 0 ;;
pread)
	while [ ! -e '$tmp/go' ]; do sleep 0.1; done
	dd if='$tmp/slow' bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none ;;
pwrite) dd of='$tmp/slow' bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
	    status=none ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/slow.sh"
start_nbdkit slow sh "$tmp/slow.sh"
cat >"$tmp/odd.sh" <<END
#!/bin/sh
case \$1 in
get_size) echo 8388608 ;;
can_write|can_flush|flush) exit 0 ;;
pread) dd if='$tmp/odd' bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none ;;
pwrite)
	dd of='$tmp/odd' bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
	    status=none
	printf X | dd of='$tmp/odd' bs=1 seek=4000000 conv=notrunc \
	    status=none ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/odd.sh"
start_nbdkit odd sh "$tmp/odd.sh"
start_nbdkit fixed -r file "$tmp/copy"
conf "endpoints = (
  { name = \"a\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"b\"; path = \"$tmp/copy\"; },
  { name = \"odd\"; uri = \"$(uri odd)\"; },
  { name = \"fixed\"; uri = \"$(uri fixed)\"; },
  { name = \"slow\"; uri = \"$(uri slow)\"; } );
jobs = (
  { name = \"fixed\"; source = \"a\"; destination = \"fixed\"; },
  { name = \"j\"; source = \"a\"; destination = \"b\"; verify = \"after\"; },
  { name = \"odd\"; source = \"a\"; destination = \"odd\";
    verify = \"after\"; },
  { name = \"slow\"; source = \"a\"; destination = \"slow\";
    mode = \"copy\"; verify = \"after\"; } );"
exits 0 "a job may read back what it writes" "$nbdsync" reload
exits 0 "which is a success" "$nbdsync" start --wait j
is "with all of it verified" \
    "$(job_field j .last_run.progress.verified_bytes)" 8388608
run_id=$(job_field j .last_run.id)
wait_for "[ \"\$(api_status '/v1/runs/$run_id')\" = 200 ]"
is "the history has the digest of each block" \
    "$(api "/v1/runs/$run_id" | jq '.report.block_digests.values | length')" 1
is "which is too much for the status" \
    "$(job_field j .last_run.block_digests)" null
exits 0 "to compare alone it reads nothing back" "$nbdsync" verify --wait j
is "so that nothing is verified so" \
    "$(job_field j .last_run.progress.verified_bytes)" 0
exits 9 "what the disk has not kept is 9" "$nbdsync" start --wait odd
is "which the result says" "$(job_field odd .last_run.result)" \
    differences-found
is "and where" "$(job_field odd \
    '.last_run.differences[0] | "\(.offset_bytes) \(.length_bytes)"')" \
    "3999744 512"
is "the job is not consistent" "$(job_field odd .consistent)" false
exits 0 "while it is read back" "$nbdsync" start slow
wait_for "[ \"\$(job_field slow .state)\" = verifying ]"
is "a run shows the figures of its copy" \
    "$(job_field slow .run.progress.done_bytes)" 8388608
exits 0 "and can be cancelled" "$nbdsync" cancel slow
: >"$tmp/go"
exits 5 "which makes it no success" "$nbdsync" wait slow
is "though all was copied" "$(job_field slow .last_run.progress.done_bytes)" \
    8388608

# What differs is written, if that is asked for.
spoil()
{
	printf X | dd of="$tmp/copy" bs=1 seek=5000000 conv=notrunc status=none
}
cp "$tmp/copy" "$tmp/right"
spoil
exits 9 "a comparison finds it" "$nbdsync" verify --wait j
ok "and leaves it" test "$(cmp -l "$tmp/copy" "$tmp/right" | wc -l)" -eq 1
exits 9 "a disk that cannot be written can be compared" "$nbdsync" verify \
    --wait fixed
exits 4 "and not repaired" "$nbdsync" verify --repair --wait fixed
like "for that reason" "$err" "read-only"
is "with what differs" "$(job_field fixed \
    '.last_run.differences[0] | "\(.offset_bytes) \(.length_bytes)"')" \
    "4999680 512"
exits 0 "asked for, what differs is repaired" "$nbdsync" verify --repair \
    --wait j
is "which the result says" "$(job_field j .last_run.result)" repaired
is "with how much it was" "$(job_field j .last_run.repaired_bytes)" 512
run "$nbdsync" report "$(job_field j .last_run.id)"
like "its report has what was written, though the last pass wrote nothing" \
    "$out" '^all passes: +512 B written, 0 B of it zeroes$'
like "and what was read in both" "$out" '^read: +8\.0 MiB$'
is "which is counted" "$(api /metrics |
    grep '^nbdsync_verify_repaired_bytes_total{job="j"}')" \
    'nbdsync_verify_repaired_bytes_total{job="j"} 512'
ok "the disk is right" cmp -s "$tmp/copy" "$tmp/right"
is "and the job is consistent" "$(job_field j .consistent)" true
is "no word but true says so" \
    "$(api_status /v1/jobs/j/verify -d '{"repair": "yes"}')" 400
events '?since=0' "$tmp/told"
is "events tell of what was found, and of what was written again" "$(jq -r \
    'select(.mode and .new == "idle") | .event + " " + .mode' "$tmp/told" |
    grep -E '^(verify.*|run.succeeded) verify' | sort -u | tr '\n' ',')" \
    "run.succeeded verify,verify.mismatch verify,verify.repaired verify,"
is "as the schema has it" "$(api /v1/schema >"$tmp/schema"; perl \
    "$srcdir/tests/lib/check-json.pl" "$tmp/schema" '#/$defs/event' \
    <"$tmp/told" 2>&1)" ""
