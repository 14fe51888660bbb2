#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the progress of a run counts never becomes less, whatever happens to
# its servers.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=log --filter=cache --filter=delay file --version
requires jq --version
plan 8

size=$((32 * MiB))
make_data "$tmp/data" $size 1
truncate -s $size "$tmp/dst.img"
# Zeroes, too.
dd if=/dev/zero of="$tmp/data" bs=1M seek=4 count=8 conv=notrunc status=none

start_destination()
{
	start_nbdkit dst --filter=log --filter=cache --filter=delay file \
	    "$tmp/dst.img" logfile="$tmp/dst.busy" delay-write=50ms
}

figures()
{
	api /v1/jobs/j | jq -c '(.run // .last_run).progress | [.read_bytes,
	    .written_bytes, .zeroed_bytes, .durable_bytes, .reconnects]'
}

start_nbdkit src file "$tmp/data"
start_destination
conf "endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"j\"; source = \"s\"; destination = \"d\";
  connections = 2; queue_depth = 2; request_size = \"256KiB\";
  checkpoint = \"1s\"; } );"
start_daemon "$tmp/conf"
start_job j

# At each tenth write or so the server dies, with what it has not flushed.
n=0
while [ "$(job_field j .run)" != null ]; do
	figures >>"$tmp/figures"
	[ $n -lt 3 ] || continue
	[ "$(grep -c ' Write id=' "$tmp/dst.busy")" -ge 10 ] || continue
	stop_process dst KILL
	n=$((n + 1))
	start_destination
	: >"$tmp/dst.busy"
done
figures >>"$tmp/figures"
is "the run succeeds" "$(job_field j .last_run.result)" succeeded
is "though its server has died several times" $n 3
ok "which it has noticed" [ "$(tail -n 1 "$tmp/figures" | jq '.[4]')" -ge 3 ]
ok "and was looked at many times" [ "$(wc -l <"$tmp/figures")" -ge 10 ]
i=0
for what in read written zeroed durable; do
	ok "bytes that are $what never become less" [ "$(jq -s \
	    "[.[] | .[$i]] | . == sort and .[-1] > 0" "$tmp/figures")" = true ]
	i=$((i + 1))
done
