#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job goes on from no place that is too old, and says why.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
plan 6

make_data "$tmp/a" $MiB 1
truncate -s $MiB "$tmp/b"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; } );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; },
  { name = \"never\"; source = \"a\"; destination = \"b\";
    resume_max_age = \"0\"; } );"
now=$(date +%s)
put()
{
	"$builddir/tests/lib/put-checkpoint" "$tmp/state/state.db" "$@" ||
	    bail "no checkpoint"
}
not_resumed()
{
	"$nbdsync" start --quiet --wait "$1" || bail "it did not succeed"
	job_field "$1" .last_run.not_resumed
}

put j 1 $((now - 7200))
put never 1 "$now"
start_daemon "$tmp/conf"
like "what is older than may be is not gone on from" "$(not_resumed j)" \
    '^the last run ended 7[2-9][0-9][0-9] s ago, and the source may have'
like "nor does a job that never does" "$(not_resumed never)" \
    "^resume_max_age is 0"
stop_process daemon
is "the daemon ends well" $? 0

# Not the age is to blame here.
rm -r "$tmp/state"
put j 1 "$now"
start_daemon "$tmp/conf"
is "what is new enough is looked at" "$(not_resumed j)" \
    "the source is another one"
stop_process daemon

rm -r "$tmp/state"
put j 1 $((now + 100000))
start_daemon "$tmp/conf"
like "what is of a time to come is not trusted" "$(not_resumed j)" \
    '^the clock was set back'
ok "and the copy is right" cmp "$tmp/a" "$tmp/b"
stop_process daemon
