#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a copy has written is read back, and compared with what it has read.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires nbdkit file --version
requires jq --version
plan 54

size=$((70 * MiB + 100))
make_data "$tmp/a" "$size" 1
big=$((64 * MiB))

verified()
{
	echo "$out" | jq .progress.verified_bytes
}

differences()
{
	echo "$out" | jq -c '[.differences[] |
	    [.destination, .offset_bytes, .length_bytes]]'
}

# write_to FILE [LINES]: a disk on FILE, which does LINES after each write.
write_to()
{
	cat <<END
#!/bin/sh
case \$1 in
get_size) stat -c %s '$1' ;;
thread_model) echo serialize_all_requests ;;
can_write|can_flush|flush) exit 0 ;;
can_zero|can_trim) exit 3 ;;
pread) dd if='$1' bs=64K iflag=skip_bytes,count_bytes skip=\$4 count=\$3 \\
	    status=none ;;
pwrite)
	$3
	dd of='$1' bs=64K oflag=seek_bytes seek=\$4 conv=notrunc status=none
	$2 ;;
*) exit 2 ;;
esac
END
}

# disk NAME FILE [AFTER [BEFORE]]
disk()
{
	write_to "$2" "${3:-}" "${4:-}" >"$tmp/$1.sh"
	chmod +x "$tmp/$1.sh"
	start_nbdkit "$1" sh "$tmp/$1.sh"
}

exits 0 "a file is copied and verified" "$nbdsync" copy --verify --json \
    "$tmp/a" "$tmp/b"
is "all of it was read back" "$(verified)" "$size"
is "and nothing differs" "$(differences)" "[]"
is "the figures are those of the copy" \
    "$(echo "$out" | jq -c '[.progress | .read_bytes, .written_bytes,
	.total_bytes, .phase]')" "[$size,$size,$size,\"finished\"]"
is "the digest of each block is told" "$(echo "$out" | jq -c '.block_digests |
    [.algorithm, .block_bytes, (.values | length)]')" '["xxh3",67108864,2]'
block=$(echo "$out" | jq -r '.block_digests.values[1]')
tail -c +$((big + 1)) "$tmp/a" >"$tmp/tail"
is "which is that of its bytes" "$block" "$("$nbdsync" copy --digest xxh3 \
    "$tmp/tail" null: | sed 's/^xxh3 //')"
exits 0 "without it nothing is read back" "$nbdsync" copy --json "$tmp/a" \
    "$tmp/b"
is "and none is called verified" "$(verified)" 0
exits 0 "a sync is verified as well" "$nbdsync" copy --sync --verify --json \
    "$tmp/a" "$tmp/b"
is "with what it did not have to write" "$(verified)" "$size"

# A log of who has asked for what.
truncate -s "$size" "$tmp/logged"
start_nbdkit logged --filter=log file "$tmp/logged" logfile="$tmp/log"
exits 0 "a server's disk is verified" "$nbdsync" copy --verify --json \
    --connections 1 "$tmp/a" "$(uri logged)"
# who COMMAND: the connections that have sent it.
who()
{
	sed -n "s/.*connection=\([0-9]*\) $1 .*/\1/p" "$tmp/log" | sort -u
}
is "over another connection" "$(who Write) $(who Read)" "1 2"
ok "after the flush" awk '/ Flush / && !read { flushed = NR }
    / Write / { written = NR } / Read / { read = NR; exit }
    END { exit !(read > flushed && flushed > written) }' "$tmp/log"

# What lies behind the copy has no digest.
exits 0 "what is zeroed behind a copy" "$nbdsync" copy --verify --zero-rest \
    --json "$tmp/a" "$(uri logged)"
is "is not spoken of where there is nothing" \
    "$(echo "$out" | jq -c .gave_up | grep -c 'not verified')" 0
truncate -s $((71 * MiB)) "$tmp/larger"
like "and else is said not to be verified" "$("$nbdsync" copy --verify \
    --zero-rest "$tmp/a" "$tmp/larger" 2>&1)" \
    "zeroed behind the copy was not verified"

