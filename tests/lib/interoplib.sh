# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The tables of INTEROPERATION in nbdclient(3), each cell of them a test;
# sourced after testlib.sh.  A table has a column for each way to set the
# server up and a row for each thing that is done to it by nbd-do.  A test is
#
#	interop_begin nbdkit "$version" ...	the server's part of the
#					manual, its version, and the set-ups
#					that the test knows, by their columns
#	set_up_X509() { ... }		for the column "X.509": starts the
#					process "server" and sets $uri
#	interop_end			does it all
#
# and finds $tmp/src.img, with which every set-up begins, through
#
#	make_disk raw			$disk, a copy of it
#	make_disk qcow2			likewise
#	make_disk overlay		a qcow2 with a bitmap "changes" that is
#					backed by src.img
#
# After the last request a server is killed, not ended, so that what a flush
# should have made stable is.

interop_do=$builddir/tests/lib/nbd-do
interop_size=$((8 * MiB + 512))

# What nbd-do is told, and where: no two touch each other.
write_at=$((1 * MiB)) fua_at=$((2 * MiB)) zero_at=$((3 * MiB))
no_hole_at=$((4 * MiB)) fast_at=$((5 * MiB)) trim_at=$((6 * MiB))
cache_at=$((7 * MiB))
write_len=$((200 * KiB)) fua_len=$((64 * KiB + 512)) zero_len=$((256 * KiB))
no_hole_len=$((128 * KiB)) fast_len=$((128 * KiB)) trim_len=$((256 * KiB))
cache_len=$((64 * KiB))

## The manual

# The lines of a server's table, without its frame; $1 is the title of its
# part of the manual.
interop_table()
{
	awk -v title="$1" '
	/^\.S[SH] / { inside = $0 == ".SS " title }
	/^\.TE/ { table = 0 }
	inside && table && /;/ && !/^tab\(/ { print }
	/^\.TS/ { table = 1 }' "$srcdir/doc/nbdclient.3"
}

# The title of a server's part, with the version that it tells of.
interop_title()
{
	sed -n '/^\.SH INTEROPERATION/,/^\.SH SEE/s/^\.SS //p' \
	    "$srcdir/doc/nbdclient.3" | grep -x -E "$1( [0-9.]+)?"
}

# The fields of a line, one a line.
interop_fields()
{
	echo "$1" | tr ';' '\n'
}

# "SET-UP: FEATURE: VALUE" for each cell.
interop_cells()
{
	echo "$interop_table" | awk -F ';' '
	NR == 1 { for (i = 2; i <= NF; i++) column[i] = $i; next }
	{ for (i = 2; i <= NF; i++) print column[i] ": " $1 ": " $i }'
}

## What came out of it

# The answer to a line of the script.
said()
{
	sed -n "s/^$1 //p" "$tmp/said"
}

# same FILE FILE OFFSET OFFSET LENGTH
same()
{
	cmp -s -n "$5" -i "$3:$4" "$1" "$2"
}

# "yes" must have done it, and "no" must have left things as they were.
# wrote WORD OFFSET LENGTH FILE: what the file begins with is there now.
wrote()
{
	case $(said "$1") in
	yes) same "$tmp/after.img" "$4" "$2" 0 "$3" && echo yes ||
	    echo "said yes, and did not" ;;
	no) same "$tmp/after.img" "$tmp/src.img" "$2" "$2" "$3" && echo no ||
	    echo "said no, and did something" ;;
	*) said "$1" ;;
	esac
}

# All that the flush was sent after.
flushed()
{
	case $(said flush) in
	yes) cmp -s "$tmp/after.img" "$tmp/want.img" && echo yes ||
	    echo "said yes, and did not" ;;
	*) said flush ;;
	esac
}

# was_read WORD FILE LENGTH
was_read()
{
	case $(said "$1") in
	yes) same "$2" "$tmp/src.img" 0 0 "$3" && echo yes ||
	    echo "said yes, and it is something else" ;;
	*) said "$1" ;;
	esac
}

connections()
{
	case $(said second) in
	no) echo one ;;
	yes) echo many ;;
	*) said second ;;
	esac
}

# The extents of a file must follow each other to the end of the disk.
are_whole()
{
	awk -v size="$interop_size" '
	$1 != end || $2 == 0 { bad = 1 }
	{ end = $1 + $2 }
	END { exit bad || end != size }' "$1"
}

flags_at()
{
	awk -v at="$2" '$1 <= at && at < $1 + $2 { print $3 }' "$1"
}

