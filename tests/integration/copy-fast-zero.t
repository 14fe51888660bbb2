#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where fast zeroing is offered, many holes are zeroed at once; where it is
# not, or refused, each by itself.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=nozero --filter=log memory --version
requires nbdkit data --version
requires jq --version
plan 34

size=$((16 * MiB))
islands=
at=0
while [ $at -lt $size ]; do
	islands="$islands @$at 0x55*4096"
	at=$((at + 256 * KiB))
done
start_nbdkit src data data="$islands" size=$size
make_data "$tmp/old.img" $size old

# Over old data, with what is logged.
copies()
{
	exits_with=$1
	sentence=$2
	filters=$3
	shift 3
	# shellcheck disable=SC2086
	start_nbdkit dst --filter=log $filters logfile="$tmp/all.log"
	"$nbdsync" copy --quiet "$tmp/old.img" "$(uri dst)" ||
	    bail "the old data cannot be written"
	: >"$tmp/fail"
	n=$(wc -l <"$tmp/all.log")
	exits "$exits_with" "$sentence" "$nbdsync" copy --json \
	    --connections 1 "$@" "$(uri src)" "$(uri dst)"
	tail -n +$((n + 1)) "$tmp/all.log" >"$tmp/dst.log"
	warnings=$err
	result=$out
}

count()
{
	grep -c "$1" "$tmp/dst.log"
}

is_right()
{
	exits 0 "every byte is right" "$nbdsync" compare "$(uri src)" \
	    "$(uri dst)"
	stop_process dst
}

copies 0 "many holes are zeroed" "memory $size"
is "at once" "$(count ' Zero .*fast=1.*\.\.\.$')" 1
is "none of them by itself" "$(count ' Zero .*\.\.\.$')" 1
is "all of them count" "$(echo "$result" | jq .progress.zeroed_bytes)" \
    $((size - 64 * 32 * KiB))
is "nothing is written before that" \
    "$(grep -Eo ' (Write|Zero) .*\.\.\.$' "$tmp/dst.log" | head -n 1 |
	grep -o fast=1)" fast=1
unlike "nothing is said of it" "$warnings" "fast"
is_right

copies 0 "a server that would be slow refuses it" \
    "--filter=nozero memory $size zeromode=plugin
    fastzeromode=slow"
is "and is not asked again" "$(count ' Zero .*fast=1.*\.\.\.$')" 1
ok "each hole is zeroed by itself" \
    test "$(count ' Zero .*fast=0.*\.\.\.$')" -ge 63
like "that is said" "$warnings" "refused fast write-zeroes"
is_right

copies 0 "one that does not offer it" \
    "--filter=nozero memory $size zeromode=plugin
    fastzeromode=none"
is "is not asked" "$(count ' Zero .*fast=1')" 0
like "which is said, too" "$warnings" "does not offer fast write-zeroes"
is_right

copies 0 "who wants no holes" "memory $size" --allocated
is "zeroes nothing" "$(count ' Zero ')" 0
is_right

copies 0 "what is dense" "memory $size" --range 0:1MiB
is "is not zeroed before" "$(count ' Zero .*fast=1')" 0
is "outside of the range nothing is" "$(count ' Zero ')" 4
stop_process dst

# All zeroed and nothing else is no copy.
rm -f "$tmp/fail"
copies 4 "a disk that was zeroed and not written is no copy" \
    "--filter=error memory $size error-pwrite=EIO error-pwrite-rate=100%
    error-pwrite-file=$tmp/fail"
is "though it was zeroed" "$(count ' Zero .*fast=1.*\.\.\.$')" 1
is "and failed" "$(echo "$result" | jq -r .failure.operation)" write
stop_process dst

# A connection that is lost while it zeroes: the zeroes may come after the data.
cat >"$tmp/late" <<END
case \$1 in
thread_model) echo parallel ;;
get_size) echo $size ;;
can_write | can_flush | can_zero | can_fast_zero | flush) ;;
zero)
	case "\$5" in *fast*) ;; *) exit 0 ;; esac
	echo >>"$tmp/zeroed"
	while [ -e "$tmp/hold" ]; do sleep 0.1; done ;;
pwrite) cat >"$tmp/written" ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/late"
touch "$tmp/hold"
start_nbdkit late sh "$tmp/late"
exits 4 "zeroes whose connection is lost fail the copy" timeout 60 \
    "$nbdsync" copy --io-timeout 500ms --reconnect 30s --connections 1 \
    "$(uri src)" "$(uri late)"
is "after they were asked for once" "$(wc -l <"$tmp/zeroed")" 1
ok "nothing is written that they could destroy" [ ! -e "$tmp/written" ]
rm "$tmp/hold"
stop_process late

# Of two, one stands still with it.
touch "$tmp/hold"
rm "$tmp/zeroed"
start_nbdkit late sh "$tmp/late"
start_nbdkit dst --filter=log memory $size logfile="$tmp/two.log"
start_process copy "$nbdsync" copy --connections 1 "$(uri src)" \
    "$(uri dst)" "$(uri late)"
ok "one that stands still with its zeroes lets another one have all" wait_for \
    "[ \"\$(grep -c '\.\.\.Write .*return=0' '$tmp/two.log')\" -ge 64 ]"
is "it was asked for them" "$(wc -l <"$tmp/zeroed")" 1
ok "and for nothing else" [ ! -e "$tmp/written" ]
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)" 60
wait "$(pid_of copy)"
is "until it goes on" $? 0
rm -f "$tmp/copy.started"
ok "and is written, too" [ -s "$tmp/written" ]
exits 0 "every byte of the other one is right" "$nbdsync" compare \
    "$(uri src)" "$(uri dst)"
