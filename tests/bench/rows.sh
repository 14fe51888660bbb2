# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The rows: row_NAME starts servers, says who takes part, and runs them.

MiB=$((1024 * 1024))
GiB=$((1024 * 1024 * 1024))
TiB=$((1024 * GiB))

# name		when		what
rows='
unix		always	4 GiB of data, Unix sockets
tcp		always	4 GiB of data, loopback TCP
tls-x509	always	1 GiB through TLS with certificates
tls-psk		always	1 GiB through TLS with a pre-shared key
read-x509	always	1 GiB read through TLS with certificates
read-psk	always	1 GiB read through TLS with a pre-shared key
delay		always	1 GiB where each request takes 50 ms
sparse		always	1 TiB with 1,000 islands of 64 KiB
compare		always	2 GiB of equal disks compared
fanout		always	2 GiB to three destinations
jobs		always	100 jobs of 64 MiB at once in one daemon
isolation	always	19 jobs of 256 MiB at once, and one that is broken
reads		always	100,000 reads of 4 KiB, 64 in flight, by a library
idle		always	1,000 idle connections of one process
idle-tls	always	the same through TLS
growth		long	1, 4 and 16 GiB
growth-sparse	long	1, 8 and 64 TiB with 1,000 islands
growth-extents	long	1 to 1,000,000 islands of 4 KiB
growth-jobs	long	1, 10 and 100 jobs at once
'

show_rows()
{
	echo "$rows" | awk -F '\t+' 'NF { printf "%-16s%s%s\n", $1, $3,
	    $2 == "long" ? " (long)" : "" }'
}

is_row()
{
	echo "$rows" | grep -q "^$1	"
}

short_rows()
{
	echo "$rows" | awk '$2 == "always" { print $1 }'
}

# What an amount becomes with --scale.
scaled()
{
	echo $(($1 / scale > 0 ? $1 / scale : 1))
}

# Sizes stay whole mebibytes.
scaled_size()
{
	echo $(($(scaled "$1") / MiB * MiB + (scale > 1 ? MiB : 0)))
}

# row_title [SERVERS]
row_title()
{
	local servers=nbdkit

	[ "$server" = nbdkit ] || servers="lean servers"
	title "$(echo "$rows" | sed -n "s/^$row	.*	//p")$(
	    [ "$scale" = 1 ] || echo ", divided by $scale"), ${1:-$servers}"
}

needs_nbdkit()
{
	[ "$server" = nbdkit ] && return
	cannot "the lean server has nothing for it"
	return 1
}

