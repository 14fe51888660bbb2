#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# That a destination is zero is a promise, which is looked into before the
# first write, and told in the result.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=log file --version
requires jq --version
plan 23

size=$((16 * MiB + 512))
make_data "$tmp/src.img" $MiB disk
truncate -s $size "$tmp/src.img"

# serve ARGS...: dst.img, with what is asked of it in dst.requests
serve()
{
	rm -f "$tmp/dst.requests"
	start_nbdkit dst --filter=log file "$tmp/dst.img" \
	    logfile="$tmp/dst.requests" "$@"
}

count()
{
	grep -Ec " $1 .*\.\.\.\$" "$tmp/dst.requests"
}

copies="$nbdsync copy --destination-is-zero"

truncate -s $size "$tmp/dst.img"
serve
ok "a destination that is zero is written" $copies --json "$tmp/src.img" \
    "$(uri dst)"
result=$out
like "the promise is told" "$(echo "$result" | jq -r '.gave_up[]')" \
    "zero is a promise of who started this: 66 blocks .*seed [0-9]+"
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
is "it was looked at" "$(count Read)" 66
is "no zero was sent" "$(count Zero)" 0
is "all of it is accounted for" "$(echo "$result" | jq .progress.done_bytes)" \
    $size
stop_process dst

# refuses SENTENCE: nothing is written
refuses()
{
	cp "$tmp/dst.img" "$tmp/before.img"
	serve
	exits 4 "$1" $copies "$tmp/src.img" "$(uri dst)"
	like "with what was found" "$err" "is said to be zero, and is not: \
byte [0-9]+ is 0x[0-9a-f]+; nothing was written"
	is "nothing was sent but reads" "$(count '(Write|Zero|Trim)')" 0
	ok "it is as it was" cmp "$tmp/dst.img" "$tmp/before.img"
	stop_process dst
}

make_data "$tmp/dst.img" $size old
refuses "one that is not is refused"
rm "$tmp/dst.img"
truncate -s $size "$tmp/dst.img"
printf x | dd of="$tmp/dst.img" bs=1 seek=100 conv=notrunc status=none
refuses "so is one with a byte in its first block"
rm "$tmp/dst.img"
truncate -s $((size - 1)) "$tmp/dst.img"
printf x >>"$tmp/dst.img"
refuses "or in the last"

# Of several, one that breaks the promise stops it for all.
truncate -s 0 "$tmp/zero.img"
truncate -s $size "$tmp/zero.img"
exits 4 "a promise that is wrong for one is wrong for all" $copies \
    "$tmp/src.img" "$tmp/zero.img" "$tmp/dst.img"
ok "nothing was written to the other" cmp -n $size "$tmp/zero.img" /dev/zero
exits 4 "also where one cannot be opened" $copies "$tmp/src.img" \
    "$tmp/zero.img" [ false ] "$tmp/dst.img"
ok "nothing was written to the other" cmp -n $size "$tmp/zero.img" /dev/zero
ok "what swallows everything is zero" $copies "$tmp/src.img" null:
