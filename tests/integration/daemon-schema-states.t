#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# In every state that a job can be in, it is told as the schema says.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires nbdkit eval --version
requires perl -MJSON::PP -MIO::Socket::UNIX -e 1

make_data "$tmp/a" $((1 * MiB)) 1
make_data "$tmp/b" $((1 * MiB)) 2
truncate -s $((1 * MiB)) "$tmp/c"
touch "$tmp/hold"
hold="while [ -e '$tmp/hold' ]; do sleep 0.1; done"
start_nbdkit mute -r eval thread_model='echo parallel' \
    get_size='echo 1048576' \
    pread="$hold; head -c \$3 /dev/zero"
start_nbdkit sink eval get_size='echo 1048576' can_write=true can_flush=true \
    pread='head -c $3 /dev/zero' pwrite='cat >/dev/null' flush="$hold"
start_nbdkit lost -r --filter=delay pattern 64M rdelay=50ms
cat >"$tmp/silent.pl" <<'END'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 8) or die;
my @all;
push @all, $_ while $_ = $s->accept;
END
start_process silent perl "$tmp/silent.pl" "$tmp/silent.sock"
wait_for "[ -S '$tmp/silent.sock' ]"

# From an hour ago on, or three hours away.
now_open="$(date -d '1 hour ago' +%H:%M)-$(date -d '1 hour' +%H:%M)"
now_closed="$(date -d '3 hours' +%H:%M)-$(date -d '4 hours' +%H:%M)"
conf_with()
{
	conf "endpoints = ( $(slow_endpoint slow), $(slow_endpoint other),
  { name = \"a\"; path = \"$tmp/a\"; }, { name = \"b\"; path = \"$tmp/b\"; },
  { name = \"c\"; path = \"$tmp/c\"; }, { name = \"n\"; uri = \"null:\"; },
  { name = \"mute\"; uri = \"$(uri mute)\"; },
  { name = \"sink\"; uri = \"$(uri sink)\"; },
  { name = \"lost\"; uri = \"$(uri lost)\"; },
  { name = \"silent\"; uri = \"$(uri silent)\"; } );
jobs = ( { name = \"idle\"; source = \"a\"; destination = \"n\"; },
  { name = \"paused\"; source = \"a\"; destination = \"n\"; },
  { name = \"preparing\"; source = \"a\"; destination = \"n\";
    pre = [ \"/bin/sleep\", \"600\" ]; hook_timeout = \"1h\"; },
  { name = \"connecting\"; source = \"silent\"; destination = \"n\";
    connect_timeout = \"1h\"; },
  { name = \"mirroring\"; source = \"a\"; destination = \"c\";
    mode = \"mirror\"; pass_interval = \"1h\"; },
  { name = \"waiting\"; source = \"a\"; destination = \"b\";
    mode = \"verify\"; recheck = \"1h\"; },
  { name = \"stalled\"; source = \"mute\"; destination = \"n\"; },
  { name = \"stopping\"; source = \"mute\"; destination = \"n\"; },
  { name = \"flushing\"; source = \"a\"; destination = \"sink\"; },
  $(slow_job copying slow n), $(slow_job reconnecting lost n),
  $(slow_job verifying slow other 'mode = "verify";'),
  $(slow_job held slow n "interval = \"1s\"; window = \"$1\";") );"
}
conf_with "$now_open"
start_daemon "$tmp/conf"
api /v1/schema >"$tmp/schema"
states=$(jq -r '.["$defs"].state.enum[]' "$tmp/schema" | sort)
# shellcheck disable=SC2086
set -- $states
plan $((5 * $# + 4))

# fits SENTENCE REF PATH
fits()
{
	api "$3" >"$tmp/answer"
	is "$1" "$(perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" \
	    "#/\$defs/$2" <"$tmp/answer" 2>&1)" ""
}

wait_copied held
conf_with "$now_closed"
"$nbdsync" reload --quiet
"$nbdsync" pause --quiet --until 1h --reason 'a reason' paused

# A job is called what it is to be in; what stands still too long is stalled.
enter()
{
	case $1 in
	held | idle | paused) return ;;
	esac
	start_job "$1"
	case $1 in
	reconnecting)
		wait_copied "$1"
		stop_process lost KILL
		;;
	stopping)
		# What is in flight is waited for, but not for long.
		wait_for '[ "$(job_field stopping .state)" = copying ]'
		"$nbdsync" cancel --quiet stopping
		;;
	esac
}

for state in $states; do
	enter "$state"
	ok "a job is $state" wait_for \
	    "[ \"\$(job_field $state .state)\" = $state ]" 60
	fits "which fits" job "/v1/jobs/$state"
	fits "and so does its map" map "/v1/jobs/$state/map"
	fits "and all jobs" jobs /v1/jobs
	is "as their health" "$(api /v1/health |
	    perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" \
	    '#/$defs/health' 2>&1)" ""
done
rm "$tmp/hold"
for job in preparing connecting mirroring waiting stalled stopping flushing \
    copying reconnecting verifying; do
	api "/v1/jobs/$job/cancel" --request POST --data '{"force":true}' \
	    >/dev/null
	rev=0
	wait_job $job
done
events "?since=0" "$tmp/events"
is "all that has happened fits" "$(perl "$srcdir/tests/lib/check-json.pl" \
    "$tmp/schema" '#/$defs/event' <"$tmp/events" 2>&1)" ""
events "" "$tmp/events"
is "and the end of it" "$(perl "$srcdir/tests/lib/check-json.pl" \
    "$tmp/schema" '#/$defs/event' <"$tmp/events" 2>&1)" ""
is "metrics have the same states" "$(api /metrics |
    sed -n 's/^nbdsync_job_state{job="idle",state="\([a-z]*\)"} .*/\1/p' |
    sort)" "$states"
stop_process daemon
is "the daemon ends well" "$?" 0
