# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Building out of tree.  Sourced by run-tests and quickstart, in the top
# directory.

# make_configure LOG: the generated files of the build system, if older than
# what they are made from.
make_configure()
{
	if [ -x configure ] && [ -z "$(find configure.ac Makefile.am \
	    ./*/local.mk lib/client/nbdclient.pc.in -newer configure)" ]; then
		return
	fi
	mkdir -p m4
	autoreconf -fi >"$1" 2>&1 && return
	cat "$1" >&2
	return 1
}

# build_in DIRECTORY CONFIGURE-ARGUMENTS...: configure if it was not so
# configured before, and make.
build_in()
{
	local dir=$1 top=$PWD

	shift
	mkdir -p "$dir"
	if ! { [ -f "$dir/config.status" ] &&
	    [ ! configure -nt "$dir/config.status" ] &&
	    [ "$(cat "$dir/configured-with" 2>/dev/null)" = "$*" ]; }; then
		(cd "$dir" && "$top/configure" -q "$@") \
		    >"$dir/configure.log" 2>&1 || {
			cat "$dir/configure.log" >&2
			return 1
		}
		echo "$*" >"$dir/configured-with"
	fi
	make -C "$dir" -j"$(nproc)" >"$dir/make.log" 2>&1 && return
	tail -n 60 "$dir/make.log" >&2
	return 1
}
