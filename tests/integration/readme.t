#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of the README works as it stands, one after the other.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit file --version
requires curl --version
requires mke2fs -V

awk '/^```sh$/ { n++; file = sprintf("%s/example-%d.sh", dir, n); next }
    /^```$/ { file = ""; next }
    file { print >file }' dir="$tmp" "$srcdir/README.md"
n=$(find "$tmp" -name 'example-*.sh' | wc -l)
plan $((n + 1))
ok "the README has examples" test "$n" -ge 3

PATH=$builddir:$PATH
export PATH
mkdir "$tmp/work"
cd "$tmp/work" || exit 1
# The manuals of nbdkit may not be installed.
[ -d /usr/share/doc/nbdkit ] ||
    sed -i 's,/usr/share/doc/nbdkit,/usr/share/doc/base-files,' \
	"$tmp"/example-*.sh
i=0
while [ $((i += 1)) -le "$n" ]; do
	ok "example $i works" timeout 300 sh -e "$tmp/example-$i.sh"
done
