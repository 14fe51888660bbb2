#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The map of a job has everything where it is, and its mapfile to the byte, so
# that other programs can go on with what is left.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit eval --version
requires nbdkit --filter=delay file --version
requires ddrescuelog --version
plan 51

size=$((4 * MiB))
make_data "$tmp/data" $size 7
for i in copy parts left first second; do
	truncate -s $size "$tmp/$i"
done
touch "$tmp/bad"
start_nbdkit src -r eval get_size="echo $size" pread="
	if [ -e $tmp/bad ] && [ \$4 -lt 1003000 ] &&
	    [ \$((\$4 + \$3)) -gt 1000000 ]; then
		echo EIO bad sector >&2
		exit 1
	fi
	dd if=$tmp/data skip=\$4 count=\$3 bs=64K status=none \
	    iflag=skip_bytes,count_bytes,fullblock"
head -c $size "$tmp/data" >"$tmp/sparse"
truncate -s $((4 * size)) "$tmp/sparse"
# Where there was something before: it has to be zeroed.
start_nbdkit rest pattern --filter=cow $((4 * size))
start_nbdkit plain pattern --filter=nozero --filter=cow $((4 * size))
start_second()
{
	start_nbdkit second file "$tmp/second"
}
start_second
start_nbdkit slow -r --filter=delay file "$tmp/data" rdelay=60ms
conf "endpoints = ( { name = \"a\"; uri = \"$(uri src)\"; },
  { name = \"slow\"; uri = \"$(uri slow)\"; },
  { name = \"copy\"; path = \"$tmp/copy\"; },
  { name = \"data\"; path = \"$tmp/data\"; },
  { name = \"first\"; path = \"$tmp/first\"; },
  { name = \"second\"; uri = \"$(uri second)\"; },
  { name = \"parts\"; path = \"$tmp/parts\"; },
  { name = \"left\"; path = \"$tmp/left\"; },
  { name = \"sparse\"; path = \"$tmp/sparse\"; },
  { name = \"rest\"; uri = \"$(uri rest)\"; },
  { name = \"plain\"; uri = \"$(uri plain)\"; } );
jobs = ( { name = \"sparse\"; source = \"sparse\"; destination = \"rest\"; },
  { name = \"plain\"; source = \"sparse\"; destination = \"plain\"; },
  { name = \"bad\"; source = \"a\"; destination = \"copy\";
    retries = 0; on_read_error = \"skip\"; },
  { name = \"two\"; source = \"data\"; retries = 0;
    destinations = [ \"first\", \"second\" ]; },
  { name = \"parts\"; source = \"slow\"; destination = \"parts\";
    ranges = ( { from = \"2MiB\"; length = \"1MiB\"; to = \"0\"; },
      { from = \"1MiB\"; length = \"512KiB\"; to = \"3MiB\"; } ); },
  $(slow_job left slow left 'checkpoint = "1s";') );"
start_daemon "$tmp/conf"
api /v1/schema >"$tmp/schema"
fits()
{
	perl "$srcdir/tests/lib/check-json.pl" "$tmp/schema" '#/$defs/map' 2>&1
}

exits 13 "a run skips what cannot be read" "$nbdsync" start --wait bad
like "which its status tells" "$("$nbdsync" status bad)" \
    '  skipped: *3072 bytes at offset 999936: source: Input/output error'
api '/v1/jobs/bad/map?cells=8' >"$tmp/body"
is "its map shows where that is" "$(jq -c .runs "$tmp/body")" \
    '[["durable",1],["error",1],["durable",6]]'
is "by the schema" "$(fits <"$tmp/body")" ""
api '/v1/jobs/bad/map?exact=1' >"$tmp/body"
is "to the byte, if that is asked for" "$(jq -c .stretches "$tmp/body")" \
    '[[0,999936,"durable"],[999936,3072,"error"],[1003008,3191296,"durable"]]'
is "by the schema, too" "$(fits <"$tmp/body")" ""
is "exact is yes or no" "$(api_status '/v1/jobs/bad/map?exact=2')" 400
like "people see it" "$("$nbdsync" map --ascii --cells 8 bad)" '  #x#{6}$'
ok "so does a picture" "$nbdsync" map --cells 8 --svg "$tmp/svg" bad
like "in its place" "$(cat "$tmp/svg")" '<title>failed: 524288 to 1048576<'
ok "a mapfile has it" "$nbdsync" map --ddrescue "$tmp/mapfile" bad
is "as what is bad" "$(sed '1,/# *pos/d' "$tmp/mapfile" | tr -s ' \n' ' ')" \
    "0x00000000 0x000F4200 + 0x000F4200 0x00000C00 - 0x000F4E00 0x0030B200 + "
ok "another program reads it so" [ "$(ddrescuelog -t "$tmp/mapfile" |
    sed -n 's/.*bad-sector: *\([0-9]*\) B.*/\1/p')" = 3072 ]
cmp -s "$tmp/data" "$tmp/copy" && bail "nothing was skipped"
rm "$tmp/bad"
"$nbdsync" copy --json --mapfile "$tmp/mapfile" "$(uri src)" "$tmp/copy" \
    >"$tmp/result"
is "a copy goes on with it" "$(jq .progress.read_bytes "$tmp/result")" 3072
ok "so that nothing is missing" cmp "$tmp/data" "$tmp/copy"
"$nbdsync" verify --wait --quiet bad
is "a comparison leaves the map alone" "$(api '/v1/jobs/bad/map?exact=1' |
    jq '.stretches | length')" 3

# What differs has a place in it, until it is written.
stretches()
{
	api "/v1/jobs/$1/map?exact=1" | jq -c .stretches
}
spoil()
{
	for offset in "$@"; do
		printf spoilt | dd of="$tmp/copy" bs=1 seek="$offset" \
		    conv=notrunc status=none
	done
}
"$nbdsync" start --wait --quiet bad
is "a copy is all there" "$(stretches bad)" '[[0,4194304,"durable"]]'
spoil 2097152 3145728
exits 9 "a comparison that finds differences" "$nbdsync" verify --wait --quiet bad
api '/v1/jobs/bad/map?cells=8' >"$tmp/body"
is "leaves them in the map" "$(jq -c .runs "$tmp/body")" \
    '[["durable",4],["differs",1],["durable",1],["differs",1],["durable",1]]'
is "by the schema" "$(fits <"$tmp/body")" ""
like "people see it" "$("$nbdsync" map --ascii --cells 8 bad)" '  ####!#!#$'
"$nbdsync" map --cells 8 --svg "$tmp/svg" bad
like "so they do in a picture" "$(cat "$tmp/svg")" \
    '<title>differs: 2097152 to 2621440<'
"$nbdsync" map --ddrescue "$tmp/mapfile" bad
"$nbdsync" copy --json --mapfile "$tmp/mapfile" "$tmp/data" "$tmp/copy" \
    >"$tmp/result"
ok "a copy with its mapfile" [ "$(jq .progress.read_bytes "$tmp/result")" -lt \
    $((1 * MiB)) ]
ok "makes it equal" cmp "$tmp/data" "$tmp/copy"
"$nbdsync" verify --wait --quiet --range 3MiB:1MiB bad
is "another comparison of a part finds that out there" \
    "$(api '/v1/jobs/bad/map?cells=8' | jq -c .runs)" \
    '[["durable",4],["differs",1],["durable",3]]'
"$nbdsync" verify --wait --quiet bad
is "and one of all everywhere" "$(stretches bad)" '[[0,4194304,"durable"]]'
spoil 1048576
"$nbdsync" verify --wait --quiet bad
is "what is found anew" "$(api '/v1/jobs/bad/map?cells=4' | jq -c .runs)" \
    '[["durable",1],["differs",1],["durable",2]]'
"$nbdsync" verify --repair --wait --quiet bad
is "is no more once it is repaired" "$(stretches bad |
    grep -c differs)" 0
spoil 1048576
"$nbdsync" verify --wait --quiet bad
"$nbdsync" start --wait --quiet --full bad
is "nor once it is copied" "$(stretches bad)" '[[0,4194304,"durable"]]'

# Who does not look at a destination does not find it equal.
"$nbdsync" start --wait --quiet two
stop_process second
printf spoilt | dd of="$tmp/second" bs=1 seek=1048576 conv=notrunc status=none
start_second
exits 9 "one of two destinations differs" "$nbdsync" verify --wait --quiet two
stop_process second
exits 3 "and is away when they are compared again" \
    "$nbdsync" verify --wait --quiet two
is "then it still differs" "$(api '/v1/jobs/two/map?cells=4' | jq -c .runs)" \
    '[["durable",1],["differs",1],["durable",2]]'

"$nbdsync" start --wait --quiet parts
is "of a job of parts they are where they are" \
    "$(api '/v1/jobs/parts/map?exact=1' | jq -c '[.size_bytes, .stretches]')" \
    '[1572864,[[2097152,1048576,"durable"],[1048576,524288,"durable"]]]'
"$nbdsync" map --ddrescue "$tmp/mapfile" parts
is "and the rest of the disk is not called finished" \
    "$(sed '1,/# *pos/d' "$tmp/mapfile" | tr -s ' \n' ' ')" \
    "0x00000000 0x00100000 ? 0x00100000 0x00080000 + 0x00180000 0x00080000 ? 0x00200000 0x00100000 + "
ok "as others understand it" ddrescuelog -t "$tmp/mapfile"

"$nbdsync" start --wait --quiet sparse
api '/v1/jobs/sparse/map?cells=8' >"$tmp/body"
is "zeroes are told apart from data" "$(jq -c .runs "$tmp/body")" \
    '[["durable",2],["zero",6]]'
is "by the schema" "$(fits <"$tmp/body")" ""
is "though not to the byte" "$(api '/v1/jobs/sparse/map?exact=1' |
    jq -c .stretches)" '[[0,16777216,"durable"]]'
like "people see it" "$("$nbdsync" map --ascii --cells 8 sparse)" '  ##000000$'
"$nbdsync" map --cells 8 --svg "$tmp/svg" sparse
like "and in a picture" "$(cat "$tmp/svg")" \
    '<title>zeroes: 4194304 to 16777216<'
"$nbdsync" start --wait --quiet plain
is "also where they had to be written" "$(api '/v1/jobs/plain/map?cells=8' |
    jq -c .runs)" '[["durable",2],["zero",6]]'
is "which they were" "$(job_field plain .last_run.progress.zeroed_bytes)" \
    $((3 * size))

# What is durable is, and what is not is not, whenever one looks.
start_job left
ok "while a job runs" wait_for \
    "[ \"\$(job_field left '.run.progress.durable_bytes')\" -gt 0 ]"
wait_for "[ \"\$(job_field left .run.progress.done_bytes)\" -gt \
    \"\$(job_field left .run.progress.durable_bytes)\" ]"
api '/v1/jobs/left/map?exact=1' >"$tmp/body"
is "its map has all of the disk" "$(jq '[.stretches[][1]] | add' \
    "$tmp/body")" $size
is "in order" "$(jq '[.stretches[] | {o: .[0], e: (.[0] + .[1])}] |
    [range(1; length) as $i | .[$i].o == .[$i - 1].e] | all' \
    "$tmp/body")" true
is "with what is claimed, and what is durable" "$(jq -c '[.stretches[][2]] |
    unique - ["done", "todo"]' "$tmp/body")" '["claimed","durable"]'
api /v1/jobs/left/cancel --data '{"force":true}' >/dev/null
wait_job left
"$nbdsync" map --ddrescue "$tmp/mapfile" left
sed -n 's/^\(0x[0-9A-F]*\)  \(0x[0-9A-F]*\)  +$/\1 \2/p' "$tmp/mapfile" \
    >"$tmp/finished"
ok "of a run that was ended a part is finished" test -s "$tmp/finished"
bad=
while read -r offset length; do
	cmp -s -i "$((offset))" -n "$((length))" "$tmp/data" "$tmp/left" ||
	    bad="$bad $offset"
done <"$tmp/finished"
is "which is there" "$bad" ""
"$nbdsync" copy --json --mapfile "$tmp/mapfile" "$tmp/data" "$tmp/left" \
    >"$tmp/result"
ok "a copy goes on with what is left" [ \
    "$(jq .progress.read_bytes "$tmp/result")" -lt $size ]
ok "and completes it" cmp "$tmp/data" "$tmp/left"
stop_process daemon
is "the daemon ends well" $? 0
