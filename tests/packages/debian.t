#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's packages are built from the release archive, are as Debian wants
# them, and in a fresh system are installed, used, upgraded, run by systemd,
# removed and purged.  Needs root, control groups of the second version,
# Debian's mirror and some minutes; make check-packages runs it.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/packages/bootlib.sh"
requires dpkg-buildpackage --version
requires test -x /usr/bin/dh
requires lintian --version
requires mmdebstrap --version
requires test "$(id -u)" -eq 0
requires grep -q ' cgroup2 ' /proc/mounts
requires jq --version
plan 101

name=nbdsync-$(sed -n 's/^PACKAGE_VERSION = //p' "$builddir/Makefile")
archive=$builddir/$name.tar.xz
version=${name#nbdsync-}
[ -f "$archive" ] || bail "there is no $archive: make dist"
debs=$tmp/debs
root=$tmp/root

## Built, and looked at

build_packages()
{
	mkdir "$debs" &&
	    cp "$archive" "$debs/nbdsync_$version.orig.tar.xz" &&
	    tar -C "$debs" -xf "$archive" &&
	    cp -r "$debs/$name/packaging/debian" "$debs/$name/debian" &&
	    cd "$debs/$name" || return 1
	# The tests run by themselves.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC \
	    DEB_BUILD_OPTIONS="nocheck parallel=2" \
	    dpkg-buildpackage -us -uc >"$tmp/build.log" 2>&1 </dev/null || {
		tail -n 40 "$tmp/build.log"
		return 1
	}
}

deb()
{
	echo "$debs/$1_$version-1_$(dpkg --print-architecture).deb"
}

ok "the packages are built" build_packages
for package in nbdsync libnbdclient0 libnbdclient-dev; do
	ok "there is $package" test -f "$(deb $package)"
done
run lintian --allow-root --display-info --pedantic \
    --fail-on error,warning,info "$debs"/*.changes
is "lintian is content" "$status" 0
is "and has nothing to say" "$out" ""

mkdir "$tmp/dev"
dpkg-deb -x "$(deb libnbdclient0)" "$tmp/dev"
dpkg-deb -x "$(deb libnbdclient-dev)" "$tmp/dev"
compile()
{
	PKG_CONFIG_SYSROOT_DIR=$tmp/dev PKG_CONFIG_LIBDIR=$(dirname "$(find \
	    "$tmp/dev" -name nbdclient.pc)"):$(pkg-config \
	    --variable pc_path pkg-config)
	export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
	# shellcheck disable=SC2046
	gcc -o "$tmp/$1" "$tmp/dev/usr/share/doc/libnbdclient-dev/examples/$1.c" \
	    $(pkg-config --cflags --libs nbdclient) -levent_core
}
ok "a program is compiled with the library's packages" compile read-disk
ok "and one with an event loop" compile read-event

## A fresh system

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=/etc/apt/sources.list.d/debian.sources
[ -f "$sources" ] || sources=
make_system()
{
	# shellcheck disable=SC2086
	mmdebstrap --quiet --variant=essential --skip=cleanup/apt \
	    --include=apt "$suite" "$root" $sources
}
# A command in it, with a /proc that nobody else sees mounted there.
cat >"$tmp/enter" <<END
#!/bin/sh
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \\
    DEBIAN_FRONTEND=noninteractive unshare --mount sh -c '
	mount -t proc proc "\$0/proc" ||
	    mount --rbind /proc "\$0/proc" || exit 1
	exec chroot "\$0" "\$@"' "$root" "\$@"
END
chmod +x "$tmp/enter"
in_root()
{
	"$tmp/enter" "$@"
}
apt()
{
	in_root apt-get -q -y --no-install-recommends \
	    -o Dpkg::Options::=--force-confold -o APT::Sandbox::User=root "$@"
}
# All of its files, but for what the package system and systemd's own
# programs note down.
files()
{
	(cd "$root" && find . \( -path ./proc -o -path ./sys -o -path ./dev \
	    -o -path ./tmp -o -path ./var/cache -o -path ./var/lib/apt \
	    -o -path ./var/lib/dpkg -o -path ./var/log/apt -o -path ./run/systemd \) -prune -o \
	    -print | sort)
}

ok "a fresh system is made" make_system
# Nothing is started in it.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
# What our package needs is none of its own.
ok "with what is needed" apt install nbdkit systemd logrotate
files >"$tmp/before"
cp "$(deb nbdsync)" "$root/tmp/new.deb"

# An older package: another version, and another text of the configuration.
dpkg-deb -R "$(deb nbdsync)" "$tmp/old"
sed -i 's/^Version: .*/Version: 0.0.9-1/' "$tmp/old/DEBIAN/control"
echo '# of long ago' >>"$tmp/old/etc/nbdsync/nbdsync.conf"
echo old >"$tmp/old/usr/share/doc/nbdsync/old"
dpkg-deb --root-owner-group -b "$tmp/old" "$root/tmp/old.deb" >/dev/null

## Installed, and used

ok "the package is installed" apt install /tmp/old.deb
is "all of it is configured" "$(in_root dpkg --audit)" ""
user=$(in_root id -u nbdsync):$(in_root id -g nbdsync)
like "the daemon has a user" "$user" '^[0-9]+:[0-9]+$'
is "the directories are its own" "$(in_root stat -c '%a %u:%g %n' \
    /run/nbdsync /var/lib/nbdsync /etc/nbdsync/nbdsync.conf)" \
"755 $user /run/nbdsync
700 $user /var/lib/nbdsync
640 0:${user#*:} /etc/nbdsync/nbdsync.conf"
for unit in nbdsync.service nbdsync.socket; do
	is "$unit is enabled" \
	    "$(in_root systemctl is-enabled $unit)" enabled
done
ok "systemd accepts them" in_root systemd-analyze verify --man=no \
    nbdsync.service nbdsync.socket nbdsync-job@x.timer
ok "the configuration it comes with is good" in_root nbdsync configcheck \
    /etc/nbdsync/nbdsync.conf
like "bash completes" "$(in_root cat \
    /usr/share/bash-completion/completions/nbdsync)" '^complete .*nbdsync'

start_inside()
{
	start_process inside "$tmp/enter" setpriv --reuid=nbdsync \
	    --regid=nbdsync --clear-groups nbdsyncd
	wait_for "in_root nbdsync status >/dev/null 2>&1"
}
cat >"$root/etc/nbdsync/nbdsync.conf" <<'END'
endpoints = ( { name = "vm1"; path = "/var/tmp/vm1.img"; },
  { name = "copy"; path = "/var/lib/nbdsync/copy.img"; } );
jobs = ( { name = "vm1"; source = "vm1"; destination = "copy"; } );
END
make_data "$root/var/tmp/vm1.img" "$MiB" package
truncate -s 1M "$root/var/lib/nbdsync/copy.img"
chown "$user" "$root/var/lib/nbdsync/copy.img"
ok "the daemon starts, as its user" start_inside
ok "a job runs" in_root nbdsync start --wait vm1
ok "the copy is one" cmp "$root/var/tmp/vm1.img" \
    "$root/var/lib/nbdsync/copy.img"
stop_process inside
is "it ends well" "$?" 0

## Upgraded

ok "the package is upgraded" apt install /tmp/new.deb
is "to the new version" "$(in_root dpkg-query -W -f '${Version}' nbdsync)" \
    "$version-1"
not_ok "what only the old one had is gone" \
    test -e "$root/usr/share/doc/nbdsync/old"
like "the administrator's configuration stays" \
    "$(cat "$root/etc/nbdsync/nbdsync.conf")" vm1
is "nobody else can read it, still" \
    "$(in_root stat -c '%a %g' /etc/nbdsync/nbdsync.conf)" "640 ${user#*:}"
ok "the daemon starts again" start_inside
like "and knows what was before" "$(in_root nbdsync history vm1)" succeeded
stop_process inside

## Run by systemd

booted=$tmp/booted
cp -a "$root" "$booted"
rm -f "$booted/etc/machine-id"
: >"$booted/etc/machine-id"
make_data "$booted/srv/vm1.img" "$MiB" booted
cat >"$booted/etc/nbdsync/nbdsync.conf" <<'END_CONF'
log = ( { type = "stderr"; },
  { type = "file"; path = "/var/log/nbdsync/nbdsync.log"; } );
endpoints = ( { name = "vm1"; path = "/srv/vm1.img"; role = "source"; },
  { name = "copy"; path = "/var/lib/nbdsync/copy.img"; },
  { name = "worn"; command = [ "nbdkit", "--filter=error", "pattern", "4096",
      "error-pread-rate=100%" ]; },
  { name = "slow"; command = [ "nbdkit", "--filter=delay", "pattern", "64M",
      "rdelay=50ms" ]; },
  { name = "far"; path = "/var/lib/nbdsync/far.img"; },
  { name = "gone"; command = [ "/nonexistent" ]; },
  { name = "snapshot"; path = "/dev/vg0/vm1-nbdsync"; role = "source"; },
  { name = "still"; path = "/var/lib/nbdsync/still.img"; },
  { name = "null"; uri = "null:"; } );
jobs = ( { name = "vm1"; source = "vm1"; destination = "copy"; },
  { name = "worn"; source = "worn"; destination = "null"; retries = 0; },
  { name = "half"; source = "vm1"; destinations = [ "null", "gone" ]; },
  { name = "hooked"; source = "vm1"; destination = "null";
    pre = [ "/usr/local/lib/nbdsync/snapshot" ]; },
  { name = "lvm"; source = "snapshot"; destination = "still";
    resume_max_age = "0"; },
  { name = "slow"; source = "slow"; destination = "far"; connections = 1;
    queue_depth = 1; request_size = "16KiB"; checkpoint = "1s"; } );
END_CONF
truncate -s 64M "$booted/var/lib/nbdsync/far.img"
chown "$user" "$booted/var/lib/nbdsync/far.img"
mkdir -p "$booted/srv/snapshots" "$booted/usr/local/lib/nbdsync"
chown "$user" "$booted/srv/snapshots"
cat >"$booted/usr/local/lib/nbdsync/snapshot" <<'END'
#!/bin/sh
echo "$NBDSYNC_JOB" >/srv/snapshots/made
END
# What stands in for LVM.
truncate -s "$MiB" "$booted/var/lib/nbdsync/still.img"
chown "$user" "$booted/var/lib/nbdsync/still.img"
cat >"$booted/usr/local/sbin/lvs" <<'END'
#!/bin/sh
[ -e "/dev/$2" ]
END
cat >"$booted/usr/local/sbin/lvcreate" <<'END'
#!/bin/sh
echo "$(id -u) $*" >>/srv/lvcreate
mkdir -p -m 755 /dev/vg0
cp /srv/vm1.img /dev/vg0/vm1-nbdsync
chgrp disk /dev/vg0/vm1-nbdsync
chmod 640 /dev/vg0/vm1-nbdsync
END
cat >"$booted/usr/local/sbin/lvremove" <<'END'
#!/bin/sh
rm "/dev/$3"
END
chmod 755 "$booted/usr/local/sbin"/* "$booted/usr/local/lib/nbdsync/snapshot"
printf '#!/bin/sh\ncat >/var/lib/nbdsync/mail\n' >"$booted/usr/sbin/sendmail"
chmod +x "$booted/usr/sbin/sendmail"
conf=$booted/etc/nbdsync/nbdsync.conf
property()
{
	inside systemctl show --property "$2" --value "$1"
}
# Into a file of UNIT.d, after that section's name.
drop_in()
{
	unit_=$booted/etc/systemd/system/$1.d
	mkdir -p "$unit_"
	echo "[$2]" >"$unit_/$3.conf"
	cat >>"$unit_/$3.conf"
	inside systemctl daemon-reload
}
history()
{
	inside nbdsync history --json "$1" | jq -r "$2"
}
mail=$booted/var/lib/nbdsync/mail

ok "the system is booted" boot "$booted"
is "with the daemon" "$(property nbdsync.service ActiveState)" active
is "which says what it does" "$(property nbdsync.service StatusText)" \
    "6 jobs, 0 running"
ok "a job is started by its unit" inside systemctl start nbdsync-job@vm1
ok "it makes a copy" cmp "$booted/srv/vm1.img" \
    "$booted/var/lib/nbdsync/copy.img"
like "the journal explains it" "$(inside journalctl --catalog \
    --unit nbdsync.service)" 'A run of job vm1 has succeeded'
not_ok "a unit whose job is not there fails" inside systemctl start \
    nbdsync-job@none
ok "and sends a mail" wait_for \
    "grep -q 'nbdsync-job@none.service' '$mail'"
not_ok "so does one whose run fails" inside systemctl start nbdsync-job@worn
is "with what the run has ended with" \
    "$(property nbdsync-job@worn Result) $(
    property nbdsync-job@worn ExecMainStatus)" "exit-code 4"
ok "the mail has the reason" wait_for \
    "grep -q \"job 'worn' failed: source 'worn': read\" '$mail'"
exits 3 "a run may end with warnings" inside nbdsync start --wait --quiet half
ok "which is no failure of its unit" inside systemctl start nbdsync-job@half

# The journal has what a run was about, though the log is standard error.
failed=$(sed -n '/"run-failed"/{n;s/[^"]*"\([0-9a-f]*\)".*/\1/p}' \
    "$srcdir/daemon/log/messages.c")
inside journalctl --output json "MESSAGE_ID=$failed" NBDSYNC_JOB=worn \
    >"$tmp/fields"
is "the journal has the failure by its fields" "$(jq -r '[.NBDSYNC_ENDPOINT,
    .ERRNO, .PRIORITY, .SYSLOG_IDENTIFIER, ._SYSTEMD_UNIT] | join(" ")' \
    "$tmp/fields")" "worn 5 3 nbdsync nbdsync.service"
