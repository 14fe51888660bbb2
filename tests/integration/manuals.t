#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manuals are well-formed, have all that there is, and show what works.
# (nbdsync(1), the options of nbdsync.conf(5) and the calls of nbdclient(3)
# have tests of their own.)
. "$srcdir/tests/lib/testlib.sh"
requires mandoc -T ascii "$srcdir/doc/nbdsyncd.8"
plan 17

doc=$srcdir/doc
# The sections of ours that mandoc expects elsewhere.
lint()
{
	mandoc -T lint -W warning "$1" 2>&1 |
	    grep -v -e 'unexpected section: Sh ERRORS' \
	    -e 'conventional order: Sh EXAMPLES'
}
for page in nbdclient.3 nbdsync-api.7 nbdsync.1 nbdsync.conf.5 nbdsyncd.8; do
	is "$page is well-formed" "$(lint "$doc/$page")" ""
done
printf '.Dd x\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd b\n.Bl -tag\n' >"$tmp/bad.1"
like "what is not is found" "$(lint "$tmp/bad.1")" 'WARNING|ERROR'

# Each page names the others by the right section.
is "no manual speaks of one that is not there" "$(sed -n \
    's/^\.Xr \(nbd[a-z.-]*\) \([0-9]\).*/\1.\2/p' "$doc"/*.[1-8] |
    sort -u | while read -r page; do
	case $page in
	nbdkit.* | nbdcopy.* | nbd-server.*) ;;
	*) [ -f "$doc/$page" ] || echo "$page" ;;
	esac
done)" ""

sed -n 's/.*{ CTL_\([A-Z]*\), "\([^"]*\)".*/\1 \2/p' \
    "$srcdir/daemon/control/routes.c" | sort >"$tmp/routes"
ok "there are routes" test "$(wc -l <"$tmp/routes")" -gt 15
sed -n 's/^\.It Cm \([A-Z]* \/.*\)/\1/p' "$doc/nbdsync-api.7" |
    sed 's/ , /\n/g' | sort >"$tmp/told"
is "nbdsync-api(7) has each of them, and no other" \
    "$(diff "$tmp/routes" "$tmp/told")" ""

# "run.started" and its like; those of no job, too.
kinds='\(run\|job\|verify\|config\|daemon\)\.[a-z][a-z-]*'
grep -rho "\"$kinds\"" "$srcdir/daemon" | tr -d '"' | grep -v '\.h$' |
    sort -u >"$tmp/events"
ok "there are events" test "$(wc -l <"$tmp/events")" -gt 15
sed -n '/^\.It Cm GET \/v1\/events/,/^\.It Cm GET \/metrics/p' \
    "$doc/nbdsync-api.7" | grep -o "\(^\|[ (]\)$kinds\($\|[ ;]\)" | tr -d ' ;(' |
    sort -u >"$tmp/told"
is "nbdsync-api(7) tells of each event, and of no other" \
    "$(diff "$tmp/events" "$tmp/told")" ""
sed -n 's/^	\[HOOK_[A-Z_]*\] = "\([a-z]*_*[a-z_]*\)",$/\1/p' \
    "$srcdir/daemon/job/hooks.c" | grep -v -e succeeded -e skipped \
    -e failed | sort >"$tmp/hooks"
is "nbdsync.conf(5) tells of each hook what its environment says" "$(sed -n \
    '/^\.Sh HOOKS/,/^\.Sh/p' "$doc/nbdsync.conf.5" | tr '\n' ' ' |
    sed 's/.*NBDSYNC_HOOK (\([^)]*\)).*/\1/; s/ or /,/; s/,/\n/g' |
    tr -d ' ' | sort)" "$(cat "$tmp/hooks")"
is "nbdsync-api(7) counts them" "$(tr '\n' ' ' <"$doc/nbdsync-api.7" |
    sed 's/.*\.Va hook (\([^)]*\)).*/\1/; s/, /\n/g' | sort)" \
    "$(cat "$tmp/hooks")"

is "nbdsyncd(8) has the options of nbdsyncd --help, and no other" \
    "$(sed -n '/^The options are/,/^\.El/s/^\.It Fl \(. , \)\{0,1\}-\([a-z]*\).*/--\2/p' \
    "$doc/nbdsyncd.8" | sort)" "$("$nbdsyncd" --help |
    sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z]*\).*/\2/p' | sort)"
is "and its exit statuses" "$(sed -n '/^\.Sh EXIT/,/^\.El/s/^\.It //p' \
    "$doc/nbdsyncd.8" | tr '\n' ' ')" "$("$nbdsyncd" --help |
    sed -n '/^Exit status/s/[^0-9]\{1,\}/ /gp' | sed 's/^ //')"

ok "nbdsync.conf, as it is installed, is good" "$nbdsync" configcheck \
    "$srcdir/conf/nbdsync.conf"
awk '/^\.Sh EXAMPLES/ { on = 1 } on && /^\.Ed/ { n++; file = "" }
    file { print >file } on && /^\.Bd/ { file = dir "/example-" n ".conf" }' \
    n=0 dir="$tmp" "$doc/nbdsync.conf.5"
problems=
for file in "$tmp"/example-*.conf; do
	problems=$problems$("$nbdsync" configcheck "$file" 2>&1 |
	    grep -v ': ok, ')
done
is "the examples of nbdsync.conf(5) are" "$problems" ""