# copies SOURCE DESTINATION [QEMU-IMG OPTIONS]: by all programs.
copies()
{
	takes_part nbdsync "$nbdsync" copy --quiet "$1" "$2"
	! has nbdcopy || takes_part nbdcopy nbdcopy "$1" "$2"
	[ "$2" != null: ] && has qemu-img || return 0
	if [ $# -eq 2 ]; then
		takes_part qemu-img qemu-img convert -n -W -m 16 -f raw \
		    -O raw "$1" "$2"
	else
		takes_part qemu-img qemu-img convert -n -W -m 16 \
		    --object "$3" --image-opts --target-image-opts \
		    "$(qemu_tls_options "$1")" "$(qemu_tls_options "$2")"
	fi
}

qemu_tls_options()
{
	local port=${1#*://*:}

	echo "driver=nbd,server.type=inet,server.host=localhost,$(
	    )server.port=${port%%/*},tls-creds=t"
}

row_unix()
{
	row_title
	serve_source src "$(scaled_size $((4 * GiB)))"
	serve_destination dst "$(scaled_size $((4 * GiB)))"
	copies "$(uri src)" "$(uri dst)"
	run_all
}

row_tcp()
{
	transport=tcp
	row_unix
}

row_tls_x509()
{
	row_title
	needs_nbdkit || return
	serve_tls x509 src pattern "$(scaled_size "$GiB")"
	serve_tls x509 dst null "$(scaled_size "$GiB")"
	copies "$(uri src)" "$(uri dst)" \
	    "tls-creds-x509,id=t,endpoint=client,dir=$tmp/pki"
	run_all
}

row_tls_psk()
{
	row_title
	needs_nbdkit || return
	serve_tls psk src pattern "$(scaled_size "$GiB")"
	serve_tls psk dst null "$(scaled_size "$GiB")"
	copies "$(uri src)" "$(uri dst)" \
	    "tls-creds-psk,id=t,endpoint=client,dir=$tmp/pki,username=alice"
	run_all
}

read_tls()
{
	row_title
	needs_nbdkit || return
	serve_tls "$1" src pattern "$(scaled_size "$GiB")"
	copies "$(uri src)" null:
	run_all
}

row_read_x509()
{
	read_tls x509
}

row_read_psk()
{
	read_tls psk
}

row_delay()
{
	row_title
	needs_nbdkit || return
	serve src --filter=delay pattern "$(scaled_size "$GiB")" \
	    rdelay=50ms wdelay=50ms
	serve dst --filter=delay null "$(scaled_size "$GiB")" \
	    rdelay=50ms wdelay=50ms
	copies "$(uri src)" "$(uri dst)"
	run_all
}

row_sparse()
{
	row_title
	serve_islands src "$TiB" "$(scaled 1000)" 65536
	serve_destination dst "$TiB"
	copies "$(uri src)" "$(uri dst)"
	run_all
}

row_compare()
{
	row_title
	if ! "$nbdsync" help compare >/dev/null 2>&1; then
		cannot "this nbdsync has no compare"
		return
	fi
	serve_source a "$(scaled_size $((2 * GiB)))"
	serve_source b "$(scaled_size $((2 * GiB)))"
	takes_part nbdsync "$nbdsync" compare --quiet "$(uri a)" "$(uri b)"
	! has qemu-img || takes_part qemu-img qemu-img compare -f raw -F raw \
	    "$(uri a)" "$(uri b)"
	run_all
}

# What "sh -c" is to do with PROGRAM SOURCE DESTINATION...; a program of its
# own, since it is measured as one.
to_each='program=$1 source=$2
shift 2
for disk; do
	$program "$source" "$disk" || exit
done'

row_fanout()
{
	local dst result=0

	row_title
	serve_source src "$(scaled_size $((2 * GiB)))"
	for dst in dst1 dst2 dst3; do
		serve_destination $dst "$(scaled_size $((2 * GiB)))"
	done
	set -- "$(uri src)" "$(uri dst1)" "$(uri dst2)" "$(uri dst3)"
	"$nbdsync" copy --quiet "$@" >/dev/null 2>&1 || result=$?
	if [ $result -eq 2 ]; then
		cannot "this nbdsync copies to one destination only"
		return
	fi
	takes_part nbdsync "$nbdsync" copy --quiet "$@"
	takes_part "nbdsync, 3 runs" sh -c "$to_each" sh \
	    "$nbdsync copy --quiet" "$@"
	! has nbdcopy || takes_part "nbdcopy, 3 runs" sh -c "$to_each" sh \
	    nbdcopy "$@"
	run_all
}

# One program for each library, see client.c.
row_reads()
{
	local n
	n=$(scaled 100000)

	row_title
	serve_source src "$GiB"
	tells libnbdclient "$helpers/client-nbdclient" reads "$(uri src)" \
	    "$n" 64 4096
	with_libnbd reads "$(uri src)" "$n" 64 4096
	run_all
}

with_libnbd()
{
	if [ -x "$helpers/client-libnbd" ]; then
		tells libnbd "$helpers/client-libnbd" "$@"
	else
		cannot "libnbd: configure did not find it (libnbd-dev)"
	fi
}

idle_connections()
{
	local n
	n=$(scaled 1000)

	tells libnbdclient "$helpers/client-nbdclient" idle "$(uri src)" "$n"
	with_libnbd idle "$(uri src)" "$n"
	run_all
}

row_idle()
{
	row_title
	if [ "$server" = lean ]; then
		serve_lean src "$GiB"
	else
		serve src --threads=1 null "$GiB"
	fi
	idle_connections
}

row_idle_tls()
{
	row_title
	needs_nbdkit || return
	serve_tls x509 src --threads=1 null "$GiB"
	idle_connections
}

# growth_copy LABEL SOURCE DESTINATION: one of several sizes.
growth_copy()
{
	takes_part "$1" "$nbdsync" copy --quiet "$2" "$3"
}

row_growth()
{
	local n

	row_title
	for n in ${sizes:-1 4 16}; do
		serve_source "src$n" $((n * GiB))
		serve_destination "dst$n" $((n * GiB))
		growth_copy "$n GiB" "$(uri "src$n")" "$(uri "dst$n")"
	done
	run_all
}

# nbdkit takes long to say where so much of nothing is.
row_growth_sparse()
{
	local n

	row_title "from a lean server"
	for n in ${sizes:-1 8 64}; do
		serve_lean "src$n" $((n * TiB)) "$(scaled 1000)" 65536
		serve_destination "dst$n" $((n * TiB))
		growth_copy "$n TiB" "$(uri "src$n")" "$(uri "dst$n")"
	done
	run_all
}

row_growth_extents()
{
	local n

	row_title "from a lean server"
	for n in ${sizes:-1 100 10000 1000000}; do
		serve_lean "src$n" "$TiB" "$n" 4096
		serve_destination "dst$n" "$TiB"
		growth_copy "$n islands" "$(uri "src$n")" "$(uri "dst$n")"
	done
	run_all
}

# In nbdkit two threads a connection: 16 of them are more than a machine has
# room for with so many connections.
serve_for_jobs()
{
	if [ "$server" = lean ]; then
		serve_lean src "$1"
		serve_lean dst "$1"
	else
		serve src --threads=2 pattern "$1"
		serve dst --threads=2 null "$1"
	fi
}

# jobs_conf N [COMMAND-OF-A-BROKEN-SOURCE]
jobs_conf()
{
	local i

	cat <<-END
	control = { socket = "$tmp/control.sock"; };
	daemon = { state_dir = "$tmp/state"; };
	log = { level = "warning"; };
	endpoints = ( { name = "src"; uri = "$(uri src)"; },
	  { name = "dst"; uri = "$(uri dst)"; },
	  { name = "bad"; command = [ ${2-\"false\"} ]; } );
	jobs = ( { name = "broken"; source = "bad"; destination = "dst"; }
	END
	for ((i = 1; i <= $1; i++)); do
		echo ", { name = \"job$i\";" \
		    'source = "src"; destination = "dst"; }'
	done
	echo ');'
}

# run_jobs N [COMMAND-OF-A-BROKEN-SOURCE]: in a daemon of their own, with the
# broken job, if there is one; prints the figures.
run_jobs()
{
	local daemon told

	# What is known of earlier runs would be taken for these.
	rm -rf "$tmp/control.sock" "$tmp/daemon.pid" "$tmp/state"
	mkdir "$tmp/state"
	jobs_conf "$@" >"$tmp/conf"
	# shellcheck disable=SC2016
	"$helpers/measure" "$(server_pids)" sh -c '
		echo $$ >"$1"
		exec "$2" --config "$3"' sh "$tmp/daemon.pid" "$nbdsyncd" \
	    "$tmp/conf" 3>"$tmp/daemon.figures" >&2 &
	daemon=$!
	until "$nbdsync" status --socket "$tmp/control.sock" >/dev/null 2>&1
	do
		kill -0 $daemon 2>/dev/null || return
		sleep 0.05
	done
	[ $# -eq 1 ] || "$nbdsync" start --quiet \
	    --socket "$tmp/control.sock" broken || return
	told=$("$helpers/probe-jobs" "$tmp/control.sock" "$1") || told=
	kill "$(cat "$tmp/daemon.pid")"
	wait $daemon || return
	[ -n "$told" ] || return
	# The daemon's own wall time is no figure.
	echo "$(sed 's/^wall=[^ ]* //' "$tmp/daemon.figures") $told"
}

row_jobs()
{
	row_title
	serve_for_jobs $((64 * MiB))
	tells nbdsyncd run_jobs "$(scaled 100)"
	run_all
}

# Sources that say nothing, cannot read, and take a second for each request.
row_isolation()
{
	local size

	row_title
	size=$(scaled_size $((256 * MiB)))
	serve_for_jobs "$size"
	tells "19 jobs" run_jobs 19
	tells "and a mute one" run_jobs 19 '"sleep", "600"'
	tells "and a bad one" run_jobs 19 '"nbdkit", "--filter=error",
	    "pattern", "'"$size"'", "error-pread-rate=100%"'
	tells "and a slow one" run_jobs 19 '"nbdkit", "--filter=delay",
	    "pattern", "'"$size"'", "rdelay=1"'
	run_all
}

row_growth_jobs()
{
	local n

	row_title
	serve_for_jobs $((64 * MiB))
	for n in ${sizes:-1 10 100}; do
		tells "$n jobs" run_jobs "$n"
	done
	run_all
}