is "with run and job" "$(jq -r '.NBDSYNC_RUN + " " + .NBDSYNC_JOB_UUID' \
    "$tmp/fields")" "$(history worn '.runs[0].id') $(
    inside nbdsync status --json worn | jq -r .uuid)"
like "and the place" "$(jq -r '.NBDSYNC_OFFSET + " " + .NBDSYNC_LENGTH' \
    "$tmp/fields")" '^[0-9]+ [1-9][0-9]*$'

# A timer that comes every second, until it has come.
n_runs=$(history vm1 '.runs | length')
drop_in nbdsync-job@vm1.timer Timer often <<'END'
OnCalendar=
OnCalendar=*:*:*
RandomizedDelaySec=0
AccuracySec=1ms
END
ok "a job gets a timer" inside systemctl enable --now nbdsync-job@vm1.timer
ok "which has it run by itself" wait_for \
    '[ "$(history vm1 ".runs | length")" -gt "$n_runs" ]'
ok "and can be taken away" inside systemctl disable --now \
    nbdsync-job@vm1.timer
ok "its last run ends" wait_for \
    '[ "$(property nbdsync-job@vm1 ActiveState)" = inactive ]'
is "the history has all of them" "$(history vm1 \
    '[.runs[] | "\(.trigger) \(.result)"] | unique | join(",")')" \
    "control succeeded"

