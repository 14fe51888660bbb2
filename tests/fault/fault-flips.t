#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bits that flip at the source, at the destination, or on the wire of a copy:
# compare finds each, and a sync repairs it.  Where nothing has flipped,
# nothing is found, also where the source is written all the time.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
requires jq --version
requires perl -e 1
plan 9

size=$((4 * MiB + 300))
make_data "$tmp/data" "$size" disk
dd if=/dev/zero of="$tmp/data" bs=64K seek=20 count=20 conv=notrunc \
    status=none

# The sectors in which two files differ.
true_sectors()
{
	cmp -l "$1" "$2" | awk '{ print int(($1 - 1) / 512) }' | sort -n -u
}

found_sectors()
{
	jq -r '.differences[] | [.offset_bytes, .length_bytes] | @tsv' \
	    "$tmp/run.out" | awk '{
		for (at = $1; at < $1 + $2; at += 512) print int(at / 512)
	    }' | sort -n -u
}

# flip FILE: a bit of it.
flip()
{
	random "$size"
	at=$random
	random 8
	old=$(od -An -tu1 -j "$at" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((old ^ (1 << random))))" |
	    dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# find_all SENTENCE: compare tells what cmp does.
find_all()
{
	run "$nbdsync" compare --json "$tmp/a.img" "$tmp/b.img"
	wanted=$(true_sectors "$tmp/a.img" "$tmp/b.img")
	[ "$(found_sectors)" = "$wanted" ] && [ "$status" -eq 9 ] && return
	bad="$bad $*"
}

rounds 3 100
bad= n_flips=0
for i in $(seq "$rounds"); do
	for side in a b; do
		cp "$tmp/data" "$tmp/a.img"
		cp "$tmp/data" "$tmp/b.img"
		random 12
		for flip in $(seq $((random + 1))); do
			flip "$tmp/$side.img"
		done
		# The same bit twice is none.
		cmp -s "$tmp/a.img" "$tmp/b.img" && flip "$tmp/$side.img"
		n_flips=$((n_flips + $(true_sectors "$tmp/a.img" \
		    "$tmp/b.img" | wc -l)))
		find_all "$side:$i"
	done
done
is "all that has flipped on disks is found" "$bad" ""
ok "and something had" test "$n_flips" -gt 0

# wire_flips SIDE STEP STATUS: a copy through a bad wire, which NBD cannot
# notice; reading back can, if it is the destination's.
wire_flips()
{
	bad= n_harmed=0
	for i in $(seq "$rounds"); do
		cp "$tmp/data" "$tmp/a.img"
		truncate -s 0 "$tmp/b.img"
		truncate -s "$size" "$tmp/b.img"
		start_nbdkit src -r file "$tmp/a.img"
		start_nbdkit dst file "$tmp/b.img"
		random 6
		first=$((random + 1))
		random 6
		start_proxy way "$1" "flip@in:$2:$first" \
		    "flip@in:$2:$((first + random + 1))"
		from=way to=dst
		[ "$1" = src ] || from=src to=way
		run "$nbdsync" copy --verify --request-size 64KiB \
		    "$(uri $from)" "$(uri $to)"
		[ "$status" -eq "$3" ] || bad="$bad copy:$i"
		n=$(grep -c "^fault flip" "$tmp/way.log")
		n_harmed=$((n_harmed + n))
		stop_process way
		stop_process src
		stop_process dst
		[ "$(cmp -l "$tmp/a.img" "$tmp/b.img" | wc -l)" -eq "$n" ] ||
		    bad="$bad not-$n:$i"
		find_all "found:$i"
		run "$nbdsync" copy --sync "$tmp/a.img" "$tmp/b.img"
		cmp -s "$tmp/a.img" "$tmp/b.img" || bad="$bad repair:$i"
	done
}

for side in src dst; do
	step=data wanted=0
	[ "$side" = src ] || step=payload wanted=9
	wire_flips "$side" "$step" "$wanted"
	is "what has flipped on the wire of $side is found, and repaired" \
	    "$bad" ""
	ok "and something had" test "$n_harmed" -ge $((2 * rounds))
	n_flips=$((n_flips + n_harmed))
done
echo "# $n_flips flips"

cp "$tmp/a.img" "$tmp/b.img"
start_nbdkit src -r file "$tmp/a.img"
rounds 5 1000
bad=
for i in $(seq "$rounds"); do
	run "$nbdsync" compare "$(uri src)" "$tmp/b.img"
	[ "$status" -eq 0 ] && [ -z "$out$err" ] || bad="$bad $i"
done
is "where nothing has flipped nothing is found" "$bad" ""
echo "# $rounds clean comparisons"

# Each of its blocks, again and again, until it is told to stop.
cat >"$tmp/writer.pl" <<'END'
open my $disk, "+<", $ARGV[0] or die;
for (my $n = 0; 1; $n++) {
	sysseek $disk, $n * 4096 % $ARGV[1], 0;
	syswrite $disk, sprintf "%-16d", $n;
}
END
start_process writer perl "$tmp/writer.pl" "$tmp/a.img" $((4 * MiB))
bad= n_changed=0
for i in $(seq "$rounds"); do
	run "$nbdsync" copy --verify --request-size 64KiB "$(uri src)" \
	    "$tmp/b.img"
	[ "$status" -eq 0 ] || bad="$bad $i"
	wait_for "! cmp -s '$tmp/a.img' '$tmp/b.img'" &&
	    n_changed=$((n_changed + 1))
done
stop_process writer
is "a source that changes is no false alarm when a copy is verified" \
    "$bad" ""
is "and it had changed each time" "$n_changed" "$rounds"
echo "# $rounds verified copies of a changing source"
