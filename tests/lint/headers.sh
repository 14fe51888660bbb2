#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every header compiles alone, and guards itself against the second time.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 4

# Included twice: without a guard that is an error.
headers()
(
	cd "$builddir" || exit 1
	c_files "$1/lib" "$1/daemon" "$1/cli" "$1/tests/lib" |
	    grep '\.h$' | while read -r file; do
		printf '#include "%s"\n#include "%s"\n' "$file" "$file" \
		    >"$tmp/alone.c"
		# shellcheck disable=SC2086
		$CC $COMPILE_FLAGS -fsyntax-only "$tmp/alone.c" 2>&1 |
		    grep -E 'error' 
	done | nothing
)

ok "every header of this tree stands alone" headers "$srcdir"
printf '#ifndef A_H\n#define A_H\n#include <stdint.h>\nuint8_t a(void);\n#endif\n' |
    tree lib/base/a.h
ok "a header with what it needs is right" headers "$tmp/tree"
printf '#ifndef A_H\n#define A_H\nuint8_t a(void);\n#endif\n' |
    tree lib/base/a.h
reports "a header that needs another before it is reported" headers \
    'a.h:3:.*uint8_t'
printf 'struct a {\n\tint b;\n};\n' | tree lib/base/a.h
reports "a header without a guard is reported" headers \
    'redefinition of .struct a'
