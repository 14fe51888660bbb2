#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What keeps a run from being faster is told while it runs.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit --filter=delay pattern --version
requires nbdkit null --version
requires perl -MIO::Socket::UNIX -e 1
requires psktool --version
plan 6

# Disks without end, so that jobs are ended by us.
start_nbdkit src -r pattern 1T
start_nbdkit dst null 1T
# As many threads as requests answer all at once; one does not.
start_nbdkit far -r --filter=delay pattern 1T rdelay=50ms
start_nbdkit busy-src -r --threads=1 --filter=delay pattern 1T rdelay=10ms
start_nbdkit busy-dst --threads=1 --filter=delay null 1T wdelay=10ms
make_psk "$tmp" alice
start_nbdkit tls-src -r --tls=require --tls-psk="$tmp/keys.psk" pattern 1T
start_nbdkit tls-dst --tls=require --tls-psk="$tmp/keys.psk" null 1T

# A network of 2 MiB/s, down from a source or up to a destination.
for way in down up; do
	server=src
	[ $way = down ] || server=dst
	port=$(free_port)
	start_process $way perl "$srcdir/tests/lib/slow-proxy.pl" "$port" \
	    "$tmp/$server.sock" $way $((2 * MiB))
	wait_for "'$nbdsync' info 'nbd://127.0.0.1:$port' >/dev/null 2>&1" ||
	    bail "no proxy"
	echo "nbd://127.0.0.1:$port" >"$tmp/$way.uri"
done

endpoint()
{
	echo "{ name = \"$1\"; uri = \"$2\"; },"
}

conf "endpoints = (
    $(for i in src dst far busy-src busy-dst; do endpoint $i "$(uri $i)"; done)
    $(for i in up down; do endpoint $i "$(cat "$tmp/$i.uri")"; done)
    $(for i in tls-src tls-dst; do
	echo "{ name = \"$i\"; uri =
	    \"nbds+unix:///?socket=$tmp/$i.sock\"; tls = \"site\"; },"
    done) );" "tls = ( { name = \"site\"; psk_user = \"alice\";
	psk_file = \"$tmp/keys.psk\"; } );" "jobs = (
    $(echo "window far dst 4
	source busy-src dst 16
	destination src busy-dst 16
	down down dst 16
	up src up 64
	tls tls-src tls-dst 16" | while read -r name from to depth; do
	echo "{ name = \"$name\"; source = \"$from\"; destination = \"$to\";
	    connections = 1; request_size = \"256KiB\";
	    queue_depth = $depth; },"
    done) );"
# The last of a list has no comma behind it.
tr -d '\n' <"$tmp/conf" | sed 's/,[[:space:]]*)/ )/g' >"$tmp/conf.new"
mv "$tmp/conf.new" "$tmp/conf"
start_daemon "$tmp/conf"

#	tells JOB LIMIT SENTENCE
tells()
{
	start_job "$1"
	ok "$3" wait_for \
	    "[ \"\$(job_field $1 .run.progress.limited_by)\" = $2 ]" 60
	api "/v1/jobs/$1/cancel" --request POST >/dev/null
	wait_job "$1"
}

tells window window \
    "what is distant and answers all at once has a full window"
tells source source-latency "a source that answers one by one is told"
tells destination destination-latency "and so is such a destination"
tells down network "a slow network from the source is told"
tells up network "and one to the destination"
# Nothing else is done there but to decrypt and encrypt.
tells tls cpu-tls "work of TLS is told"
