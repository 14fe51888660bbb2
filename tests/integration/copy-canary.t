#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Before a copy goes on from where another has ended, 64 places at random and
# the 64 that were written last are read on both sides, and compared.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=log --filter=noextents file --version
requires jq --version
plan 16

# Disks large enough that hardly two of these places meet; what is zero on both
# sides would not be read, if the source told.
size=$((2 * GiB))
distance=$((32 * MiB))
checkpoint=$tmp/checkpoint
make_data "$tmp/src.img" $((4 * MiB)) 1
truncate -s $size "$tmp/src.img" "$tmp/dst.img"
start_nbdkit src -r --filter=log --filter=noextents file "$tmp/src.img" \
    logfile="$tmp/src.busy"
start_nbdkit dst --filter=log file "$tmp/dst.img" logfile="$tmp/dst.busy"

# A copy is interrupted at its beginning; then all is said to be done.
leave_all_but_the_end()
{
	: >"$tmp/dst.busy"
	start_process copy "$nbdsync" copy --full --rate 256KiB/s \
	    --checkpoint-interval 100ms --checkpoint "$checkpoint" \
	    "$(uri src)" "$(uri dst)"
	wait_for "[ \$(grep -c '\.\.\.Flush id=' '$tmp/dst.busy') -ge 3 ]" ||
	    bail "nothing was flushed"
	stop_process copy INT
	"$builddir/tests/lib/put-checkpoint" --all "$checkpoint" copy $distance ||
	    bail "no checkpoint"
	# What was to be copied is there, as far as the checkpoint says.
	dd if="$tmp/src.img" of="$tmp/dst.img" bs=1M count=4 conv=notrunc \
	    status=none
	: >"$tmp/src.busy"
	: >"$tmp/dst.busy"
}

# What was read is then in the logs.
go_on()
{
	"$nbdsync" copy --json --checkpoint "$checkpoint" "$(uri src)" \
	    "$(uri dst)"
}
places()
{
	grep -aoE ' Read id=[0-9]+ offset=0x[0-9a-f]+ ' "$tmp/$1.busy" |
	    sed 's/.*offset=//' | while read -r offset; do
		echo $((offset))
	done | sort -n -u
}
# Those at multiples of the distance, and those that are not.
n_last()
{
	places "$1" | awk -v d=$distance '$1 % d == 0' | wc -l
}
at_random()
{
	places "$1" | awk -v d=$distance '$1 % d != 0'
}

leave_all_but_the_end
ok "a copy goes on from where another has ended" go_on
is "as the result says" "$(echo "$out" | jq .resumed)" true
is "all was done" "$(echo "$out" | jq .progress.written_bytes)" 0
for side in src dst; do
	n=$(n_last $side)
	ok "the 64 places that were written last are read ($side: $n)" \
	    [ "$n" -ge 58 -a "$n" -le 64 ]
	n=$(at_random $side | wc -l)
	ok "and 64 others, but for such as meet ($n)" \
	    [ "$n" -ge 58 -a "$n" -le 64 ]
	at_random $side >"$tmp/$side.first"
done
ok "the same on both sides" cmp "$tmp/src.first" "$tmp/dst.first"
ok "from the beginning of the disk" \
    [ "$(head -n 1 "$tmp/dst.first")" -lt $((size / 4)) ]
ok "to its end" [ "$(tail -n 1 "$tmp/dst.first")" -gt $((size / 4 * 3)) ]

leave_all_but_the_end
ok "the next one goes on, too" go_on
at_random dst >"$tmp/dst.second"
not_ok "having looked at other places" cmp "$tmp/dst.first" "$tmp/dst.second"

# The last of the last, which hardly any of the others would meet.
leave_all_but_the_end
printf X | dd of="$tmp/dst.img" bs=1 seek=$((63 * distance + 65535)) conv=notrunc \
    status=none
ok "where one of those written last differs" go_on
is "nothing is gone on from" "$(echo "$out" | jq .resumed)" false
like "for that reason" "$(echo "$out" | jq -r .not_resumed)" \
    "^what the last run had written is not on the destination"
is "and it is put right" "$(od -An -tx1 -j $((63 * distance + 65535)) -N 1 \
    "$tmp/dst.img" | tr -d ' ')" 00
