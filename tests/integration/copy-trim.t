#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Holes of which nobody knows what they hold are copied like data; where that
# does not matter they are neither read nor written, but trimmed.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=extentlist --filter=log --filter=error file --version
requires nbdkit --filter=blocksize-policy eval --version
requires jq --version
plan 60

size=$((8 * MiB))
make_data "$tmp/src.img" $size new
make_data "$tmp/old.img" $size old

# Data, a hole, zeroes, data, a hole that no block begins or ends with, data.
dd if=/dev/zero of="$tmp/src.img" bs=1M seek=3 count=1 conv=notrunc \
    status=none
hole=$MiB
hole_end=$((3 * MiB))
odd=$((5 * MiB + 100))
odd_end=$((7 * MiB + 70000))
cat >"$tmp/extents" <<EOF
0 $hole data
$hole $((hole_end - hole)) hole
$hole_end $MiB hole,zero
$((4 * MiB)) $((odd - 4 * MiB)) data
$odd $((odd_end - odd)) hole
$odd_end $((size - odd_end)) data
EOF
holes=$((hole_end - hole + odd_end - odd))

start_source()
{
	start_nbdkit src --filter=log --filter=extentlist file "$tmp/src.img" \
	    extentlist="$tmp/extents" logfile="$tmp/src.all"
}

# A destination with old data: with what is logged.
start_destination()
{
	cp "$tmp/old.img" "$tmp/dst.img"
	rm -f "$tmp/dst.all"
	start_nbdkit dst --filter=log "$@" logfile="$tmp/dst.all"
}

# What was asked of a server, as "OFFSET LENGTH", in decimal.
asked()
{
	grep -aoE " $2 id=[0-9]+ offset=0x[0-9a-f]+ count=0x[0-9a-f]+" \
	    "$tmp/$1.all" | sed 's/.*offset=//; s/count=//' |
	    while read -r offset length; do
		echo $((offset)) $((length))
	done
}

# Bytes of these requests that are in whole blocks of the holes, or outside.
inside()
{
	asked "$1" "$2" | awk -v a1=$hole -v e1=$hole_end -v a2=$odd \
	    -v e2=$odd_end -v block="${3:-65536}" '
	function part(from, to) {
		from = $1 > from ? $1 : from
		to = $1 + $2 < to ? $1 + $2 : to
		return to > from ? to - from : 0
	}
	function up(n) { return int((n + block - 1) / block) * block }
	function down(n) { return int(n / block) * block }
	{ n += part(up(a1), down(e1)) + part(up(a2), down(e2)) }
	END { print n + 0 }'
}

bytes()
{
	asked "$1" "$2" | awk '{ n += $2 } END { print n + 0 }'
}

#	copies SENTENCE OPTION... : with --json, from src to dst
copies()
{
	sentence=$1
	shift
	ok "$sentence" "$nbdsync" copy --json "$@" "$(uri src)" "$(uri dst)"
	result=$out
}

figure()
{
	echo "$result" | jq ".progress.$1"
}

gave_up()
{
	echo "$result" | jq -r '.gave_up[]?' | grep trim
}

# Of two images: the parts that are no holes; zeroes are zeroes.
is_right()
{
	cmp -n $hole "$tmp/src.img" "$1" &&
	    cmp -i $hole_end -n $((odd - hole_end)) "$tmp/src.img" "$1" &&
	    cmp -i $odd_end "$tmp/src.img" "$1"
}

# The whole blocks of holes are what they were.
is_untouched()
{
	cmp -i $hole -n $((hole_end - hole)) "$tmp/old.img" "$1" &&
	    cmp -i $((odd + 65536)) -n $((odd_end - odd - 2 * 65536)) \
		"$tmp/old.img" "$1"
}

start_source
start_destination file "$tmp/dst.img"
copies "holes are copied like data"
is "and none is trimmed" "$(bytes dst Trim)" 0
ok "every byte is right" cmp "$tmp/src.img" "$tmp/dst.img"
is "all of them were read" "$(inside src Read 1)" $holes
stop_process dst
stop_process src

rm "$tmp/src.all"
start_source
start_destination file "$tmp/dst.img"
copies "on request" --trim
trimmed=$(bytes dst Trim)
ok "they are trimmed" [ "$trimmed" -gt $((holes - 2 * 65536)) ]
is "and nothing else is" "$(inside dst Trim 1)" "$trimmed"
is "which is counted" "$(figure trimmed_bytes)" "$trimmed"
is "nothing was left out" "$(figure untouched_bytes)" 0
is "all is done" "$(figure done_bytes)" $size
is "and flushed" "$(figure durable_bytes)" $size
is "nothing is read of them" "$(inside src Read)" 0
ok "but of the rest" [ "$(bytes src Read)" -ge $((size - holes - MiB)) ]
is "nor written" "$(inside dst Write)" 0
is "nor zeroed" "$(inside dst Zero)" 0
is "zeroes are zeroed, whatever is done with holes" "$(bytes dst Zero)" $MiB
ok "all else is right" is_right "$tmp/dst.img"
not_ok "what was trimmed is not what it was" is_untouched "$tmp/dst.img"
is "nothing was given up" "$(gave_up)" ""
stop_process dst

