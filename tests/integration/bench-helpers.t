#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the benchmark is made of works; how fast anything is decides no test.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit pattern --version
requires nbdcopy --version
requires jq --version
requires perl -MIO::Socket::INET -e 1
plan 25

helpers=$builddir/tests/bench

run sh -c "'$helpers/measure' '' sh -c 'exit 7' 3>'$tmp/figures'"
is "a measured command keeps its status" "$status" 7
like "and its cost is told" "$(cat "$tmp/figures")" \
    '^wall=[0-9]+\.[0-9]+ user=0\.[0-9]+ sys=0\.[0-9]+ peak=[0-9]+ servers=0'

start_lean()
{
	name=$1
	shift
	start_process "$name" "$helpers/lean-server" \
	    "unix:$tmp/$name.sock" "$@"
	wait_until_up_ "$name" "[ -S '$tmp/$name.sock' ]"
}

start_lean full $((8 * MiB))
start_lean sparse $((1 * TiB)) 1000 65536
ok "the lean server serves its disk" "$nbdsync" info --json "$(uri full)"
is "of that size" "$(echo "$out" | jq .size_bytes)" $((8 * MiB))
ok "nbdcopy can read it" nbdcopy "$(uri full)" "$tmp/copy"
perl -e 'print pack "Q>", 8 * $_ + 1 for 0 .. 131071' >"$tmp/part"
cat "$tmp/part" "$tmp/part" "$tmp/part" "$tmp/part" >"$tmp/half"
ok "and finds the same mebibyte all over it" \
    sh -c "cat '$tmp/half' '$tmp/half' | cmp - '$tmp/copy'"
ok "nbdcopy can write it" nbdcopy "$tmp/copy" "$(uri full)"
ok "nbdsync copies it to itself" "$nbdsync" copy --json "$(uri full)" \
    "$(uri sparse)"
is "all of it" "$(echo "$out" | jq .progress.durable_bytes)" $((8 * MiB))
ok "a sparse one is copied" "$nbdsync" copy --json "$(uri sparse)" null:
is "and only its islands are read" \
    "$(echo "$out" | jq .progress.read_bytes)" \
    $((1000 * 65536))

start_nbdkit pattern pattern 8M
for library in nbdclient libnbd; do
	if [ ! -x "$helpers/client-$library" ]; then
		ok "there is no libnbd here" true
		ok "so nothing is compared with it" true
		continue
	fi
	ok "$library reads many blocks" "$helpers/client-$library" reads \
	    "$(uri pattern)" 3000 64 4096
	like "and tells what it cost" "$out" \
	    '^wall=[0-9.]+ user=[0-9.]+ sys=[0-9.]+ cpu_per=[0-9.]+$'
done
run "$helpers/client-nbdclient" idle "$(uri full)" 200
like "an idle connection has a price" "$out" \
    '^heap_per=[0-9]+ rss_per=-?[0-9]+$'
# A sanitizer's memory is not counted: 0.
price=$(echo "$out" | sed 's/heap_per=\([0-9]*\).*/\1/')
ok "which is less than 64 KiB" [ "$price" -lt $((64 * KiB)) ]

cat >"$tmp/conf" <<-END
	control = { socket = "$NBDSYNC_SOCKET"; };
	END
start_daemon "$tmp/conf"
run "$helpers/hammer" "$NBDSYNC_SOCKET" 20 1 /v1/health /v1/jobs
is "the daemon is asked on many connections" "$status" 0
like "and how long that takes is told" "$out" \
    '^asked=[1-9][0-9]* p50_ms=[0-9.]+ p99_ms=[0-9.]+ max_ms=[0-9.]+$'
stop_process daemon

run "$srcdir/tests/bench/run" --builddir "$builddir" --pairs 2 --scale 1024 \
    --json "$tmp/figures.json" --markdown "$tmp/figures.md" unix jobs
is "rows are run and tabled" "$status" 0
like "with ratios" "$out" 'nbdsync / nbdcopy: wall [0-9.]+ '
is "as JSON, too" "$(jq -r '[.rows[] | .row] | join(" ")' \
    "$tmp/figures.json")" 'unix jobs'
is "with each run" "$(jq '.rows[0].programs[0].runs | length' \
    "$tmp/figures.json")" 2
like "and as a page" "$(cat "$tmp/figures.md")" '^\| ratio to nbdcopy \| '
exits 2 "a row that is none is refused" "$srcdir/tests/bench/run" no-such
