#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A destination file that a copy makes is still there after a power cut: its
# directory is flushed, too.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires strace -e inject=fsync:error=EIO true
plan 11

mkdir "$tmp/dir"
make_data "$tmp/src.img" $MiB source

# copy_traced DESTINATION [STRACE-ARGUMENTS...]
copy_traced()
{
	to_=$1
	shift
	# The sanitizer cannot look for leaks in what is traced.
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -y \
	    -e signal=none -e trace=fsync -o "$tmp/trace" "$@" \
	    "$nbdsync" copy "$tmp/src.img" "$to_"
}

exits 0 "a file is made" copy_traced "$tmp/dir/new.img"
ok "as a copy" cmp "$tmp/src.img" "$tmp/dir/new.img"
like "its directory is flushed" "$(cat "$tmp/trace")" \
    "fsync\\([0-9]+<$tmp/dir>\\) += 0"
exits 0 "one that is there" copy_traced "$tmp/dir/new.img"
unlike "has no need of it" "$(cat "$tmp/trace")" "$tmp/dir>"

exits 4 "where that fails, the copy has failed" copy_traced \
    "$tmp/dir/lost.img" -e inject=fsync:error=EIO
like "as it says" "$err" "destination '$tmp/dir/lost.img': cannot flush the \
directory of the new file: Input/output error"
not_ok "and no file is left that could be taken for a copy" \
    test -e "$tmp/dir/lost.img"
exits 0 "a file system that has nothing to flush is none the worse" \
    copy_traced "$tmp/dir/other.img" -e inject=fsync:error=EINVAL

cd "$tmp/dir" || exit 1
exits 0 "the directory of a name without one" copy_traced here.img
like "is the one we are in" "$(cat "$tmp/trace")" "fsync\\([0-9]+<$tmp/dir>\\)"