# Ranges, in an order of their own, of odd lengths, to odd places.
truncate -s $((100 * MiB)) "$tmp/c"
exits 0 "ranges are verified" "$nbdsync" copy --verify --json \
    --range 66MiB:1024:512 --range 0:65MiB:1MiB --range "69MiB:$((MiB + 100)):80MiB" \
    "$tmp/a" "$tmp/c"
is "all of them" "$(verified)" $((1024 + 65 * MiB + MiB + 100))

# A destination that takes one byte for another, whatever it writes last.
cp "$tmp/a" "$tmp/bad"
disk harm "$tmp/bad" "[ \$4 -ge $((64 * MiB)) ] || exit 0
	printf X | dd of='$tmp/bad' bs=1 seek=$((65 * MiB)) conv=notrunc \\
	    status=none"
exits 9 "what a destination has spoilt is found" "$nbdsync" copy --verify \
    --json "$tmp/a" "$(uri harm)"
is "to the sector, which the source tells" "$(differences)" \
    "[[0,$((65 * MiB)),512]]"
is "the result says so" "$(echo "$out" | jq -r .result)" differences-found
like "and people are told" "$("$nbdsync" copy --verify "$tmp/a" \
    "$(uri harm)" 2>&1)" "512 bytes at offset $((65 * MiB)) differ"
cp "$tmp/a" "$tmp/good"
exits 9 "one bad one of several is found" "$nbdsync" copy --verify --json \
    "$tmp/a" "$tmp/good" "$(uri harm)"
is "and named" "$(differences)" "[[1,$((65 * MiB)),512]]"
is "all else is right" "$(verified)" $((2 * size - 512))
stop_process harm

# A destination that flips a bit the first time, of "flips", that it is read.
make_data "$tmp/small" $((3 * MiB)) 2
truncate -s $((3 * MiB)) "$tmp/shaky"
start_nbdkit shaky eval get_size="echo $((3 * MiB))" can_write="exit 0" \
    can_flush="exit 0" flush="exit 0" \
    thread_model="echo serialize_all_requests" \
    pwrite="dd of=$tmp/shaky bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
        status=none" \
    pread="
	dd if=$tmp/shaky bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none >$tmp/part
	if [ -e $tmp/flips ]; then
		rm $tmp/flips
		echo \$4 >>$tmp/flipped
		printf X | dd of=$tmp/part bs=1 seek=1000 conv=notrunc status=none
	fi
	cat $tmp/part"
touch "$tmp/flips"
exits 0 "what is right when it is read again is no false alarm" "$nbdsync" \
    copy --verify --json "$tmp/small" "$(uri shaky)"
ok "a bit was flipped" test -s "$tmp/flipped"
like "which is said" "$("$nbdsync" copy --verify --json "$tmp/small" \
    "$(touch "$tmp/flips"; uri shaky)" | jq -c .gave_up)" \
    "$((3 * MiB)) bytes differed when they were read back, and did not when"

# A source that is gone after the copy.
start_nbdkit going -r eval get_size="echo $((3 * MiB))" pread="
	if [ -s $tmp/flushed ]; then echo EIO gone >&2; exit 1; fi
	dd if=$tmp/small bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none"
stop_process shaky
start_nbdkit shaky eval get_size="echo $((3 * MiB))" can_write="exit 0" \
    can_flush="exit 0" flush="echo >>$tmp/flushed
        printf X | dd of=$tmp/shaky bs=1 seek=2000000 conv=notrunc status=none" \
    pwrite="dd of=$tmp/shaky bs=64K oflag=seek_bytes seek=\$4 conv=notrunc \
        status=none" \
    pread="dd if=$tmp/shaky bs=64K iflag=skip_bytes,count_bytes skip=\$4 \
	    count=\$3 status=none"
: >"$tmp/flushed"
exits 9 "without the source a difference" "$nbdsync" copy --verify --json \
    --retries 0 "$(uri going)" "$(uri shaky)"
is "is told to the block" "$(differences)" "[[0,0,$((3 * MiB))]]"
like "with the reason" "$(echo "$out" | jq -c .gave_up)" \
    "could not be told: source .*going.*read of"

