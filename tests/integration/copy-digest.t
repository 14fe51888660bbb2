#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The digest of what is copied, against the programs that everybody has.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=log file --version
requires nbdkit eval --version
requires sha256sum --version
requires xxhsum --version
requires jq --version
plan 48

sha()
{
	sha256sum | cut -d ' ' -f 1
}

xxh()
{
	xxhsum -H2 2>/dev/null | cut -d ' ' -f 1
}

value()
{
	echo "$out" | jq -r .digest.value
}

# Data, holes in the middle and at the end, and an odd tail.
make_data "$tmp/a.img" $((9 * MiB)) disk
truncate -s $((40 * MiB)) "$tmp/a.img"
make_data "$tmp/more" $((3 * MiB + 17)) more
cat "$tmp/more" >>"$tmp/a.img"
truncate -s $((50 * MiB + 511)) "$tmp/a.img"
sha=$(sha <"$tmp/a.img")
xxh=$(xxh <"$tmp/a.img")

for i in 1 2 3; do
	truncate -s $((50 * MiB + 511)) "$tmp/b$i.img"
done
ok "a copy tells the SHA-256" \
    "$nbdsync" copy --digest=sha256 "$tmp/a.img" "$tmp/b1.img"
is "as sha256sum does" "$out" "sha256 $sha"
ok "and has copied" cmp "$tmp/a.img" "$tmp/b1.img"
ok "XXH3, too" "$nbdsync" copy --digest xxh3 --json \
    "$tmp/a.img" "$tmp/b1.img"
is "as xxhsum does" "$(echo "$out" | jq -c .digest)" \
    "{\"algorithm\":\"xxh3\",\"value\":\"$xxh\",\"bytes\":52429311}"
is "without reading the holes" \
    "$(echo "$out" | jq '.progress.read_bytes < 14000000')" true
ok "of one that is not asked for" "$nbdsync" copy --json "$tmp/a.img" null:
is "nothing is told" "$(echo "$out" | jq .digest)" null
ok "several connections are too many" "$nbdsync" copy --digest sha256 --json \
    --connections 4 "$tmp/a.img" "$tmp/b1.img"
is "for the order of bytes" "$(value)" "$sha"
is "which is said" "$(echo "$out" | jq -r '.gave_up | join(" ")')" \
    "a digest of the whole takes it in order: one connection"
ok "where holes are written as data" "$nbdsync" copy --digest sha256 --json \
    --allocated "$tmp/a.img" "$tmp/b1.img"
is "it is the same" "$(value)" "$sha"
ok "where they are not written" "$nbdsync" copy --digest sha256 --json \
    --destination-is-zero "$tmp/a.img" "$tmp/b2.img"
is "it is the same, too" "$(value)" "$sha"

ok "with several destinations" "$nbdsync" copy --digest sha256 --json \
    "$tmp/a.img" "$tmp/b1.img" "$tmp/b2.img" "$tmp/b3.img"
is "it is taken once" "$(value)" "$sha"

# One of two takes four seconds for all of it, and is left behind.
start_nbdkit slow --filter=delay --filter=noparallel file "$tmp/b2.img" \
    delay-write=20ms
ok "with one that is slow" "$nbdsync" copy --digest sha256 --json \
    --max-lag 1MiB --request-size 64KiB "$tmp/a.img" "$tmp/b1.img" "$(uri slow)"
is "it is the same" "$(value)" "$sha"
is "though the source was read again" \
    "$(echo "$out" | jq '.progress.read_bytes > 13000000')" true
ok "which is complete in the end" cmp "$tmp/a.img" "$tmp/b2.img"

# One of two takes nothing for a while, with little memory: it is not to keep
# all of that.
truncate -s 0 "$tmp/b1.img" "$tmp/b2.img"
truncate -s "$(size_of "$tmp/a.img")" "$tmp/b1.img" "$tmp/b2.img"
start_nbdkit still --filter=log file "$tmp/b2.img" logfile="$tmp/still.log"
start_process copy "$nbdsync" copy --digest sha256 --json --allocated \
    --queue-depth 2 --request-size 256KiB --memory-max 3MiB --rate 16MB/s \
    "$tmp/a.img" "$tmp/b1.img" "$(uri still)"
wait_for "grep -q 'Write id=' '$tmp/still.log'" || bail "nothing is copied"
kill -STOP "$(pid_of still)"
ok "with one that stands still, the other is copied to its end" \
    wait_for "cmp -s '$tmp/a.img' '$tmp/b1.img'"
