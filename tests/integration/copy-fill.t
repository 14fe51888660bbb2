#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What could not be read is filled, if one likes, so that nobody takes what
# was there before for what the source holds.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires nbdkit --filter=error --filter=log file --version
requires jq --version
plan 65

size=$((4 * MiB))
make_data "$tmp/data" $size 7
make_data "$tmp/old" $size 8

# The source, of which "bad" is a file that says what fails.
start_nbdkit src -r eval get_size="echo $size" pread="
	read from to <$tmp/bad
	if [ \$4 -lt \$to ] && [ \$((\$4 + \$3)) -gt \$from ]; then
		echo \$4 >>$tmp/failed
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"

# Old data everywhere, so that what is left can be told from what is filled.
fresh()
{
	echo 1000000 1003000 >"$tmp/bad"
	: >"$tmp/failed"
	for image; do
		cp "$tmp/old" "$tmp/$image"
	done
}

# part FILE FROM LENGTH
part()
{
	dd if="$1" skip="$2" count="$3" iflag=skip_bytes,count_bytes \
	    status=none
}

# The lines that stand for a range.
pattern()
{
	at=$1
	while [ "$at" -lt $(($1 + $2)) ]; do
		printf 'nbdsync: not read from the source, at offset 0x%016x\n' $at
		at=$((at + 64))
	done
}

# equal_but FILE FROM END
equal_but()
{
	cmp -s -n "$2" "$tmp/data" "$1" && cmp -s -i "$3" "$tmp/data" "$1"
}

skip_copy()
{
	"$nbdsync" copy --json --on-read-error skip --retries 0 "$@"
}

fresh a.img
start_nbdkit dst --filter=log file "$tmp/a.img" logfile="$tmp/dst.busy"
exits 13 "by default nothing is filled" skip_copy "$(uri src)" "$(uri dst)"
holds "as the result says" '.filled_bytes == 0 and
    ([.bad_ranges[].filled] == [false])'
ok "the source has failed" test -s "$tmp/failed"
part "$tmp/old" 999936 3072 >"$tmp/want"
ok "and what was there before is still there" \
    eval 'part "$tmp/a.img" 999936 3072 | cmp - "$tmp/want"'

fresh a.img
: >"$tmp/dst.busy"
exits 13 "a pattern is no success, either" skip_copy --fill pattern \
    "$(uri src)" "$(uri dst)"
like "the message counts what is filled" "$err" "filled: 3072 of these bytes"
holds "the result counts it, too" '.filled_bytes == 3072 and
    .progress.destinations[0].filled_bytes == 3072'
holds "and lists it as bad" '[.bad_ranges[] | [.side, .offset_bytes,
    .length_bytes, .filled]] == [["source", 999936, 3072, true]]'
holds "it is not copied" ".progress.done_bytes == $size - 3072 and
    .progress.durable_bytes == $size - 3072 and
    .progress.destinations[0].failed_bytes == 3072"
pattern 999936 3072 >"$tmp/want"
ok "it says what it is, and where" \
    eval 'part "$tmp/a.img" 999936 3072 | cmp - "$tmp/want"'
ok "all else is right" equal_but "$tmp/a.img" 999936 1003008
ok "it is flushed" eval 'tac "$tmp/dst.busy" |
    grep -a " Write id\| Flush id" | head -n 1 | grep -q Flush'

fresh a.img
exits 13 "zeroes fill, too" skip_copy --fill zeroes "$(uri src)" "$(uri dst)"
head -c 3072 /dev/zero >"$tmp/want"
ok "as one sees" eval 'part "$tmp/a.img" 999936 3072 | cmp - "$tmp/want"'
ok "all else is right" equal_but "$tmp/a.img" 999936 1003008

# The digest is of what was read, and there is none of what was not.
fresh a.img
exits 13 "with a digest" skip_copy --fill pattern --digest sha256 \
    "$(uri src)" "$(uri dst)"
