#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A wrong command line is one sentence, a pointer to the help, and status 2.
. "$srcdir/tests/lib/testlib.sh"
known=$(sed -n 's/^	    "\([a-z]*\)",$/\1/p' "$srcdir/cli/commands.c")
plan $((71 + 2 * $(echo "$known" | wc -l)))

bad()
{
	sentence=$1
	shift
	exits 2 "$sentence is a usage error" "$nbdsync" "$@"
	like "$sentence: one sentence and a pointer" \
	    "$(echo "$err" | sed 's/^/|/' | tr '\n' ' ')" \
	    "^\|nbdsync: .* \|Try 'nbdsync .*--help'. \$"
}

bad "no command"
bad "an unknown command" frobnicate
bad "an unknown option without a command" --frobnicate
bad "an unknown option" copy --frobnicate a b
bad "a missing argument" copy a
bad "an argument too many" list nbd://a/ nbd://b/
bad "nothing to compare with" compare a
bad "an option without its value" status --socket
bad "a value that is none of the option's" list --json=1 nbd://a/
bad "a range that is none" copy --range 5 a b
bad "an empty range" copy --range 0:0 a b
bad "no connections" copy --connections 0 a b
bad "too many connections" copy --connections 1000 a b
bad "an odd request size" copy --request-size 1000 a b
bad "a request size that is none" copy --request-size big a b
bad "a time without a unit" copy --io-timeout 5 a b
bad "--full without a checkpoint" copy --full a b
bad "--max-bad without skipping" copy --max-bad 1MiB a b
bad "--max-bad with another policy" compare --on-read-error retry \
    --max-bad 1MiB a b
bad "fewer retries than none" copy --retries -1 a b
like "which says how few there may be" "$err" "from 0 to 1000"
bad "a bracket that is not closed" copy [ nbdkit memory 1M null:
bad "a bracket that is not opened" copy nbdkit ] null:
bad "an empty command" copy [ ] null:
bad "a URI with a space" copy 'nbd://host/a b' null:
bad "a URI with a space to be listed" list 'nbd://host/a b'
bad "a URI with a space to be looked at" info 'nbd://ho st/'
bad "a URI of another kind" list http://localhost/
bad "a context without a name" info --map= nbd://a/
bad "--totals without --map" info --totals nbd://a/
bad "--timeout without --wait" start --timeout 5s vm1
bad "help for what is no command" help frobnicate

run "$nbdsync" cpy
like "a slip of the finger is understood" "$err" "did you mean 'copy'"

run "$nbdsync" status --wach=5s
like "also in an option" "$err" "no option '--wach'; did you mean '--watch'"
run "$nbdsync" status --frobnicate
unlike "but nothing is guessed" "$err" "did you mean"

exits 0 "--version succeeds" "$nbdsync" --version
like "and has a number" "$out" '^nbdsync [0-9]+\.[0-9]+'
exits 0 "--help succeeds" "$nbdsync" --help
is "on standard output" "$err" ""
commands=$(echo "$out" | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
is "it tells of all commands" "$commands" "$known"
for command in $commands; do
	run "$nbdsync" "$command" --help
	by_option=$out
	run "$nbdsync" help "$command"
	is "help $command is $command --help" "$out" "$by_option"
	like "and begins with the usage" "$out" "^Usage: nbdsync $command "
done
