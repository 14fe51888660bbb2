#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What configure cannot do without is what packages are built with, and what
# run-tests installs: on the machine of who forgets it, it is there.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 5

# Modules that configure asks for without saying what else to do.
needed()
{
	sed -n 's/^PKG_CHECK_MODULES(\[[A-Z_]*\], \[\([a-z0-9_]*\)[^]]*\])$/\1/p' \
	    configure.ac
}

# The parts of libevent have files of their own, and one package.
packages()
(
	cd "$1" || exit 1
	needed | while read -r module; do
		package=$(awk -v m="$module" '$1 == "build" &&
		    $3 == "module" && $4 == m { print $2 }' \
		    packaging/dependencies.sh)
		[ "$package" ] ||
		    echo "dependencies.sh: no package has $module"
		grep -q "^ $package," packaging/debian/control ||
		    echo "debian/control: nothing has $module"
		grep -q -F "pkgconfig(${module%_*})" packaging/nbdsync.spec ||
		    echo "nbdsync.spec: nothing has $module"
	done | nothing
)

# with MODULE: a small tree that asks for it, and has packages for jansson.
with()
{
	echo "PKG_CHECK_MODULES([A], [$1 >= 1])" | tree configure.ac
	mkdir -p "$tmp/tree/packaging/debian"
	echo 'build	libjansson-dev	module jansson' \
	    >"$tmp/tree/packaging/dependencies.sh"
	echo ' libjansson-dev,' >"$tmp/tree/packaging/debian/control"
	echo 'BuildRequires: pkgconfig(jansson)' \
	    >"$tmp/tree/packaging/nbdsync.spec"
}

ok "configure needs something" sh -c "cd '$srcdir' &&
    grep -q '^PKG_CHECK_MODULES(\[JANSSON\], ' configure.ac"
ok "the packages of this tree are built with all that it needs" \
    packages "$srcdir"
with jansson
ok "what they are built with is right" packages "$tmp/tree"
with sqlite3
reports "what they are not is reported" packages \
    'dependencies.sh: no package has sqlite3'
with jansson
: >"$tmp/tree/packaging/nbdsync.spec"
reports "also where one lacks it" packages 'nbdsync.spec: nothing has jansson'
