#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The script that backs up a disk of a running QEMU by a dirty bitmap: each
# backup is the disk of the moment it began, and only the first copies all.
. "$srcdir/tests/lib/testlib.sh"
requires qemu-storage-daemon --version
requires qemu-img --version
requires qemu-io --version
requires perl -MJSON::PP -e 1
plan 26

backup=$srcdir/doc/examples/backup/qemu-backup
PATH=$builddir:$PATH
export PATH

# With a guest that writes over NBD; or without any NBD.
start_qemu()
{
	set -- "${1:---nbd-server addr.type=unix,addr.path=$tmp/qemu.sock
	    --export type=nbd,id=guest,node-name=disk,name=guest,writable=on}"
	[ "$1" != plain ] || set -- ""
	rm -f "$tmp/qemu.pid"
	# shellcheck disable=SC2086
	start_process qemu qemu-storage-daemon \
	    --blockdev "driver=file,node-name=file,filename=$tmp/disk.qcow2" \
	    --blockdev driver=qcow2,node-name=disk,file=file \
	    $1 \
	    --chardev "socket,id=c,path=$tmp/qmp.sock,server=on,wait=off" \
	    --monitor chardev=c --pidfile "$tmp/qemu.pid"
	wait_until_up_ qemu "[ -s '$tmp/qemu.pid' ]"
}
guest="nbd+unix:///guest?socket=$tmp/qemu.sock"
# What the guest does.
write()
{
	qemu-io -f raw -c "write -q -P $1" "$guest" || bail "qemu-io fails"
}
# What the guest sees now.
look()
{
	rm -f "$tmp/now"
	"$nbdsync" copy --quiet "$guest" "$tmp/now"
}
back_up()
{
	"$backup" "$tmp/qmp.sock" disk "$@" "$tmp/qemu.sock"
}
# What was read of the disk, as the run says that the script starts.
cat >"$tmp/nbdsync" <<END
#!/bin/sh
echo "\$*" >>"$tmp/calls"
[ -x "$tmp/meanwhile" ] && "$tmp/meanwhile"
exec "$nbdsync" "\$@" --json >"$tmp/result"
END
chmod +x "$tmp/nbdsync"
PATH=$tmp:$PATH
copied()
{
	sed -n 's/.*"total_bytes": \([0-9]*\).*/\1/p' "$tmp/result" | head -n 1
}

qemu-img create -q -f qcow2 "$tmp/disk.qcow2" 64M
start_qemu
write '1 0 4M'
write '2 20M 1M'
# The script is killed in the middle, as by somebody who needs the memory.
cat >"$tmp/meanwhile" <<END
#!/bin/sh
kill -KILL \$(ps -o ppid= -p \$PPID)
END
chmod +x "$tmp/meanwhile"
not_ok_killed()
{
	run back_up "$tmp/copy"
	is "$1" "$status" 137
	rm -f "$tmp/meanwhile"
}
not_ok_killed "the first one that is killed"
write '2 21M 1M'
ok "the next one" back_up "$tmp/copy"
is "is of all" "$(copied)" $((64 * MiB))
look
ok "and equal" cmp "$tmp/now" "$tmp/copy"

write '3 1M 64k'
write '4 40M 128k'
look
# The guest goes on: that is not in this backup, and in the next.
cat >"$tmp/meanwhile" <<END
#!/bin/sh
qemu-io -f raw -c 'write -q -P 5 1M 128k' "$guest"
END
chmod +x "$tmp/meanwhile"
ok "the second one" back_up "$tmp/copy"
is "is of what has changed" "$(copied)" $((192 * KiB))
ok "and equal to the disk when it began" cmp "$tmp/now" "$tmp/copy"
rm "$tmp/meanwhile"
look
not_ok "which has changed since" cmp "$tmp/now" "$tmp/copy"

write '3 30M 64k'
cat >"$tmp/meanwhile" <<END
#!/bin/sh
qemu-io -f raw -c 'write -q -P 5 31M 64k' "$guest"
kill -KILL \$(ps -o ppid= -p \$PPID)
END
chmod +x "$tmp/meanwhile"
not_ok_killed "one that is killed, when there was one before"
write '3 32M 64k'
ok "does not keep the next, either" back_up "$tmp/copy"
is "from having all that has changed" "$(copied)" $((320 * KiB))
look
ok "so it is equal" cmp "$tmp/now" "$tmp/copy"

# One that fails loses nothing.
write '6 50M 64k'
exits 4 "one that fails" back_up "nbd+unix:///?socket=$tmp/none.sock"
write '7 60M 64k'
ok "does not keep the next" back_up "$tmp/copy"
is "from having what had changed before" "$(copied)" $((128 * KiB))
look
ok "so it is equal, again" cmp "$tmp/now" "$tmp/copy"
is "QEMU has nothing left of it" "$(printf '%s\n' \
    '{"execute":"qmp_capabilities"}' \
    '{"execute":"query-named-block-nodes","arguments":{"flat":true}}' \
    '{"execute":"query-block-exports"}' '{"execute":"query-jobs"}' >"$tmp/q"
    perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer =>
    $ARGV[0]); my $n = 0; <$s>; open my $q, "<", $ARGV[1]; for (<$q>) {
    print $s $_; $s->flush; print scalar <$s>; }' "$tmp/qmp.sock" "$tmp/q" |
    grep -o -w -e nbdsync-aside -e nbdsync-next -e nbdsync-export \
    -e nbdsync-backup)" ""

# By a server of its own, as in a QEMU that has none.
stop_process qemu
rm -f "$tmp/qmp.sock"
start_qemu plain
ok "where QEMU serves no NBD" "$backup" "$tmp/qmp.sock" disk "$tmp/copy"
ok "it is as equal" cmp "$tmp/now" "$tmp/copy"
like "by another socket" "$(tail -n 1 "$tmp/calls")" \
    "socket=$tmp/qemu-backup"
is "only those that were killed leave what was put aside" \
    "$(find "$tmp" -maxdepth 1 -name 'qemu-backup.*' | wc -l)" 2
stop_process qemu
rm -f "$tmp/qmp.sock"
start_qemu

# The bitmap is in the image: it outlives QEMU.
write '8 10M 64k'
stop_process qemu
rm -f "$tmp/qmp.sock"
start_qemu
write '9 11M 64k'
ok "after QEMU was started anew" back_up "$tmp/copy"
is "only what has changed is copied" "$(copied)" $((128 * KiB))
look
ok "and it is equal" cmp "$tmp/now" "$tmp/copy"
exits 2 "what is no node is an error" sh -c "'$backup' '$tmp/qmp.sock' none \
    '$tmp/copy' '$tmp/qemu.sock' || exit 2"
like "with its name" "$err" "no node 'none'"