# A source that is different each time that it is read.
cat >"$tmp/moving.sh" <<'END'
#!/bin/sh
case $1 in
get_size) echo 3145728 ;;
can_write) exit 3 ;;
pread) head -c "$3" /dev/urandom ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/moving.sh"
start_nbdkit moving -r sh "$tmp/moving.sh"
truncate -s $((3 * MiB)) "$tmp/moved"
exits 0 "a source that has changed since is no false alarm" "$nbdsync" copy \
    --verify --json "$(uri moving)" "$tmp/moved"
is "all of it was read back" "$(verified)" $((3 * MiB))
exits 9 "while comparing with it finds differences" "$nbdsync" compare \
    "$(uri moving)" "$tmp/moved"

# A destination that refuses large requests: they are read and sent again.
truncate -s $((3 * MiB)) "$tmp/parts"
disk parts "$tmp/parts" "" "[ \$3 -le 65536 ] || { cat >/dev/null
	echo 'EINVAL too large' >&2; exit 1; }"
exits 0 "what was read more than once is verified" "$nbdsync" copy --verify \
    --json --request-size 256KiB "$tmp/small" "$(uri parts)"
is "all of it" "$(verified)" $((3 * MiB))
like "with the source, which is said" "$(echo "$out" | jq -c .gave_up)" \
    "$((3 * MiB)) bytes were read more than once.*compared with the source"
stop_process parts
disk parts "$tmp/parts" "printf X | dd of='$tmp/parts' bs=1 \\
    seek=2000000 conv=notrunc status=none" \
    "[ \$3 -le 65536 ] || { cat >/dev/null; echo 'EINVAL' >&2; exit 1; }"
exits 9 "and its differences are found" "$nbdsync" copy --verify --json \
    --request-size 256KiB "$tmp/small" "$(uri parts)"
is "to the sector" "$(differences)" "[[0,1999872,512]]"
is "but for which it is right" "$(verified)" $((3 * MiB - 512))

# Ranges that are skipped.
start_nbdkit holed -r eval get_size="echo $((3 * MiB))" pread="
	if [ \$4 -lt $((MiB + 512)) ] && [ \$((\$4 + \$3)) -gt $MiB ]; then
		echo EIO >&2; exit 1
	fi
	dd if='$tmp/small' bs=64K iflag=skip_bytes,count_bytes skip=\$4 \\
	    count=\$3 status=none"
truncate -s $((3 * MiB)) "$tmp/skipped"
exits 13 "with a bad range the result is that" "$nbdsync" copy --verify --json \
    --retries 0 --on-read-error skip "$(uri holed)" "$tmp/skipped"
is "the range is listed" \
    "$(echo "$out" | jq -c '[.bad_ranges[] | .offset_bytes, .length_bytes]')" \
    "[$MiB,512]"
like "and what was not verified is told" \
    "$(echo "$out" | jq -c .gave_up)" "bytes were not verified"

# A destination that cannot be read.
truncate -s $((3 * MiB)) "$tmp/mute"
start_nbdkit mute --filter=error file "$tmp/mute" error-pread-rate=100%
exits 4 "a destination that cannot be read back is a failure" "$nbdsync" \
    copy --verify --retries 0 "$tmp/small" "$(uri mute)"
like "that names it" "$err" "destination '.*mute.*': reading it back: read of"
exits 0 "which it is not for a copy alone" "$nbdsync" copy "$tmp/small" \
    "$(uri mute)"
exits 3 "beside another one it is a warning" "$nbdsync" copy --verify --json \
    --retries 0 "$tmp/small" "$tmp/small2" "$(uri mute)"
is "with what was verified" "$(verified)" $((3 * MiB))
like "and why" "$(echo "$out" | jq -c .destination_failures)" \
    '\[null,"destination .*reading it back'

exits 2 "what nothing keeps cannot be verified" "$nbdsync" copy --verify \
    "$tmp/a" null:
like "which is said" "$err" "keeps nothing that could be read back"

# Servers that are started for the run.
exits 0 "a started server is started again" "$nbdsync" copy --verify --json \
    "$tmp/small" [ nbdkit file "$tmp/mute" ]
is "and what it has kept is right" "$(verified)" $((3 * MiB))
exits 9 "and what it has not is found" "$nbdsync" copy --verify \
    "$tmp/small" [ nbdkit memory $((3 * MiB)) ]
