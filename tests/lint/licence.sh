#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file says under which licence it is, in its first three lines.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 4

wanted='SPDX-License-Identifier: LGPL-2\.1-or-later'

sources()
{
	c_files lib daemon cli tests doc
	for dir_ in lib daemon cli conf doc packaging tests; do
		[ -d "$dir_" ] && find "$dir_" -name '*.[1358]' -o \
		    -name '*.conf' -o -name '*.m4' -o -name '*.map' -o \
		    -name '*.mk' -o -name '*.service.in' -o -name '*.sh' \
		    -o -name '*.t'
	done
	for file_ in .ci/run Makefile.am configure.ac quickstart run-tests; do
		[ -f "$file_" ] && echo "$file_"
	done
}

licence()
(
	cd "$1" || exit 1
	sources | while read -r file; do
		head -n 3 "$file" | grep -q "$wanted" ||
		    echo "$file: no line with SPDX-License-Identifier"
	done | nothing
)

ok "every file names its licence" licence "$srcdir"
echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */' | tree lib/base/a.c
ok "a line in the beginning is enough" licence "$tmp/tree"
echo 'int a;' | tree lib/base/a.c
reports "a file without it is reported" licence 'lib/base/a.c: no line'
echo 'a:' | tree tests/local.mk
reports "so is one that is not C" licence 'tests/local.mk: no line'
