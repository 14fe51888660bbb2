#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that lacks a feature gets a slower copy, never a wrong one, and
# what was done without is said.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=multi-conn --filter=checkwrite pattern --version
plan 15

# copies SENTENCE CONNECTIONS SOURCE-ARGS DESTINATION-ARGS
copies()
{
	# shellcheck disable=SC2086
	start_nbdkit src $3
	# shellcheck disable=SC2086
	start_nbdkit dst $4
	ok "$1" "$nbdsync" copy --json --connections "$2" \
	    "$(uri src)" "$(uri dst)"
	stop_process src
	stop_process dst
}

judge="--filter=checkwrite pattern size=64M"

copies "several connections" 4 "pattern size=64M" "$judge"
is "are used where offered" "$(echo "$out" | jq .progress.connections)" 4
copies "a source without multi-conn" 4 \
    "--filter=multi-conn pattern size=64M multi-conn-mode=disable" "$judge"
is "gets one connection" "$(echo "$out" | jq .progress.connections)" 1
like "and it is said" "$err" "source does not offer several connections"
copies "a destination without multi-conn" 4 "pattern size=64M" \
    "--filter=multi-conn $judge multi-conn-mode=disable"
is "gets one connection" "$(echo "$out" | jq .progress.connections)" 1
copies "a source without structured replies" 2 "--no-sr pattern size=64M" \
    "$judge"
like "has no block status" "$err" "source does not offer block status"
copies "servers without fixed newstyle options" 2 \
    "--mask-handshake=0 pattern size=64M" "--mask-handshake=0 $judge"
copies "servers that delay and reorder" 2 \
    "--filter=delay pattern size=64M rdelay=3ms" \
    "--filter=delay $judge wdelay=2ms"
# A connection that is refused when all is over is not missed.
copies "a server that limits its connections" 4 \
    "--filter=limit --filter=delay pattern size=64M limit=2 rdelay=200ms" "$judge"
like "gets fewer" "$err" "fewer connections"

# Of several destinations it is said which.
start_nbdkit src pattern size=1M
start_nbdkit full memory 1M
start_nbdkit lean --filter=nozero memory 1M
ok "one of two destinations lacks something" "$nbdsync" copy --json \
    "$(uri src)" "$(uri full)" "$(uri lean)"
is "which one is said" "$(echo "$out" | jq -r '.gave_up[] |
    select(contains("write-zeroes: zeroes"))')" \
    "destination '$(uri lean)' does not offer write-zeroes: zeroes are written\
 as data"
