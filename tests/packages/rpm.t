#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The RPM spec is right, and the release archive becomes packages by it, with
# every file that is installed in one of them.  On Debian the macros of
# systemd are not there, so they are told; make check-packages runs it.
. "$srcdir/tests/lib/testlib.sh"
requires rpmspec --version
requires rpmbuild --version
requires rpmlint --version
plan 9

spec=$srcdir/packaging/nbdsync.spec
version=$(sed -n 's/^PACKAGE_VERSION = //p' "$builddir/Makefile")
archive=$builddir/nbdsync-$version.tar.xz
[ -f "$archive" ] || bail "there is no $archive: make dist"
exits 0 "the spec is read" rpmspec -P "$spec"
is "its version is ours" "$(rpmspec -q --srpm --qf '%{version}' "$spec")" \
    "$version"
# What it says beyond these is about the archive, which has no address, and
# rules of one distribution.
is "rpmlint has nothing to say" "$(rpmlint "$spec" 2>&1 |
    grep -E ': [EW]: ' | grep -v -e no-buildroot-tag -e mklibname \
    -e 'invalid-url Source0')" ""

mkdir -p "$tmp/rpm/SOURCES"
cp "$archive" "$tmp/rpm/SOURCES"
build()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC rpmbuild -bb --nodeps \
	    --nocheck --define "_topdir $tmp/rpm" \
	    --define '_unitdir /usr/lib/systemd/system' \
	    --define '_sysusersdir /usr/lib/sysusers.d' \
	    --define '_tmpfilesdir /usr/lib/tmpfiles.d' \
	    --define '_journalcatalogdir /usr/lib/systemd/catalog' \
	    --define '_pkgdocdir %{_docdir}/%{name}' \
	    --define '_smp_mflags -j2' \
	    --define 'sysusers_create_compat() true' \
	    --define 'tmpfiles_create() true' \
	    --define 'systemd_post() true' --define 'systemd_preun() true' \
	    --define 'systemd_postun_with_restart() true' \
	    "$spec" >"$tmp/build.log" 2>&1 </dev/null || {
		tail -n 40 "$tmp/build.log"
		return 1
	}
}
ok "the packages are built" build
content()
{
	rpm -qpl "$tmp"/rpm/RPMS/*/"$1-$version"-*.rpm
}
like "the daemon and its command are in one" "$(content nbdsync |
    tr '\n' ' ')" '/usr/bin/nbdsync .*/usr/sbin/nbdsyncd'
like "with its units" "$(content nbdsync)" '/nbdsync\.service$'
like "the library is in another" "$(content libnbdclient)" \
    '/libnbdclient\.so\.0$'
like "its header in a third" "$(content libnbdclient-devel)" \
    '/usr/include/nbdclient\.h$'
is "the configuration is one, and how logs are rotated" "$(rpm -qp --configfiles \
    "$tmp"/rpm/RPMS/*/nbdsync-"$version"-*.rpm)" "/etc/logrotate.d/nbdsync
/etc/nbdsync/nbdsync.conf"
