#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No line of C is wider than 80 columns, with tabs of 8.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 5

columns()
(
	cd "$1" || exit 1
	# shellcheck disable=SC2046
	awk '{
		width = 0
		n = split($0, part, "\t")
		for (i = 1; i <= n; i++) {
			width += length(part[i])
			if (i < n)
				width += 8 - width % 8
		}
		if (width > 80)
			print FILENAME ":" FNR ": " width " columns"
	}' $(c_files lib daemon cli tests doc) /dev/null | nothing
)

# of N: a line of so many characters behind a tab.
of()
{
	printf "\\t%0${1}d\\n" 0 | tree lib/base/a.c
}

ok "no line of this tree is wider than 80 columns" columns "$srcdir"
of 72
ok "80 columns are allowed" columns "$tmp/tree"
of 73
reports "81 are reported" columns 'a.c:1: 81 columns'
printf 'a\t%071d\n' 0 | tree lib/base/a.c
ok "a tab goes to the next eighth column" columns "$tmp/tree"
printf '12345678\t%065d\n' 0 | tree lib/base/a.c
reports "or to the one after that" columns 'a.c:1: 81 columns'