holds "there is none" '.digest == null and .filled_bytes == 3072'

# Reading back.
fresh a.img
exits 13 "what is filled is no false alarm when it is read back" \
    skip_copy --fill pattern --verify "$(uri src)" "$(uri dst)"
holds "nothing differs" '.differences == []'
holds "what was not verified is said" '[.gave_up[] |
    select(test("bytes were not verified"))] | length == 1'
holds "and what is filled is counted" '.filled_bytes == 3072 and
    .progress.destinations[0].filled_bytes == 3072'

# A sync looks at what is there, and fills what it could not look at.
fresh a.img
cp "$tmp/data" "$tmp/a.img"
exits 13 "a sync fills, too" skip_copy --sync --fill pattern "$(uri src)" \
    "$(uri dst)"
pattern 999936 3072 >"$tmp/want"
ok "the same" eval 'part "$tmp/a.img" 999936 3072 | cmp - "$tmp/want"'
ok "and nothing else" equal_but "$tmp/a.img" 999936 1003008
echo 0 0 >"$tmp/bad"
ok "when the source can be read again, a sync" "$nbdsync" copy --sync \
    "$(uri src)" "$(uri dst)"
ok "makes it right" cmp "$tmp/data" "$tmp/a.img"

# Going on later.
fresh a.img
exits 13 "with a mapfile" skip_copy --fill pattern --mapfile "$tmp/map" \
    "$(uri src)" "$(uri dst)"
ok "it stays bad there" grep -qi "^0x0*F4200  *0x0*C00  *-" "$tmp/map"
echo 0 0 >"$tmp/bad"
ok "so that a later run" "$nbdsync" copy --json --mapfile "$tmp/map" \
    "$(uri src)" "$(uri dst)"
holds "reads that alone" '.progress.read_bytes == 3072'
ok "and puts it right" cmp "$tmp/data" "$tmp/a.img"
fresh a.img
exits 13 "with a checkpoint" skip_copy --fill pattern \
    --checkpoint "$tmp/state" "$(uri src)" "$(uri dst)"
ok "it is filled" grep -q "not read from the source" "$tmp/a.img"
echo 0 0 >"$tmp/bad"
ok "it is not taken for copied, either" "$nbdsync" copy --json \
    --checkpoint "$tmp/state" "$(uri src)" "$(uri dst)"
is "nor gone on from, when it has been filled" \
    "$(echo "$out" | jq .resumed)" false
ok "and is right in the end" cmp "$tmp/data" "$tmp/a.img"

# Several destinations, and ranges that go elsewhere.
fresh a.img b.img
exits 13 "several destinations are filled" skip_copy --fill pattern \
    --range 983040:65536:0 "$(uri src)" "$(uri dst)" "$tmp/b.img"
holds "each of them is counted" \
    '[.progress.destinations[].filled_bytes] == [3072, 3072]'
holds "and listed" '[.bad_ranges[].filled] == [true, true]'
for image in a b; do
	ok "where the range goes ($image)" eval \
	    'part "$tmp/$image.img" 16896 3072 | cmp - "$tmp/want"'
done
ok "nothing else is touched" cmp -s -i 65536 "$tmp/old" "$tmp/b.img"

# A destination that fails then.
fresh a.img
stop_process dst
start_nbdkit dst --filter=log --filter=error file "$tmp/a.img" \
    error-pwrite=EIO error-pwrite-rate=100% error-pwrite-file="$tmp/broken" \
    logfile="$tmp/dst.busy"
touch "$tmp/broken"
exits 4 "a destination that cannot be filled has failed" skip_copy \
    --fill pattern --range 999936:3072 "$(uri src)" "$(uri dst)"
like "with the reason" "$err" "destination .*write .*Input/output"
holds "nothing is counted as filled" '.filled_bytes == 0'
ok "the fault was met" grep -q "Write id=.*offset=0xf4200" "$tmp/dst.busy"
exits 13 "unless what cannot be written is skipped, too" skip_copy \
    --on-write-error skip --fill pattern --range 999936:3072 "$(uri src)" \
    "$(uri dst)"
