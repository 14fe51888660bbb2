#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Over TCP there are figures and a status page, to look at and no more; the
# page shows the jobs in a real browser.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
requires chromium --version
requires perl -e 'use IO::Socket::INET'
plan 37

port=$(free_port)
web=http://127.0.0.1:$port
metrics_port=$(free_port)
metrics=http://127.0.0.1:$metrics_port
conf "metrics = { listen = \"$metrics_port\"; };
web = { listen = \"127.0.0.1:$port\"; };
endpoints = (
  { name = \"quick\"; command = [ \"nbdkit\", \"pattern\", \"8M\" ]; },
  { name = \"bad\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; },
  { name = \"skips\"; command = [ \"nbdkit\", \"--filter=error\",
      \"pattern\", \"1M\", \"error-pread-rate=100%\" ]; },
  { name = \"copy\"; path = \"$tmp/copy\"; },
  $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"quick\"; source = \"quick\"; destination = \"n\";
    rpo_warn = \"1d\"; },
  { name = \"skips\"; source = \"skips\"; destination = \"n\";
    retries = 0; on_read_error = \"skip\"; },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; },
  { name = \"mirror\"; mode = \"mirror\"; source = \"quick\";
    destination = \"copy\"; },
  $(slow_job slow slow n) );"
truncate -s 8M "$tmp/copy"
start_daemon "$tmp/conf"

# get URL [CURL ARGS...]: the status
get()
{
	curl --silent --noproxy '*' --output "$tmp/body" \
	    --write-out '%{http_code}' "$@"
}

is "metrics are there" "$(get $metrics/metrics)" 200
is "and well-formed" "$(perl "$srcdir/tests/lib/check-metrics.pl" \
    <"$tmp/body")" ""
is "but no jobs" "$(get $metrics/v1/jobs)" 404
is "and no page" "$(get $metrics/)" 404
is "the page is there" "$(get $web/)" 200
is "and what it asks for" "$(get $web/v1/jobs)" 200
is "the map, too" "$(get $web/v1/jobs/quick/map)" 200
is "but nothing is started" "$(get --request POST $web/v1/jobs/slow/start)" 501
is "nor paused" "$(get --request PATCH $web/v1/jobs/slow/pause)" 501
is "so it is idle" "$(job_field slow .state)" idle
is "a name that points here is refused" \
    "$(get --header 'Host: evil.example' $web/v1/jobs)" 403
is "also with our port" \
    "$(get --header "Host: evil.example:$port" $web/v1/jobs)" 403
is "a page from elsewhere is refused" \
    "$(get --header 'Origin: http://evil.example' $web/v1/jobs)" 403
is "our own is not" "$(get --header "Origin: $web" $web/v1/jobs)" 200
is "localhost is an address" "$(get --header "Host: localhost:$port" $web/)" \
    200
like "what it is is not to be guessed" "$(curl --silent --noproxy '*' \
    --head --request GET $web/v1/jobs)" "X-Content-Type-Options: nosniff"
like "the page may load nothing from elsewhere" "$(curl --silent --noproxy '*' \
    --head --request GET $web/)" "Content-Security-Policy: default-src 'none'"
is "and names nothing elsewhere" "$(grep -E -c \
    '(src|href) *= *"?(https?:)?//' "$srcdir/daemon/control/status.html")" 0

"$nbdsync" start --wait --quiet quick
"$nbdsync" start slow >/dev/null
"$nbdsync" start --quiet mirror
"$nbdsync" wait --for in-sync mirror
wait_copied slow
# The document as it is after a few seconds of its own time.
browse()
{
	timeout 300 chromium --headless=new --no-sandbox --disable-gpu \
	    --disable-dev-shm-usage --user-data-dir="$tmp/browser" \
	    --no-proxy-server --virtual-time-budget=5000 "$@" \
	    >"$tmp/document" 2>"$tmp/browser.log"
}
ok "a browser reads it" browse --dump-dom "$web/#slow"
like "of a mirror it says that it is in sync, and how old its copy is" \
    "$(cat "$tmp/document")" '<span>in sync, [^<]* old</span>'
like "it lists the jobs" "$(cat "$tmp/document")" '<button>quick</button>'
like "with their state" "$(cat "$tmp/document")" '>copying</td>'
like "and how the last run ended" "$(cat "$tmp/document")" \
    '<td>succeeded [^<]*</td>'
like "the job of the link is shown" "$(cat "$tmp/document")" \
    '<h2 id="name">slow</h2>'
like "with its map" "$(cat "$tmp/document")" \
    '<title>todo: [^<]* to 64\.0 MiB</title>'
like "and a graph" "$(cat "$tmp/document")" '<polyline[^>]* points="[0-9]'
is "it has no trouble" "$(sed -n \
    's|.*<span id="trouble" role="alert">\([^<]*\)</span>.*|\1|p' \
    "$tmp/document")" ""
"$nbdsync" start --wait --quiet bad 2>/dev/null
browse --dump-dom "$web/#bad"
like "of what has failed it says why" "$(cat "$tmp/document")" \
    '<div id="failure" class="failure">source .bad.: .*</div>'
"$nbdsync" start --wait --quiet skips 2>/dev/null
browse --dump-dom "$web/#skips"
like "what was skipped is told" "$(cat "$tmp/document")" \
    'class="failure">[0-9]* bytes at offset 0 are not copied: source: [^<]*<'
like "and where it is in the map" "$(cat "$tmp/document")" \
    '<title>error: 0 B to '
printf spoilt | dd of="$tmp/copy" bs=1 seek=4194304 conv=notrunc status=none
"$nbdsync" cancel --wait --quiet mirror
"$nbdsync" verify --wait --quiet mirror 2>/dev/null
browse --dump-dom "$web/#mirror"
like "what differs is told, too" "$(cat "$tmp/document")" \
    'class="failure">[0-9]* bytes at offset 4194304 differ<'
like "and where it is" "$(cat "$tmp/document")" \
    '<title>differs: 4.0 MiB to '
like "with what was compared" "$(cat "$tmp/document")" \
    '>differences-found</td><td>[^<]*</td><td>8\.0 MiB</td>'
browse --dump-dom "$web/#quick"
like "of runs that have ended it says how much they copied" \
    "$(cat "$tmp/document")" '<td>8\.0 MiB</td><td class="soft">2'
like "and how old the last success is, if that matters" \
    "$(cat "$tmp/document")" '<dt>RPO</dt><dd class="ok">[^<]* ok</dd>'
"$nbdsync" cancel --wait --quiet slow
stop_process daemon
is "the daemon ends well" "$?" 0

sed 's/127\.0\.0\.1:/0.0.0.0:/' "$tmp/conf" >"$tmp/conf.open"
run "$builddir/nbdsyncd" --config "$tmp/conf.open"
like "a page for everybody is refused" "$err" 'is no loopback address'
