#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that dies, or falls silent, in the middle of a run makes it fail
# within its deadline, and the message says which.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=delay --filter=log pattern --version
plan 19

# begin_copy [OPTION...]: in the background; end_copy waits for its end.
begin_copy()
{
	start_process copy "$nbdsync" copy --connections 1 --queue-depth 1 \
	    --request-size 256KiB --reconnect 0 --json "$@" "$(uri src)" \
	    "$(uri dst)"
	wait_for "grep -qs ' Read id=' '$tmp/busy.log'" ||
	    bail "nothing is read"
}

end_copy()
{
	wait_for "! is_running_ $(pid_of copy)" || {
		echo "# the copy hangs"
		kill -KILL "$(pid_of copy)"
	}
	wait "$(pid_of copy)"
	status=$?
	rm -f "$tmp/copy.started"
	err=$(cat "$tmp/copy.log")
}

# Slow enough to be caught in the middle: 64 reads at 100 ms.
start_both()
{
	rm -f "$tmp/busy.log"
	start_nbdkit src --filter=delay --filter=log pattern size=16M \
	    rdelay=100ms logfile="$tmp/busy.log"
	start_nbdkit dst memory 16M
}

start_both
begin_copy
stop_process src KILL
end_copy
is "a source that is killed fails the run" $status 4
like "the message names it" "$err" "source '[^']*src.sock'"
like "and says what happened" "$err" "closed the connection|reset by peer"
stop_process dst

start_both
begin_copy
stop_process dst KILL
end_copy
is "a destination that is killed fails the run" $status 4
like "the message names it" "$err" "destination '[^']*dst.sock'"
like "and says what happened" "$err" "closed the connection|reset by peer"
stop_process src

start_both
begin_copy --io-timeout 3s
kill -STOP "$(pid_of src)"
end_copy
kill -CONT "$(pid_of src)"
is "a source that falls silent fails the run" $status 4
like "by its deadline" "$err" "source '[^']*src.sock'.*: no answer for 3.0 s"
stop_process src
stop_process dst

start_both
begin_copy --io-timeout 3s
kill -STOP "$(pid_of dst)"
end_copy
kill -CONT "$(pid_of dst)"
is "a destination that falls silent fails the run" $status 4
like "by its deadline" "$err" "destination '[^']*dst.sock'.*: no answer for 3.0 s"
stop_process src
stop_process dst

# The source is lost while the destination is asked whether it is zero.
cat >"$tmp/hold" <<END
case \$1 in
get_size) echo 16777216 ;;
pread)
	: >"$tmp/is-held"
	while [ -e "$tmp/held" ]; do sleep 0.05; done
	head -c "\$3" /dev/zero ;;
can_write | can_zero | can_flush) ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/hold"
: >"$tmp/held"
start_nbdkit src pattern size=16M
start_nbdkit dst sh "$tmp/hold"
start_process copy "$nbdsync" copy --connections 1 --reconnect 0 \
    --destination-is-zero "$(uri src)" "$(uri dst)"
wait_for "[ -e '$tmp/is-held' ]" || bail "the destination is not looked at"
stop_process src KILL
rm "$tmp/held"
end_copy
is "a source that is lost before the first read fails the run" $status 4
like "the message names it" "$err" "source '[^']*src.sock'"
like "and says what happened" "$err" "closed the connection|reset by peer"
stop_process dst

# A server that was started for the run takes its reason with it.
exits 4 "a command that cannot be run fails the run" \
    "$nbdsync" copy -- [ /nonexistent/server ] null:
like "with the command and the reason" "$err" \
    "/nonexistent/server.*No such file"
exits 4 "a command that exits at once fails the run" \
    "$nbdsync" copy -- [ false ] null:
like "with its exit status" "$err" "'false' exited with status 1"

# Nothing that was started for a run outlives it.
start_process copy "$nbdsync" copy -- \
    [ nbdkit --filter=delay pattern size=1G rdelay=1 \
    --pidfile "$tmp/child.pid" ] null:
wait_for "[ -s '$tmp/child.pid' ]" || bail "the command did not start"
child=$(cat "$tmp/child.pid")
stop_process copy TERM
is "an interrupted copy ends by its signal's code" $status 130
ok "and takes its server along" wait_for "! is_running_ $child"
