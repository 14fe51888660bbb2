# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the tests of the daemon share, beyond testlib.sh: talking to the
# control API with curl and jq, so that they do not depend on the command.
#
#	api PATH [CURL ARGS...]		the body of the answer
#	api_status PATH [ARGS...]	its HTTP status
#	job_field JOB FILTER		jq's FILTER of the job
#	start_job JOB			starts it; sets $run and $rev
#	wait_job JOB [SECONDS]		until it is idle; $rev follows
#	wait_copied JOB			until the run has copied something
#	conf ENDPOINTS-AND-JOBS		writes $tmp/conf, with our socket
#	slow_endpoint NAME		a disk that is slow to read, for conf
#	slow_job JOB SOURCE DESTINATION [OPTIONS]
#					a job of it that does not end by itself
#	events QUERY FILE		what the event stream has for this, up to
#					where it is live
#	sql COMMAND			asks the store of state_dir $tmp/state
#	lock_state			keeps everybody else out of that,
#	unlock_state			till then
#	start_receiver			what would be the service manager's
#					end of $tmp/notify.sock: all that it
#					is told is in $tmp/receiver.log

requires curl --version
requires jq --version

api()
{
	path_=$1
	shift
	curl --silent --show-error --noproxy '*' --max-time 90 \
	    --unix-socket "$NBDSYNC_SOCKET" "$@" "http://localhost$path_"
}

api_status()
{
	api "$@" --output /dev/null --write-out '%{http_code}'
}

job_field()
{
	api "/v1/jobs/$1" | jq --raw-output "$2"
}

start_job()
{
	answer_=$(api "/v1/jobs/$1/start" --request POST)
	run=$(echo "$answer_" | jq --raw-output .run)
	rev=$(echo "$answer_" | jq .rev)
	[ "$run" != null ] || bail "job $1 does not start: $answer_"
}

wait_job()
{
	end_=$(($(date +%s) + ${2:-90}))
	while [ "$(date +%s)" -le "$end_" ]; do
		answer_=$(api "/v1/jobs/$1?since=$rev&wait=5") || return 1
		rev=$(echo "$answer_" | jq .rev)
		[ "$(echo "$answer_" | jq .run)" = null ] && return 0
	done
	echo "# job $1 still runs after ${2:-90} s"
	return 1
}

wait_copied()
{
	wait_for "[ \$(job_field $1 '.run.progress.done_bytes // 0') -gt 0 ]"
}

conf()
{
	{
		echo "control = { socket = \"$NBDSYNC_SOCKET\"; };"
		printf '%s\n' "$@"
	} >"$tmp/conf"
}

# Where a read takes 50 ms; and a job that reads 4 KiB at a time, one after
# the other: a run of a quarter of an hour that can be cancelled at once.
slow_endpoint()
{
	echo "{ name = \"$1\"; command = [ \"nbdkit\", \"--filter=delay\"," \
	    "\"pattern\", \"64M\", \"rdelay=50ms\" ]; }"
}

slow_job()
{
	echo "{ name = \"$1\"; source = \"$2\"; destination = \"$3\";" \
	    "connections = 1; queue_depth = 1; request_size = \"4KiB\";" \
	    "${4-} }"
}

start_receiver()
{
	cat >"$tmp/receiver.pl" <<-'END'
	use IO::Socket::UNIX;
	$| = 1;
	my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
	    Local => $ARGV[0]) or die;
	while (defined $s->recv(my $text, 4096)) {
		$text =~ s/\n/ /g;
		print "$text\n";
	}
	END
	start_process receiver perl "$tmp/receiver.pl" "$tmp/notify.sock"
	wait_for "[ -S '$tmp/notify.sock' ]"
}

events()
{
	start_process events_ curl --silent --no-buffer --noproxy '*' \
	    --unix-socket "$NBDSYNC_SOCKET" "http://localhost/v1/events$1"
	wait_for "grep -q '\"event\":\"live\"' '$tmp/events_.log'"
	stop_process events_
	cp "$tmp/events_.log" "$2"
}

sql()
{
	sqlite3 -cmd ".timeout 20000" "$tmp/state/state.db" "$1"
}

lock_state()
{
	rm -f "$tmp/commands"
	mkfifo "$tmp/commands"
	start_process lock sh -c \
	    "exec sqlite3 '$tmp/state/state.db' <'$tmp/commands'"
	exec 9>"$tmp/commands"
	printf ".timeout 20000\nBEGIN EXCLUSIVE;\nSELECT 'is held';\n" >&9
	wait_for "grep -q 'is held' '$tmp/lock.log'" || bail "it is not locked"
}

unlock_state()
{
	printf "COMMIT;\n.quit\n" >&9
	exec 9>&-
	wait "$(pid_of lock)"
	rm "$tmp/lock.started"
}

# What listens where journald or syslogd would: a datagram, then a line "--".
listen_at()
{
	start_process "$1" perl -MSocket -e '
	socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
	bind(S, pack_sockaddr_un($ARGV[0])) or die;
	$| = 1;
	while (defined recv(S, $_, 65536, 0)) { print; print "\n--\n" }' \
	    "$tmp/$1.sock"
	wait_for "[ -S $tmp/$1.sock ]"
}
