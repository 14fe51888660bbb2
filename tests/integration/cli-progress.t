#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Progress is for people: a bar on a terminal, lines on request, else silence.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=delay pattern --version
requires script --version
plan 23

# A disk of 4 MiB that takes about 1.5 s to be read.
set -- [ nbdkit --filter=delay pattern 4M rdelay=90ms ] null:
slow="--connections 1 --queue-depth 1 --request-size 256KiB"
# In a terminal of so many columns; what it shows goes to $shown.
in_terminal()
{
	columns=$1
	shift
	run script -qefc "stty cols $columns; $*" "$tmp/typescript"
	shown=$(printf '%s' "$out" | tr '\r' '\n')
}
words=$(printf "'%s' " "$@")

began=$(date +%s)
in_terminal 100 "'$nbdsync' copy $slow $words"
took=$(($(date +%s) - began + 1))
is "a copy in a terminal succeeds" "$status" 0
like "it shows percent, amount and rate" "$shown" \
    '^ *[0-9]+%  .* [0-9.]+ [KM]iB/4\.0 MiB  [0-9.]+ [KM]iB/s'
like "it has an ASCII bar where there is no UTF-8" "$shown" '%  =+\.+  '
unlike "100 % is not told before the end" "$shown" '100%'
[ "$took" -gt 10 ] ||
    unlike "nor a time left in the first 10 s" "$shown" 'ETA'
[ "$took" -le 10 ] || ok "no time left is looked for, it took $took s" true
like "at the end it says what was done" "$shown" \
    '^4\.0 MiB copied in [0-9.]+ s \([0-9.]+ [KM]iB/s\), flushed$'
is "the bar is gone then" "$(printf '%s' "$shown" | tail -n 1 |
    grep -c copied)" 1
drawn=$(printf '%s\n' "$shown" | grep -c '%  ')
ok "it is drawn at most four times a second" test "$drawn" -le $((took * 4 + 4))
ok "but more than once" test "$drawn" -gt 1

in_terminal 40 "'$nbdsync' copy $slow $words"
widest=$(printf '%s\n' "$shown" | grep '%' |
    awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }')
ok "a narrow terminal is obeyed" test "$widest" -gt 0 -a "$widest" -lt 40

in_terminal 100 "LC_ALL=C.UTF-8 '$nbdsync' copy $slow $words"
like "the bar is drawn in UTF-8 where that is understood" "$shown" '▓'

for option in --quiet --no-progress; do
	in_terminal 100 "'$nbdsync' copy $option $words"
	is "$option shows nothing in a terminal" "$status $out" "0 "
done
in_terminal 100 "'$nbdsync' copy $words 2>'$tmp/err'"
is "nor does a redirected standard error" "$status $out" "0 "
is "where nothing arrives" "$(cat "$tmp/err")" ""

# shellcheck disable=SC2086
run "$nbdsync" copy $slow --progress=300ms "$@"
like "without a terminal lines are printed on request" "$err" \
    '^ *[0-9]+%  [0-9.]+ [KM]iB/4\.0 MiB'
like "and the end" "$(echo "$err" | tail -n 1)" '^4\.0 MiB copied in'
unlike "without a bar" "$err" '==|\.\.'
is "and without carriage returns" "$(echo "$err" | grep -c "$(printf '\r')")" 0

run "$nbdsync" compare --progress [ nbdkit pattern 1M ] [ nbdkit pattern 1M ]
like "what was compared is not said to be copied" "$err" \
    '^1\.0 MiB compared in .*, equal$'

# A failure must not share its line with the bar: it comes after one.
in_terminal 100 "'$nbdsync' copy $slow --on-read-error stop" \
    "[ nbdkit --filter=delay --filter=error pattern 16M rdelay=90ms" \
    "error-pread=EIO error-pread-rate=100% error-pread-file=$tmp/fail ]" \
    "null: & copy=\$!; until grep -q '%  ' '$tmp/typescript'; do sleep 0.1; done;" \
    "touch '$tmp/fail'; wait \$copy"
is "a failure in a terminal has its status" "$status" 4
like "the message has its line" "$shown" '^nbdsync: copy: source'
like "after a bar" "$shown" '%  '
