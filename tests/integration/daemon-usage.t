#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of nbdsyncd.
. "$srcdir/tests/lib/testlib.sh"
plan 10

exits 0 "--help succeeds" "$nbdsyncd" --help
for option in --config --check --help --version; do
	like "--help tells of $option" "$out" "$option"
done
exits 0 "--version succeeds" "$nbdsyncd" --version
like "and has a number" "$out" '^nbdsyncd [0-9]+\.[0-9]+'
exits 2 "an unknown option is bad usage" "$nbdsyncd" --frobnicate
exits 2 "so is an argument" "$nbdsyncd" start
exits 2 "so is an option without its value" "$nbdsyncd" --config
