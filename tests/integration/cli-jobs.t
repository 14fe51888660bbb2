#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a user asks of jobs: where disks differ, what ran since when, what to
# wait for.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay file --version
requires sqlite3 --version
plan 64

make_data "$tmp/a" $((2 * MiB)) 1
make_data "$tmp/b" $((2 * MiB)) 2
truncate -s $((2 * MiB)) "$tmp/c"
truncate -s 64M "$tmp/d"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; }, { name = \"c\"; path = \"$tmp/c\"; },
  { name = \"n\"; uri = \"null:\"; }, $(slow_endpoint slow) );
jobs = ( { name = \"two\"; source = \"a\"; destinations = [ \"b\", \"c\" ]; },
  { name = \"m\"; mode = \"mirror\"; source = \"a\"; destination = \"c\";
    pass_interval = \"100ms\"; }, $(slow_job slow slow n) );"
start_daemon "$tmp/conf"

run "$nbdsync" diff two
is "without a comparison there is nothing to tell" "$status" 1
like "which is said, and what would help" "$err" \
    "has compared its disks: see 'nbdsync verify'"
exits 6 "nor of what is no job" "$nbdsync" diff nobody

ok "a run reads back what it writes, if asked" \
    "$nbdsync" start --wait --verify two
is "this time" "$(job_field two .last_run.id |
    { read -r id; api "/v1/runs/$id"; } |
    jq '.report.block_digests != null')" true
ok "else not" "$nbdsync" start --wait --full two
is "as is configured" "$(job_field two .last_run.id |
    { read -r id; api "/v1/runs/$id"; } |
    jq '.report.block_digests != null')" false
run "$nbdsync" start --verify --mode verify two
is "a comparison writes nothing to read back" "$status" 2
like "which is said" "$err" '"verify" is for runs that copy or sync'
exits 2 "nor does it take a mode that there is none of" \
    "$nbdsync" start --mode foo two
like "which is said, too" "$err" '"mode" is "foo"'
exits 2 "nor a rate that is no rate" "$nbdsync" rate two fast
exits 2 "nor one that is too slow" "$nbdsync" rate two 1
like "in words" "$err" '"rate'

ok "equal disks" "$nbdsync" verify --wait --progress two
like "a comparison does not say that it has copied" "$err" \
    '^two as of .*: 2\.0 MiB compared in .*, equal$'
run "$nbdsync" diff two
is "have no differences" "$status $out" "0 "
printf x | dd of="$tmp/c" bs=1 seek=1048576 conv=notrunc status=none
run "$nbdsync" verify --wait two
is "others do" "$status" 9
like "and where to see them is told" "$err" "see 'nbdsync diff two'"
run "$nbdsync" diff two
is "which says that there are some" "$status" 9
is "where, how many bytes, and of which destination" "$out" \
    "OFFSET   LENGTH       DESTINATION
1048576  512 (512 B)  2"
like "and when that was" "$err" 'as of 20.*, run 20'
is "as JSON, too" "$("$nbdsync" diff --json two |
    jq -c '.report.differences')" \
    '[{"destination":1,"offset_bytes":1048576,"length_bytes":512,"all_zero":null}]'
# Two blocks are lost, and one has come.
dd if=/dev/zero of="$tmp/c" bs=4096 seek=10 count=2 conv=notrunc status=none
dd if=/dev/zero of="$tmp/a" bs=4096 seek=100 count=1 conv=notrunc status=none
printf x | dd of="$tmp/c" bs=1 seek=1048576 conv=notrunc status=none
# One is both, on both sides of where requests end.
dd if=/dev/zero of="$tmp/c" bs=4096 seek=63 count=1 conv=notrunc status=none
printf x | dd of="$tmp/c" bs=1 seek=262144 conv=notrunc status=none
"$nbdsync" verify --wait --quiet two 2>/dev/null
run "$nbdsync" diff --explain two
is "what differs is explained" "$status $out" "9 \
OFFSET   LENGTH          DESTINATION  WHAT
409600   4096 (4.0 KiB)  1            zeroes at the source
40960    8192 (8.0 KiB)  2            zeroes at the destination
258048   4608 (4.5 KiB)  2            data on both sides
409600   4096 (4.0 KiB)  2            zeroes at the source
1048576  512 (512 B)     2            data on both sides

5 ranges, 21.0 KiB in all, of 2.0 MiB that were compared.
All begin and end at multiples of 512 bytes.
Where both have data, one of them was written to, or has been damaged.
Where the source has zeroes only, it was emptied since, or the zeroes were not
written.
Where the destination has zeroes only, what was written there is lost, or nothing
ever was."
"$nbdsync" start --wait --quiet two
exits 9 "a copy after it is no comparison" "$nbdsync" diff two
unlike "which was of all" "$err" "not compared all"
"$nbdsync" verify --wait --quiet --range 0:4KiB two
run "$nbdsync" diff two
like "one of a part says so" "$status $(echo "$err" | tr "\n" " ")" \
    "^0 .*not compared all of both"

# A server that loses what is written to its first block.
start_nbdkit liar eval get_size="echo $((2 * MiB))" can_write=true \
    can_flush=true flush=true pread="dd if=$tmp/b skip=\$4 count=\$3 bs=64K \
    status=none iflag=skip_bytes,count_bytes,fullblock" \
    pwrite="dd of=$tmp/b seek=\$4 bs=64K conv=notrunc oflag=seek_bytes \
    status=none; dd if=/dev/zero of=$tmp/b bs=4096 count=1 conv=notrunc \
    status=none"
sed "s,name = \"b\"; path = \"[^\"]*\",name = \"b\"; uri = \"$(uri liar)\"," \
    "$tmp/conf" >"$tmp/conf.new" && mv "$tmp/conf.new" "$tmp/conf"
"$nbdsync" reload --quiet
run "$nbdsync" start --wait --verify two
is "what a run reads back may differ, too" "$status" 9
like "with the same advice" "$err" "see 'nbdsync diff two'"
run "$nbdsync" diff two
like "which is good" "$out" '^0 +4096 \(4\.0 KiB\) +1$'
"$nbdsync" start --wait --verify --quiet two 2>/dev/null
stop_process liar
rm -f "$tmp/b"
cp "$tmp/a" "$tmp/b"
start_nbdkit liar file "$tmp/b"
exits 0 "and what is read back as it was written" \
    "$nbdsync" start --wait --verify --quiet two
exits 0 "is the last comparison then" "$nbdsync" diff two

run "$nbdsync" report "$("$nbdsync" history --json two |
    jq -r '.runs[-1].id')"
is "the first run has a report" "$status" 0
like "that says how it ended" "$out" '^result: +succeeded$'
like "what was written to one destination" "$out" \
    '^destinations: +#1: 2\.0 MiB written, 0 B of it zeroes, [1-9][0-9]* flush(es)?$'
like "and to the other" "$out" '^ +#2: 2\.0 MiB written, .* flush(es)?$'
like "and read back" "$out" '^read back: +4\.0 MiB$'
like "and which digests there are" "$out" '^blocks: +1 digest \(xxh3\) of '
exits 6 "what is no run has none" "$nbdsync" report none
all=$("$nbdsync" history --json two | jq '.runs | length')
is "the history since an hour ago is all of it" "$("$nbdsync" history \
    --json --since 1h two | jq '.runs | length')" "$all"
is "that of all jobs, since a day" "$("$nbdsync" history --json \
    --since 2020-01-01 | jq '.runs | length')" "$all"
is "and since a time that is to come, nothing" "$("$nbdsync" history \
    --json --since '2099-01-01 06:00' | jq -c .)" '{"runs":[]}'
is "of it as much as is wanted" "$("$nbdsync" history --json --limit 2 \
    --since 1h | jq '.runs | length')" 2
exits 2 "what is no time is refused" "$nbdsync" history --since yesterday
stop_process daemon
sqlite3 "$tmp/state/state.db" "WITH RECURSIVE n(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
    INSERT INTO runs (id, job, trigger, started_at_ms, finished_at_ms, result,
    bytes) SELECT 'x-' || i, 'two', 'control', 1000 * i + 1e8, 1000 * i + 1e8,
    'succeeded', i FROM n" || bail "no runs"
start_daemon "$tmp/conf"
is "more than the daemon tells at once is told" "$("$nbdsync" history \
    --json --since 1970-01-01 two | jq '.runs | length')" $((all + 600))

ok "a wait for done has the last result" "$nbdsync" wait two
exits 2 "what is not to be waited for is refused" \
    "$nbdsync" wait --for never two
exits 1 "what is no mirror is never in sync" "$nbdsync" wait --for in-sync two
exits 8 "a mirror that does not run is not yet" \
    "$nbdsync" wait --for in-sync --timeout 100ms m
start_process wait "$nbdsync" wait --for in-sync --json m
"$nbdsync" start --quiet m
wait "$(pid_of wait)"
is "but who waits hears when it is" $? 0
is "as it is said then" "$(jq .run.progress.mirror.in_sync \
    "$tmp/wait.log")" true
ok "which it is" cmp "$tmp/a" "$tmp/c"
"$nbdsync" cancel --wait --quiet m

start_job slow
wait_copied slow
start_process follow "$nbdsync" log --follow "$run"
ok "the log of a run is followed" wait_for \
    "grep -q 'run $run' '$tmp/follow.log'"
start_process wait "$nbdsync" wait --for=idle slow
"$nbdsync" cancel --quiet slow
wait "$(pid_of wait)"
is "idle is idle, whatever the result" $? 0
exits 5 "which else counts" "$nbdsync" wait slow
ok "the log goes on with it" wait_for "grep -q cancelled '$tmp/follow.log'"
stop_process follow INT

# Who waits and gets no time for it finds another run, and then a third.
start_process wait "$nbdsync" start --wait slow
wait_copied slow
kill -STOP "$(pid_of wait)"
"$nbdsync" cancel --wait --quiet slow
"$nbdsync" start --quiet slow
wait_copied slow
"$nbdsync" cancel --wait --quiet slow
"$nbdsync" start --quiet slow
kill -CONT "$(pid_of wait)"
wait "$(pid_of wait)"
is "who waits hears of its own run, though others came since" $? 5
like "in words" "$(cat "$tmp/wait.log")" "job 'slow' was cancelled$"
"$nbdsync" cancel --wait --quiet slow

start_process copy "$nbdsync" copy --checkpoint "$tmp/state-file" \
    --connections 1 --queue-depth 1 --request-size 4KiB \
    -- [ nbdkit --filter=delay pattern 64M rdelay=50ms ] "$tmp/d"
wait_for "[ -s '$tmp/state-file' ]"
run "$nbdsync" checkpoint show "$tmp/state-file"
is "a checkpoint that a copy uses is not shown" "$status" 12
like "for a reason that one understands" "$err" \
    "is in use: a copy keeps its checkpoint there"

# A terminal that does not speak UTF-8.
exits 2 "a mode that is no text is refused" \
    "$nbdsync" start two --mode "$(printf 'verify\240')"
like "with its name" "$err" "mode: this is no text in UTF-8"
exits 2 "so is such a reason" \
    "$nbdsync" pause two --until 2h --reason "$(printf 'f\374r')"
is "and the job is not paused" "$(job_field two .paused)" false
