# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Runs of a row: programs take part, then they run in turn.
#
#	title WORDS...			of the table
#	takes_part NAME COMMAND...	measured from outside, by measure
#	tells NAME COMMAND...		prints its figures itself
#	run_all				$pairs rounds
#	cannot WORDS...			there is no such row here, and why
#
# Figures are lines of $tmp/figures, with tabs:
#
#	row	ROW	TITLE
#	run	ROW	PROGRAM	NAME=NUMBER...
#	cannot	ROW	[PROGRAM: ]WORDS
#
# What the names mean is in report.pl.

names=()
commands=()
kinds=()
row=

begin_row()
{
	row=$1
	names=()
	commands=()
	kinds=()
}

note()
{
	local IFS=$'\t'

	echo "$*" >>"$tmp/figures"
}

title()
{
	note row "$row" "$*"
}

cannot()
{
	note cannot "$row" "$*"
}

add()
{
	kinds+=("$1")
	names+=("$2")
	shift 2
	commands+=("$(printf '%q ' "$@")")
}

takes_part()
{
	add measured "$@"
}

tells()
{
	add telling "$@"
}

# run_once INDEX: its figures are in $figures.
run_once()
{
	local command=${commands[$1]}

	if [ "${kinds[$1]}" = telling ]; then
		figures=$(eval "$command" 2>"$tmp/out" </dev/null)
	else
		figures=$(eval "'$helpers/measure' '$(server_pids)' $command" \
		    3>&1 >"$tmp/out" 2>&1 </dev/null)
	fi
}

# One that fails does not run again, and the others go on.
run_all()
{
	local round i
	local failed=" "

	for ((round = 0; round < pairs; round++)); do
		for ((i = 0; i < ${#names[@]}; i++)); do
			[[ $failed != *" $i "* ]] || continue
			if run_once "$i"; then
				note run "$row" "${names[i]}" "$figures"
				continue
			fi
			failed+="$i "
			cannot "${names[i]}: $(tail -n 1 "$tmp/out")"
			status=1
		done
	done
}

has()
{
	command -v "$1" >/dev/null
}

version_of()
{
	! has "$1" || "$@" 2>/dev/null | head -n 1
}

describe_machine()
{
	cat <<-END
	date=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	cpus=$(nproc)
	memory=$(sed -n 's/^MemTotal: *//p' /proc/meminfo)
	kernel=$(uname -sr)
	nbdsync=$("$nbdsync" --version | head -n 1)
	nbdcopy=$(version_of nbdcopy --version)
	qemu-img=$(version_of qemu-img --version)
	nbdkit=$(version_of nbdkit --version)
	openssl=$(version_of openssl version)
	servers=$server
	rounds=$pairs
	END
}
