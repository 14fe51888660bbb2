# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# systemd as the first process of a directory with a system in it, with
# processes, mounts and control groups of its own: so units run as on a
# machine, in their fences.  After testlib.sh, as root.
#
#	boot ROOT		returns when all of it is up
#	inside COMMAND...	in that system
#	outer_pid UNIT NAME	of its first process of that name, out here
#	halt			it ends; boot may follow

boot_group_=
boot_init_=

boot()
{
	boot_root_=$1
	boot_group_=$(mktemp -d "$(cgroup_mount_)/nbdsync-test.XXXXXX") ||
	    return 1
	start_process boot sh "$srcdir/tests/packages/boot.sh" \
	    "$boot_root_" "$boot_group_"
	at_exit halt
	# shellcheck disable=SC2016
	wait_for 'boot_init_=$(cat "/proc/$(pid_of boot)/task/$(pid_of boot)/children") &&
	    boot_init_=${boot_init_%% *} && [ -n "$boot_init_" ] &&
	    [ "$(inside systemctl is-system-running 2>&1)" = running ]'
}

# The mount of the second version, wherever it is.
cgroup_mount_()
{
	awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

inside()
{
	nsenter --target "$boot_init_" --mount --pid --uts --ipc --cgroup \
	    --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    LC_ALL=C.UTF-8 SYSTEMD_PAGER= SYSTEMD_COLORS=0 "$@"
}

outer_pid()
{
	while read -r outer_; do
		[ "$(cat "/proc/$outer_/comm")" = "$2" ] && echo "$outer_" &&
		    break
	done <"$boot_group_/system.slice/$1/cgroup.procs"
}

halt()
{
	[ -n "$boot_group_" ] || return 0
	# Of all that is in it, the first process takes the rest along.
	kill -s RTMIN+3 "$boot_init_" 2>/dev/null || :
	wait_for "! is_running_ $(pid_of boot)" 20 ||
	    kill -KILL "$boot_init_"
	wait "$(pid_of boot)" 2>/dev/null || :
	find "$boot_group_" -depth -type d -exec rmdir {} \; 2>/dev/null
	boot_group_=
}
