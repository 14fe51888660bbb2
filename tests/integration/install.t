#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What "make install" puts where, and that the daemon runs from there.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires make --version
requires nbdkit file --version
prefix=$(sed -n 's/^prefix = //p' "$builddir/Makefile")
plan 20

root=$tmp/root
install_it()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u DESTDIR make -s \
	    -C "$builddir" install DESTDIR="$root" >"$tmp/install.log" 2>&1
}
ok "it is installed" install_it
units=$(sed -n 's/^systemdsystemunitdir = //p' "$builddir/Makefile" |
    sed "s,\${prefix},$prefix,")
usr=$root$prefix

(cd "$root" && find . -type f -o -type l) | sed 's,^\.,,' |
    grep -v -e "^$prefix/lib/.*libnbdclient\." \
    -e "^$prefix/include/" | sort >"$tmp/got"
expected="$units/nbdsync-job@.service
$units/nbdsync-job@.timer
$units/nbdsync-notify@.service
$units/nbdsync.service
$units/nbdsync.socket
$(cd "$srcdir" && for page in doc/*.[1-8]; do
	echo "$prefix/share/man/man${page##*.}/${page#doc/}"
done
for file in README.md ARCHITECTURE.md HACKING.md COPYING doc/*.md; do
	echo "$prefix/share/doc/nbdsync/${file#doc/}"
done
find doc/examples packaging/prometheus packaging/logrotate conf/nbdsync.conf \
    -type f |
    sed -e 's,^doc/,,' -e 's,^packaging/,examples/,' -e 's,^conf/,examples/,' \
    -e "s,^,$prefix/share/doc/nbdsync/,")
$prefix/bin/nbdsync
$prefix/lib/pkgconfig/nbdclient.pc
$prefix/lib/systemd/catalog/nbdsync.catalog
$prefix/lib/sysusers.d/nbdsync.conf
$prefix/lib/tmpfiles.d/nbdsync.conf
$prefix/libexec/nbdsync/notify
$prefix/sbin/nbdsyncd
$prefix/share/bash-completion/completions/nbdsync"
is "every file is where it belongs, and there is no other" \
    "$(echo "$expected" | sort | diff - "$tmp/got")" ""
is "the library has its headers" "$(cd "$usr/include" && echo *)" \
    "nbdclient-event.h nbdclient.h"
is "what is to be run can be" "$(cd "$usr" && find bin sbin libexec \
    share/doc/nbdsync/examples/hooks share/doc/nbdsync/examples/backup \
    -type f ! -perm -111)" ""
# When the release archive is tried, the prefix lies in its tree.
built="$(cd "$srcdir" && pwd)|$builddir|@[a-z]*dir@"
is "no file knows where it was built" "$(grep -rIE "$built" "$root" |
    sed "s,$prefix,,g" | grep -E "$built")" ""

# Its units speak of what is installed.
for unit in nbdsync.service nbdsync-job@.service nbdsync-notify@.service; do
	is "$unit runs what is there" "$(sed -n \
	    's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' "$root$units/$unit" |
	    while read -r program; do
		[ -x "$root$program" ] || echo "$program"
	    done)" ""
done
is "the daemon reads the file of this prefix" "$(sed -n \
    's/^ExecStart=.*--config //p' "$root$units/nbdsync.service")" \
    "$prefix/etc/nbdsync/nbdsync.conf"
is "whose directory is made" "$(grep -c "^d $prefix/etc/nbdsync 0755" \
    "$usr/lib/tmpfiles.d/nbdsync.conf")" 1

ok "the configuration among the examples is good" "$usr/bin/nbdsync" \
    configcheck "$usr/share/doc/nbdsync/examples/nbdsync.conf"
like "the completion is of this command" "$(cat \
    "$usr/share/bash-completion/completions/nbdsync")" '^complete .*nbdsync$'
is "it is what the command prints" "$("$usr/bin/nbdsync" completion bash |
    cmp - "$usr/share/bash-completion/completions/nbdsync" 2>&1)" ""

make_data "$tmp/disk" "$MiB" 1
truncate -s 1M "$tmp/copy"
conf "endpoints = ( { name = \"disk\"; path = \"$tmp/disk\"; },
  { name = \"copy\"; path = \"$tmp/copy\"; } );
jobs = ( { name = \"vm1\"; source = \"disk\"; destination = \"copy\"; } );"
nbdsync=$usr/bin/nbdsync nbdsyncd=$usr/sbin/nbdsyncd
start_daemon "$tmp/conf"
is "the daemon that runs is that one" \
    "$(readlink "/proc/$(pid_of daemon)/exe")" "$usr/sbin/nbdsyncd"
ok "a job runs" "$nbdsync" start --wait vm1
ok "and has copied" cmp "$tmp/disk" "$tmp/copy"
ok "it reads its configuration again" "$nbdsync" reload
stop_process daemon
is "it ends well" "$?" 0

ok "all of it can be removed" env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s \
    -C "$builddir" uninstall DESTDIR="$root"
is "and is" "$(find "$root" -type f -o -type l)" ""
