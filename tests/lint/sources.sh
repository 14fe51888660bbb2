#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file that is compiled, run or shipped is in a list of a local.mk:
# a test that nobody runs looks like one that passes.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 5

# What local.mk files name, as paths from the top.  Tests lose their suffix.
listed()
{
	for mk_ in */local.mk */*/local.mk; do
		[ -f "$mk_" ] || continue
		dir_=$(dirname "$mk_")
		grep -o '%D%/[A-Za-z0-9_./-]*' "$mk_" | sed "s|%D%|$dir_|"
	done
}

sources()
(
	cd "$1" || exit 1
	listed >"$tmp/listed"
	{
		c_files lib daemon cli tests doc
		find tests -name '*.t' -o -path 'tests/lint/*.sh'
	} | while read -r file; do
		grep -q -x -F -e "$file" -e "${file%.c}" "$tmp/listed" ||
		    echo "$file: in no local.mk"
	done | nothing
)

ok "every source of this tree is in a list" sources "$srcdir"
printf 'a_SOURCES = %%D%%/base/a.c\n' | tree lib/local.mk
mkdir -p "$tmp/tree/lib/base" "$tmp/tree/tests"
touch "$tmp/tree/lib/base/a.c"
ok "a listed file is right" sources "$tmp/tree"
touch "$tmp/tree/lib/base/ab.c"
reports "a forgotten file is reported" sources 'lib/base/ab.c: in no local.mk'

# What make runs: a list that breaks off in the middle still has its lines.
unrun()
(
	cd "$1" || exit 1
	find tests -name '*.t' -o -name 'test-*.c' -o -name 'sim-*.c' |
	    while read -r file; do
		case " $(echo "$all_tests" | tr -s ' \t' '  ') " in
		*" ${file%.c} "*) ;;
		*) echo "$file: make check does not run it" ;;
		esac
	done | nothing
)

ok "make check runs every test of this tree" unrun "$srcdir"
: | tree tests/integration/no-such.t
reports "one that it does not run is reported" unrun \
    'no-such.t: make check does not run it'
