#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What could only do harm is refused before the first write.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
plan 21

make_data "$tmp/src.img" $((2 * MiB)) disk
make_data "$tmp/dst.img" $MiB old
cp "$tmp/dst.img" "$tmp/old.img"
cp "$tmp/src.img" "$tmp/untouched.img"
start_nbdkit src file "$tmp/src.img"

start_nbdkit dst file "$tmp/dst.img"
exits 4 "a destination that is too small is refused" \
    "$nbdsync" copy "$(uri src)" "$(uri dst)"
like "with both sizes" "$err" "too small: it has 1048576 bytes, 2097152"
ok "nothing was written" cmp "$tmp/dst.img" "$tmp/old.img"
exits 4 "so is a range that does not fit" \
    "$nbdsync" copy --range 0:512KiB:768KiB "$(uri src)" "$(uri dst)"
ok "nothing was written" cmp "$tmp/dst.img" "$tmp/old.img"
exits 4 "and one beyond the source" \
    "$nbdsync" copy --range 1MiB:2MiB:0 "$(uri src)" "$(uri dst)"
like "with the source's size" "$err" "source has 2097152 bytes"
ok "a part that fits is copied" \
    "$nbdsync" copy --range 512KiB:512KiB:256KiB "$(uri src)" "$(uri dst)"
ok "to its place" cmp -n $((512 * KiB)) -i $((512 * KiB)):$((256 * KiB)) \
    "$tmp/src.img" "$tmp/dst.img"
ok "what lies before is untouched" \
    cmp -n $((256 * KiB)) "$tmp/dst.img" "$tmp/old.img"
ok "what lies behind is untouched" \
    cmp -i $((768 * KiB)) "$tmp/dst.img" "$tmp/old.img"
stop_process dst

start_nbdkit dst -r file "$tmp/dst.img"
exits 4 "a read-only destination is refused" \
    "$nbdsync" copy --range 0:1MiB "$(uri src)" "$(uri dst)"
like "as read-only" "$err" "destination .*is read-only"

exits 4 "the source itself is refused as destination" \
    "$nbdsync" copy "$(uri src)" "$(uri src)"
like "as the same export" "$err" "same export as the source"
ln -s "$tmp/src.sock" "$tmp/other.sock"
exits 4 "also by another name of its socket" \
    "$nbdsync" copy "$(uri src)" "$(uri other)"
exits 4 "a file is refused as its own destination" \
    "$nbdsync" copy "$tmp/src.img" "$tmp/src.img"
like "as the same" "$err" "same export as the source"
ln "$tmp/src.img" "$tmp/hard.img"
exits 4 "also by a hard link" \
    "$nbdsync" copy "$tmp/src.img" "$tmp/hard.img"
ok "the source is as it was" cmp "$tmp/src.img" "$tmp/untouched.img"

exits 4 "null: is no source" "$nbdsync" copy null: "$(uri src)"
