#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Differences that are looked at again, and those that are repaired.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires nbdkit --filter=blocksize-policy file --version
requires jq --version
plan 65

change()
{
	printf '%s' "$2" | dd of="$1" bs=1 seek="$3" conv=notrunc status=none
}

differences()
{
	echo "$out" | jq -c '[.differences[] |
	    [.destination, .offset_bytes, .length_bytes]]'
}

make_data "$tmp/a" $((6 * MiB + 100)) 1
cp "$tmp/a" "$tmp/b"
cp "$tmp/a" "$tmp/c"
change "$tmp/b" xx 1000000
change "$tmp/c" yy 2000000
change "$tmp/c" z $((6 * MiB + 99))
cp "$tmp/c" "$tmp/c2"

exits 9 "differences that stay are told" "$nbdsync" compare --recheck 10ms \
    --json "$tmp/a" "$tmp/b" "$tmp/c"
is "each at its disk" "$(differences)" \
    "[[0,999936,512],[1,1999872,512],[1,6291456,100]]"
is "only they were read again" \
    "$(echo "$out" | jq .progress.total_bytes)" 1124
exits 0 "equal disks are not read again" "$nbdsync" compare --recheck 1h \
    "$tmp/a" "$tmp/a"

# A disk that is still being written when it is read for the first time; where
# it differed, it is read again when it is settled.
cat >"$tmp/settle" <<END
case \$1 in
get_size) echo 6291556 ;;
pread)
	echo "\$3 \$4" >>"$tmp/reads"
	if [ "\$3" = 512 ]; then
		: >"$tmp/again"
		while [ ! -e "$tmp/settled" ]; do sleep 0.05; done
	fi
	if [ -e "$tmp/settled" ]; then
		dd if="$tmp/a" bs=1 skip=\$4 count=\$3 2>/dev/null
	else
		dd if="$tmp/b" bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
		    count=\$3 2>/dev/null
	fi ;;
can_write) exit 3 ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/settle"
start_nbdkit settling -r sh "$tmp/settle"
start_process compare "$nbdsync" compare --recheck 10ms --json \
    "$(uri settling)" "$tmp/a"
wait_for "[ -e '$tmp/again' ]" || bail "it is not read again"
ok "it was read whole before" [ \
    "$(awk '{ n += $1 } END { print n + 0 }' "$tmp/reads")" -ge 6291556 ]
: >"$tmp/settled"
wait_for "! is_running_ $(pid_of compare)"
wait "$(pid_of compare)"
is "what differs for a moment is no difference" "$?" 0
rm -f "$tmp/compare.started"
is "in the result, too" "$(sed -n '/^{/,$p' "$tmp/compare.log" |
    jq -c '[.result, .differences]')" '["succeeded",[]]'
is "it was read again" "$(tail -n 1 "$tmp/reads")" "512 999936"
rm "$tmp/settled"
exits 9 "without waiting it is one" "$nbdsync" compare "$(uri settling)" \
    "$tmp/a"

exits 0 "differences are repaired" "$nbdsync" compare --repair --json \
    "$tmp/a" "$tmp/b" "$tmp/c"
is "which is the result" "$(echo "$out" | jq -r .result)" repaired
is "with what was found" "$(differences)" \
    "[[0,999936,512],[1,1999872,512],[1,6291456,100]]"
is "and how much was written" "$(echo "$out" | jq .repaired_bytes)" 1124
ok "one is equal" cmp "$tmp/a" "$tmp/b"
ok "and the other" cmp "$tmp/a" "$tmp/c"
exits 0 "what is equal needs no repair" "$nbdsync" compare --repair --json \
    "$tmp/a" "$tmp/b"
is "and has not had any" "$(echo "$out" | jq -r .result)" succeeded

exits 0 "in ranges" "$nbdsync" compare --repair --range 1MiB:1MiB:1MiB \
    --json "$tmp/a" "$tmp/c2"
is "only that is repaired" "$(differences)" "[[0,1999872,512]]"
exits 9 "not the rest" "$nbdsync" compare "$tmp/a" "$tmp/c2"
is "of which it does not know" "$out" "100 bytes at offset 6291456 differ"

# Ranges that lie elsewhere on the destination.
cp "$tmp/a" "$tmp/moved"
dd if="$tmp/a" of="$tmp/moved" bs=1M skip=1 count=1 seek=4 conv=notrunc \
    status=none
change "$tmp/moved" q $((4 * MiB + 5000))
exits 0 "moved ones are repaired where they lie" "$nbdsync" compare --repair \
    --json --range 1MiB:1MiB:4MiB "$tmp/a" "$tmp/moved"
is "and told where the source has them" "$(differences)" \
    "[[0,1053184,512]]"
