#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync info --map takes little memory and no more of the server's time than
# it has to, however large the disk and its map.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit data --version
requires nbdkit --filter=extentlist null --version
requires nbdkit --filter=log sparse-random --version
requires qemu-nbd --version
requires qemu-img --version
requires jq --version
plan 20

# 1 TiB.
start_nbdkit data data size=1T \
    '@0x100000 1*32768 @0x8000000000 2*32768 @0xfffffff000 3*4096'
ok "a disk of 1 TiB is mapped" "$nbdsync" info --map "$(uri data)"
is "to its end" "$out" "\
            0        1048576  3  hole,zero
      1048576          32768  0  data
      1081344   549754732544  3  hole,zero
 549755813888          32768  0  data
 549755846656   549755748352  3  hole,zero
1099511595008          32768  0  data"
ok "and summed up" "$nbdsync" info --map --totals "$(uri data)"
is "to its size" "$out" "\
        98304    0.0%  0  data
1099511529472  100.0%  3  hole,zero"
qemu-img create -q -f qcow2 "$tmp/disk.qcow2" 1T
start_qemu_nbd qcow2 -r -f qcow2 "$tmp/disk.qcow2"
ok "a disk of QEMU of 1 TiB is mapped" "$nbdsync" info --map "$(uri qcow2)"
is "as one extent" "$(echo "$out" | sed 's/^ *//')" \
    "0  $TiB  3  hole,zero"
seq -f '%.0f00M 64K' 0 9999 >"$tmp/extents"
start_nbdkit spots -r --filter=extentlist null 1T extentlist="$tmp/extents"
run "$nbdsync" info --map "$(uri spots)"
is "one with ten thousand spots on it is mapped" \
    "$(echo "$out" | wc -l) $(echo "$out" | tail -n 1)" \
    "20000 1048471207936    51040419840  3  hole,zero"
ok "and summed up" "$nbdsync" info --map --totals --json "$(uri spots)"
is "to its size" "$(echo "$out" | jq -c 'map(.total_bytes)')" \
    "[655360000,$((TiB - 655360000))]"

# An extent a page: a million of them on 4 GiB.
start_nbdkit many sparse-random 4G runlength=4096 percent=50 seed=1
mkfifo "$tmp/fifo"
cat >"$tmp/measure.awk" <<'AWK'
# What the map says on standard input, and how much memory was used for it
# between two lines of it: the second is far enough from the end that a pipe
# cannot hold what is left, so that the program is still there.
function memory_kib(line, field, kib)
{
	while ((getline line <status) > 0) {
		if (split(line, field, " ") > 1 && field[1] == "VmHWM:")
			kib = field[2]
	}
	close(status)
	return kib
}
/[0-9]/ {
	n++
	if (json)
		gsub(/[^0-9 ]/, "")
	if ($1 != end || (n > 1 && $3 == flags))
		wrong++
	end = $1 + $2
	flags = $3
}
NR == 20000 { before = memory_kib() }
NR == 1000000 { grown = memory_kib() - before }
END {
	printf "%d extents, %.0f bytes, %d wrong\n", n, end, wrong
	print "grown by", grown, "KiB"
	print (before > 0 && grown < 16384) ? "bounded" : "not bounded"
}
AWK
# measure ARGS...: sets $out and $status.
measure()
{
	"$nbdsync" info --map "$@" "$(uri many)" >"$tmp/fifo" \
	    2>"$tmp/measure.err" &
	measured=$!
	awk -v json="$#" -v status="/proc/$measured/status" \
	    -f "$tmp/measure.awk" "$tmp/fifo" >"$tmp/measure.out"
	wait "$measured"
	status=$?
	out=$(cat "$tmp/measure.out")
}
measure
is "a map of a million extents is printed" "$status" 0
is "without a gap" "$(echo "$out" | sed -n 1p)" \
    "1048576 extents, $((4 * GiB)) bytes, 0 wrong"
like "in bounded memory" "$out" '^bounded$'
measure --json
is "also as JSON" "$status" 0
is "without a gap" "$(echo "$out" | sed -n 1p)" \
    "1048576 extents, $((4 * GiB)) bytes, 0 wrong"
like "in bounded memory" "$out" '^bounded$'

# A reader that takes a line and leaves.  The whole would take a minute.
start_nbdkit long --filter=log sparse-random size=64G runlength=4096 \
    percent=50 logfile="$tmp/requests"
asked_gib()
{
	sed -n 's/.* Extents .*offset=0x\([0-9a-f]*\).*/\1/p' \
	    "$tmp/requests" | sed 's/^/0x/' | sort -u | tail -n 1 |
	    { read -r last; echo $((${last:-0} / GiB)); }
}
for json in '' --json; do
	# shellcheck disable=SC2086
	"$nbdsync" info --map $json "$(uri long)" >"$tmp/fifo" \
	    2>"$tmp/long.err" &
	mapping=$!
	read -r line <"$tmp/fifo"
	wait "$mapping"
	is "who is not listened to any more gives up${json:+, with JSON}" $? 1
	ok "and has not asked for the rest" test "$(asked_gib)" -lt 16
done
like "what came was the beginning" "$line" '^\[$'