not_ok "which that is not" cmp -s "$tmp/a.img" "$tmp/b2.img"
ok "nor the copy" is_running_ "$(pid_of copy)"
kill -CONT "$(pid_of still)"
wait_for "! is_running_ $(pid_of copy)" 60 || kill -KILL "$(pid_of copy)"
wait "$(pid_of copy)"
is "until it goes on" "$?" 0
rm -f "$tmp/copy.started"
ok "with all that it missed" cmp "$tmp/a.img" "$tmp/b2.img"
is "the digest is the same" \
    "$(jq -r .digest.value "$tmp/copy.log")" "$sha"

# Reads that end in another order.
start_nbdkit mixed -r --filter=delay file "$tmp/a.img" delay-read=3ms
ok "from a server with delays" "$nbdsync" copy --digest sha256 --json \
    --queue-depth 32 --request-size 64KiB "$(uri mixed)" "$tmp/b3.img"
is "it is the same" "$(value)" "$sha"

# Reads that are refused for their size, or fail at times, or for good.
head -c $((4 * MiB)) "$tmp/a.img" >"$tmp/s.img"
truncate -s 4M "$tmp/c.img"
small=$(sha <"$tmp/s.img")
serve_small()
{
	start_nbdkit "$1" -r eval get_size="echo $((4 * MiB))" \
	    thread_model='echo parallel' \
	    pread="$2
		dd if=$tmp/s.img skip=\$4 count=\$3 bs=64K status=none \
		    iflag=skip_bytes,count_bytes,fullblock"
}
serve_small short 'if [ $3 -gt 65536 ]; then
		echo "$4" >>'"$tmp"'/refused
		echo EINVAL too large >&2
		exit 1
	fi'
ok "where large reads are refused" "$nbdsync" copy --digest sha256 --json \
    --request-size 256KiB --queue-depth 4 "$(uri short)" "$tmp/c.img"
is "it is the same" "$(value)" "$small"
ok "and some were" test -s "$tmp/refused"

serve_small rare 'if [ $(($4 / 65536 % 7)) = 3 ] && mkdir '"$tmp"'/failed$4; then
		echo EIO rare >&2
		exit 1
	fi 2>&-'
ok "where reads fail once" "$nbdsync" copy --digest sha256 --json \
    --on-read-error retry --request-size 64KiB --queue-depth 4 \
    "$(uri rare)" "$tmp/c.img"
is "it is the same" "$(value)" "$small"
ok "and some did" test -d "$tmp/failed196608"

serve_small hole 'if [ $4 -le 1000000 ] && [ $(($4 + $3)) -gt 1000000 ]; then
		echo EIO bad >&2
		exit 1
	fi'
exits 13 "where a sector is left out" "$nbdsync" copy --digest sha256 --json \
    --on-read-error skip "$(uri hole)" "$tmp/c.img"
is "there is none" "$(echo "$out" | jq .digest)" null
is "but what was left out is told" \
    "$(echo "$out" | jq -c '[.bad_ranges[].offset_bytes]')" '[999936]'

ok "a sync tells it" "$nbdsync" copy --sync --digest sha256 --json \
    "$tmp/a.img" "$tmp/b1.img"
is "and writes nothing" "$(value) $(echo "$out" |
    jq .progress.written_bytes)" "$sha 0"
printf x | dd of="$tmp/b1.img" bs=1 seek=20000000 conv=notrunc status=none
exits 9 "a comparison tells that of the first" "$nbdsync" compare \
    --digest sha256 --json "$tmp/a.img" "$tmp/b1.img"
is "disk" "$(value)" "$sha"

parts=$({ dd if="$tmp/a.img" bs=64K skip=600 count=50 status=none
    dd if="$tmp/a.img" bs=64K skip=16 count=24 status=none; } | sha)
ok "of ranges" "$nbdsync" copy --digest sha256 --json \
    --range $((600 * 65536)):$((50 * 65536)):0 \
    --range 1MiB:$((24 * 65536)):$((50 * 65536)) "$tmp/a.img" "$tmp/b1.img"
is "it is that of one after the other" "$(value)" "$parts"

truncate -s 0 "$tmp/empty"
cp "$tmp/empty" "$tmp/empty2"
ok "of nothing" "$nbdsync" copy --digest sha256 "$tmp/empty" "$tmp/empty2"
is "there is one, too" "$out" "sha256 $(sha </dev/null)"

start_nbdkit bad -r --filter=error file "$tmp/a.img" error-pread-rate=100%
exits 4 "after a failure" "$nbdsync" copy --digest sha256 --json \
    "$(uri bad)" "$tmp/b1.img"
is "there is none" "$(echo "$out" | jq .digest)" null