dd if="$tmp/a" of="$tmp/should" bs=1M count=7 status=none
dd if="$tmp/a" of="$tmp/should" bs=1M skip=1 count=1 seek=4 conv=notrunc \
    status=none
ok "nothing else is written" cmp "$tmp/should" "$tmp/moved"

# More than a list can hold: one byte in each 512 of 4 MiB, and then some.
perl -e 'print "\0" x 6000000' >"$tmp/zeroes"
perl -e 'print "x" . "\0" x 1023 for 1 .. 5859' >"$tmp/many"
truncate -s 6000000 "$tmp/many"
exits 9 "more differences than a list holds" "$nbdsync" compare --json \
    --connections 1 "$tmp/zeroes" "$tmp/many"
is "are told to be more" "$(echo "$out" | jq .differences_are_cut)" true
is "and all counted" "$(echo "$out" | jq .progress.differing_bytes)" \
    $((5859 * 512))
exits 9 "rechecking does not hide that" "$nbdsync" compare --json \
    --recheck 10ms --connections 1 "$tmp/zeroes" "$tmp/many"
is "either" "$(echo "$out" | jq .differences_are_cut)" true
exits 0 "all of them are repaired" "$nbdsync" compare --repair \
    "$tmp/zeroes" "$tmp/many"
ok "so that the disks are equal" cmp "$tmp/zeroes" "$tmp/many"

cp "$tmp/b" "$tmp/worn"
change "$tmp/worn" w 70000
start_nbdkit worn --filter=error file "$tmp/worn" error-pwrite=EIO \
    error-pwrite-rate=100%
exits 4 "a repair that fails is a failure" "$nbdsync" compare --repair \
    "$tmp/a" "$(uri worn)"
like "of writing" "$err" "destination .*: write of .*Input/output error"

# What cannot be read, and differences elsewhere.
bad_at=$((3 * MiB))
bad_disk()
{
	cat >"$tmp/$1.sh" <<END
case \$1 in
get_size) echo 6291556 ;;
can_write|can_flush|flush) exit 0 ;;
can_zero|can_trim) exit 3 ;;
pread)
	if [ \$4 -lt $((bad_at + 512)) ] && [ \$((\$3 + \$4)) -gt $bad_at ]; then
		echo "\$3 \$4" >>"$tmp/$1.refused"
		echo EIO bad >&2
		exit 1
	fi
	echo "\$3 \$4" >>"$tmp/$1.reads"
	dd if="$2" bs=64K iflag=skip_bytes,count_bytes skip=\$4 count=\$3 \
	    status=none ;;
pwrite)	dd of="$2" bs=64K oflag=seek_bytes seek=\$4 conv=notrunc status=none ;;
*) exit 2 ;;
esac
END
	chmod +x "$tmp/$1.sh"
	start_nbdkit "$1" sh "$tmp/$1.sh"
}
bad_ranges()
{
	echo "$out" | jq -c '[.bad_ranges[] |
	    [.side, .offset_bytes, .length_bytes]]'
}
cp "$tmp/a" "$tmp/d"
change "$tmp/d" dd 5000000
bad_disk bad "$tmp/a"
set -- --on-read-error skip --retries 0
exits 9 "differences beside what cannot be read are the worse news" \
    "$nbdsync" compare --json "$@" "$(uri bad)" "$tmp/d"
is "they are told" "$(differences)" "[[0,4999680,512]]"
is "and so is what cannot be read" "$(bad_ranges)" \
    "[[\"source\",$bad_at,512]]"
ok "which was tried" [ -s "$tmp/bad.refused" ]
exits 9 "in words, too" "$nbdsync" compare "$@" "$(uri bad)" "$tmp/d"
is "the differences" "$out" "512 bytes at offset 4999680 differ"
like "and the rest" "$err" "skipped: 512 bytes at offset $bad_at: source:"
rm "$tmp/bad.reads"
exits 9 "they are looked at again" "$nbdsync" compare --json --recheck 1ms \
    "$@" "$(uri bad)" "$tmp/d"
is "alone" "$(tail -n 1 "$tmp/bad.reads")" "512 4999680"
is "and what cannot be read is not forgotten" "$(differences) $(bad_ranges)" \
    "[[0,4999680,512]] [[\"source\",$bad_at,512]]"
exits 13 "what differs is repaired, but no success" "$nbdsync" compare --json \
    --repair "$@" "$(uri bad)" "$tmp/d"
is "with both in the result" \
    "$(differences) $(bad_ranges) $(echo "$out" | jq .repaired_bytes)" \
    "[[0,4999680,512]] [[\"source\",$bad_at,512]] 512"
