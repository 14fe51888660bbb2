#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync configcheck tells what nbdsyncd thinks of a file.
. "$srcdir/tests/lib/testlib.sh"
requires jq --version
plan 35

cat >"$tmp/good.conf" <<'END'
endpoints = ( { name = "a"; path = "/srv/a.img"; },
  { name = "n"; uri = "null:"; } );
jobs = ( { name = "j"; source = "a"; destination = "n"; } );
END
cat >"$tmp/bad.conf" <<'END'
endpoints = ( { name = "a"; path = "/srv/a.img"; } );
jobs = ( { name = "j"; source = "a";
  destination = "b";
  conections = 3; } );
END
exits 0 "a good file is good" "$nbdsync" configcheck "$tmp/good.conf"
exits 78 "a bad file is 78" "$nbdsync" configcheck "$tmp/bad.conf"
like "with file, line and column" "$err" "^$tmp/bad\.conf:3:3: job "
n=$(echo "$err" | wc -l)
exits 78 "a file that is not there is 78" "$nbdsync" configcheck "$tmp/none"
like "and named" "$err" "^$tmp/none: "

run "$nbdsync" configcheck
like "without a name it is the daemon's own" "$out$err" \
    '^(.*: )?.*/nbdsync/nbdsync\.conf:'
exits 0 "a good file as JSON" "$nbdsync" configcheck --json "$tmp/good.conf"
is "is good" "$(echo "$out" | jq -c '[.ok, .problems]')" "[true,[]]"
is "and named" "$(echo "$out" | jq -r .file)" "$tmp/good.conf"
exits 78 "a bad file as JSON is 78, too" \
    "$nbdsync" configcheck --json "$tmp/bad.conf"
is "is bad" "$(echo "$out" | jq .ok)" false
is "with as many problems" "$(echo "$out" | jq '.problems | length')" "$n"
is "all of them with their place" "$(echo "$out" |
    jq -c '[.problems[] | [.line, .column]]')" '[[3,3],[4,3]]'
is "nothing else is said" "$err" ""

cat >"$tmp/show.conf" <<'END'
endpoints = ( { name = "a"; path = "/srv/a.img"; },
  { name = "n"; uri = "null:"; } );
templates = ( { name = "t"; queue_depth = 9; } );
jobs = ( { name = "j"; template = "t"; source = "a"; destination = "n"; } );
END
exits 0 "--show shows a job" "$nbdsync" configcheck --show j "$tmp/show.conf"
like "with what a template says" "$out" \
    "^queue_depth = 9  \(template \"t\", $tmp/show.conf:3\)"
like "and the defaults" "$out" '^mode = "copy"  \(default\)'
exits 1 "--show of a job that is not there fails" \
    "$nbdsync" configcheck --show k "$tmp/show.conf"
like "in one sentence" "$err" "has no job 'k'"
exits 2 "--show and --json exclude each other" \
    "$nbdsync" configcheck --json --show j "$tmp/show.conf"

mkdir "$tmp/bin"
cp "$nbdsync" "$tmp/bin/nbdsync"
exits 1 "without a daemon that could check it is an error" \
    "$tmp/bin/nbdsync" configcheck "$tmp/good.conf"
like "of one sentence" "$err" '^nbdsync: configcheck: cannot run nbdsyncd'

# What is right, but most likely not meant.
cat >"$tmp/odd.conf" <<'END'
templates = ( { name = "default"; retries = 2; },
  { name = "left"; retries = 3; } );
endpoints = ( { name = "a"; path = "/srv/a.img"; },
  { name = "far"; uri = "nbd://192.0.2.1"; allow_plaintext = true; },
  { name = "n"; uri = "null:"; } );
jobs = ( { name = "j"; source = "a"; destination = "n";
  window = "22:00-06:00"; jitter = "1m"; rpo_repeat = "1h"; } );
END
exits 0 "what is odd is right" "$nbdsync" configcheck "$tmp/odd.conf"
exits 78 "but not strictly" "$nbdsync" configcheck --strict "$tmp/odd.conf"
is "all of it is told, in its order" "$(echo "$err" |
    sed "s,^$tmp/odd.conf:,,")" '2:3: template "left": no job uses it
4:3: endpoint "far": no job uses it
4:44: endpoint "far": what goes there goes without TLS
7:3: job "j": "window" has no effect without "schedule" or "interval"
7:27: job "j": "jitter" has no effect without "schedule" or "interval"
7:42: job "j": "rpo_repeat" has no effect without "rpo_warn" or "rpo_crit"'
exits 78 "as JSON, too" "$nbdsync" configcheck --strict --json "$tmp/odd.conf"
is "where they are as many" "$(echo "$out" | jq '.problems | length')" 6
exits 0 "and what is fine is so strictly" \
    "$nbdsync" configcheck --strict "$tmp/good.conf"

exits 0 "all options can be had" "$nbdsync" configcheck --schema
echo "$out" >"$tmp/schema"
is "each of them" "$(jq '.options | length' "$tmp/schema")" \
    "$(grep -c '^	{ OPTION_GROUP_' "$srcdir/daemon/conf/options.c")"
is "with all that there is to know" "$(jq -c '.options[] |
    select(.key == "shutdown_grace")' "$tmp/schema")" \
    '{"required":false,"group":"daemon","key":"shutdown_grace","type":"time","default":"60s","minimum":"0","maximum":"1h","doc":"how long runs may take to end when the daemon stops"}'
is "and none without a type and a sentence" "$(jq '[.options[] |
    select(.type == null or .doc == null)] | length' "$tmp/schema")" 0
is "defaults are what a file would have" "$(jq -r '.options[] |
    select(.group == "daemon" and .default != null and .type != "integer" and
	.key != "rate_table") | "\(.key) = \"\(.default)\";"' "$tmp/schema" |
    { echo "daemon = {"; cat; echo "}; endpoints = (); jobs = ();"; } \
    >"$tmp/defaults.conf"; "$nbdsync" configcheck "$tmp/defaults.conf" 2>&1)" \
    "$tmp/defaults.conf: ok, 0 endpoints, 0 jobs"
exits 1 "and all of them, or it is an error" \
    sh -c "'$nbdsync' configcheck --schema >/dev/full"
exits 2 "that is about no file" "$nbdsync" configcheck --schema "$tmp/good.conf"
