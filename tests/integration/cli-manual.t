#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nbdsync(1) describes every command and option there is, and no other.
. "$srcdir/tests/lib/testlib.sh"
requires jq --version

page=$srcdir/doc/nbdsync.1
run "$nbdsync" help --json
[ "$status" -eq 0 ] || bail "there is no help as JSON: $err"
help=$out
commands=$(echo "$help" | jq -r '.commands[].name')
# shellcheck disable=SC2086
set -- $commands
plan $((3 + 3 * $#))

# The options of a command's part of the page: "--name" or "--name VALUE".
documented()
{
	sed -n "/^\.Ss $1\$/,/^\.S/p" "$page" |
	    sed -n 's/^\.It Fl \([a-zA-Z] , \)\{0,1\}-\([a-z-]*\).*/--\2/p' |
	    sort
}
# --help is described once, for all.
offered()
{
	echo "$help" | jq -r --arg c "$1" '.commands[] | select(.name == $c) |
	    .options[].name | select(. != "help") | "--" + .' | sort
}

is "all commands have their part, in the same order" "$(sed -n \
    '/^\.Sh COMMANDS/,/^\.Sh SIGNALS/s/^\.Ss //p' "$page")" "$commands"
is "and are in the synopsis" "$(sed -n \
    '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.Cm //p' "$page")" "$commands"
for command in $commands; do
	is "the options of $command are those it has" \
	    "$(documented "$command")" "$(offered "$command")"
	run "$nbdsync" "$command" --help
	is "and those that its help shows" "$(offered "$command")" \
	    "$(echo "$out" | sed -n \
	    '/^Options:/,$s/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' |
	    grep -v '^--help$' | sort)"
	like "$command has --json" "$(offered "$command")" '^--json$'
done
is "the exit codes are those of the program" \
    "$(sed -n '/^\.Sh EXIT/,/^\.Sh EX/s/^\.It \([0-9]*\)$/\1/p' "$page")" \
    "$(sed -n 's/^	CLI_.* = \([0-9]*\),/\1/p' "$srcdir/cli/exit-codes.h")"
