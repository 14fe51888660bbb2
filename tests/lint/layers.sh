#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The table in layers.conf is the architecture; this makes it true.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 10

layers()
(
	cd "$1" || exit 1
	# shellcheck disable=SC2046 # our names have no blanks
	awk '
	function dirname(p) { return sub(/\/[^\/]*$/, "", p) ? p : "" }
	function complain(why) { print FILENAME ":" FNR ": " why; bad = 1 }

	FILENAME ~ /layers\.conf$/ {
		sub(/#.*/, "")
		if (NF)
			dir[$1] = 1
		for (i = 2; i <= NF; i++) {
			if (sub(/^!/, "", $i)) {
				never[$1, $i] = 1
				named[$i] = 1
				continue
			}
			ok[$1, $i] = 1
			if ($i ~ /^</)
				guarded[$i] = named[$i] = 1
			else if (!($i in dir))
				complain($i " must have a line further up")
		}
		next
	}
	FNR == 1 {
		here = dirname(FILENAME)
		if (!(here in dir))
			complain("directory is not in layers.conf")
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, q, "\"")
		there = dirname(q[2])
		# daemon/ is where its includes begin.
		if (there == "" && here == "daemon")
			next
		if (there == "") {
			complain("name the directory: \"" q[2] "\"")
			next
		}
		if (("lib/" there) in dir)
			there = "lib/" there
		else if (("daemon/" there) in dir)
			there = "daemon/" there
		if (!(there in dir))
			complain("unknown directory " there)
		else if (there != here && !((here, there) in ok))
			complain(here " must not include " there)
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		name = $0
		sub(/^[^<]*/, "", name)
		for (g in named) {
			start = g
			sub(/\/>$/, "/", start)
			if (index(name, start) != 1)
				continue
			if ((g in guarded && !((here, g) in ok)) || \
			    (here, g) in never)
				complain(here " must not use " g)
		}
	}
	END { exit bad }' tests/lint/layers.conf $(c_files lib daemon cli)
)

# One file that includes what is given, under the real table.
including()
{
	echo "#include $2" | tree "$1"
	mkdir -p "$tmp/tree/tests/lint"
	cp "$srcdir/tests/lint/layers.conf" "$tmp/tree/tests/lint/"
}

ok "the includes of this tree follow the layers" layers "$srcdir"

including lib/net/good.c '"base/error.h"'
ok "an include downwards is right" layers "$tmp/tree"
including lib/base/bad.c '"net/loop.h"'
reports "an include upwards is reported" layers \
    'bad.c:1: lib/base must not include lib/net'
including lib/nbd/bad.c '"copy/lane.h"'
reports "an include of a sibling is reported" layers \
    'lib/nbd must not include lib/copy'
including cli/bad.c '"control/routes.h"'
reports "the command must not reach into the daemon" layers \
    'cli must not include daemon/control'
including lib/copy/bad.c '<pthread.h>'
reports "a guarded header is reported" layers \
    'lib/copy must not use <pthread.h>'
including lib/nbd/bad.c '<time.h>'
reports "so is the clock where there must be none" layers \
    'lib/nbd must not use <time.h>'
including daemon/job/bad.c '<event2/event.h>'
reports "a guarded library is reported" layers \
    'daemon/job must not use <event2/>'
including lib/net/bad.c '"loop.h"'
reports "an include without its directory is reported" layers \
    'name the directory: "loop.h"'
including lib/magic/bad.c '"base/error.h"'
reports "a directory without a place is reported" layers \
    'directory is not in layers.conf'
