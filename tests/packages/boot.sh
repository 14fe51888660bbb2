#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot.sh ROOT GROUP: becomes systemd, as bootlib.sh says.
set -eu
root=$1
group=$2

echo $$ >"$group/cgroup.procs"
# shellcheck disable=SC2016
exec unshare --cgroup --pid --mount --uts --ipc --fork sh -euc '
	mount --make-rprivate /
	mount --bind "$0" "$0"
	cd "$0"
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs tmpfs run
	mount -t tmpfs tmpfs dev
	for node in null zero full random urandom tty; do
		touch "dev/$node"
		mount --bind "/dev/$node" "dev/$node"
	done
	mkdir dev/shm dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	# Below /run, where nothing stays.
	mkdir run/host
	pivot_root . run/host
	umount -l run/host
	mount --make-rshared /
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other \
	    /lib/systemd/systemd --system --show-status=0' "$root"
