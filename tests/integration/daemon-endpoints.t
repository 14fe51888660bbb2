#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon says which endpoints it has, and what one of them says now; and
# it can be told to end.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit --filter=delay pattern --version
requires certtool --version
requires qemu-nbd --version
plan 39

make_ca "$tmp/pki"
truncate -s 1M "$tmp/old.img"
make_cert "$tmp/pki" server tls_www_server 'dns_name = "good.example"' \
    'expiration_days = 2'
start_nbdkit disk --tls=require --tls-certificates="$tmp/pki" \
    memory 1M
start_process old qemu-nbd --socket="$tmp/old.sock" --persistent \
    --shared=9 --format=raw --tls-creds=tls \
    --object "tls-creds-x509,id=tls,endpoint=server,dir=$tmp/pki,verify-peer=off,priority=NORMAL:-VERS-TLS1.3" \
    "$tmp/old.img"
wait_for '[ -S "$tmp/old.sock" ]'
start_nbdkit plain --readonly pattern 2M
conf "tls = ( { name = \"site\"; ca = \"$tmp/pki/ca-cert.pem\";
    hostname = \"good.example\"; },
  { name = \"strict\"; ca = \"$tmp/pki/ca-cert.pem\";
    hostname = \"good.example\"; min_version = \"1.3\"; } );
endpoints = (
  { name = \"secret\"; uri = \"nbds+unix://alice@/?socket=$tmp/disk.sock\";
    tls = \"site\"; },
  { name = \"old\"; uri = \"nbds+unix:///?socket=$tmp/old.sock\";
    tls = \"site\"; },
  { name = \"too-old\"; uri = \"nbds+unix:///?socket=$tmp/old.sock\";
    tls = \"strict\"; },
  { name = \"plain\"; uri = \"nbd+unix:///?socket=$tmp/plain.sock\";
    role = \"source\"; },
  { name = \"nobody\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; },
  { name = \"mute\"; command = [ \"sleep\", \"61.37\" ]; },
  { name = \"broken\"; command = [ \"nbdkit\", \"no-such-plugin\" ]; },
  { name = \"started\"; command = [ \"nbdkit\", \"memory\", \"4M\" ]; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"one\"; source = \"plain\"; destination = \"n\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"
api /v1/schema >"$tmp/schema"
fits()
{
	perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" "#/\$defs/$1" 2>&1
}

run "$nbdsync" endpoints
is "all endpoints are listed" "$(echo "$out" | awk 'NR > 1 { print $1 }' |
    tr '\n' ' ')" "secret old too-old plain nobody mute broken started slow n "
like "with role and jobs" "$out" 'plain +nbd +source +one'
"$nbdsync" endpoints --json >"$tmp/answer"
is "as JSON by the schema" "$(jq -c . "$tmp/answer" | fits endpoints)" ""
is "no user is shown" "$(grep -c alice "$tmp/answer")" 0
is "nor what follows a URI" "$(jq -r '.endpoints[0].place' "$tmp/answer")" \
    "nbds+unix:///"

run "$nbdsync" probe plain
is "a server can be asked" "$status" 0
like "for the size" "$out" '^size: +2097152 bytes \(2.0 MiB\)$'
like "for what it can do" "$out" '^read-only: +yes$'
like "and whether it speaks TLS" "$out" '^TLS: +no$'
"$nbdsync" probe --json started >"$tmp/answer"
is "also one that is started" "$(jq .size_bytes "$tmp/answer")" 4194304
is "as JSON by the schema" "$(jq -c . "$tmp/answer" | fits probe)" ""
wait_for '! pgrep -P "$(pid_of daemon)" nbdkit >/dev/null'
is "which ends with the answer" "$(pgrep -P "$(pid_of daemon)" nbdkit)" ""
is "TLS is spoken as configured" "$("$nbdsync" probe --json secret |
    jq -r .tls)" TLSv1.3
is "an older version will do" "$("$nbdsync" probe --json old |
    jq -r .tls)" TLSv1.2
exits 1 "unless the configuration says no" "$nbdsync" probe too-old
like "as a matter of TLS" "$err" "endpoint 'too-old'.*TLS"
exits 1 "what does not answer is an error" "$nbdsync" probe nobody
like "with a reason" "$err" "endpoint 'nobody'.*No such file or directory"
is "of status 502" "$(api_status /v1/endpoints/nobody/probe \
    --request POST)" 502
exits 1 "what cannot be started, too" "$nbdsync" probe broken
like "with a reason of its own" "$err" "endpoint 'broken'"
exits 6 "an endpoint that is none is told" "$nbdsync" probe none
"$nbdsync" probe --json plain | jq -S 'del(.endpoint, .took_ms, .block_size)' \
    >"$tmp/by-name"
is "a URI is answered as an endpoint is" "$("$nbdsync" probe --json \
    "$(uri plain)" | jq -S 'del(.block_size)')" "$(cat "$tmp/by-name")"
run "$nbdsync" probe --socket "$tmp/nowhere" "$(uri plain)"
like "without the daemon" "$status $out" '^0 size: +2097152 bytes'
exits 1 "if there is a server" "$nbdsync" probe "$(uri nobody)"
like "else for a reason" "$err" 'No such file or directory'
exits 2 "and if it is a URI" "$nbdsync" probe http://localhost

# A name of a file is bytes.
sed "s|^endpoints = (|&\n  { name = \"odd\"; path = \"/tmp/$(printf 'a\377b')\"; },|" \
    "$tmp/conf" >"$tmp/conf.new"
mv "$tmp/conf.new" "$tmp/conf"
exits 0 "a path that is no text" "$nbdsync" reload
is "is no reason to leave its endpoint out" "$(api /v1/endpoints |
    jq -r '.endpoints[] | select(.endpoint == "odd").place')" '/tmp/a?b'

is "the daemon does not end by mistake" "$(api_status /v1/shutdown \
    --request POST)" 400
is "nor with a time that is none" "$(api_status /v1/shutdown \
    --data '{"confirm":"nbdsyncd","grace":"soon"}')" 400
start_job slow
wait_copied slow
api /v1/endpoints/mute/probe --request POST >"$tmp/mute" &
asker=$!
wait_for 'pgrep -P "$(pid_of daemon)" sleep >/dev/null'
api /v1/shutdown --data '{"confirm":"nbdsyncd","grace":"30s"}' >"$tmp/answer"
is "it ends when told to" "$(jq -c . "$tmp/answer")" \
    '{"stopping":true,"running":1}'
is "by the schema" "$(fits shutdown <"$tmp/answer")" ""
wait "$asker"
like "who still waited is told why" "$(jq -r .type "$tmp/mute")" \
    'urn:nbdsync:(stopping|no-answer)'
wait "$(pid_of daemon)"
is "with 0" "$?" 0
like "after its runs" "$(cat "$tmp/daemon.log")" "info: job 'slow': cancelled"
like "and says who wanted it" "$(cat "$tmp/daemon.log")" \
    'control: stopping, 1 running jobs'
is "nothing that was started is left" "$(pgrep -f "^sleep 61.37$" -P 1)" ""
not_ok "nor the socket" test -e "$NBDSYNC_SOCKET"