# A hook that the fence keeps from its work.
exits 4 "a hook may be kept from what it does" inside nbdsync start --wait \
    hooked
like "the command says which" "$err" \
    "pre: command '/usr/local/lib/nbdsync/snapshot' exited with status"
like "the log says why" "$(inside nbdsync log hooked)" \
    'pre: .*/srv/snapshots/made: Read-only file system'
sed -n '/^\[Service\]$/,/^\.Ed/p' "$srcdir/doc/nbdsync.conf.5" | grep = |
    drop_in nbdsync.service Service hooks
ok "the manual has what lets it" inside systemctl restart nbdsync
ok "do that" inside nbdsync start --wait --quiet hooked
is "it has done it" "$(cat "$booted/srv/snapshots/made")" hooked

# The recipe of a snapshot, as it is written.
cp "$booted/usr/share/doc/nbdsync/examples/hooks/lvm-snapshot" \
    "$booted/usr/local/lib/nbdsync"
sed -n '/^ExecSt.*lvm-snapshot/p' "$srcdir/doc/recipes.md" |
    drop_in nbdsync-job@lvm.service Service snapshot
sed -n -E 's/^#	((PrivateDevices|DevicePolicy|DeviceAllow|Suppl).*)/\1/p' \
    "$booted/lib/systemd/system/nbdsync.service" |
    drop_in nbdsync.service Service disks
