# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the script tests share: TAP, servers that are cleaned up whatever
# happens, and waiting with a limit.  POSIX shell.  A test begins with
#
#	#!/bin/sh
#	# One sentence: what must hold.
#	. "$srcdir/tests/lib/testlib.sh"
#	requires nbdkit --filter=error pattern --version
#	plan 3
#
# and finds in its environment srcdir and builddir (absolute), and after this
# file $tmp, a private directory that is gone when the test ends, and
# NBDSYNC_SOCKET, where the daemon of start_daemon listens.
#
#	plan N				first of all
#	ok SENTENCE COMMAND...		the command succeeds
#	not_ok SENTENCE COMMAND...	it fails by its own decision: a crash
#					or a sanitizer's report does not count
#	exits N SENTENCE COMMAND...	with this very status
#	is SENTENCE GOT WANTED		texts are equal
#	like SENTENCE GOT REGEX		extended regular expression
#	unlike SENTENCE GOT REGEX
#	run COMMAND...			sets $status, $out and $err
#	requires COMMAND...		skips the whole test if it fails
#	bail SENTENCE			the set-up failed
#	at_exit COMMAND			a shell text, run before the clean-up
#	start_nbdkit NAME ARGS...	serves $tmp/NAME.sock
#	start_qemu_nbd NAME ARGS...	likewise
#	start_process NAME COMMAND...	anything else, output in $tmp/NAME.log
#	stop_process NAME [SIGNAL]	end one of the three above and wait
#	pid_of NAME			its process id
#	uri NAME			nbd+unix:///?socket=$tmp/NAME.sock
#	free_port			of TCP on 127.0.0.1; needs perl
#	start_daemon CONF [ARGS...]	nbdsyncd; returns when it answers
#	wait_for CONDITION [SECONDS]	a shell text; 60 s: what a test
#					waits for comes soon, but for a
#					machine that has much else to do
#	make_data FILE SIZE SEED	no block of it is like another
#	size_of FILE
#	hold_half SCRIPT FILE		a plugin of nbdkit's "sh" that serves FILE
#					to be read, slowly and but for its second
#					half, while $tmp/hold is there: so a copy
#					can be caught in its middle
#
# The programs are $nbdsync and $nbdsyncd.

set -u

: "${srcdir:?must be set}" "${builddir:?must be set}"

KiB=1024
MiB=$((1024 * KiB))
GiB=$((1024 * MiB))
TiB=$((1024 * GiB))
export KiB MiB GiB TiB
export LC_ALL=C

nbdsync=$builddir/nbdsync
nbdsyncd=$builddir/nbdsyncd

# Short, because a socket's path has room for 107 bytes only.
tmp=$(mktemp -d "${TMPDIR:-/tmp}/nbdsync-test.XXXXXX") || exit 1
NBDSYNC_SOCKET=$tmp/control.sock
# Of the daemon: systemd tells it so, too.
STATE_DIRECTORY=$tmp/state
export STATE_DIRECTORY
# A program that is killed leaves its temporary files: here they go too.
TMPDIR=$tmp
export nbdsync nbdsyncd tmp NBDSYNC_SOCKET TMPDIR

tests_done_=0
tests_failed_=0
processes_=
at_exit_=

## TAP

plan()
{
	echo "1..$1"
}

comment_()
{
	sed 's/^/# /'
}

