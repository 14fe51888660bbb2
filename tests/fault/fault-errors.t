#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each request of a run fails in turn, with each error, once and for ever, on
# each side: never a success with other bytes, no difference where there is
# none, never a hang, and who is told of a failure is told side, place and
# cause.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
requires jq --version
plan 17

# Data, zeroes, data: 16 slots, each side has its own.
make_data "$tmp/data" $MiB disk
dd if=/dev/zero of="$tmp/data" bs=64K seek=3 count=4 conv=notrunc status=none
make_data "$tmp/old" $MiB old
cp "$tmp/data" "$tmp/stale"
dd if="$tmp/old" of="$tmp/stale" bs=64K skip=2 seek=2 count=7 conv=notrunc \
    status=none

# Where nothing is to be read, and trimming may leave what there is.
cp "$tmp/old" "$tmp/holed"
dd if=/dev/zero of="$tmp/holed" bs=64K seek=3 count=4 conv=notrunc status=none

errors="EIO ENOSPC EPERM EOVERFLOW ESHUTDOWN EINVAL ENOMEM EROFS"

# What the message says of each: what NBD has no number for is another one.
words_of()
{
	case $1 in
	EIO) echo "Input/output error" ;;
	ENOSPC) echo "No space left" ;;
	EPERM | EROFS) echo "Operation not permitted" ;;
	EOVERFLOW) echo "Value too large|Invalid argument" ;;
	ESHUTDOWN) echo "shutting down|endpoint shutdown" ;;
	EINVAL) echo "Invalid argument" ;;
	ENOMEM) echo "Cannot allocate memory" ;;
	esac
}

# tell_side SIDE: the failure names side, place and cause.
well_told()
{
	echo "$err" | grep -E -q "$1 '[^']*': .*($(words_of "$2"))" &&
	    echo "$out" | jq -e ".failure.side == \"$1\"" >/dev/null
}

# try MODE SIDE COMMAND N ERRNO COUNT: one run; adds to the counts.
try()
{
	src_fail= dst_fail=
	if [ "$2" = source ]; then
		src_fail="fail=$3:$4:$5:$6"
	else
		dst_fail="fail=$3:$4:$5:$6"
	fi
	mode=copy
	cp "$tmp/old" "$tmp/dst"
	case $1 in
	sync)
		mode="copy --sync"
		cp "$tmp/stale" "$tmp/dst" ;;
	verified)
		mode="copy --verify" ;;
	trim)
		mode="copy --trim"
		src_fail="holes=yes"
		cp "$tmp/holed" "$tmp/dst" ;;
	compare)
		mode=compare
		cp "$tmp/data" "$tmp/dst" ;;
	esac
	rm -f "$tmp/events"
	# shellcheck disable=SC2086
	judged "$tmp/data" "$tmp/dst" "$nbdsync" $mode --json \
	    --request-size 64KiB --connections 1 --reconnect 2s \
	    [ nbdkit "$plugin" "file=$tmp/data" "log=$tmp/events" $src_fail ] \
	    [ nbdkit "$plugin" "file=$tmp/dst" "log=$tmp/events" $dst_fail ]
	[ -s "$tmp/events" ] || return 1
	[ "$status" -ne 9 ] || verdict=DIFFERENT
	n_harmed=$((n_harmed + 1))
	case $verdict in
	ok) n_ok=$((n_ok + 1)) ;;
	failed)
		n_failed=$((n_failed + 1))
		well_told "$2" "$5" || bad="$bad silent:$*"
		;;
	*) bad="$bad $verdict:$*" ;;
	esac
	# Block status may always fail; nothing else may for ever.
	if [ "$6" -eq 0 ] && [ "$verdict" = ok ] && ! may_go_on "$3" "$5"; then
		bad="$bad overlooked:$*"
	fi
}

# What a run may do without, or do in another way.
may_go_on()
{
	case $1:$2 in
	status:* | zero:* | trim:EINVAL | trim:EOVERFLOW) return 0 ;;
	*) return 1 ;;
	esac
}

# each SENTENCE MODE SIDE COMMAND: all of its requests, or some of them.
each()
{
	n_harmed=0 n_ok=0 n_failed=0 bad=
	rounds 6 0
	if [ "$rounds" -gt 0 ]; then
		some "$@"
	else
		all "$@"
	fi
	is "$1" "$bad" ""
	[ "$n_harmed" -gt 0 ] || bail "no $4 failed at the $3"
	echo "# $4 at $3: $n_harmed failing, $n_ok runs survived it," \
	    "$n_failed failed"
}

some()
{
	for i in $(seq "$rounds"); do
		random 8
		nth_error=$((random + 1))
		error=$(echo "$errors" | cut -d ' ' -f "$nth_error")
		random 12
		nth=$random
		random 2
		# A request that was not made is no test: an earlier one.
		until try "$2" "$3" "$4" $((nth + 1)) "$error" "$random"; do
			[ "$nth" -gt 0 ] || break
			nth=$((nth / 2))
		done
	done
}

all()
{
	for error in $errors; do
		for count in 0 1; do
			nth=1
			while try "$2" "$3" "$4" "$nth" "$error" "$count"; do
				nth=$((nth + 1))
			done
		done
	done
}

each "a read of the source may fail" copy source read
each "so may its block status" copy source status
each "a write may fail" copy destination write
each "a write of zeroes may" copy destination zero
each "a flush may" copy destination flush
each "a read of the source may fail in a sync" sync source read
each "so may one of the destination" sync destination read
each "and its block status" sync destination status
each "a write may fail in a sync" sync destination write
each "a write of zeroes may fail in a sync" sync destination zero
each "a flush may fail in a sync" sync destination flush
each "a read of the source may fail in a comparison" compare source read
each "so may one of the destination" compare destination read
each "and its block status" compare destination status
each "what was written may not be read back" verified destination read
each "a trim may fail" trim destination trim
each "so may the flush behind it" trim destination flush
