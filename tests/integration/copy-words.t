#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes wrong is told in the words, and with the status, that are true of
# it: once, by name, and never as a success.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires nbdkit --filter=error --filter=blocksize-policy file --version
requires jq --version
plan 50

size=$((4 * MiB))
make_data "$tmp/data" $size 7
cp "$tmp/data" "$tmp/same"

fresh()
{
	for image; do
		rm -f "$tmp/$image"
		truncate -s $size "$tmp/$image"
	done
}

# lines REGEX: so many of what was said match
lines()
{
	printf '%s\n' "$err" | grep -E -c -e "$1"
}

# A source with 4 KiB that cannot be read, and a destination that cannot be
# written.
start_nbdkit bad -r eval get_size="echo $size" pread="
	if [ \$4 -lt 1003520 ] && [ \$((\$4 + \$3)) -gt 999424 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
fresh one two full
start_nbdkit full --filter=error file "$tmp/full" error-pwrite=EIO \
    error-pwrite-rate=100%
skip="--retries 0 --on-read-error skip --on-write-error stop"

# A destination that has failed.
# shellcheck disable=SC2086
{
exits 3 "a copy to one of two is no copy but for its bad ranges" "$nbdsync" \
    copy $skip "$(uri bad)" "$tmp/one" "$(uri full)"
like "the destination that failed is told" "$err" \
    "destination 'nbd.*full.sock': write .*Input/output error"
like "and so are the bad ranges" "$err" "but for 4096 bad bytes in 1 range"
exits 3 "nor is it one when those are filled" "$nbdsync" copy $skip \
    --fill zeroes "$(uri bad)" "$tmp/one" "$(uri full)"
like "which is told" "$err" "filled: 4096 bytes, all destinations together"
exits 13 "without such a destination it is" "$nbdsync" copy $skip \
    --fill zeroes "$(uri bad)" "$tmp/one" "$tmp/two"
}
is "what the source could not be read for is told once" \
    "$(lines 'skipped: 4096 bytes at offset 999424: source: ')" 1
like "and counted once" "$err" "but for 4096 bad bytes in 1 range"
like "it is filled everywhere" "$err" \
    "filled: 8192 bytes, all destinations together"
start_nbdkit holey eval get_size="echo $size" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" pread="
	dd if=/dev/zero count=\$3 bs=64K status=none iflag=count_bytes" pwrite="
	if [ \$4 -lt 2097664 ] && [ \$((\$4 + \$3)) -gt 2097152 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	cat >/dev/null"
exits 13 "what a destination could not be written for is skipped" "$nbdsync" \
    copy --retries 0 --on-write-error skip "$tmp/data" "$tmp/one" \
    "$(uri holey)"
like "and told with its name" "$err" \
    "skipped: 512 bytes at offset 2097152: destination 'nbd.*holey.sock': "

# Differences beside a destination that has failed; repairs.
fresh other
cp "$tmp/data" "$tmp/other"
cp "$tmp/data" "$tmp/full"
for image in other full; do
	printf xx | dd of="$tmp/$image" bs=1 seek=512 conv=notrunc status=none
done
exits 9 "a repair that a destination refuses leaves a difference" "$nbdsync" \
    compare --repair --retries 0 "$tmp/data" "$tmp/other" "$(uri full)"
like "the refusal is told" "$err" \
    "destination 'nbd.*full.sock': write of 512 bytes .*Input/output error"
is "and the difference, where it still is" "$out" \
    "disk 3: 512 bytes at offset 512 differ"
ok "the other one is equal now" cmp "$tmp/data" "$tmp/other"
exits 9 "disks that differ differ, whatever else has failed" "$nbdsync" \
    compare "$tmp/data" "$tmp/full" "$tmp/missing"
like "what has failed is told, too" "$err" "missing"
stop_process full
stop_process holey

# Nothing is no success.
fresh one
end=$((4 * MiB))
for how in copy "copy --sync" "copy --verify" compare "compare --repair"; do
	# shellcheck disable=SC2086
	exits 4 "$how of a range that begins at the end is refused" \
	    "$nbdsync" $how --range "$end:" "$tmp/data" "$tmp/one"
	like "$how says that it is empty" "$err" \
	    "source has $end bytes: the range from $end on is empty"
done
: >"$tmp/empty"
: >"$tmp/empty2"
exits 0 "an empty disk is copied" "$nbdsync" copy "$tmp/empty" "$tmp/empty2"
exits 0 "and is equal to another" "$nbdsync" compare "$tmp/empty" \
    "$tmp/empty2"

# The limit of bad bytes.
exits 4 "more bad bytes than may be end the run" "$nbdsync" copy \
    --retries 0 --on-read-error skip --max-bad 1KiB "$(uri bad)" "$tmp/one"
like "and it says that they did" "$err" \
    "read of 512 bytes .*Input/output error; more than 1024 bytes are bad"

# Digests of less than all.
exits 13 "what cannot be read is skipped with a digest, too" "$nbdsync" copy \
    --retries 0 --on-read-error skip --digest sha256 "$(uri bad)" "$tmp/one"
is "but there is none then" "$out" ""
like "which is said" "$err" "there is no digest: not all .* was read"
head -c 100000 "$tmp/data" >"$tmp/odd"
fresh blocks
start_nbdkit blocks --filter=blocksize-policy file "$tmp/blocks" \
    blocksize-minimum=64K blocksize-preferred=64K blocksize-error-policy=error
exits 3 "a tail is left out" "$nbdsync" copy --digest sha256 "$tmp/odd" \
    "$(uri blocks)"
like "and it is said of how much the digest is" "$err" \
    "the digest is of 65536 bytes: the source's tail was not read"
is "it is the digest of that" "$out" \
    "sha256 $(head -c 65536 "$tmp/odd" | sha256sum | cut -d ' ' -f 1)"
exits 3 "of what one destination takes, the digest is of all" "$nbdsync" \
    copy --digest sha256 "$tmp/odd" "$tmp/one" "$(uri blocks)"
unlike "of which there is nothing to say" "$err" "the digest is of"
like "what a further destination has not got is told with its name" "$err" \
    "of the source, to 'nbd.*blocks.sock': "
stop_process bad
stop_process blocks

# A comparison that is interrupted.
: >"$tmp/hold"
hold_half "$tmp/held" "$tmp/data"
start_nbdkit held -r sh "$tmp/held"
interrupt()
{
	: >"$tmp/hold"
	start_process run "$nbdsync" "$@" --progress=100ms --connections 1 \
	    --queue-depth 1 --request-size 256KiB "$(uri held)" "$tmp/same"
	wait_for "grep -q MiB/ '$tmp/run.log'"
	kill -INT "$(pid_of run)"
	wait_for "grep -q 'once more ends it' '$tmp/run.log'"
	rm -f "$tmp/hold"
	stop_process run 0
	err=$(cat "$tmp/run.log")
}
interrupt compare
is "a comparison can be interrupted" "$status" 130
like "and says what it ends" "$err" "interrupted: ending the comparison;"
like "and what there is of it" "$err" "cancelled; not all was compared$"
interrupt compare --repair
like "a repair says what it ends" "$err" "interrupted: ending the repair;"
like "and what was done" "$err" "cancelled; not all was compared and repaired$"
stop_process held

# A file for the checkpoint that cannot be.
exits 1 "a directory is not made for a checkpoint" "$nbdsync" copy \
    --checkpoint "$tmp/none/x" "$tmp/data" "$tmp/one"
like "the reason is told" "$err" "none/x: No such file or directory"
not_ok "nothing is there" test -e "$tmp/none"
exits 1 "a directory is no checkpoint" "$nbdsync" copy --checkpoint . \
    "$tmp/data" "$tmp/one"
is "which is said once" "$err" "nbdsync: copy: .: Is a directory"