report_()
{
	tests_done_=$((tests_done_ + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests_done_ - $2"
	else
		tests_failed_=$((tests_failed_ + 1))
		echo "not ok $tests_done_ - $2"
	fi
}

run()
{
	status=0
	"$@" >"$tmp/run.out" 2>"$tmp/run.err" </dev/null || status=$?
	out=$(cat "$tmp/run.out")
	err=$(cat "$tmp/run.err")
}

# What was run and what came out of it, for who reads a failure.
explain_run_()
{
	{
		echo "command: $*"
		echo "status: $status"
		echo "$out" | sed 's/^/stdout: /' | tail -n 50
		echo "$err" | sed 's/^/stderr: /' | tail -n 50
	} | comment_
}

ok()
{
	sentence_=$1
	shift
	run "$@"
	report_ "$status" "$sentence_"
	[ "$status" -eq 0 ] || explain_run_ "$@"
}

# 99 is what sanitizers and valgrind are told to exit with.
not_ok()
{
	sentence_=$1
	shift
	run "$@"
	if [ "$status" -gt 0 ] && [ "$status" -lt 99 ]; then
		report_ 0 "$sentence_"
	else
		report_ 1 "$sentence_"
		explain_run_ "$@"
	fi
}

# What the last command printed is JSON for which the filter of jq holds.
holds()
{
	if [ -n "$out" ] && echo "$out" | jq -e "$2" >/dev/null 2>&1; then
		report_ 0 "$1"
	else
		report_ 1 "$1"
		explain_run_ "$2"
	fi
}

exits()
{
	wanted_=$1
	sentence_=$2
	shift 2
	run "$@"
	if [ "$status" -eq "$wanted_" ]; then
		report_ 0 "$sentence_"
	else
		report_ 1 "$sentence_"
		echo "# wanted status: $wanted_"
		explain_run_ "$@"
	fi
}

is()
{
	if [ "$2" = "$3" ]; then
		report_ 0 "$1"
	else
		report_ 1 "$1"
		printf 'got:    %s\nwanted: %s\n' "$2" "$3" | comment_
	fi
}

like()
{
	if printf '%s\n' "$2" | grep -E -q -e "$3"; then
		report_ 0 "$1"
	else
		report_ 1 "$1"
		printf 'got:    %s\nwanted: /%s/\n' "$2" "$3" | comment_
	fi
}

unlike()
{
	if printf '%s\n' "$2" | grep -E -q -e "$3"; then
		report_ 1 "$1"
		printf 'got:      %s\nunwanted: /%s/\n' "$2" "$3" | comment_
	else
		report_ 0 "$1"
	fi
}

requires()
{
	"$@" >/dev/null 2>&1 </dev/null && return
	echo "1..0 # SKIP this needs: $*"
	exit 0
}

bail()
{
	echo "Bail out! $*"
	tests_failed_=1
	exit 1
}

## Processes and the end

at_exit()
{
	at_exit_="$1; $at_exit_"
}

pid_of()
{
	cat "$tmp/$1.started"
}

is_running_()
{
	kill -0 "$1" 2>/dev/null
}

# In the background, with its output in $tmp/NAME.log.  A shell starts such
# programs with SIGINT ignored; here they get it as if they were in front.
start_process()
{
	name_=$1
	shift
	# Nobody is to find what an earlier one of that name has said.
	: >"$tmp/$name_.log"
	env --default-signal=INT,QUIT "$@" >"$tmp/$name_.log" 2>&1 \
	    </dev/null &
	echo $! >"$tmp/$name_.started"
	processes_="$processes_ $name_"
}

# With a limit, and then by force: its status is 137.
stop_process()
{
	pid_=$(pid_of "$1")
	kill "-${2:-TERM}" "$pid_" 2>/dev/null
	wait_for "! is_running_ $pid_" || kill -KILL "$pid_"
	wait "$pid_" 2>/dev/null
	status=$?
	rm -f "$tmp/$1.sock" "$tmp/$1.started"
	return "$status"
}

# Fails at once when the process of that name is gone.
wait_until_up_()
{
	wait_for "$2 || ! is_running_ $(pid_of "$1")"
	eval "$2" && return
	comment_ <"$tmp/$1.log"
	bail "$1 did not start"
}

# Writing its process id is the last thing nbdkit does before it serves.
start_nbdkit()
{
	nbdkit_name_=$1
	shift
	rm -f "$tmp/$nbdkit_name_.pid" "$tmp/$nbdkit_name_.sock"
	start_process "$nbdkit_name_" nbdkit --foreground --exit-with-parent \
	    --unix "$tmp/$nbdkit_name_.sock" \
	    --pidfile "$tmp/$nbdkit_name_.pid" "$@"
	wait_until_up_ "$nbdkit_name_" "[ -s '$tmp/$nbdkit_name_.pid' ]"
}

start_qemu_nbd()
{
	qemu_name_=$1
	shift
	rm -f "$tmp/$qemu_name_.pid" "$tmp/$qemu_name_.sock"
	start_process "$qemu_name_" qemu-nbd --persistent --shared=16 \
	    --socket="$tmp/$qemu_name_.sock" \
	    --pid-file="$tmp/$qemu_name_.pid" "$@"
	wait_until_up_ "$qemu_name_" "[ -s '$tmp/$qemu_name_.pid' ]"
}

uri()
{
	echo "nbd+unix:///?socket=$tmp/$1.sock"
}

free_port()
{
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
	    Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# The configuration has control.socket = $NBDSYNC_SOCKET.
start_daemon()
{
	conf_=$1
	shift
	rm -f "$NBDSYNC_SOCKET"
	start_process daemon "$nbdsyncd" --config "$conf_" "$@"
	wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
}

wait_for()
{
	deadline_=$(($(date +%s) + ${2:-60}))
	until eval "$1"; do
		if [ "$(date +%s)" -gt "$deadline_" ]; then
			echo "# waited ${2:-60} s in vain for: $1"
			return 1
		fi
		sleep 0.05
	done
}

end_processes_()
{
	for name_ in $processes_; do
		[ -e "$tmp/$name_.started" ] || continue
		kill "$(pid_of "$name_")" 2>/dev/null
	done
	for name_ in $processes_; do
		[ -e "$tmp/$name_.started" ] || continue
		pid_=$(pid_of "$name_")
		wait_for "! is_running_ $pid_" 10 || kill -KILL "$pid_"
		wait "$pid_" 2>/dev/null
	done
}

show_logs_()
{
	for name_ in $(echo "$processes_" | tr ' ' '\n' | sort -u); do
		echo "# --- the last lines of $name_:"
		tail -n 40 "$tmp/$name_.log" | comment_
	done
}

# bash lets a background subshell that is killed at its birth run this, too.
clean_up_()
{
	status_=$?
	[ "${BASHPID:-$$}" -eq $$ ] || exit "$status_"
	trap - EXIT HUP INT TERM
	eval "$at_exit_"
	end_processes_
	[ "$tests_failed_" -eq 0 ] || show_logs_
	rm -rf "$tmp"
	exit "$status_"
}

trap clean_up_ EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

## Data

make_data()
{
	seq -f "$3 %.0f" 1 $(($2 / 4 + 1)) | head -c "$2" >"$1"
}

size_of()
{
	stat -c %s "$1"
}

hold_half()
{
	cat >"$1" <<-END
		#!/bin/sh
		size=\$(stat -c %s '$2')
		case \$1 in
		get_size) echo "\$size" ;;
		thread_model) echo parallel ;;
		can_multi_conn) ;;
		can_write) exit 3 ;;
		pread)
			[ ! -e '$tmp/hold' ] || sleep 0.05
			while [ "\$4" -ge \$((size / 2)) ] && [ -e '$tmp/hold' ]
			do
				sleep 0.05
			done
			dd if='$2' bs=64K skip="\$4" count="\$3" status=none \\
			    iflag=skip_bytes,count_bytes,fullblock
			;;
		*) exit 2 ;;
		esac
	END
	chmod +x "$1"
}
