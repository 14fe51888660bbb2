#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a server refuses while it is used is done without: the copy is right,
# what was given up is said once, and each refusal has really happened.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=checkwrite sparse-random --version
requires nbdkit --filter=blocksize-policy --filter=error --filter=log \
    pattern --version
requires nbdkit eval --version
requires jq --version
plan 41

# checkwrite compares each write with the same disk.
disk="sparse-random size=64M seed=3 percent=20"
judge="--filter=log --filter=checkwrite $disk"

# copies SENTENCE SOURCE-ARGS DESTINATION-ARGS: both log
copies()
{
	rm -f "$tmp/src.requests" "$tmp/dst.requests"
	# shellcheck disable=SC2086
	start_nbdkit src $2 logfile="$tmp/src.requests"
	# shellcheck disable=SC2086
	start_nbdkit dst $3 logfile="$tmp/dst.requests"
	ok "$1" "$nbdsync" copy --json "$(uri src)" "$(uri dst)"
	stop_process src
	stop_process dst
}

# gave_up SENTENCE: said, and once
gave_up()
{
	is "which is said once" "$(echo "$out" | jq --arg s "$1" \
	    '[.gave_up[] | select(startswith($s))] | length')" 1
}

# failed SIDE COMMAND ERROR: such a request was answered so
failed()
{
	ok "it has happened" grep -Eq "\.\.\.$2 .*return=-1 .*error=$3" \
	    "$tmp/$1.requests"
}

copies "nothing is given up where nothing is missing" \
    "--filter=log $disk" "$judge"
is "and nothing is said" "$(echo "$out" | jq -c .gave_up)" "[]"

# Block status.
copies "block status that fails is done without" \
    "--filter=log --filter=error $disk error-extents=EIO
    error-extents-rate=100%" "$judge"
gave_up "source failed to answer block status"
failed src Extents EIO
copies "also if only some of it fails" \
    "--filter=log --filter=error $disk error-extents=EIO
    error-extents-rate=40%" "$judge"
copies "or is not offered" "--filter=log --no-sr $disk" "$judge"
gave_up "source does not offer block status"
is "it was not asked for" "$(grep -c Extents "$tmp/src.requests")" 0

# Write-zeroes.
copies "write-zeroes that is refused is done without" "--filter=log $disk" \
    "--filter=log --filter=error --filter=checkwrite $disk
    error-zero=EINVAL error-zero-rate=100%"
gave_up "destination refused write-zeroes"
failed dst Zero EINVAL
copies "or is not offered" "--filter=log $disk" \
    "--filter=log --filter=nozero --filter=checkwrite $disk"
gave_up "destination does not offer write-zeroes"
is "none was sent" "$(grep -c Zero "$tmp/dst.requests")" 0

# Zeroes for a server that takes no more at once than so many bytes.
#	start_picky SIZE MOST
start_picky()
{
	rm -f "$tmp/dst.requests"
	start_nbdkit zeroes -r null "$1"
	start_nbdkit picky --filter=log eval get_size="echo $1" \
	    pwrite='cat >/dev/null' can_write='exit 0' can_flush='exit 0' \
	    flush='exit 0' pread='head -c $3 /dev/zero' \
	    can_zero='echo native' \
	    zero="[ \$3 -le $2 ] || { echo EINVAL big >&2; exit 1; }" \
	    logfile="$tmp/dst.requests"
}

start_picky 64M 8388608
ok "write-zeroes that is refused for its size becomes smaller" "$nbdsync" \
    copy --json "$(uri zeroes)" "$(uri picky)"
gave_up "destination refused write-zeroes for their size"
failed dst Zero EINVAL
is "nothing was written as data" \
    "$(grep -c '[^.]Write id=' "$tmp/dst.requests")" 0
stop_process picky
stop_process zeroes
start_picky 4M 65536
ok "even smaller than what is read at once" "$nbdsync" copy --json \
    "$(uri zeroes)" "$(uri picky)"
gave_up "destination refused write-zeroes for their size"
failed dst Zero EINVAL
is "and nothing was written as data, either" \
    "$(grep -c '[^.]Write id=' "$tmp/dst.requests")" 0
stop_process picky

# Of a destination that is compared, too.
# shellcheck disable=SC2086
start_nbdkit src $disk
# shellcheck disable=SC2086
start_nbdkit dst --filter=log --filter=error $disk error-extents=EIO \
    error-extents-rate=100% logfile="$tmp/dst.requests"
