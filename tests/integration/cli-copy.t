#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync copy takes every kind of source and destination, silently.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=exitlast file --version
requires jq --version
plan 27

size=$((2 * MiB + 513))
make_data "$tmp/src.img" $size source
new()
{
	rm -f "$tmp/dst.img"
	truncate -s $size "$tmp/dst.img"
}
copied()
{
	ok "$1, byte by byte" cmp "$tmp/src.img" "$tmp/dst.img"
}

new
start_nbdkit src -r file "$tmp/src.img"
start_nbdkit dst file "$tmp/dst.img"
ok "a URI is copied to a URI" "$nbdsync" copy "$(uri src)" "$(uri dst)"
is "nothing is said on standard output" "$out" ""
is "nor on standard error" "$err" ""
copied "all of it"
stop_process dst

new
ok "a command is copied to a command" "$nbdsync" copy \
    [ nbdkit file "$tmp/src.img" ] [ nbdkit file "$tmp/dst.img" ]
copied "all of it"
new
ok "options of a command are not ours" "$nbdsync" copy --json -- \
    [ nbdkit --exit-with-parent -r file "$tmp/src.img" ] "$tmp/dst.img"
copied "all of it"
new
ok "a path is copied to a path" "$nbdsync" copy "$tmp/src.img" "$tmp/dst.img"
copied "all of it"
rm "$tmp/dst.img"
ok "a destination file that does not exist is made" \
    "$nbdsync" copy "$(uri src)" "$tmp/dst.img"
copied "all of it"
ok "null: swallows everything" "$nbdsync" copy "$tmp/src.img" null:

ok "the result is JSON if asked for" \
    "$nbdsync" copy --json "$(uri src)" null:
is "that says that it succeeded" "$(echo "$out" | jq -r .result)" succeeded
is "and how much" "$(echo "$out" | jq .progress.durable_bytes)" $size

# Ranges: two pieces, one of them elsewhere.
new
ok "ranges are copied" "$nbdsync" copy --range 1MiB:2s \
    --range 0:64KiB:1536KiB "$tmp/src.img" "$tmp/dst.img"
piece()
{
	dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" \
	    status=none | cksum
}
is "one in its place" "$(piece "$tmp/dst.img" $MiB 1024)" \
    "$(piece "$tmp/src.img" $MiB 1024)"
is "one elsewhere" "$(piece "$tmp/dst.img" $((1536 * KiB)) $((64 * KiB)))" \
    "$(piece "$tmp/src.img" 0 $((64 * KiB)))"
is "and nothing else" "$(piece "$tmp/dst.img" 0 $MiB)" \
    "$(piece /dev/zero 0 $MiB)"

# Failures: 4, one sentence, and the result as JSON.
exits 4 "a source that cannot be read fails the run" "$nbdsync" copy --json \
    [ nbdkit --filter=error pattern 1M error-pread-rate=100% ] null:
json=$out
like "with one sentence" "$(echo "$err" | grep '^nbdsync')" \
    '^nbdsync: copy: source .*read.*: Input/output error$'
is "the JSON says failed" "$(echo "$json" | jq -r .result)" failed
is "and where" "$(echo "$json" | jq -r .failure.side)" source
truncate -s 1M "$tmp/small.img"
exits 4 "a destination that is too small fails the run" \
    "$nbdsync" copy "$tmp/src.img" "$tmp/small.img"
like "with one sentence" "$err" '^nbdsync: copy: .*small'

start_nbdkit bare --filter=nozero --filter=noextents --no-sr \
    memory $((3 * MiB))
run "$nbdsync" copy --quiet "$tmp/src.img" "$(uri bare)"
is "--quiet says nothing of what a server lacks" "$status $err" "0 "
