#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each connection of a run is told of: what it does, how it is protected, and
# what becomes of one that is lost.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit --filter=delay pattern --version
requires certtool --version
plan 29

make_pki "$tmp/pki"
start_nbdkit src --tls=require --tls-certificates="$tmp/pki" \
    --filter=delay pattern 64M rdelay=50ms
start_destination()
{
	start_nbdkit dst file "$tmp/dst.img"
}
truncate -s 64M "$tmp/dst.img"
start_destination
conf "tls = ( { name = \"t\"; ca = \"$tmp/pki/ca-cert.pem\";
    hostname = \"good.example\"; } );
endpoints = (
  { name = \"s\"; uri = \"nbds+unix:///?socket=$tmp/src.sock\"; tls = \"t\"; },
  { name = \"d\"; uri = \"$(uri dst)\"; } );
jobs = ( { name = \"vm\"; source = \"s\"; destination = \"d\";
    connections = 2; queue_depth = 4; request_size = \"4KiB\"; } );"
start_daemon "$tmp/conf"

is "a job that is idle has no connections" "$(job_field vm \
    '.connections | tojson')" "[]"
start_job vm
ok "both connect twice" wait_for '[ "$(job_field vm "[.connections[] |
    select(.state == \"ready\")] | length")" = 4 ]'
wait_copied vm
is "the source comes first, each side in order" "$(job_field vm \
    '[.connections[] | "\(.side) \(.endpoint) \(.id)"] | join(", ")')" \
    "source s 1, source s 2, destination d 1, destination d 2"
is "TLS is told of where it is spoken" "$(job_field vm \
    '[.connections[] | "\(.tls) \(.tls_cipher)"] | unique | join(", ")')" \
    "TLSv1.3 TLS_AES_128_GCM_SHA256, null null"
ok "requests are in flight at the slow source, as many as may" wait_for \
    '[ "$(job_field vm "[.connections[] | select(.side == \"source\") |
    .in_flight] | max")" = 4 ]'
ok "whose answers take as long as it has them wait, and more" wait_for \
    '[ "$(job_field vm ".connections[0].latency_ms >= 50")" = true ]'
ok "nearly all of them" wait_for \
    '[ "$(job_field vm ".connections[0].latency_p99_ms >= 50")" = true ]'
is "nothing was lost" "$(job_field vm \
    '[.connections[] | "\(.reconnects) \(.error) \(.next_try_s)"] | unique[]')" \
    "0 null null"
like "each has its time" "$(job_field vm '.connections[0].since')" \
    '^20.*T.*\.[0-9]{3}Z$'
is "they are not in the list of all jobs" "$(api /v1/jobs |
    jq -c '[.jobs[] | has("connections")] | unique')" "[false]"
is "the answer is as the schema says" "$(api /v1/schema >"$tmp/schema"
    api /v1/jobs/vm | perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" \
    "#/\$defs/job" 2>&1)" ""

ok "status shows the job" "$nbdsync" status vm
like "with what is to one disk in a line" "$out" \
    '^connections: +s: 2 ready, [0-8] in flight, p99 [0-9.]+ ms, TLSv1\.3$'
like "and the other" "$out" '^ +d: 2 ready, [0-9]+ in flight.*, no TLS$'
ok "each can be shown" "$nbdsync" status vm --connections
like "with a heading" "$out" \
    '^CONNECTION +STATE +IN FLIGHT +LATENCY +P99 +RECONNECTS +TLS$'
like "its TLS and cipher" "$out" \
    '^s #2 +ready +[0-9]+ +[0-9.]+ ms +[0-9.]+ ms +0 +TLSv1\.3 TLS_AES_128_GCM_SHA256$'
like "or none" "$out" '^d #1 +ready +[0-9]+ .* 0 +-$'
exits 2 "not of all jobs" "$nbdsync" status --connections
like "which is said" "$err" 'of which job'

stop_process dst KILL
ok "connections that are lost are told of" wait_for \
    '[ "$(job_field vm "[.connections[] | select(.side == \"destination\" and
    .state == \"reconnecting\" and .error != null)] | length")" = 2 ]'
ok "and when they are tried again" wait_for \
    '[ "$(job_field vm "[.connections[].next_try_s] | max >= 1")" = true ]'
ok "status says so" "$nbdsync" status vm
like "with the reason" "$out" '^ +d: 0 of 2 ready'
like "in words" "$out" '^ +#1 reconnecting: .+; and 1 more$'
start_destination
ok "they come back" wait_for '[ "$(job_field vm "[.connections[] |
    select(.state == \"ready\" and .side == \"destination\") |
    .reconnects] | tojson")" = "[1,1]" ]'
api /v1/jobs/vm/cancel --request POST >/dev/null
ok "and the run ends" wait_job vm
is "then there are none" "$(job_field vm '.connections | tojson')" "[]"
stop_process daemon
is "the daemon ends well" $? 0