inside systemctl restart nbdsync
ok "a snapshot is copied" inside systemctl start nbdsync-job@lvm
ok "as the disk was" cmp "$booted/srv/vm1.img" \
    "$booted/var/lib/nbdsync/still.img"
is "root has made it" "$(cat "$booted/srv/lvcreate")" \
    "0 --yes --quiet --snapshot --size 5G --name vm1-nbdsync vg0/vm1"
not_ok "and taken it away" inside test -e /dev/vg0/vm1-nbdsync
inside nbdsync pause --quiet lvm
ok "also of a job that is paused" inside systemctl start nbdsync-job@lvm
is "one was made, and is gone" "$(wc -l <"$booted/srv/lvcreate") $(
    inside ls /dev/vg0)" "2 "

sed -i 's/jobs = /job = /' "$conf"
not_ok "a wrong configuration is not reloaded" inside systemctl reload nbdsync
is "and harms nobody" "$(property nbdsync.service ActiveState)" active
like "the unit says what is wrong" \
    "$(inside systemctl status --lines=20 nbdsync)" \
    'nbdsync.conf:[0-9]+:.*"job".*did you mean "jobs"'
ok "the one of before is in force" inside nbdsync start --wait --quiet vm1
not_ok "with it the daemon does not start" inside systemctl restart nbdsync
exits 10 "who asks for it" inside nbdsync status
like "is told so" "$err" 'does not start: its configuration is wrong'
is "and the socket stays" "$(property nbdsync.socket ActiveState)" active
sed -i 's/job = /jobs = /' "$conf"
run inside nbdsync status
like "when it is right, who asks first has it started, and hears of before" \
    "$out" 'vm1 .*succeeded'

