#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What does the harm in the other tests does it, and says so.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
plan 40

make_data "$tmp/data" $MiB disk
make_data "$tmp/block" $((64 * KiB)) block

# do_script NAME: what the lines of standard input say, to the disk of that
# name; the answers are in $out.
do_script()
{
	cat >"$tmp/script"
	run timeout -k 5 "${limit:-30}" sh -c \
	    "'$builddir/tests/lib/nbd-do' '$(uri "$1")' <'$tmp/script'"
}

## The disk

cp "$tmp/data" "$tmp/disk"
start_volatile disk "$tmp/disk"
do_script disk <<END
open
write 0 $tmp/block
read $tmp/read
END
ok "what was written can be read" cmp -n $((64 * KiB)) "$tmp/block" \
    "$tmp/read"
ok "but is not on the file" cmp "$tmp/data" "$tmp/disk"
do_script disk <<END
open
flush
END
ok "after a flush it is" cmp -n $((64 * KiB)) "$tmp/block" "$tmp/disk"
do_script disk <<END
open
write-fua 131072 $tmp/block
write 524288 $tmp/block
zero 65536 4096
END
ok "FUA is on the file" cmp -i 0:131072 -n $((64 * KiB)) "$tmp/block" \
    "$tmp/disk"
stop_process disk TERM
ok "the end of the server loses what was written" \
    cmp -i 524288 "$tmp/data" "$tmp/disk"
ok "and what was zeroed" cmp -i 65536 -n 65536 "$tmp/data" "$tmp/disk"

# cut_power SEED: the hash of what some unflushed writes have left.
cut_power()
{
	cp "$tmp/data" "$tmp/disk"
	rm -f "$tmp/disk.events"
	start_volatile disk "$tmp/disk" survive=some "seed=$1" crash-after=8
	for i in 0 1 2 3 4 5 6 7; do
		echo "write $((i * 65536)) $tmp/block"
	done | { echo open; cat; } | do_script disk
	wait_for "! is_running_ $(pid_of disk)"
	stop_process disk
	cksum <"$tmp/disk"
}

first=$(cut_power 1)
like "a power cut tells what is lost" "$(cat "$tmp/disk.events")" \
    "^crash lost [1-9][0-9]* of 524288 in 8 writes"
is "a seed tells what survives" "$(cut_power 1)" "$first"
not_ok "another one, something else" test "$(cut_power 2)" = "$first"
not_ok "something survives" cmp "$tmp/data" "$tmp/disk"

mkfifo "$tmp/power"
start_volatile disk "$tmp/disk" control="$tmp/power"
echo crash >"$tmp/power"
wait_for "! is_running_ $(pid_of disk)"
is "power is cut by a command, too" $? 0
stop_process disk

start_volatile disk "$tmp/disk" fail=write:2:ENOSPC fail=read:1:EIO \
    fail=flush:1:EPERM fail=zero:1:EINVAL:0
do_script disk <<END
open
write 0 $tmp/block
write 65536 $tmp/block
write 131072 $tmp/block
zero 0 4096
zero 0 4096
flush
flush
END
like "the second write fails" "$out" "write yes
write .*No space left.*
write yes"
like "each zero does" "$out" "zero .*Invalid argument.*
zero .*Invalid argument"
like "the first flush does" "$out" "flush .*not permitted.*
flush yes"
is "and all is told" "$(grep -c '^fail' "$tmp/disk.events")" 4

## The proxy

# through FAULT: reading the disk through a proxy with that fault.
through()
{
	start_proxy way disk "$1"
	printf 'open\nread %s\n' "$tmp/read" >"$tmp/reading"
	limit=10 do_script way <"$tmp/reading"
}

stop_process disk
start_volatile disk "$tmp/data"
through "cut@before:request:1000"
like "without a fault data pass" "$out" "read yes"
ok "unchanged" cmp "$tmp/data" "$tmp/read"
not_ok "and no fault is told" harmed way
stop_process way

for action in cut reset half; do
	through "$action@in:data:1"
	unlike "$action ends the reading" "$out" "read yes"
	ok "and is told" grep -q "^fault $action in data 1" "$tmp/way.log"
	stop_process way
done

through "hole@before:go-reply"
is "nothing comes out of a hole" "$status" 124
ok "which is told" grep -q "^fault hole before go-reply" "$tmp/way.log"
stop_process way

through "slow@after:greeting"
is "a byte a second takes its time" "$status" 124
stop_process way

through "flip@in:data:1"
like "a flipped bit is read without error" "$out" "read yes"
is "and is one byte" "$(cmp -l "$tmp/data" "$tmp/read" | wc -l)" 1
stop_process way

# Each step is seen where it should be.
for step in greeting flags option go option-data option-reply go-reply \
    option-reply-data request reply; do
	through "cut@before:$step"
	ok "a connection is cut before its first $step" \
	    grep -q "^fault cut before $step 1" "$tmp/way.log"
	stop_process way
done

start_proxy way disk
tell_proxy way "cut@before:flags:1"
wait_for "grep -q '^ordered' '$tmp/way.log'"
do_script way <<END
open
END
ok "a fault can be ordered" harmed way
stop_process way