# What is called zero is zero; what is data, and what was zeroed, are known
# as such.
is_allocation()
{
	are_whole "$tmp/allocation" || return
	while read -r from_ len_ flags_; do
		[ $((flags_ & 2)) -eq 0 ] ||
		    same "$tmp/after.img" /dev/zero "$from_" 0 "$len_" ||
		    return
	done <"$tmp/allocation"
	[ "$(flags_at "$tmp/allocation" "$write_at")" = 0 ] &&
	    [ $(($(flags_at "$tmp/allocation" "$zero_at") & 2)) -eq 2 ]
}

# In QEMU's clusters of 64 KiB; it does not count what is trimmed.
is_bitmap()
{
	are_whole "$tmp/bitmap" &&
	    [ "$(awk '$3 == 1 { printf "%d+%d ", $1, $2 }' "$tmp/bitmap")" = \
	    "$(for range_ in "$write_at $write_len" "$fua_at $fua_len" \
	    "$zero_at $zero_len" "$no_hole_at $no_hole_len" \
	    "$fast_at $fast_len"; do
		echo "$range_"
	done | awk '{ printf "%d+%d ", $1,
	    int(($2 + 65535) / 65536) * 65536 }')" ]
}

is_depth()
{
	are_whole "$tmp/depth" &&
	    [ "$(flags_at "$tmp/depth" 0)" = 2 ] &&
	    [ "$(flags_at "$tmp/depth" "$write_at")" = 1 ] &&
	    [ "$(flags_at "$tmp/depth" "$zero_at")" = 1 ]
}

# context NAME CHECK
context()
{
	case $(said "context $1"):$(said "status $1") in
	no:no) echo no ;;
	yes:yes) "$2" && echo yes || echo "wrong extents" ;;
	*) said "status $1" ;;
	esac
}

# Those that were opened with are among those that are listed.
listed_contexts()
{
	for name_ in base:allocation qemu:dirty-bitmap:changes \
	    qemu:allocation-depth; do
		[ "$(said contexts):$(said "context $name_")" != yes:yes ] ||
		    grep -q -x "listed $name_" "$tmp/said" ||
		    { echo "$name_ is not listed"; return; }
	done
	said contexts
}

# A row of the table, its name in the manual and how it is found out.
interop_features='
opened;said open
size;size
replies;said replies
TLS;said tls
exports listed;said list
contexts listed;listed_contexts
connections;connections
read;was_read read "$tmp/got.img" "$interop_size"
read, DF;was_read read-df "$tmp/got-df.img" 65536
write;wrote write "$write_at" "$write_len" "$tmp/new"
write, FUA;wrote write-fua "$fua_at" "$fua_len" "$tmp/new-fua"
flush;flushed
zeroes;wrote zero "$zero_at" "$zero_len" /dev/zero
zeroes, no hole;wrote zero-no-hole "$no_hole_at" "$no_hole_len" /dev/zero
zeroes, fast;wrote zero-fast "$fast_at" "$fast_len" /dev/zero
trim;said trim
cache;wrote cache "$cache_at" "$cache_len" "$tmp/cached"
base:allocation;context base:allocation is_allocation
dirty bitmap;context qemu:dirty-bitmap:changes is_bitmap
allocation depth;context qemu:allocation-depth is_depth'
interop_features=${interop_features#?}

size()
{
	[ "$(said size)" = "$interop_size" ] && echo yes || said size
}

# How a cell of this feature turned out; nothing was tried where the export
# was not opened.
observed()
{
	how_=$(echo "$interop_features" | sed -n "s/^$1;//p")
	value_=$(eval "${how_:-echo unknown to the test}")
	case $(said open):$value_ in
	refused:) echo - ;;
	*) echo "$value_" | sed 's/^TLSv//' ;;
	esac
}

## Doing it

# The script, in an order that lets the flush cover all that changes
# anything.
interop_script()
{
	cat <<END
list
contexts
open
second
read $tmp/got.img
read-df 65536 $tmp/got-df.img
write $write_at $tmp/new
write-fua $fua_at $tmp/new-fua
zero $zero_at $zero_len
zero-no-hole $no_hole_at $no_hole_len
zero-fast $fast_at $fast_len
trim $trim_at $trim_len
cache $cache_at $cache_len
flush
status base:allocation $tmp/allocation
status qemu:dirty-bitmap:changes $tmp/bitmap
status qemu:allocation-depth $tmp/depth
END
}

make_disk()
{
	disk=$tmp/disk.$1
	rm -f "$disk"
	disk_kind=$1
	case $1 in
	raw) cp "$tmp/src.img" "$disk" ;;
	qcow2) qemu-img convert -f raw -O qcow2 "$tmp/src.img" "$disk" ;;
	overlay)
		qemu-img create -q -f qcow2 -b "$tmp/src.img" -F raw "$disk" &&
		    qemu-img bitmap --add -f qcow2 "$disk" changes
		;;
	esac || bail "make_disk $1"
}

