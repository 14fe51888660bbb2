#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Destinations that are far behind: what they cost, and whom they hold up.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=rate null --version
requires jq --version
plan 7

size=$((64 * MiB))
make_data "$tmp/src.img" $size disk
start_nbdkit src -r file "$tmp/src.img"
for i in fast slow held; do
	truncate -s $size "$tmp/$i.img"
done
start_nbdkit fast file "$tmp/fast.img"
start_nbdkit slow --filter=rate file "$tmp/slow.img" rate=400M \
    burstiness=0.1

# Of the 64 requests that may be under way, few can be in memory.
ok "a slow one is left behind, and caught up with" "$nbdsync" copy --json \
    --connections 1 --request-size 1MiB --queue-depth 64 --max-lag 4MiB \
    "$(uri src)" "$(uri fast)" "$(uri slow)"
is "by reading again" "$(echo "$out" |
    jq ".progress.read_bytes > $size")" true
is "in no more memory than may lag, and what is usual" "$(echo "$out" |
    jq ".progress.memory_peak_bytes <= 12 * $MiB")" true
ok "and it has every byte" cmp "$tmp/src.img" "$tmp/slow.img"

# Both are behind; one of them stands still then, with as much as it may have.
cat >"$tmp/held" <<END
case \$1 in
thread_model) echo parallel ;;
get_size) echo $size ;;
can_write | can_flush | flush) ;;
pwrite)
	echo >>"$tmp/held.log"
	while [ -e "$tmp/hold" ]; do sleep 0.1; done
	dd of="$tmp/held.img" conv=notrunc iflag=fullblock oflag=seek_bytes \
	    bs=\$3 seek=\$4 count=1 2>"$tmp/dd.log" ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/held"
touch "$tmp/hold"
start_nbdkit held sh "$tmp/held"
stop_process slow
rm "$tmp/slow.img"
truncate -s $size "$tmp/slow.img"
start_nbdkit slow --filter=rate file "$tmp/slow.img" rate=400M \
    burstiness=0.1
start_process copy "$nbdsync" copy --json --connections 1 --max-lag 4MiB \
    "$(uri src)" "$(uri fast)" "$(uri slow)" "$(uri held)"
ok "one that is behind catches up while another one stands still" \
    wait_for "cmp -s '$tmp/src.img' '$tmp/slow.img'" 60
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)"
is "which goes on then" $? 0
rm -f "$tmp/copy.started"
ok "and gets every byte" cmp "$tmp/src.img" "$tmp/held.img"
