# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the lints share.  A lint is a function of a tree that prints what is
# wrong with it, a line each, and then fails.  It is tried on this tree, and
# on small trees with one fault each: a lint that cannot fail proves nothing.

# shellcheck source=tests/lib/testlib.sh
. "$srcdir/tests/lib/testlib.sh"

# The C files of a tree, below the directories that are given.
c_files()
{
	for dir_ in "$@"; do
		[ -d "$dir_" ] && find "$dir_" -name '*.[ch]'
	done | LC_ALL=C sort
}

# Print standard input and fail if there is any.
nothing()
{
	! grep .
}

# tree PATH: a small tree with one file, from standard input, in $tmp/tree.
tree()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/$(dirname "$1")"
	cat >"$tmp/tree/$1"
}

# reports SENTENCE LINT COMPLAINT: the lint fails on $tmp/tree, with this
# complaint.
reports()
{
	run "$2" "$tmp/tree"
	like "$1" "status $status: $out" "^status 1: .*$3"
}
