#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What cannot be read or written is tried again, narrowed down, and in the end
# fails the run or is listed, as one says.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit eval --version
requires nbdkit --filter=error --filter=log pattern --version
requires jq --version

plan 55

size=$((4 * MiB))
make_data "$tmp/data" $size 7

# A disk with bad areas: reads (or writes) that touch one of them fail.  What
# was asked for is in NAME.busy.
#	start_bad NAME pread|pwrite FILE FROM END [FROM END]
start_bad()
{
	name=$1
	kind=$2
	file=$3
	shift 3
	bad=
	while [ $# -gt 0 ]; do
		bad="$bad if [ \$4 -lt $2 ] && [ \$((\$4 + \$3)) -gt $1 ]; then
			echo 'EIO bad sector' >&2; exit 1; fi;"
		shift 2
	done
	rm -f "$tmp/$name.busy"
	[ "$kind" = pread ] && bad_read=$bad bad_write= ||
	    { bad_read=; bad_write=$bad; }
	# dd with skip_bytes, since a shell has no pread; the file is the
	# second argument of none of them.
	start_nbdkit "$name" --filter=log eval \
	    get_size="echo $size" \
	    pread="$bad_read dd if=$file iflag=skip_bytes,count_bytes \
	        skip=\$4 count=\$3 bs=64K status=none" \
	    pwrite="bad_len=\$3; $(echo "$bad_write") dd of=$file \
	        oflag=seek_bytes seek=\$4 bs=64K conv=notrunc status=none" \
	    can_write="exit 0" can_flush="exit 0" flush="sync $file" \
	    logfile="$tmp/$name.busy"
}

fresh()
{
	rm -f "$tmp/dst.img"
	truncate -s $size "$tmp/dst.img"
}

# The bad ranges of a result, as "OFFSET+LENGTH ...".
bad_ranges()
{
	echo "$out" | jq -r '.bad_ranges[] |
	    "\(.offset_bytes)+\(.length_bytes)"' | tr '\n' ' '
}

# Equal but for a range?
equal_but()
{
	cmp -s -n "$1" "$tmp/data" "$tmp/dst.img" &&
	    cmp -s -i "$2" "$tmp/data" "$tmp/dst.img"
}

fresh
start_bad src pread "$tmp/data" 1000000 1003000
start_nbdkit dst file "$tmp/dst.img"
exits 4 "a bad area fails the run" "$nbdsync" copy --json --retries 0 \
    "$(uri src)" "$(uri dst)"
like "with side, offset and error" "$err" \
    "source .*read of 512 bytes at offset (999936|100[0-2][0-9]{3}).*Input/output"
is "the failure is narrowed down to a sector" \
    "$(echo "$out" | jq .failure.length_bytes)" 512

exits 4 "or at once, with the policy to stop" "$nbdsync" copy --json \
    --on-read-error stop "$(uri src)" "$(uri dst)"
holds "with all of the request" '.failure.length_bytes > 4096'

fresh
exits 13 "it may be skipped" "$nbdsync" copy --json --retries 1 \
    --on-read-error skip "$(uri src)" "$(uri dst)"
is "the result says so" "$(echo "$out" | jq -r .result)" \
    finished-with-bad-ranges
is "and lists the sectors" "$(bad_ranges)" "999936+3072 "
is "with the side" "$(echo "$out" | jq -r '.bad_ranges[0].side')" source
is "and the error" "$(echo "$out" | jq -r '.bad_ranges[0].errno')" 5
like "the message counts them" "$err" "but for 3072 bad bytes in 1 range"
ok "all else is right" equal_but 999936 1003008
ok "the area was really read" grep -q " Read id=.*offset=0xf4200 " \
    "$tmp/src.busy"
is "and left alone at the destination" "$(od -An -tx1 -j 1000000 -N 4 \
    "$tmp/dst.img")" " 00 00 00 00"
exits 4 "more than may be skipped fails the run" "$nbdsync" copy --retries 0 \
    --on-read-error skip --max-bad 2KiB "$(uri src)" "$(uri dst)"
exits 13 "one range of many sectors counts once" "$nbdsync" copy \
    --retries 0 --on-read-error skip --max-bad-ranges 1 "$(uri src)" \
    "$(uri dst)"
exits 13 "compare lists it, too" "$nbdsync" compare --json --retries 0 \
    --on-read-error skip "$(uri src)" "$(uri dst)"
stop_process src

fresh
start_bad src pread "$tmp/data" 0 512 2097152 2097153 $((size - 1)) $size
exits 13 "several areas are skipped" "$nbdsync" copy --json --retries 0 \
    --on-read-error skip "$(uri src)" "$(uri dst)"
is "each for itself" "$(bad_ranges)" "0+512 2097152+512 $((size - 512))+512 "
exits 13 "no more than may be skipped are no failure" "$nbdsync" copy \
    --retries 0 --on-read-error skip --max-bad-ranges 3 "$(uri src)" \
    "$(uri dst)"
exits 4 "more of them fail the run" "$nbdsync" copy --retries 0 \
    --on-read-error skip --max-bad-ranges 2 "$(uri src)" "$(uri dst)"
like "which the message says" "$err" "more than 2 ranges are bad"
stop_process src
stop_process dst

# The same at the destination.
fresh
start_nbdkit src file "$tmp/data"
start_bad dst pwrite "$tmp/dst.img" 1000000 1003000
exits 4 "a destination with a bad area fails the run" "$nbdsync" copy \
    --retries 0 "$(uri src)" "$(uri dst)"
like "with side, offset and error" "$err" \
    "destination .*write of 512 bytes at offset (999936|100[0-2][0-9]{3}).*Input/output"
fresh
exits 13 "it may be skipped" "$nbdsync" copy --json --retries 0 \
    --on-write-error skip "$(uri src)" "$(uri dst)"
is "and is listed" "$(bad_ranges)" "999936+3072 "
is "with the side" "$(echo "$out" | jq -r '.bad_ranges[0].side')" destination
ok "all else is right" equal_but 999936 1003008
truncate -s $size "$tmp/fair.img" "$tmp/two.img"
start_bad two pwrite "$tmp/two.img" 1000000 1000001 2000000 2000001
start_bad fair pwrite "$tmp/fair.img" 3000000 3000001
exits 3 "where one has more than may be skipped the other goes on" \
    "$nbdsync" copy --json --retries 0 --on-write-error skip --max-bad 1KiB \
    --connections 1 "$(uri src)" "$(uri dst)" "$(uri fair)"
like "the one has failed" \
    "$(echo "$out" | jq -r '.destination_failures[0]')" "write of"
is "the other not" "$(echo "$out" | jq -r '.destination_failures[1]')" null
ok "and has all else" [ "$(cmp -l "$tmp/data" "$tmp/fair.img" | wc -l)" -le \
    512 ]
exits 3 "and the same where it has too many ranges" "$nbdsync" copy --json \
    --retries 0 --on-write-error skip --max-bad-ranges 1 --connections 1 \
    "$(uri src)" "$(uri two)" "$(uri fair)"
like "that fails the one" "$(echo "$out" |
    jq -r '.destination_failures[0]')" "more than 1 ranges are bad"
