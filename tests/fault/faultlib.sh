# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the tests with faults share, beyond testlib.sh.  A test is random and
# repeatable: it prints its seed, and FAULT_SEED=N gives it this one.  It is
# short, unless FAULT_LONG is set or FAULT_ROUNDS says how often.
#
#	rounds SHORT LONG		sets $rounds
#	random N			sets $random to one of 0 to N - 1
#	start_volatile NAME FILE ARGS...  volatile-plugin.c on FILE, served
#					at $tmp/NAME.sock; what it did is in
#					$tmp/NAME.events
#	start_proxy NAME TARGET FAULT...  proxy.c at $tmp/NAME.sock before the
#					server TARGET; it says what happened
#					in $tmp/NAME.log, and obeys tell_proxy
#	tell_proxy NAME COMMAND
#	harmed NAME			true if a fault happened there
#	start_pair SIDE FAULT		qemu-nbd on $tmp/data and on an empty
#					$tmp/dst.img, at $(uri $from) and
#					$(uri $to); SIDE ("source" or
#					"destination") is behind the proxy "way"
#	stop_pair
#	judged SOURCE DESTINATION COMMAND...
#					runs it, and sets $verdict: "ok" if it
#					succeeded and the files are equal,
#					"failed" by its own decision, or what
#					must never be: "WRONG", "HUNG",
#					"CRASHED"
#	fresh FILE			as large as $tmp/data, and empty
#
# With requires_faults a test is skipped where the plugin could not be built.

faults=$builddir/tests/fault
plugin=$faults/.libs/volatile-plugin.so

requires_faults()
{
	requires test -r "$plugin"
	requires nbdkit "$plugin" --version
}

seed=${FAULT_SEED:-$(($(date +%s) % 100000))}
echo "# FAULT_SEED=$seed"
random_=$((seed * 2654435761 % 2147483647 + 1))

# Lehmer's generator: good enough to choose, and the same everywhere.
random()
{
	random_=$((random_ * 48271 % 2147483647))
	random=$((random_ / 7 % $1))
}

rounds()
{
	rounds=$1
	[ -z "${FAULT_LONG-}" ] || rounds=$2
	rounds=${FAULT_ROUNDS:-$rounds}
}

start_volatile()
{
	volatile_name_=$1
	volatile_file_=$2
	shift 2
	start_nbdkit "$volatile_name_" "$plugin" "file=$volatile_file_" \
	    "log=$tmp/$volatile_name_.events" "$@"
}

start_proxy()
{
	proxy_name_=$1
	proxy_target_=$tmp/$2.sock
	shift 2
	rm -f "$tmp/$proxy_name_.sock" "$tmp/$proxy_name_.fifo" \
	    "$tmp/$proxy_name_.log"
	mkfifo "$tmp/$proxy_name_.fifo"
	start_process "$proxy_name_" "$faults/proxy" \
	    "$tmp/$proxy_name_.sock" "$proxy_target_" \
	    -c "$tmp/$proxy_name_.fifo" "$@"
	wait_until_up_ "$proxy_name_" "grep -qs ready '$tmp/$proxy_name_.log'"
}

tell_proxy()
{
	echo "$2" >"$tmp/$1.fifo"
}

harmed()
{
	grep -q "^fault" "$tmp/$1.log"
}

start_pair()
{
	fresh "$tmp/dst.img"
	start_qemu_nbd src --read-only --format=raw "$tmp/data"
	start_qemu_nbd dst --format=raw "$tmp/dst.img"
	from=src to=dst
	if [ "$1" = source ]; then
		start_proxy way src "$2"
		from=way
	else
		start_proxy way dst "$2"
		to=way
	fi
}

stop_pair()
{
	stop_process way
	stop_process src
	stop_process dst
}

# The limit is not what a test is about: nothing takes so long by itself.
judged()
{
	judged_source_=$1
	judged_destination_=$2
	shift 2
	run timeout -k 5 "${judged_limit:-90}" "$@"
	case $status in
	0)
		verdict=ok
		cmp -s "$judged_source_" "$judged_destination_" ||
		    verdict=WRONG
		;;
	124 | 137) verdict=HUNG ;;
	[1-9] | [1-8][0-9]) verdict=failed ;;
	*) verdict=CRASHED ;;
	esac
	case $verdict in
	[A-Z]*) explain_run_ "$@" ;;
	esac
}

fresh()
{
	rm -f "$1"
	truncate -s "$(size_of "$tmp/data")" "$1"
}
