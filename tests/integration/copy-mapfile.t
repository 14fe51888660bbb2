#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mapfiles: what ddrescue began, and what it can go on with.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires nbdkit eval --version
requires ddrescue --version
requires ddrescuelog --version
requires jq --version
plan 109

make_data "$tmp/src.img" $((4 * MiB)) disk
map=$tmp/disk.map

fresh()
{
	rm -f "$map" "$tmp/dst.img"
	truncate -s 4M "$tmp/dst.img"
}

read_bytes()
{
	echo "$out" | jq .progress.read_bytes
}

# The source, of which "bad" is a file that says what fails.
start_nbdkit src -r eval get_size="echo $((4 * MiB))" pread="
	read from to <$tmp/bad
	if [ \$4 -lt \$to ] && [ \$((\$4 + \$3)) -gt \$from ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/src.img skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
echo 0 0 >"$tmp/bad"

# ddrescue first: the second MiB is what it has copied.
fresh
ok "ddrescue copies a part" ddrescue -q -i 1MiB -s 1MiB \
    "$tmp/src.img" "$tmp/dst.img" "$map"
# Where its map says so, the destination is not looked at.
printf x | dd of="$tmp/dst.img" bs=1 seek=1500000 conv=notrunc status=none
echo mine >"$map.new"
ok "its map is gone on with" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
is "what it has copied is not read" "$(read_bytes)" $((3 * MiB))
printf x | dd of="$tmp/src.img" bs=1 seek=1500000 conv=notrunc status=none
ok "all else is copied" cmp "$tmp/src.img" "$tmp/dst.img"
is "a file of another's beside it is left alone" "$(cat "$map".*)" mine
ok "then ddrescue finds it all finished" ddrescuelog --done-status "$map"
ok "a map of which all is finished" "$nbdsync" copy --json \
    --mapfile="$map" "$(uri src)" "$tmp/dst.img"
is "leaves nothing to be read" "$(read_bytes)" 0

# Bad sectors.
fresh
echo 1000000 1003000 >"$tmp/bad"
exits 13 "bad sectors are skipped" "$nbdsync" copy --on-read-error skip \
    --retries 0 --mapfile "$map" "$(uri src)" "$tmp/dst.img"
is "and told to ddrescue" \
    "$(ddrescuelog --list-blocks=- "$map" | tr '\n' ' ')" \
    "1953 1954 1955 1956 1957 1958 "
is "all else being finished" "$(ddrescuelog --list-blocks=+ "$map" | wc -l)" \
    $((8192 - 6))
cp "$map" "$tmp/before.map"
exits 3 "one that also lacks a destination" "$nbdsync" copy \
    --on-read-error skip --retries 0 --mapfile "$map" "$(uri src)" \
    "$tmp/dst.img" "$(uri nobody)"
like "says so" "$err" "destination '[^']*nobody\.sock'"
ok "and leaves the map, which is for all of them" cmp "$map" \
    "$tmp/before.map"
exits 4 "a run that fails" "$nbdsync" copy --retries 0 --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
ok "leaves the map alone" cmp "$map" "$tmp/before.map"
echo 0 0 >"$tmp/bad"
ok "when they can be read again" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
is "only they are" "$(read_bytes)" 3072
ok "and all is right" cmp "$tmp/src.img" "$tmp/dst.img"
ok "which the map says" ddrescuelog --done-status "$map"

# Sectors that the destination cannot write are as bad: else nobody would come
# back to them.
fresh
echo 1000000 1003000 >"$tmp/unwritable"
start_nbdkit dst eval get_size="echo $((4 * MiB))" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" \
    pread="dd if=$tmp/dst.img skip=\$4 count=\$3 bs=64K status=none \
	iflag=skip_bytes,count_bytes,fullblock" pwrite="
	read from to <$tmp/unwritable
	if [ \$4 -lt \$to ] && [ \$((\$4 + \$3)) -gt \$from ]; then
		cat >$tmp/not-written
		echo EIO bad sector >&2
		exit 1
	fi
	dd of=$tmp/dst.img seek=\$4 bs=64K oflag=seek_bytes conv=notrunc \
	    status=none"
exits 13 "what cannot be written is skipped" "$nbdsync" copy \
    --on-write-error skip --retries 0 --mapfile "$map" "$(uri src)" \
    "$(uri dst)"
is "and told to ddrescue, too" \
    "$(ddrescuelog --list-blocks=- "$map" | tr '\n' ' ')" \
    "1953 1954 1955 1956 1957 1958 "
echo 0 0 >"$tmp/unwritable"
ok "when it can be written again" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$(uri dst)"
is "nothing else is" "$(echo "$out" | jq .progress.written_bytes)" 3072
ok "and all is right" cmp "$tmp/src.img" "$tmp/dst.img"
ok "as the map says" ddrescuelog --done-status "$map"
stop_process dst

# And ddrescue after us.
fresh
echo 1000000 1003000 >"$tmp/bad"
exits 13 "bad sectors that are skipped" "$nbdsync" copy --on-read-error skip \
    --retries 0 --mapfile "$map" "$(uri src)" "$tmp/dst.img"
ok "are for ddrescue to copy" ddrescue -q -r 1 "$tmp/src.img" \
    "$tmp/dst.img" "$map"
ok "and right then" cmp "$tmp/src.img" "$tmp/dst.img"
echo 0 0 >"$tmp/bad"

# What may be in such a file, as one writes it by hand.
fresh
printf '%s\n' '# Mapfile, by hand' '	# with all that may be in it' '' \
    '0x1000 / 2 # current_pos, current_status, current_pass' \
    '	# pos size status' \
    '0x1000  010000 + # finished: 4 KiB in octal' \
    '8192 4096 *	# decimal' '0X3000  0x1000  /' \
    '0x4000 0x1000 -' '0x5000 0x1000 ?' >"$map"
ok "all numbers, statuses and comments of ddrescue are known" "$nbdsync" \
    copy --json --mapfile "$map" "$(uri src)" "$tmp/dst.img"
is "what is not finished is read, before, in and behind what the map has" \
    "$(read_bytes)" $((4 * MiB - 4096))
ok "and nothing else" eval 'dd if="$tmp/dst.img" bs=4K skip=1 count=1 \
    status=none | cmp -n 4096 - /dev/zero'
ok "all else is right" eval 'cmp -s -n 4096 "$tmp/src.img" "$tmp/dst.img" &&
    cmp -s -i 8192 "$tmp/src.img" "$tmp/dst.img"'
ok "which ddrescue can read" ddrescuelog --done-status "$map"
printf '0x0 ?\n' >"$map"
ok "a map without a block" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
is "has nothing finished" "$(read_bytes)" $((4 * MiB))

# A disk that ends inside a sector.
head -c 1000001 "$tmp/src.img" >"$tmp/odd.img"
truncate -s 1000001 "$tmp/odd2.img"
rm "$map"
ok "a disk of an odd size" "$nbdsync" copy --mapfile "$map" "$tmp/odd.img" \
    "$tmp/odd2.img"
ok "is finished with all its bytes" ddrescuelog --done-status "$map"
ok "so that another run" "$nbdsync" copy --json --mapfile "$map" \
    "$tmp/odd.img" "$tmp/odd2.img"
is "reads nothing" "$(read_bytes)" 0
ok "and it is right" cmp "$tmp/odd.img" "$tmp/odd2.img"

# And whose last bytes are no whole block of a destination.
truncate -s $((4 * MiB)) "$tmp/odd2.img"
start_nbdkit odd -r --filter=error file "$tmp/odd.img" error-pread=EIO \
    error-pread-rate=100% error-pread-file="$tmp/odd.bad"
start_nbdkit blocks --filter=blocksize-policy file "$tmp/odd2.img" \
    blocksize-minimum=512 blocksize-preferred=4096 blocksize-maximum=32M \
    blocksize-error-policy=error
printf '0 ?\n0 0xf4000 +\n' >"$map"
touch "$tmp/odd.bad"
exits 3 "where sectors are bad, and a tail is left out" "$nbdsync" copy \
    --on-read-error skip --retries 0 --mapfile "$map" "$(uri odd)" \
    "$(uri blocks)"
like "which is said" "$err" "not copied: 65 bytes at offset 999936"
is "the tail is not finished, nor bad" "$(sed -n 's/^\(.*0x00000041\)/\1/p' \
    "$map")" "0x000F4200  0x00000041  ?"
is "as the sectors are" "$(grep -c -e '-$' "$map")" 1
rm "$tmp/odd.bad"
exits 3 "and when they can be read again" "$nbdsync" copy --json \
    --mapfile "$map" "$(uri odd)" "$(uri blocks)"
is "they are" "$(read_bytes)" 512
is "which is all that the map lacks" "$(grep -c -e '-$' "$map") $(sed -n \
    's/^\(.*0x00000041\)/\1/p' "$map")" "0 0x000F4200  0x00000041  ?"

# Files that are none, or of another disk.
bad_map()
{
	printf '%b' "$2" >"$map"
	cp "$map" "$tmp/before.map"
	cp "$tmp/dst.img" "$tmp/before.img"
	exits 1 "$1" "$nbdsync" copy --mapfile "$map" "$(uri src)" \
	    "$tmp/dst.img"
	like "by its line ($3)" "$err" \
	    "disk.map: line $3 is not as in a mapfile"
	ok "and nothing is written" eval 'cmp "$map" "$tmp/before.map" &&
	    cmp "$tmp/dst.img" "$tmp/before.img"'
}
bad_map "an empty file is no map" '' 1
bad_map "nor is one of comments" '# Mapfile\n' 2
bad_map "one with a gap is refused" '0 ?\n0 0x1000 +\n0x2000 0x1000 +\n' 3
bad_map "and blocks that overlap" '0 ?\n0 0x1000 +\n0x800 0x1000 +\n' 3
bad_map "or are not in order" '0 ?\n0x1000 0x1000 +\n0 0x1000 +\n' 3
bad_map "or empty" '0 ?\n0 0 +\n' 2
bad_map "unknown words, too" '0 ?\n0 0x1000 x\n' 2
bad_map "and two in one" '0 ?\n0 0x1000 +-\n' 2
bad_map "and words behind them" '0 ?\n0 0x1000 + 7\n' 2
bad_map "and negative numbers" '0 ?\n0 -4096 +\n' 2
bad_map "and what is no number" '0 ?\n0 0x10zz +\n' 2
bad_map "nor octal" '0 ?\n0 089 +\n' 2
bad_map "and such as are too large" '0 ?\n0 0xFFFFFFFFFFFFFFFF +\n' 2
bad_map "or lie too far" '0 ?\n0x7FFFFFFFFFFFFFFF 2 +\n' 2
bad_map "and what is no text" '0 ?\n0 0x1000 +\0000\n' 2
bad_map "and a state that there is not" '# x\n0 x\n0 0x1000 +\n' 2
bad_map "and a pass that is not decimal" '0 ? 0x1\n0 0x1000 +\n' 1
bad_map "or none" '0 ? 0\n0 0x1000 +\n' 1
for state in '+' '?'; do
	printf "0 ?\n0 0x400200 $state\n" >"$map"
	exits 4 "that of a larger disk is refused ($state)" "$nbdsync" copy \
	    --mapfile "$map" "$(uri src)" "$tmp/dst.img"
	like "as is said" "$err" "source has 4194304 bytes: .* beyond its end"
done
exits 2 "ranges of one's own are too much" "$nbdsync" copy --mapfile "$map" \
    --range 0:4096 "$(uri src)" "$tmp/dst.img"
rm "$map"
exits 1 "a map that cannot be written fails" "$nbdsync" copy \
    --mapfile "$tmp/none/map" "$(uri src)" "$tmp/dst.img"
like "by its name" "$err" "none/map"