is "but not the one that has no more than may be" \
    "$(echo "$out" | jq -r '.destination_failures[1]')" null
stop_process two
stop_process fair
stop_process dst

# What is over soon is no trouble.
fresh
start_nbdkit dst file "$tmp/dst.img"
stop_process src
touch "$tmp/fail"
start_nbdkit src --filter=log --filter=error file "$tmp/data" \
    error-pread=EIO error-pread-rate=100% error-pread-file="$tmp/fail" \
    logfile="$tmp/src.busy"
start_process copy "$nbdsync" copy --json --retries 20 \
    --connections 1 "$(uri src)" "$(uri dst)"
wait_for "grep -q 'Read .*EIO\|Read id=.*return=-1' '$tmp/src.busy'"
is "errors are met" $? 0
rm "$tmp/fail"
wait_for "! is_running_ $(pid_of copy)" 60
wait "$(pid_of copy)"
is "and are over at another try" $? 0
rm -f "$tmp/copy.started"
ok "which the result tells" jq -e '.progress.retries > 0' "$tmp/copy.log"
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"
stop_process src
stop_process dst

# A disk that is full.
fresh
start_nbdkit src file "$tmp/data"
touch "$tmp/fail"
start_nbdkit dst --filter=log --filter=error file "$tmp/dst.img" \
    error-pwrite=ENOSPC error-pwrite-rate=100% \
    error-pwrite-file="$tmp/fail" logfile="$tmp/dst.busy"
