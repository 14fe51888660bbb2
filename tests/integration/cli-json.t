#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command of the table prints JSON when it is asked to, and nothing
# else; when it fails, there is a sentence on standard error.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=delay pattern --version

make_data "$tmp/a" $((1 * MiB)) 1
cp "$tmp/a" "$tmp/b"
start_nbdkit disk -r file "$tmp/a"
conf "endpoints = ( { name = \"a\"; path = \"$tmp/a\"; },
  { name = \"b\"; path = \"$tmp/b\"; }, { name = \"n\"; uri = \"null:\"; },
  { name = \"no\"; uri = \"nbd+unix:///?socket=$tmp/nobody\"; },
  $(slow_endpoint slow) );
jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; },
  { name = \"bad\"; source = \"no\"; destination = \"b\"; },
  $(slow_job slow slow n) );"
start_daemon "$tmp/conf"
"$nbdsync" start --wait --quiet j || bail "j does not run"

# In this order: each command of the table, as somebody would use it; and
# again, as it fails.  Those that go on are interrupted.
cat >"$tmp/uses" <<END
copy $(uri disk) $tmp/c
compare $(uri disk) $tmp/c
mirror $(uri disk) $tmp/c
list $(uri disk)
info $(uri disk)
status
start --wait j
verify --wait j
diff j
cancel slow
wait j
pause j
resume j
events
map j
check
rate j 1MiB/s
limits
endpoints
probe a
reload
history
report $("$nbdsync" history --json j | jq -r '.runs[0].id')
log j
loglevel default
checkpoint show slow
reset --confirm j
configcheck $tmp/conf
completion bash
help
END
cat >"$tmp/failures" <<END
copy $tmp/none $tmp/c
compare $tmp/none $tmp/c
mirror $tmp/none $tmp/c
list $(uri nobody)
info $(uri nobody)
status nosuch
start --wait bad
verify nosuch
diff nosuch
cancel nosuch
wait bad
pause nosuch
resume nosuch
events --job nosuch
map nosuch
check nosuch
rate nosuch 0
limits nosuch
endpoints --socket $tmp/nobody
probe no
reload --socket $tmp/nobody
history nosuch
report nosuch
log nosuch
loglevel loud
checkpoint show nosuch
reset --confirm nosuch
configcheck $tmp/none
completion fish
help nosuch
END
known=$("$nbdsync" help --json | jq -r '.commands[].name')
n=$(echo "$known" | wc -l)
plan $((2 + n + 2 * n))
is "the uses are those of the table" "$(cut -d ' ' -f 1 "$tmp/uses")" "$known"
is "and so are the failures" "$(cut -d ' ' -f 1 "$tmp/failures")" "$known"

# say WORDS...: it, with --json; what goes on is interrupted once it says this
say()
{
	command=$1
	shift
	case $command in
	mirror) said="'the first pass is complete'" ;;
	*)	said="'\"live\"'" ;;
	esac
	: >"$tmp/say.err"
	start_process say sh -c \
	    "exec '$nbdsync' $command --json $* 2>'$tmp/say.err'"
	wait_for "grep -q -e $said '$tmp/say.log' '$tmp/say.err'"
	stop_process say INT
	out=$(cat "$tmp/say.log")
	# What a mirror does is told there.
	err=$(sed '/^nbdsync: mirror: /d' "$tmp/say.err")
}

start_job slow
wait_copied slow
while read -r command rest; do
	[ "$command" != checkpoint ] || wait_for \
	    '[ "$(api_status /v1/jobs/slow/checkpoint)" = 200 ]'
	case $command in
	mirror | events) say "$command" "$rest" ;;
	# shellcheck disable=SC2086
	*)	run "$nbdsync" "$command" --json $rest ;;
	esac
	printf '%s\n' "$out" >"$tmp/out"
	is "$command --json prints objects, and no more: $status" \
	    "$(jq -r type "$tmp/out" 2>&1 | sort -u) $err" "object "
done <"$tmp/uses"
while read -r command rest; do
	# shellcheck disable=SC2086
	run "$nbdsync" "$command" --json $rest
	kinds=$(printf '%s\n' "$out" | jq -r type 2>&1 | sort -u)
	# What it has found is its answer: there is JSON then, too.
	case $status:$kinds in
	*:object | [1-9]*:) is "$command fails: $status" "" "" ;;
	*) is "$command fails: $status" "$out" "an object, or nothing" ;;
	esac
	[ -z "$err" ] && [ "$kinds" = object ] ||
	    like "with a sentence" "$err" "^nbdsync: $command: .*[.?a-z')]$"
	[ -n "$err" ] || is "or with an answer" "$kinds" object
done <"$tmp/failures"
