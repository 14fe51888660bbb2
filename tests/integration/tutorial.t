#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tutorial has to be typed works, line by line, in one shell, and
# prints what it says.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=rate file --version

# N.sh, what is typed, with the lines that go on (">"), and N.out, what comes.
awk '/^```console$/ { on = 1; next }
    /^```$/ { on = 0; next }
    !on { next }
    /^\$ / { n++; print substr($0, 3) >(dir "/" n ".sh")
	    printf "" >(dir "/" n ".out"); next }
    /^> / { print substr($0, 3) >(dir "/" n ".sh"); next }
    { print >(dir "/" n ".out") }
    END { print n >(dir "/n") }' dir="$tmp" "$srcdir/doc/tutorial.md"
n=$(cat "$tmp/n")
plan $((2 * n + 1))
ok "there is something to be typed" test "$n" -gt 20

# as_told N: each line of N.out is one of N.got, in order; "..." is anything,
# and alone on a line any number of lines.
cat >"$tmp/as-told.pl" <<'END'
sub slurp { local (@ARGV, $/) = @_; my $t = <>; defined $t ? $t : "" }
my ($got, $told) = map { slurp($_) } @ARGV;
my $re = join "", map {
	$_ eq "...\n" ? "(?:.*\n)*" :
	    join("[^\n]*", map { quotemeta } split /\.\.\./, $_, -1)
} $told =~ /.*\n/g;
exit($got =~ /\A$re\z/ ? 0 : 1);
END
as_told()
{
	perl "$tmp/as-told.pl" "$tmp/$1.got" "$tmp/$1.out" && return
	echo "told:" && cat "$tmp/$1.out" && echo "got:" && cat "$tmp/$1.got"
	return 1
}

PATH=$builddir:$PATH
export PATH
unset NBDSYNC_SOCKET STATE_DIRECTORY
daemon_=
at_exit 'kill $daemon_ 2>/dev/null
    kill -KILL $(cat "$tmp/tutorial/nbdkit.pid") 2>/dev/null'
# Some lines wait for something, as long as it takes.
start_process limit perl -e 'sleep 300; kill TERM => shift' $$
cd "$tmp" || exit 1
i=0
while [ $((i += 1)) -le "$n" ]; do
	set +u
	. "$tmp/$i.sh" >"$tmp/$i.got" 2>&1
	typed_=$?
	daemon_=$!
	set -u
	is "line $i works: $(head -n 1 "$tmp/$i.sh")" "$typed_" 0
	ok "and prints what is told" as_told "$i"
done
