# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What nbdsync needs, and how to get it on Debian and Ubuntu.  Sourced by
# run-tests and quickstart, so that both agree.
#
# A dependency is there if its probe says so, wherever it came from: then
# nothing is installed for it.  What counts as a probe:
#
#	program NAME	is in PATH
#	module NAME	pkg-config knows it
#	header NAME	the C compiler finds it
#
# Administrators' programs (mke2fs) are not in everybody's PATH.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# purpose	Debian package		probe
dependencies='
build		gcc			program gcc
build		binutils		program objcopy
build		libc6-dev		header stdio.h
build		make			program make
build		autoconf		program autoreconf
build		automake		program automake
build		libtool			program libtoolize
build		pkg-config		program pkg-config
build		libevent-dev		module libevent_core
build		libevent-dev		module libevent_extra
build		libconfig-dev		module libconfig
build		libjansson-dev		module jansson
build		libssl-dev		module openssl
build		libsqlite3-dev		module sqlite3
build		libsystemd-dev		module libsystemd
build		libxxhash-dev		module libxxhash
demo		nbdkit			program nbdkit
demo		e2fsprogs		program mke2fs
test		check			module check
test		chromium		program chromium
test		nbdkit			program nbdkit
test		nbdkit-plugin-dev	module nbdkit
test		libnbd-bin		program nbdcopy
test		libnbd-bin		program nbdinfo
test		qemu-system-common	program qemu-storage-daemon
test		qemu-utils		program qemu-nbd
test		qemu-utils		program qemu-img
test		nbd-server		program nbd-server
test		curl			program curl
test		gnutls-bin		program certtool
test		gnutls-bin		program psktool
test		openssl			program openssl
test		gddrescue		program ddrescue
test		gddrescue		program ddrescuelog
test		jq			program jq
test		libxml2-utils		program xmllint
test		mandoc			program mandoc
test		perl			program json_pp
test		perl-base		program perl
test		procps			program ps
test		prometheus		program promtool
test		sqlite3			program sqlite3
test		strace			program strace
test		systemd			program systemd-analyze
test		systemd			program systemd-socket-activate
test		systemd			program systemd-sysusers
test		systemd			program systemd-tmpfiles
test		tmux			program tmux
test		util-linux		program script
test		util-linux		program setpriv
test		xxhash			program xxhsum
test		xz-utils		program xz
package		debhelper		program dh
package		dpkg-dev		program dpkg-buildpackage
package		lintian			program lintian
package		mmdebstrap		program mmdebstrap
package		rpm			program rpmbuild
package		rpmlint			program rpmlint
'

# probe KIND NAME
probe()
{
	case $1 in
	program) command -v "$2" >/dev/null ;;
	module) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
	header) echo "#include <$2>" | gcc -E - >/dev/null 2>&1 ;;
	esac
}

# missing PURPOSE...: lines "PACKAGE KIND NAME" of what is not there.
missing()
{
	local purpose package kind name

	while read -r purpose package kind name; do
		[[ " $* " == *" $purpose "* ]] || continue
		probe "$kind" "$name" || echo "$package $kind $name"
	done <<<"$dependencies"
}

is_debian()
{
	command -v apt-get >/dev/null && command -v dpkg >/dev/null
}

# as_root COMMAND...
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "This needs root, and there is no sudo: $*" >&2
		return 1
	fi
}

apt()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
	    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# apt_install LOG PACKAGE...
apt_install()
{
	local log=$1

	shift
	if apt update >"$log" 2>&1 &&
	    apt install --no-install-recommends "$@" >>"$log" 2>&1; then
		return
	fi
	tail -n 40 "$log" >&2
	echo "Installing failed.  As root, try:" >&2
	echo "    apt-get update && apt-get install $*" >&2
	return 1
}

explain_missing()
{
	echo "This is neither Debian nor Ubuntu, so nothing is installed for"
	echo "you.  These are missing; the packages are called as in Debian:"
	while read -r package kind name; do
		printf '    %-10s %-18s (package %s)\n' "$kind" "$name" \
		    "$package"
	done
	echo "Install them with your system's package manager and try again."
}

# install_missing LOG PURPOSE...: what is needed for these purposes.
install_missing()
{
	local log=$1
	local lacking
	local -a packages

	shift
	lacking=$(missing "$@")
	if [ -z "$lacking" ]; then
		echo "Nothing to install: all that is needed is there."
		return
	fi
	if ! is_debian; then
		explain_missing <<<"$lacking" >&2
		return 1
	fi
	mapfile -t packages < <(awk '{ print $1 }' <<<"$lacking" | sort -u)
	echo "Installing what is missing: ${packages[*]}"
	apt_install "$log" "${packages[@]}" || return 1
	lacking=$(missing "$@")
	if [ -n "$lacking" ]; then
		echo "Still missing after installing:" >&2
		echo "$lacking" >&2
		return 1
	fi
}