ok "a destination's block status that fails is done without" "$nbdsync" \
    compare --json "$(uri src)" "$(uri dst)"
gave_up "destination failed to answer block status"
failed dst Extents EIO
stop_process src
stop_process dst

# A server that hides its limits.
cat >"$tmp/limited.sh" <<'END'
case "$1" in
get_size) echo 8M ;;
can_write | can_flush | can_extents) exit 0 ;;
thread_model) echo serialize_requests ;;
pread)
	if [ "$3" -gt 65536 ]; then
		echo big >>"$REFUSED"
		echo "EOVERFLOW too much" >&2
		exit 1
	fi
	dd if="$DISK" iflag=skip_bytes,count_bytes skip="$4" count="$3" \
	    status=none
	;;
pwrite)
	if [ "$3" -gt 65536 ]; then
		cat >/dev/null
		echo big >>"$REFUSED"
		echo "EINVAL too much" >&2
		exit 1
	fi
	dd of="$DISK" oflag=seek_bytes seek="$4" conv=notrunc status=none
	;;
flush) echo flushed >>"$REFUSED.flush" ;;
*) exit 2 ;;
esac
END
make_data "$tmp/src.img" $((8 * MiB)) disk
truncate -s 8M "$tmp/dst.img"

# limited NAME IMAGE: a sh plugin; its scripts get ID, COUNT and OFFSET
limited()
{
	sed "1i\\
REFUSED='$tmp/$1.refused' DISK='$tmp/$2'" "$tmp/limited.sh" \
	    >"$tmp/$1.sh"
	sed -i '1i#!/bin/sh' "$tmp/$1.sh"
	chmod +x "$tmp/$1.sh"
	start_nbdkit "$1" sh "$tmp/$1.sh"
}

start_nbdkit file file "$tmp/src.img"
limited small src.img
start_nbdkit dst file "$tmp/dst.img"
ok "reads that are refused for their size become smaller" "$nbdsync" copy \
    --json --connections 1 "$(uri small)" "$(uri dst)"
gave_up "a server refused requests for their size"
ok "it has happened" test -s "$tmp/small.refused"
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
stop_process small
stop_process dst
truncate -s 0 "$tmp/dst.img"
truncate -s 8M "$tmp/dst.img"
limited tight dst.img
ok "so do writes" "$nbdsync" copy --json --connections 1 "$(uri file)" \
    "$(uri tight)"
gave_up "a server refused requests for their size"
ok "it has happened" test -s "$tmp/tight.refused"
ok "every byte arrived" cmp "$tmp/src.img" "$tmp/dst.img"
ok "and is flushed" test -s "$tmp/tight.refused.flush"
stop_process tight

# What is refused at any size is not refused for its size.
start_nbdkit odd --filter=log eval get_size='echo 64M' \
    pread='if [ $4 -lt 1052672 ] && [ $(($3 + $4)) -gt 1048576 ]; then
	    echo EINVAL odd >&2
	    exit 1
	fi
	head -c $3 /dev/zero' logfile="$tmp/odd.requests"
exits 13 "one place that is refused as invalid is a bad one" "$nbdsync" copy \
    --json --connections 1 --on-read-error skip --retries 0 "$(uri odd)" null:
is "it has no other size for it, and nothing is given up" "$(echo "$out" |
    jq -c '[([.bad_ranges[].length_bytes] | add), ([.gave_up[] |
	select(startswith("a server refused"))] | length)]')" "[4096,0]"
ok "nearly all is read in large requests" sh -c "[ \$(grep -c \
    ' Read .*count=0x[1-9a-f][0-9a-f]\{4,\} ' '$tmp/odd.requests') -gt \
    \$(grep -c ' Read .*count=0x[1-9a-f][0-9a-f]\{,3\} ' \
    '$tmp/odd.requests') ]"
stop_process odd

# Flush.
start_nbdkit noflush eval get_size='echo 64M' pwrite='cat >/dev/null' \
    can_write='exit 0' pread='head -c $3 /dev/zero'
start_nbdkit src $disk
exits 4 "a destination that cannot flush is refused" "$nbdsync" copy \
    "$(uri src)" "$(uri noflush)"
ok "unless that is allowed" "$nbdsync" copy --json --allow-no-flush \
    --range 0:1MiB "$(uri src)" "$(uri noflush)"
gave_up "destination does not offer flush"
