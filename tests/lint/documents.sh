#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file that ARCHITECTURE.md or HACKING.md names is there.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 5

# Words in backquotes that look like a source; in capitals stands a name of
# the reader's.  A name without its directory is one of the row's before.
named()
{
	# shellcheck disable=SC2016
	grep -n -o '`[^` ]*\.\(c\|h\|t\|sh\|conf\|json\|mk\)`' "$1" |
	    grep -v -e '[A-Z]\{3\}' -e '`\.' -e '[*]' | tr -d '`'
}

documents()
(
	cd "$1" || exit 1
	find . -type f -not -path './build/*' | sed 's,^\.,,' >"$tmp/files"
	for document in ARCHITECTURE.md HACKING.md; do
		[ -f "$document" ] || continue
		named "$document" | while IFS=: read -r line name; do
			grep -q -e "/$name\$" "$tmp/files" ||
			    echo "$document:$line: there is no $name"
		done
	done | nothing
)

ok "every file that this tree's documents name is there" documents "$srcdir"
# shellcheck disable=SC2016
echo '| a | `lib/base/a.c`, `b.h` |' | tree ARCHITECTURE.md
reports "one that is not is reported" documents \
    'ARCHITECTURE.md:1: there is no lib/base/a.c'
mkdir -p "$tmp/tree/lib/base"
touch "$tmp/tree/lib/base/a.c"
reports "also without its directory" documents \
    'ARCHITECTURE.md:1: there is no b.h'
touch "$tmp/tree/lib/base/b.h"
ok "those that are there are right" documents "$tmp/tree"
# shellcheck disable=SC2016
echo '`cli/NAME.c` is a new command' >"$tmp/tree/HACKING.md"
ok "as is a place for a name" documents "$tmp/tree"
