#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each test that doc/reliability.md names is one that make check runs, and
# each of its promises names one.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 5

# The names of tests, as paths from the top; what has such a path is a tool.
named()
{
	grep -o '`[a-z]*/[A-Za-z0-9_./-]*`' doc/reliability.md | tr -d '`' |
	    grep -v '^tests/' | sed 's|^|tests/|' | sort -u
}

tests_exist()
(
	cd "$1" || exit 1
	named | while read -r test; do
		case " $(echo "$all_tests" | tr -s ' \t' '  ') " in
		*" $test "*) ;;
		*) echo "$test: make check does not run it" ;;
		esac
	done | nothing
)

# A promise is a numbered paragraph.
promises_are_kept()
(
	cd "$1" || exit 1
	awk '
	function judge() {
		if (promise != "" && !named)
			print "no test: " promise
		named = 0
		promise = ""
	}
	/^[0-9]+\. / { judge(); promise = $0 }
	/^#/ { judge() }
	/`[a-z]+\/[A-Za-z0-9_.\/-]+`/ { named = 1 }
	END { judge() }' doc/reliability.md | nothing
)

ok "each test that is named is run" tests_exist "$srcdir"
ok "each promise names a test" promises_are_kept "$srcdir"
printf '1. True: `fault/no-such.t`.\n' | tree doc/reliability.md
reports "a test that does not exist is reported" tests_exist \
    'no-such.t: make check does not run it'
ok "a promise with a test is right" promises_are_kept "$tmp/tree"
printf '1. True.\n\n2. Tested: `sim/sim-copy`.\n' | tree doc/reliability.md
reports "one without is reported" promises_are_kept 'no test: 1. True'
