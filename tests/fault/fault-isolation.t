#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Twenty jobs of one daemon, sixteen of them broken, each in another way: the
# others finish right, none of the broken ones is called a success, and the
# daemon answers.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/fault/faultlib.sh"
requires_faults
requires qemu-nbd --version
plan 6

make_data "$tmp/data" $((4 * MiB)) disk
endpoints=
jobs=
broken=

# endpoint NAME URI-OR-COMMAND
endpoint()
{
	case $2 in
	\[*) what=command ;;
	*) what=uri ;;
	esac
	quoted=$2
	[ $what = command ] || quoted="\"$2\""
	endpoints="$endpoints${endpoints:+,}
  { name = \"$1\"; $what = $quoted; }"
}

# job NAME SOURCE DESTINATION [TIMEOUT]
job()
{
	jobs="$jobs${jobs:+,}
  { name = \"$1\"; source = \"$2\"; destination = \"$3\"; request_size =
    \"64KiB\"; connect_timeout = \"${4:-5s}\"; io_timeout = \"${4:-5s}\"; }"
}

# disk NAME ARGS...: a command with the plugin on a file of its own.
disk()
{
	fresh "$tmp/$1.img"
	words="\"nbdkit\", \"$plugin\", \"file=$tmp/$1.img\""
	name=$1
	shift
	for word in "$@"; do
		words="$words, \"$word\""
	done
	endpoint "$name" "[ $words ]"
}

# source_is NAME ENDPOINT, destination_is NAME ENDPOINT: a broken job.
source_is()
{
	disk "$1-to"
	job "$1" "$2" "$1-to"
	broken="$broken $1"
}

destination_is()
{
	job "$1" data "$2"
	broken="$broken $1"
}

endpoint data "[ \"nbdkit\", \"-r\", \"file\", \"$tmp/data\" ]"
for good in good1 good2 good3 good4; do
	disk "$good"
	job "$good" data "$good" 60s
done

# Sources.
endpoint nobody "nbd+unix:///?socket=$tmp/nobody.sock"
source_is nobody nobody
endpoint unable "[ \"/nonexistent\" ]"
source_is unable unable
endpoint quitter "[ \"false\" ]"
source_is quitter quitter
endpoint mute "[ \"sleep\", \"600\" ]"
source_is mute mute
endpoint unreadable "[ \"nbdkit\", \"$plugin\", \"file=$tmp/data\",
    \"fail=read:9:EIO:0\" ]"
source_is unreadable unreadable
start_qemu_nbd src --read-only --format=raw "$tmp/data"
for way in "hole@before:reply:9" "cut@in:data:1:0" "slow@after:go-reply:1:0" \
    "half@before:greeting:1:0"; do
	name=${way%%@*}
	start_proxy "$name" src "$way"
	endpoint "$name" "$(uri "$name")"
	source_is "from-$name" "$name"
done

# Destinations.
disk unwritable fail=write:9:EIO:0
destination_is unwritable unwritable
disk full fail=write:5:ENOSPC:0
destination_is full full
disk unflushable fail=flush:1:EIO:0
destination_is unflushable unflushable
disk crasher crash-after=7
destination_is crasher crasher
disk small
truncate -s 64K "$tmp/small.img"
destination_is small small
endpoint readonly "[ \"nbdkit\", \"-r\", \"$plugin\", \"file=$tmp/data\" ]"
destination_is readonly readonly
fresh "$tmp/stopped.img"
start_qemu_nbd stopped --format=raw "$tmp/stopped.img"
kill -STOP "$(pid_of stopped)"
endpoint stopped "$(uri stopped)"
destination_is stopped stopped

is "there are twenty jobs" \
    "$(echo "$jobs" | grep -c 'name =')-$(echo "$broken" | wc -w)" 20-16
tell_proxy hole hole

conf "endpoints = ($endpoints );
jobs = ($jobs );"
start_daemon "$tmp/conf"
for name in $broken good1 good2 good3 good4; do
	start_job "$name"
done

bad=
for name in good1 good2 good3 good4; do
	rev=0
	wait_job "$name" 120 || bad="$bad hangs:$name"
	[ "$(job_field "$name" .last_run.result)" = succeeded ] ||
	    bad="$bad $name:$(job_field "$name" .last_run.result)"
	cmp -s "$tmp/data" "$tmp/$name.img" || bad="$bad differs:$name"
done
is "the jobs that are not broken finish right" "$bad" ""

bad=
unfinished=
for name in $broken; do
	case $(job_field "$name" .last_run.result) in
	succeeded*) bad="$bad $name" ;;
	null) unfinished="$unfinished $name" ;;
	esac
done
is "none of the others is called a success" "$bad" ""
echo "# still trying:$unfinished"
is "the daemon answers" "$(api_status /v1/health)" 200
for name in $unfinished; do
	api "/v1/jobs/$name/cancel" --request POST >/dev/null
done
bad=
for name in $unfinished; do
	rev=0
	wait_job "$name" 60 || bad="$bad $name"
done
is "those that still try can be cancelled" "$bad" ""
kill -CONT "$(pid_of stopped)"
stop_process daemon
is "the daemon ends well" $? 0
