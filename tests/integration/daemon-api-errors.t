#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is wrong with a request is said in one sentence, as problem+json.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version
plan 34

conf "endpoints = ( $(slow_endpoint slow), { name = \"n\"; uri = \"null:\"; } );
jobs = ( $(slow_job vm1 slow n) );"
start_daemon "$tmp/conf"

# problem SENTENCE STATUS TYPE PATH [CURL ARGS...]
problem()
{
	sentence=$1
	wanted="$2 urn:nbdsync:$3 application/problem+json"
	shift 3
	content=$(api "$@" --output "$tmp/body" --write-out '%{content_type}')
	is "$sentence" "$(jq -r '"\(.status) \(.type)"' "$tmp/body") $content" \
	    "$wanted"
}

problem "a job that is not there" 404 no-such-job /v1/jobs/vm11
is "the nearest is named" "$(jq -r .hint "$tmp/body")" "did you mean 'vm1'?"
problem "a name that cannot be" 404 no-such-job /v1/jobs/a%20b
problem "a name with a NUL" 404 no-such-job /v1/jobs/vm1%00
problem "starting it" 404 no-such-job /v1/jobs/none/start --request POST
problem "cancelling it" 404 no-such-job /v1/jobs/none/cancel --request POST
problem "a path that is not there" 404 not-found /v1/nothing
problem "half a path" 404 not-found /v1
problem "another method" 405 method-not-allowed /v1/jobs/vm1 --request DELETE
problem "GET for what is done with POST" 405 method-not-allowed \
    /v1/jobs/vm1/start
like "Allow says which" "$(api /v1/jobs/vm1/start --include)" '^Allow: POST'
problem "a body that is no JSON" 400 bad-request /v1/jobs/vm1/start \
    --data '{"a"'
problem "a body that is no object" 400 bad-request /v1/jobs/vm1/start \
    --data '[]'
problem "a key that nobody knows" 400 bad-request /v1/jobs/vm1/start \
    --data '{"fulll":true}'
problem "a key twice" 400 bad-request /v1/jobs/vm1/start \
    --data '{"a":1,"a":1}'
like "which is no JSON to us, and why" "$(jq -r .detail "$tmp/body")" \
    "^the body must be a JSON object, or empty: duplicate object key"
problem "what is none can be anything" 400 bad-request /v1/jobs/vm1/start \
    --data "$(printf '{"a\033[2J\n":x')"
unlike "and is not repeated as it is" "$(jq -r .detail "$tmp/body")" \
    "$(printf '\033')"
problem "wait that is no number" 400 bad-request '/v1/jobs/vm1?wait=x'
problem "wait for too long" 400 bad-request '/v1/jobs/vm1?wait=61'
problem "since that is no number" 400 bad-request '/v1/jobs/vm1?since=-1'
problem "cancelling an idle job" 409 job-idle /v1/jobs/vm1/cancel \
    --request POST

head -c 70000 /dev/zero | tr '\0' ' ' >"$tmp/large"
is "a body of 70 kB is too large" "$(api_status /v1/jobs/vm1/start \
    --data-binary "@$tmp/large" 2>&1)" 413
is "so are headers of 9 kB" "$(api_status /v1/version \
    --header "X: $(head -c 9000 /dev/zero | tr '\0' x)" 2>&1)" 400
is "nothing of that has started it" "$(job_field vm1 .state)" idle

is "an empty object is fine" "$(api_status /v1/jobs/vm1/start --data '{}')" 202
problem "starting a running job" 409 job-running /v1/jobs/vm1/start \
    --request POST
is "with a hint what to do" "$(jq -r .hint "$tmp/body")" "nbdsync status vm1"
wait_copied vm1
is "cancelling it, by another name" "$(api_status /v1/jobs/vm1/stop \
    --request POST)" 202
rev=0
ok "ends it" wait_job vm1
is "as cancelled" "$(job_field vm1 .last_run.result)" cancelled
is "which is no failure" "$(api /v1/health | jq -r .health)" ok

is "version says what it is" "$(api /v1/version | jq -r '"\(.name) \(.api)"')" \
    "nbdsyncd 1"
stop_process daemon
is "the daemon ends well" "$?" 0