exits 4 "a full destination fails the run" "$nbdsync" copy "$(uri src)" \
    "$(uri dst)"
like "which the message says" "$err" "No space left"
rm "$tmp/dst.busy"
stop_process dst
start_nbdkit dst --filter=log --filter=error file "$tmp/dst.img" \
    error-pwrite=ENOSPC error-pwrite-rate=100% \
    error-pwrite-file="$tmp/fail" logfile="$tmp/dst.busy"
start_process copy "$nbdsync" copy --json --wait-for-space \
    "$(uri src)" "$(uri dst)"
wait_for "[ \$(grep -c '[^.]Write id=' '$tmp/dst.busy') -ge 20 ]"
is "or is waited for" $? 0
rm "$tmp/fail"
wait_for "! is_running_ $(pid_of copy)" 60
wait "$(pid_of copy)"
is "until it has room" $? 0
rm -f "$tmp/copy.started"
ok "the copy is right" cmp "$tmp/data" "$tmp/dst.img"

# Trying again may take only so long.
rm "$tmp/dst.busy"
stop_process dst
touch "$tmp/fail"
start_nbdkit dst --filter=log --filter=error file "$tmp/dst.img" \
    error-pwrite=ENOSPC error-pwrite-rate=100% \
    error-pwrite-file="$tmp/fail" logfile="$tmp/dst.busy"
exits 4 "what is waited for is given up in time" "$nbdsync" copy --json \
    --wait-for-space --retry-time 2s "$(uri src)" "$(uri dst)"
like "with the reason" "$err" "No space left"
holds "after it was tried again" '.progress.retries > 0'
exits 13 "or is skipped then" "$nbdsync" copy --json --wait-for-space \
    --on-write-error skip --retry-time 2s --range 0:64KiB "$(uri src)" \
    "$(uri dst)"
is "all of it" "$(bad_ranges)" "0+65536 "
rm "$tmp/fail"

# What counts is the time in which something was being tried again, and not
# what was copied in between: here two reads fail once, and between them one
# takes longer than trying again may.
stop_process src
rm -f "$tmp/src.busy"
start_nbdkit src eval get_size="echo $((4 * MiB))" pread="
	if [ \$4 = 0 ] || [ \$4 = 2097152 ]; then
		mkdir $tmp/failed-\$4 2>&- && { echo EIO once >&2; exit 1; }
	fi
	[ \$4 != 1048576 ] || sleep 3
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
ok "errors with a long time between them use up none of it" "$nbdsync" copy \
    --json --connections 1 --queue-depth 1 --request-size 256KiB \
    --retry-time 2s "$(uri src)" "$tmp/few.img"
ok "there were two" test -d "$tmp/failed-0" -a -d "$tmp/failed-2097152"
ok "and all is right" cmp -n $((4 * MiB)) "$tmp/data" "$tmp/few.img"
stop_process src
start_nbdkit src file "$tmp/data"

# What the protocol knows no way around is not tried again.
stop_process dst
start_nbdkit dst --filter=error file "$tmp/dst.img" error-pwrite=EPERM \
    error-pwrite-rate=100%
exits 4 "what can never succeed fails at once" "$nbdsync" copy --json \
    "$(uri src)" "$(uri dst)"
holds "without another try" '.progress.retries == 0'
exits 2 "a policy that does not exist is refused" "$nbdsync" copy \
    --on-read-error ignore "$(uri src)" null:
