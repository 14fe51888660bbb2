#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of nbdsync(1), nbdsyncd(8) and nbdsync-api(7) works as it
# stands, but for the names of the servers.  (Those of the other manuals are
# in manuals.t and client-example.t.)
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit file --version
requires qemu-nbd --version
requires qemu-img --version
plan 17

doc=$srcdir/doc
mkdir "$tmp/bin" "$tmp/work"
printf '#!/bin/sh\ncat >/dev/null\necho "$*" >%s/mail\n' "$tmp" >"$tmp/bin/mail"
chmod 755 "$tmp/bin/mail"
PATH=$tmp/bin:$builddir:$PATH
export PATH
cd "$tmp/work" || exit 1

for server in hv1 backup standby; do
	truncate -s 2G "$tmp/$server.img"
	start_nbdkit $server file "$tmp/$server.img"
done
make_data "$tmp/some" $MiB 1
dd if="$tmp/some" of="$tmp/hv1.img" conv=notrunc status=none
dd if="$tmp/some" of="$tmp/hv1.img" bs=1M seek=1500 conv=notrunc status=none
qemu-img create -q -f qcow2 vm1.qcow2 64M
conf "endpoints = ( { name = \"none\"; uri = \"nbd+unix:///?socket=$tmp/none\"; },
  { name = \"some\"; path = \"$tmp/some\"; }, { name = \"n\"; uri = \"null:\"; } );
jobs = ( { name = \"vm1\"; source = \"none\"; destination = \"n\"; } );"
start_daemon "$tmp/conf"

# examples PAGE: one a line, as they are to be typed
examples()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$doc/$1" |
	    sed -e 's/\\&//g' -e 's/\\(dq/"/g' \
	    -e "s,nbd://\([a-z0-9]*\)/vm1,nbd+unix:///vm1?socket=$tmp/\1.sock,g" \
	    -e "s,/etc/nbdsync/nbdsync.conf,$tmp/conf,"
}
examples nbdsync.1 >"$tmp/nbdsync.1"
is "nbdsync(1) has examples" "$(wc -l <"$tmp/nbdsync.1")" 8
n=0
while read -r line; do
	n=$((n + 1))
	echo "$line" >"$tmp/example"
	ok "example $n works: $line" timeout 300 sh -e "$tmp/example"
	[ $n -ne 1 ] || ok "what it copies is equal" cmp "$tmp/hv1.img" \
	    "$tmp/backup.img"
done <"$tmp/nbdsync.1"
ok "a file that is fetched is there" cmp "$tmp/hv1.img" vm1.img
ok "so is a second copy" cmp "$tmp/hv1.img" "$tmp/standby.img"
is "and a mail about a failure" "$(cat "$tmp/mail")" "-s vm1 failed root"

# The second one is systemd's.
examples nbdsyncd.8 | head -n 1 >"$tmp/example"
ok "that of nbdsyncd(8) works" sh -e "$tmp/example"

sed 's/source = "none"/source = "some"/' "$tmp/conf" >"$tmp/conf.good"
mv "$tmp/conf.good" "$tmp/conf"
"$nbdsync" reload --quiet
sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$doc/nbdsync-api.7" |
    sed -e '1,/^\.Bd/d' -e '/^\.Ed/d' \
    -e "s,/run/nbdsync/control.sock,$NBDSYNC_SOCKET,g" >"$tmp/example"
ok "that of nbdsync-api(7) works" sh -e "$tmp/example"
is "and prints the result" "$out" '"succeeded"'
sed -n "s,/run/nbdsync/control.sock,$NBDSYNC_SOCKET,
    s/^\.Dl \(curl .*\)/\1 --silent/p" "$doc/nbdsync-api.7" >"$tmp/example"
ok "so does its first line" sh -e "$tmp/example"