# Whole blocks of the destination, on a range that is laid out anew.
start_destination --filter=blocksize-policy file "$tmp/dst.img" \
    blocksize-minimum=4096 blocksize-preferred=65536 \
    blocksize-maximum=1M blocksize-error-policy=error
copies "blocks are kept" --trim
is "by all that is trimmed" "$(asked dst Trim |
    awk '$1 % 4096 != 0 || $2 % 4096 != 0' | wc -l)" 0
is "nothing else is trimmed" "$(inside dst Trim 1)" "$(bytes dst Trim)"
ok "all that can be is" [ "$(bytes dst Trim)" -gt $((holes - 2 * 65536)) ]
ok "all else is right" is_right "$tmp/dst.img"
: >"$tmp/dst.all"
copies "a range has its holes" --trim --range 1MiB:1MiB:512KiB
is "where it is laid out to" "$(asked dst Trim)" "524288 1048576"
stop_process dst

# eval: SCRIPTS of a server that keeps a file.
start_scripted()
{
	start_destination eval get_size="echo $size" \
	    can_write='exit 0' can_flush='exit 0' flush='exit 0' \
	    pread="dd if='$tmp/dst.img' skip=\$4 count=\$3 \
		iflag=skip_bytes,count_bytes status=none" \
	    pwrite="dd of='$tmp/dst.img' seek=\$4 oflag=seek_bytes \
		conv=notrunc status=none" "$@"
}

start_scripted
copies "where trim is not offered holes are left" --trim
is "none is trimmed" "$(bytes dst Trim)" 0
is "nor written" "$(inside dst Write)" 0
is "they are counted" "$(figure untouched_bytes)" "$trimmed"
is "all is done" "$(figure done_bytes)" $size
ok "all else is right" is_right "$tmp/dst.img"
ok "they are what they were" is_untouched "$tmp/dst.img"
is "that is said once" "$(gave_up)" "destination does not offer trim: holes \
that need not be copied are left as they were"
stop_process dst

start_scripted can_trim='exit 0' trim='echo EINVAL >&2; exit 1'
copies "where it is refused they are, too" --trim --connections 1
ok "it was tried" [ "$(bytes dst Trim)" -gt 0 ]
is "no byte of it counts" "$(figure trimmed_bytes)" 0
is "but as left" "$(figure untouched_bytes)" "$trimmed"
ok "all else is right" is_right "$tmp/dst.img"
ok "they are what they were" is_untouched "$tmp/dst.img"
is "that is said once" "$(gave_up)" "destination refused to trim: holes \
that need not be copied were left as they were"
stop_process dst

start_scripted can_trim='exit 0' \
    trim='[ $3 -le 1048576 ] || { echo EINVAL >&2; exit 1; }'
copies "where it is refused for its size" --trim --connections 1
ok "it was tried" [ "$(asked dst Trim | awk '$2 > 1048576' | wc -l)" -gt 0 ]
is "smaller ones do" "$(figure trimmed_bytes)" "$trimmed"
like "that is said" "$(gave_up)" \
    "refused to trim for the size"
stop_process dst

# A disk that fails is none that refuses.
start_destination --filter=error file "$tmp/dst.img" error-trim=EIO \
    error-trim-rate=100%
exits 4 "a trim that fails is a failure" "$nbdsync" copy --trim --json \
    --retries 0 "$(uri src)" "$(uri dst)"
is "which is named" "$(echo "$out" | jq -r .failure.operation)" trim
stop_process dst

# One of two destinations trims.
start_nbdkit more memory $size
start_scripted
ok "each of several does what it can" "$nbdsync" copy --trim --json \
    "$(uri src)" "$(uri more)" "$(uri dst)"
is "and counts it" "$(echo "$out" | jq -c '[.progress.destinations[] |
    .trimmed_bytes, .untouched_bytes]')" "[$trimmed,0,0,$trimmed]"
ok "both are right" is_right "$tmp/dst.img"
stop_process dst
stop_process more

# What was trimmed is done: who goes on does not look for the source there.
checkpoint=$tmp/checkpoint
stop_process src
touch "$tmp/fail"
start_nbdkit src --filter=error --filter=extentlist file "$tmp/src.img" \
    extentlist="$tmp/extents" error-pread=EIO error-pread-rate=100% \
    error-pread-file="$tmp/fail"
start_destination file "$tmp/dst.img"
exits 4 "a copy fails after a trim" "$nbdsync" copy --trim --json \
    --retries 0 --range 1MiB: --checkpoint "$checkpoint" "$(uri src)" \
    "$(uri dst)"
is "that has been done" "$(asked dst Trim | grep -c "^$hole $((2 * MiB))$")" 1
rm "$tmp/fail"
: >"$tmp/dst.all"
copies "another goes on" --trim --range 1MiB: --checkpoint "$checkpoint"
is "from there" "$(echo "$result" | jq -c '[.resumed, .not_resumed]')" \
    "[true,null]"
ok "with what was trimmed" [ "$(figure destinations[0].resumed_bytes)" \
    -ge $((2 * MiB)) ]
not_ok "though the source is not there" cmp -i $hole -n $((2 * MiB)) \
    "$tmp/src.img" "$tmp/dst.img"
stop_process dst

for o in --sync --verify "--digest xxh3" --allocated; do
	# shellcheck disable=SC2086
	exits 2 "not with $o" "$nbdsync" copy --trim $o "$(uri src)" null:
done
