#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The installed libnbdclient is all that the example program needs.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=exportname pattern --version
requires nbd-server -V
requires perl -e 'use IO::Socket::INET'
: "${CC:=cc}" "${PKG_CONFIG:=pkg-config}" "${SANITIZE_FLAGS:=}"
plan 32

root=$tmp/root
unset MAKEFLAGS MFLAGS MAKELEVEL

install_library()
{
	make -C "$builddir" DESTDIR="$root" all-local \
	    install-libLTLIBRARIES install-includeHEADERS \
	    install-pkgconfigDATA
}

pkg_config()
{
	PKG_CONFIG_PATH=$(dirname "$(find "$root" -name nbdclient.pc)") \
	    PKG_CONFIG_SYSROOT_DIR=$root "$PKG_CONFIG" "$@" nbdclient
}

compile()
{
	# shellcheck disable=SC2046,SC2086
	$CC $SANITIZE_FLAGS "$@" $(pkg_config --cflags --libs)
}

# As strict a compiler as a caller may have.
compile_header()
{
	echo "#include <$1>" >"$tmp/header.c"
	compile -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only \
	    "$tmp/header.c"
}

# The library from its archive, the libraries that it needs as they come.
compile_static()
{
	# shellcheck disable=SC2046,SC2086
	$CC $SANITIZE_FLAGS -Wall -Wextra -Werror "$@" \
	    $(pkg_config --cflags) "$(find "$root" -name libnbdclient.a)" \
	    $(pkg_config --libs --static | sed 's/-lnbdclient//')
}

compile_event()
{
	# shellcheck disable=SC2046
	compile -Wall -Wextra -Werror -o "$tmp/read-event" "$1" \
	    -levent_core
}