ok "logs are rotated" inside logrotate -f /etc/logrotate.d/nbdsync
run inside nbdsync pause vm1
ok "what comes then is in the new one" grep -q "job 'vm1': paused" \
    "$booted/var/log/nbdsync/nbdsync.log"

drop_in nbdsync.service Service watchdog <<'END'
WatchdogSec=2s
RestartSec=100ms
END
inside systemctl restart nbdsync
main=$(property nbdsync.service MainPID)
inside sh -c "kill -STOP $main"
ok "one that hangs is started anew" wait_for \
    '[ "$(property nbdsync.service NRestarts)" = 1 ] &&
    [ "$(property nbdsync.service ActiveState)" = active ]'
like "and still knows what was before" "$(inside nbdsync status)" \
    'vm1 +paused'

# In the middle of a run, and with something to go on from.
start_slow()
{
	inside systemctl reset-failed nbdsync.service
	n_restarts=$(property nbdsync.service NRestarts)
	inside nbdsync start --quiet slow
	comes_on
}
comes_on()
{
	wait_for '[ "$(inside nbdsync status --json slow |
	    jq ".run.progress.durable_bytes // 0")" -gt 0 ]'
}
is_back()
{
	wait_for '[ "$(property nbdsync.service NRestarts)" -gt "$n_restarts" ] &&
	    [ "$(property nbdsync.service ActiveState)" = active ]'
}
goes_on()
{
	inside nbdsync start --quiet slow
	goes_on_itself
}
goes_on_itself()
{
	wait_for '[ "$(inside nbdsync status --json slow |
	    jq "[.run | .. | .resumed_bytes? // 0] | add")" -gt 0 ]'
}
ok "a run has come to where it could go on" start_slow
kill -KILL "$(outer_pid nbdsync.service nbdsyncd)"
ok "a daemon that is killed is started anew" is_back
is "its run has failed" "$(inside nbdsync status --json slow |
    jq -r '.last_run | .result + ": " + .failure.message')" \
    "failed: the daemon ended while it ran"
ok "the next one goes on from there" goes_on
ok "and is ended" inside nbdsync cancel --wait --quiet slow

gcc -o "$tmp/hold-thread" "$srcdir/tests/lib/hold-thread.c"
mkfifo "$tmp/hold"
ok "another run has come as far" start_slow
start_process hold sh -c "exec '$tmp/hold-thread' \
    $(outer_pid nbdsync.service nbdsyncd) nbdsync-w1 <'$tmp/hold'"
exec 8>"$tmp/hold"
ok "one thread of those that copy is held" wait_for \
    "grep -q held '$tmp/hold.log'"
ok "the daemon is started anew" is_back
like "since it has said so" "$(inside journalctl --unit nbdsync.service)" \
    'nbdsyncd?\[[0-9]+\]: worker 1 gives no sign of life'
like "and systemd has waited for its signs" \
    "$(inside journalctl --unit nbdsync.service)" \
    'nbdsync.service: Watchdog timeout'
exec 8>&-
ok "the next run goes on here, too" goes_on
ok "and is ended, too" inside nbdsync cancel --wait --quiet slow

inside systemctl reset-failed nbdsync.service
n_restarts=$(property nbdsync.service NRestarts)
sed -i 's/checkpoint = "1s"/interval = "52w"; &/' "$conf"
inside systemctl reload nbdsync
ok "one has begun by itself" comes_on
kill -KILL "$(outer_pid nbdsync.service nbdsyncd)"
ok "that daemon is started anew, too" is_back
ok "and the run goes on by itself" goes_on_itself
ok "until it is ended" inside nbdsync cancel --wait --quiet slow
ok "it stops" inside systemctl stop nbdsync.service nbdsync.socket
is "well" "$(property nbdsync.service Result)" success
not_ok "and its socket is gone" inside test -e /run/nbdsync/control.sock
halt

## Removed, and purged

ok "the package is removed" apt remove nbdsync
not_ok "its programs are gone" test -e "$root/usr/sbin/nbdsyncd"
ok "configuration and history stay" test -f \
    "$root/etc/nbdsync/nbdsync.conf" -a -f "$root/var/lib/nbdsync/state.db"
rm "$root/var/tmp/vm1.img"
ok "it is purged" apt purge nbdsync
ok "and what it had needed" apt autoremove --purge
files >"$tmp/after"
# dpkg's copy of a configuration, and the backups of shadow.
is "nothing is left behind, but for the user" "$(comm -13 "$tmp/before" \
    "$tmp/after" | grep -v '^./etc/[a-z]*-$')" ""