end_server()
{
	stop_process server KILL
}

# What the server's file holds now, in after.img.
interop_take_disk()
{
	case $disk_kind in
	raw) cp "$disk" "$tmp/after.img" ;;
	*) qemu-img convert -f qcow2 -O raw "$disk" "$tmp/after.img" ;;
	esac || bail "the disk cannot be read"
}

# put FILE OFFSET LENGTH: over what is there in want.img.
put()
{
	dd if="$1" of="$tmp/want.img" bs=512 seek=$(($2 / 512)) \
	    count=$(($3 / 512)) conv=notrunc 2>/dev/null
}

# What should be there: where it was trimmed, anything.
interop_make_want()
{
	cp "$tmp/src.img" "$tmp/want.img"
	[ "$(said write)" != yes ] || put "$tmp/new" "$write_at" "$write_len"
	[ "$(said write-fua)" != yes ] ||
	    put "$tmp/new-fua" "$fua_at" "$fua_len"
	[ "$(said zero)" != yes ] || put /dev/zero "$zero_at" "$zero_len"
	[ "$(said zero-no-hole)" != yes ] ||
	    put /dev/zero "$no_hole_at" "$no_hole_len"
	[ "$(said zero-fast)" != yes ] ||
	    put /dev/zero "$fast_at" "$fast_len"
	[ "$(said trim)" != yes ] ||
	    dd if="$tmp/after.img" of="$tmp/want.img" bs=512 \
		skip=$((trim_at / 512)) seek=$((trim_at / 512)) \
		count=$((trim_len / 512)) conv=notrunc 2>/dev/null
}

# Names of columns as functions.
interop_function()
{
	echo "set_up_$(echo "$1" | tr -cd 'A-Za-z0-9')"
}

interop_column()
{
	rm -f "$tmp/got.img" "$tmp/got-df.img" "$tmp/allocation" "$tmp/bitmap" "$tmp/depth"
	"$(interop_function "$1")"
	interop_script | "$interop_do" "$uri" base:allocation \
	    qemu:dirty-bitmap:changes qemu:allocation-depth >"$tmp/said" \
	    2>"$tmp/do.err"
	is "$1: all was tried" "$? $(cat "$tmp/do.err")" "0 "
	end_server
	interop_take_disk
	interop_make_want
	ok "$1: the disk is what was made of it" \
	    cmp "$tmp/want.img" "$tmp/after.img"
	echo "$interop_features" >"$tmp/features"
	while IFS=';' read -r feature_ how_; do
		claimed_=$(interop_cells | sed -n "s/^$1: $feature_: //p")
		is "$1: $feature_: $claimed_" "$(observed "$feature_")" \
		    "$claimed_"
		echo "$1: $feature_: $claimed_" >>"$tmp/tested"
	done <"$tmp/features"
}

# interop_begin SERVER VERSION SET-UP...
interop_begin()
{
	[ -x "$interop_do" ] || {
		echo "1..0 # SKIP tests/lib/nbd-do was not built"
		exit 0
	}
	title_=$(interop_title "$1")
	[ "$title_" ] || bail "the manual has no part about $1"
	[ "$title_" = "$1${2:+ $2}" ] || {
		echo "1..0 # SKIP the manual tells of '$title_'," \
		    "and this is ${2:-another}"
		exit 0
	}
	interop_table=$(interop_table "$title_")
	shift 2
	interop_set_ups=$(printf '%s\n' "$@")
	plan $((3 + $# * (2 + $(echo "$interop_features" | wc -l))))
	make_data "$tmp/src.img" "$interop_size" disk
	make_data "$tmp/new" "$write_len" new
	make_data "$tmp/new-fua" "$fua_len" fua
	dd if="$tmp/src.img" of="$tmp/cached" bs=512 \
	    skip=$((cache_at / 512)) count=$((cache_len / 512)) 2>/dev/null
	: >"$tmp/tested"
}

interop_end()
{
	is "the manual has a column for each set-up" \
	    "$(interop_fields "$(echo "$interop_table" | head -n 1)" |
	    sed 1d)" "$interop_set_ups"
	is "and a row for each feature" \
	    "$(echo "$interop_table" | sed -e 1d -e 's/;.*//')" \
	    "$(echo "$interop_features" | sed 's/;.*//')"
	for set_up_ in $interop_set_ups; do
		interop_column "$set_up_"
	done
	is "each cell of the manual's table was tested" \
	    "$(sort "$tmp/tested")" "$(interop_cells | sort)"
}