exported_symbols()
{
	nm -D --defined-only "$(find "$root" -name 'libnbdclient.so')" |
	    awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

archived_symbols()
{
	nm -g --defined-only "$(find "$root" -name libnbdclient.a)" |
	    awk 'NF == 3 { print $3 }' | sort
}

mapped_symbols()
{
	sed -n 's/^	\(nbdclient_[a-z_]*\);$/\1/p' \
	    "$srcdir/lib/client/nbdclient.map" | sort
}

declared_symbols()
{
	grep -oh '^[a-z].*nbdclient_[a-z_]*(' \
	    "$srcdir/lib/client/nbdclient.h" \
	    "$srcdir/lib/client/nbdclient-event.h" |
	    grep -v '^typedef ' | grep -o 'nbdclient_[a-z_]*(' | tr -d '(' | sort -u
}

# The manual's own example, for the disk of $1.
compile_manual()
{
	{
		printf '#include <err.h>\n#include <stdio.h>\n'
		printf '#include <nbdclient.h>\nint main(void)\n{\n'
		sed -n '/^\.SH EXAMPLES/,/^\.SH INTER/p' \
		    "$srcdir/doc/nbdclient.3" | sed -n '/^\.EX/,/^\.EE/p' |
		    sed -e '/^\.E/d' -e "s|nbd://localhost/disk1|$1|"
		printf 'return fwrite(buffer, sizeof buffer, 1, stdout) != 1;\n}\n'
	} >"$tmp/manual.c"
	compile -Wall -Wextra -Werror -o "$tmp/manual" "$tmp/manual.c"
}

read_disk()
{
	"$tmp/read-disk" "$@"
}

ok "the library is installed" install_library
ok "its header stands alone in C99" compile_header nbdclient.h
ok "so does that of its event-driven face" compile_header nbdclient-event.h
is "it exports what the header declares and nothing else" \
    "$(exported_symbols)" \
    "$(declared_symbols)"
is "so does its archive" "$(archived_symbols)" "$(declared_symbols)"
is "each has a version" "$(mapped_symbols)" "$(declared_symbols)"
ok "the example compiles with the header and pkg-config alone" \
    compile -Wall -Wextra -Werror -o "$tmp/read-disk" \
    "$srcdir/doc/examples/read-disk.c"
LD_LIBRARY_PATH=$(dirname "$(find "$root" -name libnbdclient.so)")
export LD_LIBRARY_PATH

size=$((3 * MiB + 700))
make_data "$tmp/disk.img" $size example
start_nbdkit disk --filter=exportname file "$tmp/disk.img" \
    exportname=disk1 exportname-list=explicit exportdesc=fixed:"a disk"

read_disk "$(uri disk)" >"$tmp/copy.img" 2>"$tmp/copy.err"
is "it succeeds" $? 0
like "it lists the exports" "$(cat "$tmp/copy.err")" "^export 'disk1': a disk$"
like "it says what the disk is" "$(cat "$tmp/copy.err")" \
    "^read-write, $size bytes, 6146 sectors of 512 bytes$"
ok "it reads every byte, to the last short sector" \
    cmp "$tmp/disk.img" "$tmp/copy.img"

read_disk "$(uri disk)" 1000 10 >"$tmp/part.img" 2>/dev/null
dd if="$tmp/disk.img" bs=512 skip=1000 count=10 2>/dev/null >"$tmp/want.img"
ok "it reads single sectors" cmp "$tmp/part.img" "$tmp/want.img"

# Names that the inside of the library has, too, and must not give away.
cat >"$tmp/names.c" <<END
int conn_open, error_set, escape_text, net_loop_new, op_new, ranges_add;
int nbd_uri_parse, tls_new, units_format_size;
END
ok "the archive is all that it needs, whatever names it has itself" \
    compile_static -o "$tmp/read-disk-static" \
    "$srcdir/doc/examples/read-disk.c" "$tmp/names.c"
unlike "then it needs no shared one" \
    "$(readelf -d "$tmp/read-disk-static")" libnbdclient
"$tmp/read-disk-static" "$(uri disk)" >"$tmp/copy.img" 2>"$tmp/copy.err"
is "it succeeds" $? 0
ok "it reads every byte" cmp "$tmp/disk.img" "$tmp/copy.img"

ok "the event-driven example compiles with libevent added" \
    compile_event "$srcdir/doc/examples/read-event.c"
"$tmp/read-event" "$(uri disk)" >"$tmp/copy.img" 2>"$tmp/copy.err"
is "it succeeds" $? 0
ok "it reads every byte" cmp "$tmp/disk.img" "$tmp/copy.img"

ok "so it does with the archive" compile_static -o "$tmp/read-event-static" \
    "$srcdir/doc/examples/read-event.c" "$tmp/names.c"
"$tmp/read-event-static" "$(uri disk)" >"$tmp/copy.img" 2>"$tmp/copy.err"
ok "and reads every byte" cmp "$tmp/disk.img" "$tmp/copy.img"

ok "that of the manual compiles" compile_manual "$(uri disk)"
"$tmp/manual" >"$tmp/part.img" 2>"$tmp/copy.err"
is "it succeeds" $? 0
ok "it reads what it says" cmp -n 4096 "$tmp/disk.img" "$tmp/part.img"

start_nbdkit bad --filter=error pattern 1M error-pread=EIO \
    error-pread-rate=100%
exits 1 "a read that fails is an error" read_disk "$(uri bad)"
like "that names server, offset and cause" "$err" \
    "at offset 0 of the default export of nbd\+unix:.*bad.sock: Input/output error"
exits 1 "so is a server that is not there" read_disk "$(uri nobody)"
like "that names it" "$err" "nobody.sock.*No such file or directory"

# nbd-server is old enough to need every fallback.
port=$(free_port)
cat >"$tmp/nbd-server.conf" <<END
[generic]
	allowlist = false
	unixsock = $tmp/old.sock
	listenaddr = 127.0.0.1
	port = $port
[disk1]
	exportname = $tmp/disk.img
	readonly = true
END
# It goes to the background by itself.
at_exit "kill \$(cat '$tmp/nbd-server.pid')"
nbd-server -C "$tmp/nbd-server.conf" -p "$tmp/nbd-server.pid" \
    >"$tmp/nbd-server.log" 2>&1 </dev/null
wait_for "[ -S '$tmp/old.sock' ] && [ -s '$tmp/nbd-server.pid' ]" ||
    bail "nbd-server did not start"
read_disk "nbd+unix:///disk1?socket=$tmp/old.sock" >"$tmp/copy.img" \
    2>"$tmp/copy.err"
is "it reads from nbd-server" $? 0
ok "every byte" cmp "$tmp/disk.img" "$tmp/copy.img"
like "which is told to be read-only" "$(cat "$tmp/copy.err")" "^read-only, "
like "and whose policy forbids a list" "$(cat "$tmp/copy.err")" \
    "^no list: .*policy"
