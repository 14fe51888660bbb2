#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No function is longer than 60 lines.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 3

# A function's braces are the ones in the first column.
functions()
(
	cd "$1" || exit 1
	# shellcheck disable=SC2046
	awk '
	FNR == 1 { inside = 0 }
	/^[A-Za-z_].*\(/ { name = $0 }
	/^\{/ { inside = 1; start = FNR }
	/^\}/ && inside {
		inside = 0
		if (FNR - start - 1 > 60)
			print FILENAME ":" start ": " FNR - start - 1 \
			    " lines: " name
	}' $(c_files lib daemon cli tests) /dev/null | nothing
)

function_of()
{
	{
		printf 'void\nlong_one(void)\n{\n'
		seq -f '	do_it(%.0f);' "$1"
		printf '}\n'
	} | tree lib/base/a.c
}

ok "no function of this tree is longer than 60 lines" functions "$srcdir"
function_of 60
ok "60 lines are allowed" functions "$tmp/tree"
function_of 61
reports "61 lines are reported" functions 'a.c:3: 61 lines: long_one'
