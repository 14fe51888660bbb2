#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mapfiles: what ddrescue began, and what it can go on with.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires nbdkit eval --version
requires ddrescue --version
requires ddrescuelog --version
requires jq --version
plan 32

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
ok "its map is gone on with" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
is "what it has copied is not read" "$(read_bytes)" $((3 * MiB))
printf x | dd of="$tmp/src.img" bs=1 seek=1500000 conv=notrunc status=none
ok "all else is copied" cmp "$tmp/src.img" "$tmp/dst.img"
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
exits 4 "a run that fails" "$nbdsync" copy --retries 0 --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
ok "leaves the map alone" cmp "$map" "$tmp/before.map"
echo 0 0 >"$tmp/bad"
ok "when they can be read again" "$nbdsync" copy --json --mapfile "$map" \
    "$(uri src)" "$tmp/dst.img"
is "only they are" "$(read_bytes)" 3072
ok "and all is right" cmp "$tmp/src.img" "$tmp/dst.img"
ok "which the map says" ddrescuelog --done-status "$map"

# And ddrescue after us.
fresh
echo 1000000 1003000 >"$tmp/bad"
exits 13 "bad sectors that are skipped" "$nbdsync" copy --on-read-error skip \
    --retries 0 --mapfile "$map" "$(uri src)" "$tmp/dst.img"
ok "are for ddrescue to copy" ddrescue -q -r 1 "$tmp/src.img" \
    "$tmp/dst.img" "$map"
ok "and right then" cmp "$tmp/src.img" "$tmp/dst.img"
echo 0 0 >"$tmp/bad"

# Files that are none, or of another disk.
bad_map()
{
	printf '%b' "$2" >"$map"
	exits 1 "$1" "$nbdsync" copy --mapfile "$map" "$(uri src)" \
	    "$tmp/dst.img"
}
bad_map "an empty file is no map" ''
bad_map "one that begins later is refused" '0 ?\n0x1000 0x1000 +\n'
bad_map "one with a gap, too" '0 ?\n0 0x1000 +\n0x2000 0x1000 +\n'
like "by its line" "$err" "line 3 is not as in a mapfile"
bad_map "one with unknown words, too" '0 ?\n0 0x1000 x\n'
bad_map "and negative numbers" '0 ?\n0 -4096 +\n'
bad_map "and such as are too large" '0 ?\n0 0xFFFFFFFFFFFFFFFF +\n'
bad_map "and what is no text" '0 ?\n0 0x10\0000 +\n'
bad_map "that of a smaller disk is no success" '0 ?\n0 0x1000 ?\n'
like "as is said" "$err" "disk of 4096 bytes, and the source has 4194304"
exits 2 "ranges of one's own are too much" "$nbdsync" copy --mapfile "$map" \
    --range 0:4096 "$(uri src)" "$tmp/dst.img"
rm "$map"
exits 1 "a map that cannot be written fails" "$nbdsync" copy \
    --mapfile "$tmp/none/map" "$(uri src)" "$tmp/dst.img"
like "by its name" "$err" "none/map"
