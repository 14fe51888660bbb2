#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A configuration with five mistakes gets five lines with file, line and
# column, and the daemon does not start with it.
. "$srcdir/tests/lib/testlib.sh"
plan 15

cat >"$tmp/bad.conf" <<'END'
daemon = { workers = 65; };
endpoints = (
  { name = "a"; uri = "nbd://host name/"; },
  { name = "b"; path = "/dev/null"; } );
jobs = ( { name = "x"; source = "a"; destination = "bb";
           chekpoint = "10s";
           io_timeout = 10; } );
END

exits 78 "--check ends with 78" "$nbdsyncd" --check "$tmp/bad.conf"
is "nothing is on standard output" "$out" ""
is "there are five lines" "$(echo "$err" | wc -l)" 5
like "one for the number" "$err" \
    "^$tmp/bad.conf:1:12: daemon: \"workers\" is 65, but must be from 0 to 64"
like "one for the URI" "$err" "^$tmp/bad.conf:3:17: endpoint \"a\": "
like "one for the endpoint, with the nearest" "$err" "^$tmp/bad.conf:5:38: \
job \"x\": \"destination\" names endpoint \"bb\".*did you mean \"b\"\?"
like "one for the key" "$err" \
    "^$tmp/bad.conf:6:12: job \"x\": unknown key \"chekpoint\""
like "one for the time" "$err" "^$tmp/bad.conf:7:12: \
job \"x\": \"io_timeout\" must be a string with a unit, such as \"10s\""

exits 78 "the daemon ends with 78, too" "$nbdsyncd" --config "$tmp/bad.conf"
is "and logs the same five" "$(echo "$err" | grep -c 'error: ')" 5

exits 78 "a file that is not there is an error of the configuration" \
    "$nbdsyncd" --config "$tmp/none.conf"
like "said in one sentence" "$err" \
    "$tmp/none.conf: cannot be read: No such file or directory"

exits 0 "the example is right" "$nbdsyncd" --check \
    "$srcdir/conf/nbdsync.conf"
like "and --check says so" "$out" "nbdsync.conf: ok, 0 endpoints, 0 jobs"

mkdir "$tmp/dir"
echo "@include \"$tmp/dir\"" >"$tmp/include.conf"
exits 78 "@include of a directory is refused, and no more" \
    "$nbdsyncd" --check "$tmp/include.conf"
