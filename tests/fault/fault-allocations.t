#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Requests and bytes pass without any memory being allocated for them: four
# times as many of them take as many allocations, but for lists that grow.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires test -x "$faults/nbdsync-starved"
requires nbdkit --filter=log memory --version
requires nbdkit sparse-random --version
requires psktool --version
plan 20

request=$((16 * KiB))
few=$((8 * MiB))
many=$((32 * MiB))
psktool -u alice -p "$tmp/keys.psk" >/dev/null || bail "psktool"

# start_servers SIZE: src with holes if $sparse, more with the same, dst empty.
start_servers()
{
	if [ -n "$sparse" ]; then
		set -- "$1" sparse-random "$1" percent=60 runlength=65536 \
		    seed=1 random-content=true
	else
		[ -e "$tmp/disk.$1" ] || make_data "$tmp/disk.$1" "$1" disk
		cp "$tmp/disk.$1" "$tmp/more.img"
		set -- "$1" file "$tmp/more.img"
	fi
	size=$1
	shift
	rm -f "$tmp/src.all"
	# shellcheck disable=SC2086
	start_nbdkit src $tls -r --filter=log "$@" logfile="$tmp/src.all"
	# shellcheck disable=SC2086
	start_nbdkit dst $tls memory "$size"
	start_nbdkit more "$@"
}

# measure SIZE COMMAND... : what it takes: ours, theirs, n_reads.
measure()
{
	start_servers "$1"
	shift
	rm -f "$tmp/starved" "$tmp/checkpoint"*
	ours= theirs=
	STARVE_LOG="$tmp/starved" "$faults/nbdsync-starved" "$@" \
	    --request-size $request --connections 1 --queue-depth 16 --json \
	    >"$tmp/result" 2>"$tmp/messages" && {
		ours=$(sed -n 's/^allocated //p' "$tmp/starved")
		theirs=$(sed -n 's/^by libraries //p' "$tmp/starved")
	}
	stop_process src
	stop_process dst
	stop_process more
	n_reads=$(grep -c ' Read id=.* offset=' "$tmp/src.all")
	[ -n "$ours" ] || comment_ <"$tmp/messages"
}

# grows_not SENTENCE COMMAND... : lists double, and little else may come.
grows_not()
{
	sentence=$1
	shift
	measure $few "$@"
	few_ours=$ours few_theirs=$theirs few_reads=$n_reads
	measure $many "$@"
	echo "# $sentence: $few_ours and $few_theirs for $few_reads reads," \
	    "$ours and $theirs for $n_reads"
	more=$((n_reads - few_reads))
	ok "$sentence: many more requests" [ $more -ge 800 ]
	ok "are made without allocations of ours" \
	    [ $((ours - few_ours)) -lt $((more / 8)) ]
	[ -n "$tls" ] || ok "or of libevent" \
	    [ $((theirs - few_theirs)) -lt $((more / 8)) ]
}

src=$(uri src) dst=$(uri dst)
tls= sparse=
grows_not "a copy" copy "$src" "$dst"
grows_not "one with a digest" copy --digest xxh3 "$src" "$dst"
grows_not "one with a checkpoint" copy --checkpoint "$tmp/checkpoint" \
    "$src" "$dst"
grows_not "one that looks" copy --sync "$src" "$dst"
grows_not "a comparison" compare "$src" "$(uri more)"
sparse=yes
grows_not "holes" copy "$src" "$dst"

# OpenSSL itself takes some for each record.
sparse=
tls="--tls=require --tls-psk=$tmp/keys.psk"
grows_not "TLS" copy "$(psk_uri src "$tmp/keys.psk" alice)" \
    "$(psk_uri dst "$tmp/keys.psk" alice)"