holds "then it is not filled" \
    '.filled_bytes == 0 and .bad_ranges[0].filled == false'

# Stopped in the middle of that, by a server that does not get on with it.
stop_process dst
start_nbdkit held eval get_size="echo $size" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" \
    pread="dd if=$tmp/a.img skip=\$4 count=\$3 bs=64K status=none \
	iflag=skip_bytes,count_bytes,fullblock" pwrite="
	if [ \$4 = 999936 ]; then
		: >$tmp/is-held
		while [ -e $tmp/held ]; do sleep 0.05; done
	fi
	dd of=$tmp/a.img seek=\$4 bs=64K oflag=seek_bytes conv=notrunc \
	    status=none"
fresh a.img
: >"$tmp/held"
rm -f "$tmp/state"
start_process copy "$nbdsync" copy --json --on-read-error skip --retries 0 \
    --fill pattern --checkpoint "$tmp/state" "$(uri src)" "$(uri held)"
wait_for "[ -e '$tmp/is-held' ]" || bail "nothing is filled"
stop_process copy TERM
is "a copy that is interrupted while it fills says so" $? 130
like "in its result" "$(cat "$tmp/copy.log")" '"result": *"cancelled"'
like "which has nothing filled" "$(cat "$tmp/copy.log")" \
    '"filled_bytes": *0,'
unlike "and lists nothing as filled" "$(cat "$tmp/copy.log")" \
    '"filled": *true'
rm "$tmp/held"
echo 0 0 >"$tmp/bad"
ok "another run" "$nbdsync" copy --json --checkpoint "$tmp/state" \
    "$(uri src)" "$(uri held)"
is "goes on from there" "$(echo "$out" | jq .resumed)" true
ok "and copies only what is bad" \
    [ "$(echo "$out" | jq .progress.written_bytes)" -le 4096 ]
ok "which makes it right" cmp "$tmp/data" "$tmp/a.img"
ok "the next one" "$nbdsync" copy --json --checkpoint "$tmp/state" \
    "$(uri src)" "$(uri held)"
is "has nothing to go on from" "$(echo "$out" | jq .resumed)" false

# What is filled is not zero, whatever was promised before.
dd if=/dev/zero of="$tmp/data" bs=512 seek=1953 count=6 conv=notrunc status=none
echo 1000000 1003000 >"$tmp/bad"
truncate -s 0 "$tmp/a.img"
truncate -s $size "$tmp/a.img"
: >"$tmp/held"
rm -f "$tmp/is-held" "$tmp/state"
start_process copy "$nbdsync" copy --json --on-read-error skip --retries 0 \
    --destination-is-zero --fill pattern --checkpoint "$tmp/state" \
    "$(uri src)" "$(uri held)"
wait_for "[ -e '$tmp/is-held' ]" || bail "nothing is filled"
stop_process copy TERM
rm "$tmp/held"
wait_for "part '$tmp/a.img' 999936 3072 | grep -q 'not read'" ||
    bail "nothing was filled"
echo 0 0 >"$tmp/bad"
ok "where it was zero to begin with, another run" "$nbdsync" copy --json \
    --destination-is-zero --checkpoint "$tmp/state" "$(uri src)" "$(uri held)"
is "goes on from there, too" "$(echo "$out" | jq .resumed)" true
like "but believes it no longer" "$(echo "$out" | jq -r '.gave_up[]')" \
    'does not hold where an earlier run may have written'
ok "so that what reads as zero by now is zero" cmp "$tmp/data" "$tmp/a.img"

exits 2 "an unknown word is refused" "$nbdsync" copy --on-read-error skip \
    --fill ones "$(uri src)" null:
exits 2 "and so is what would never fill anything" "$nbdsync" copy \
    --fill pattern "$(uri src)" null:
like "with the reason" "$err" "is for --on-read-error skip"