ok "the disks are equal" cmp "$tmp/a" "$tmp/d"
exits 13 "what remains is what cannot be read" "$nbdsync" compare \
    "$@" "$(uri bad)" "$tmp/d"

# What cannot be written still differs, and it is told why.
change "$tmp/d" dd 5000000
change "$tmp/d" dd $bad_at
cat >"$tmp/stiff.sh" <<END
case \$1 in
get_size) echo 6291556 ;;
can_write|can_flush|flush) exit 0 ;;
can_zero|can_trim) exit 3 ;;
pread)	dd if="$tmp/d" bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none ;;
pwrite)
	if [ \$4 -lt $((bad_at + 512)) ] && [ \$((\$3 + \$4)) -gt $bad_at ]; then
		cat >"$tmp/stiff.refused"
		echo EIO bad >&2
		exit 1
	fi
	dd of="$tmp/d" bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
	    status=none ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/stiff.sh"
start_nbdkit stiff sh "$tmp/stiff.sh"
exits 9 "a difference that cannot be repaired is one" "$nbdsync" compare \
    --json --repair --on-write-error skip --retries 0 "$tmp/a" "$(uri stiff)"
is "as is what could not be written" "$(differences) $(bad_ranges)" \
    "[[0,$bad_at,512]] [[\"destination\",$bad_at,512]]"
ok "which was tried" [ -s "$tmp/stiff.refused" ]

# One of two destinations fails in the first comparison, and in that alone.
cp "$tmp/a" "$tmp/e"
cp "$tmp/a" "$tmp/f"
change "$tmp/e" ee 1000000
cat >"$tmp/once.sh" <<END
case \$1 in
get_size) echo 6291556 ;;
can_write|can_flush|flush) exit 0 ;;
can_zero|can_trim) exit 3 ;;
pread)
	if [ ! -e "$tmp/has-failed" ]; then
		: >"$tmp/has-failed"
		echo EIO once >&2
		exit 1
	fi
	echo "\$3 \$4" >>"$tmp/once.reads"
	dd if="$tmp/f" bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none ;;
pwrite)	dd of="$tmp/f" bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
	    status=none ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/once.sh"
start_nbdkit once sh "$tmp/once.sh"
set -- --json --on-write-error stop --connections 1
failures()
{
	echo "$out" | jq -c '[.destination_failures[:2][] | . != null]'
}
exits 9 "what has failed does not hide what differs again" "$nbdsync" compare \
    --recheck 1ms "$@" "$tmp/a" "$tmp/e" "$(uri once)"
is "elsewhere" "$(differences)" "[[0,999936,512]]"
is "nor is it forgotten" "$(failures)" "[false,true]"
is "though it was read again" "$(tail -n 1 "$tmp/once.reads")" "512 999936"
rm "$tmp/has-failed"
exits 3 "a repair without one of them is no plain success" "$nbdsync" compare \
    --repair "$@" "$tmp/a" "$tmp/e" "$(uri once)"
is "and says so" "$(failures)" "[false,true]"
ok "which failed" [ -e "$tmp/has-failed" ]
ok "the other is equal" cmp "$tmp/a" "$tmp/e"

# Disks of different blocks, of which each can be compared up to its last one.
whole=$((MiB + 4096))
dd if="$tmp/a" of="$tmp/g" bs=$((whole + 3000)) count=1 status=none
for i in 0 1 2; do
	cp "$tmp/g" "$tmp/g$i"
	change "$tmp/g$i" g 5000
done
change "$tmp/g1" h $((whole + 100))
change "$tmp/g2" i $((whole + 200))
start_nbdkit g0 --filter=blocksize-policy file "$tmp/g0" \
    blocksize-error-policy=error blocksize-minimum=4096
start_nbdkit g1 --filter=blocksize-policy file "$tmp/g1" \
    blocksize-error-policy=error blocksize-minimum=1024
set -- --json "$tmp/g" "$(uri g0)" "$(uri g1)" "$tmp/g2"
exits 9 "disks of different blocks are compared" "$nbdsync" compare "$@"
told=$(differences)
like "what differs lies in tails, too" "$told" "\[1,$whole,2048\].*\[2,$whole,2048\]"
exits 9 "they are looked at again" "$nbdsync" compare --recheck 1ms "$@"
is "and found again" "$(differences)" "$told"
exits 3 "they are repaired" "$nbdsync" compare --repair "$@"
is "but for what is no whole block, which is told" "$(echo "$out" |
    jq -c '[.not_copied[] | .destination, .offset_bytes, .length_bytes]')" \
    "[0,$whole,3000,1,$((whole + 2048)),952]"
ok "that of the smallest blocks is equal" cmp "$tmp/g" "$tmp/g2"
