#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon that syncs a disk again and again while it is written to, with
# connections cut, peers that fall silent and a destination that loses power:
# what it calls a success is one, it ends with equal disks, and its memory and
# its descriptors do not grow.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
requires qemu-nbd --version
plan 7

# Seconds, here.
rounds 20 1800
end=$(($(date +%s) + rounds))
make_data "$tmp/data" $((4 * MiB)) disk
fresh "$tmp/dst.img"
n_power=0 n_ok=0 n_failed=0 n_checked=0 n=0 bad=

start_destination()
{
	random 200
	crash_after=$((random + 1))
	random 100000
	start_volatile dst "$tmp/dst.img" survive=some "seed=$random" \
	    "crash-after=$crash_after"
}

# A few blocks at random places.
write_source()
{
	for block in 1 2 3 4 5; do
		random 1024
		at=$random
		random 100000
		printf "%s %s %4000s" "$random" "$block" x |
		    dd of="$tmp/data" bs=4096 seek="$at" conv=notrunc \
		    status=none
	done
}

# order_harm N: for somewhere in the next runs.
order_harm()
{
	side=$(echo from to | cut -d ' ' -f $(($1 % 2 + 1)))
	action=$(echo cut reset half hole | cut -d ' ' -f $(($1 / 2 % 4 + 1)))
	step=$(echo reply request go | cut -d ' ' -f $(($1 / 8 + 1)))
	random 60
	tell_proxy $side "$action@before:$step:$((random + 1))"
}

# What has lost its power gets it again.
is_idle()
{
	if ! is_running_ "$(pid_of dst)"; then
		stop_process dst
		start_destination
		n_power=$((n_power + 1))
	fi
	[ "$(job_field j .run)" = null ]
}

# One run; what is written in the course of it may be in the copy or not.
sync_once()
{
	write_source
	random 24
	order_harm "$random"
	random 3
	is_quiet=$random
	start_job j
	[ "$is_quiet" -gt 0 ] || write_source
	wait_for is_idle 90 || bad="$bad hangs:$n"
	case $(job_field j .last_run.result) in
	succeeded*)
		n_ok=$((n_ok + 1))
		[ "$is_quiet" -gt 0 ] || return
		n_checked=$((n_checked + 1))
		cmp -s "$tmp/data" "$tmp/dst.img" || bad="$bad WRONG:$n"
		;;
	*) n_failed=$((n_failed + 1)) ;;
	esac
}

# Of the daemon, when it has nothing to do.
memory_kib()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of daemon)/status"
}

n_descriptors()
{
	ls "/proc/$(pid_of daemon)/fd" | wc -l
}

start_qemu_nbd src --read-only --format=raw "$tmp/data"
start_destination
start_proxy from src
start_proxy to dst
conf "endpoints = ( { name = \"s\"; uri = \"$(uri from)\"; },
  { name = \"d\"; uri = \"$(uri to)\"; } );
jobs = ( { name = \"j\"; source = \"s\"; destination = \"d\"; mode = \"sync\";
  request_size = \"64KiB\"; connect_timeout = \"3s\"; io_timeout = \"2s\";
  reconnect = \"20s\"; } );"
# What a sanitizer keeps of freed memory would grow for long.
ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=1
export ASAN_OPTIONS
start_daemon "$tmp/conf"

third=$(($(date +%s) + rounds / 3))
while [ "$n" -lt 12 ] || [ "$(date +%s)" -lt "$end" ]; do
	n=$((n + 1))
	sync_once
	if [ "$n" -le 6 ] || [ "$(date +%s)" -lt "$third" ]; then
		warm_memory=$(memory_kib)
		warm_descriptors=$(n_descriptors)
	fi
done
memory=$(memory_kib)
n_harmed=$(cat "$tmp/from.log" "$tmp/to.log" | grep -c "^fault")
echo "# $n runs: $n_ok succeeded, $n_failed failed; $n_harmed connections" \
    "harmed, $n_power power cuts"
echo "# memory $warm_memory KiB, then $memory KiB; descriptors" \
    "$warm_descriptors, then $(n_descriptors)"
is "no run hangs or succeeds wrongly" "$bad" ""
ok "some succeeded, and were compared" test "$n_checked" -gt 0
ok "some were harmed" test $((n_harmed + n_power)) -gt 0
ok "memory is flat" test "$memory" -le $((warm_memory + warm_memory / 4))
ok "descriptors are as many as before" wait_for \
    "[ \$(n_descriptors) -le $warm_descriptors ]"

stop_process dst KILL
start_volatile dst "$tmp/dst.img"
stop_process from
stop_process to
start_proxy from src
start_proxy to dst
start_job j
wait_job j 90
is "left in peace, it succeeds" "$(job_field j .last_run.result)" succeeded
stop_process dst KILL
ok "and the disks are equal" cmp "$tmp/data" "$tmp/dst.img"
