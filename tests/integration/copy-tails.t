#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that ends inside a block is copied but for that block, which is told;
# and what a larger destination has behind the copy is kept, or zeroed.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=blocksize-policy --filter=log file --version
requires jq --version
plan 42

block=4096
whole=$((MiB + 2 * block))
strict="--filter=log --filter=blocksize-policy file"
errors="blocksize-error-policy=error"

# serve NAME FILE [PARAMETERS]: a server that refuses what is no whole block
serve()
{
	name=$1
	file=$2
	shift 2
	rm -f "$tmp/$name.requests"
	# shellcheck disable=SC2086
	start_nbdkit "$name" $strict "$tmp/$file" $errors \
	    logfile="$tmp/$name.requests" "$@"
}

gaps()
{
	echo "$out" | jq -c '[.not_copied[] |
	    .destination, .side, .offset_bytes, .length_bytes]'
}

is_same_up_to()
{
	cmp -n "$1" "$tmp/src.img" "$tmp/$2"
}

# is_kept_from OFFSET: dst.img is as it was from there on
is_kept_from()
{
	cmp -i "$1" "$tmp/before.img" "$tmp/dst.img"
}

is_zero()
{
	cmp -n "$2" -i "$1:0" "$tmp/dst.img" /dev/zero
}

make_data "$tmp/src.img" $((whole + 1000)) disk
make_data "$tmp/before.img" $((whole + 3 * block)) old
cp "$tmp/before.img" "$tmp/dst.img"

# A source that cannot read its own end.
serve src src.img blocksize-minimum=$block
serve dst dst.img
exits 3 "a source that cannot read its end is copied up to there" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
like "which is no plain success" "$(echo "$out" | jq -r .result)" \
    '^succeeded-with-warnings$'
is "what was not copied is listed" "$(gaps)" "[0,\"source\",$whole,1000]"
like "with the reason" "$(echo "$out" | jq -r '.not_copied[0].reason')" \
    "the source's server takes whole blocks of 4096 bytes only"
like "and said" "$err" \
    "not copied: 1000 bytes at offset $whole of the source"
is "all else is durable" "$(echo "$out" | jq .progress.durable_bytes)" $whole
ok "every byte of it arrived" is_same_up_to $whole dst.img
ok "and nothing else was written" is_kept_from $whole
exits 3 "quietness does not hide it" \
    "$nbdsync" copy --quiet "$(uri src)" "$(uri dst)"
like "from the messages either" "$err" "not copied: 1000 bytes"
exits 3 "comparing tells it, too" \
    "$nbdsync" compare "$(uri src)" "$(uri dst)"
like "in its own word" "$err" "not compared: 1000 bytes"
printf 'x' | dd of="$tmp/dst.img" bs=1 seek=100 conv=notrunc status=none
exits 3 "so does repairing what differs" \
    "$nbdsync" compare --repair "$(uri src)" "$(uri dst)"
like "in the end" "$err" "not compared: 1000 bytes"
ok "it is repaired" is_same_up_to $whole dst.img
ok "a range that ends before is a plain success" \
    "$nbdsync" copy --range 0:1MiB "$(uri src)" "$(uri dst)"
exits 3 "what differs is written up to there" \
    "$nbdsync" copy --sync --json "$(uri src)" "$(uri dst)"
is "and nothing was" "$(echo "$out" | jq .progress.written_bytes)" 0
ok "the source was read" grep -q ' Read ' "$tmp/src.requests"
stop_process src
stop_process dst

# A destination that cannot write the source's end.
cp "$tmp/before.img" "$tmp/dst.img"
start_nbdkit src file "$tmp/src.img"
serve dst dst.img blocksize-minimum=$block
exits 3 "a destination is written in whole blocks only" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
is "the tail is not completed" "$(gaps)" "[0,\"source\",$whole,1000]"
like "for the destination's sake" "$(echo "$out" |
    jq -r '.not_copied[0].reason')" "the destination's server"
ok "every byte of the others arrived" is_same_up_to $whole dst.img
ok "the block of the tail is as it was" is_kept_from $whole

# Of several, each gets what it can.
truncate -s $((whole + 1000)) "$tmp/fine.img"
serve fine fine.img
exits 3 "of several destinations each gets what it can take" \
    "$nbdsync" copy --json "$(uri src)" "$(uri dst)" "$(uri fine)"
is "the one with small blocks all of it" "$(echo "$out" | jq -c \
    '[.progress.destinations[] | .total_bytes, .durable_bytes]')" \
    "[$whole,$whole,$((whole + 1000)),$((whole + 1000))]"
is "the other is named" "$(gaps)" "[0,\"source\",$whole,1000]"
ok "and has every byte" cmp "$tmp/src.img" "$tmp/fine.img"
stop_process fine
stop_process dst

# What a larger destination has behind the copy.
cp "$tmp/before.img" "$tmp/dst.img"
end=$((whole + 1000))
rest=$((3 * block - 1000))
serve dst dst.img
ok "a larger destination is written" "$nbdsync" copy --json \
    "$(uri src)" "$(uri dst)"
ok "what it has behind the copy is kept" is_kept_from $end
exits 9 "unless it is to be zero" "$nbdsync" compare --zero-rest \
    "$(uri src)" "$(uri dst)"
is "where it differs is told" "$(echo "$out" | tail -n 1)" \
    "$rest bytes at offset $end differ"
ok "it is zeroed on request" "$nbdsync" copy --zero-rest --json \
    "$(uri src)" "$(uri dst)"
is "which counts in the progress" "$(echo "$out" | jq -c '.progress |
    [.total_bytes, .done_bytes, .durable_bytes]')" \
    "[$((end + rest)),$((end + rest)),$((end + rest))]"
ok "the copy is right" is_same_up_to $end dst.img
ok "the rest is zero" is_zero $end $rest
ok "so they are equal now" "$nbdsync" compare --zero-rest \
    "$(uri src)" "$(uri dst)"
is "the last thing done was a flush" \
    "$(grep -Eo ' (Write|Zero|Flush) ' "$tmp/dst.requests" | tail -n 1)" \
    " Flush "
exits 2 "nothing outside of ranges is zeroed" "$nbdsync" copy --zero-rest \
    --range 0:4096 "$(uri src)" "$(uri dst)"
stop_process dst

cp "$tmp/before.img" "$tmp/dst.img"
serve dst dst.img blocksize-minimum=$block
exits 3 "the rest is zeroed in whole blocks" "$nbdsync" copy --zero-rest \
    --json "$(uri src)" "$(uri dst)"
is "the block of the tail is told" "$(gaps)" \
    "[0,\"source\",$whole,1000,0,\"destination\",$end,$((block - 1000))]"
ok "behind it all is zero" is_zero $((whole + block)) $((2 * block))
