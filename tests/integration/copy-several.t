#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One source to several destinations: read once, each on its own.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit pattern --version
requires nbdkit --filter=error null --version
requires jq --version
requires perl -e 1
plan 48

size=$((64 * MiB))
make_data "$tmp/src.img" $((48 * MiB + 513)) disk
start_nbdkit src -r --filter=stats file "$tmp/src.img" \
    statsfile="$tmp/stats"
for i in a b c; do
	truncate -s $((48 * MiB + 513)) "$tmp/$i.img"
	start_nbdkit $i file "$tmp/$i.img"
done
ok "three destinations are copied to" "$nbdsync" copy --json \
    --max-lag 128MiB "$(uri src)" "$(uri a)" "$(uri b)" "$(uri c)"
is "each has its figures" \
    "$(echo "$out" | jq -c '[.progress.destinations[].done_bytes]')" \
    "[50332161,50332161,50332161]"
is "the source was read once" "$(echo "$out" | jq .progress.read_bytes)" \
    50332161
for i in a b c; do
	ok "every byte arrived at $i" cmp "$tmp/src.img" "$tmp/$i.img"
done
ok "the server is stopped" stop_process src
like "which says so, too" "$(cat "$tmp/stats")" \
    '^read: [0-9]* ops, [0-9.]* s, 48\.00 MiB'

# One is far slower than the memory there is for it.
start_nbdkit pattern -r pattern $size
start_nbdkit fast --filter=checkwrite pattern $size
start_nbdkit slow --filter=checkwrite --filter=delay pattern $size \
    rdelay=100ms
ok "a slow one is left behind, and caught up with" "$nbdsync" copy --json \
    --max-lag 1MiB "$(uri pattern)" "$(uri fast)" "$(uri slow)"
is "by reading again" "$(echo "$out" |
    jq ".progress.read_bytes > $size")" true
is "and nothing is missing" "$(echo "$out" |
    jq -c '[.progress.destinations[] | .behind_bytes, .durable_bytes]')" \
    "[0,$size,0,$size]"

# One fails in the middle, and is not mistaken for a success.
start_nbdkit bad --filter=error null $size error-pwrite=ENOSPC \
    error-pwrite-rate=1 error-pwrite-file="$tmp/now"
touch "$tmp/now"
exits 3 "one that fails leaves the others, and is told" "$nbdsync" copy \
    --json "$(uri pattern)" "$(uri fast)" "$(uri bad)"
like "with its name and the cause" "$err" \
    "destination '.*bad\.sock'.*write of .*No space left on device"
is "as what it is" "$(echo "$out" | jq -r .result)" succeeded-with-warnings
is "in JSON, too" "$(echo "$out" |
    jq -c '[.destination_failures[] | . == null]')" '[true,false]'
exits 4 "if all fail it is a failure" "$nbdsync" copy "$(uri pattern)" \
    "$(uri bad)"

exits 4 "the same disk twice is refused" "$nbdsync" copy "$(uri pattern)" \
    "$(uri fast)" "$(uri fast)"
like "and nothing was written" "$err" \
    'same export as another destination; nothing was written'
exits 4 "one that is too small is refused for all" "$nbdsync" copy \
    "$(uri pattern)" "$(uri fast)" "$tmp/a.img"

# One cannot be opened: the others go on without it.
touch "$tmp/nobody.sock"
for i in a b; do
	truncate -s 0 "$tmp/$i.img"
	truncate -s $((48 * MiB + 513)) "$tmp/$i.img"
done
start_nbdkit src -r file "$tmp/src.img"
exits 3 "one that cannot be opened leaves the others" "$nbdsync" copy \
    --json "$(uri src)" "$(uri a)" "$(uri nobody)" "$(uri b)"
like "the one is told" "$err" "destination '.*nobody\.sock'"
is "which is no plain success" "$(echo "$out" | jq -r .result)" \
    succeeded-with-warnings
is "they are complete, and durable" "$(echo "$out" |
    jq -c '[.progress.destinations[] | .failed, .durable_bytes]')" \
    "[false,50332161,true,0,false,50332161]"
for i in a b; do
	ok "every byte arrived at $i" cmp "$tmp/src.img" "$tmp/$i.img"
done
exits 9 "that others differ is told beside it" "$nbdsync" compare \
    "$(uri src)" "$(uri pattern)" "$(uri nobody)"
like "as well as it is" "$err" "'[^']*nobody\.sock'"
exits 3 "also if it is the first, and a command that fails" "$nbdsync" copy \
    "$(uri src)" [ false ] "$(uri b)"
exits 4 "unless all are required" "$nbdsync" copy --json --require-all \
    "$(uri pattern)" "$(uri bad)" "$(uri nobody)"
is "then nothing is written" "$(echo "$out" |
    jq -c '[.progress.destinations[] | .done_bytes]')" "[0,0]"
exits 4 "or a required one fails later" "$nbdsync" copy --json \
    --require-all "$(uri pattern)" "$(uri fast)" "$(uri bad)"
is "which the others do not suffer from" "$(echo "$out" |
    jq -c '[.progress.destinations[] | .failed, .durable_bytes == '$size']')" \
    "[false,true,true,false]"
exits 4 "if none can be opened it is a failure" "$nbdsync" copy \
    "$(uri src)" "$(uri nobody)" [ false ]

# One is full: the other gets all before there is room.
stop_process a
stop_process b
for i in a b; do
	truncate -s 0 "$tmp/$i.img"
	truncate -s $((48 * MiB + 513)) "$tmp/$i.img"
done
touch "$tmp/full"
start_nbdkit a file "$tmp/a.img"
start_nbdkit b --filter=log --filter=error file "$tmp/b.img" \
    error-pwrite=ENOSPC error-pwrite-rate=100% \
    error-pwrite-file="$tmp/full" logfile="$tmp/b.log"
start_process copy "$nbdsync" copy --json --wait-for-space --max-lag 1MiB \
    "$(uri src)" "$(uri a)" "$(uri b)"
wait_for "cmp -s '$tmp/src.img' '$tmp/a.img'" 60
is "while one is full the other gets all" $? 0
like "the one has refused" "$(grep -c 'Write.*return=-1' "$tmp/b.log")" \
    '^[1-9]'
ok "and is waited for" is_running_ "$(pid_of copy)"
rm "$tmp/full"
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)"
is "until it has room" $? 0
rm -f "$tmp/copy.started"
ok "and catches up" cmp "$tmp/src.img" "$tmp/b.img"
is "which makes a success of both" "$(jq -r .result "$tmp/copy.log")" succeeded

# One has bad ranges while another one stands still.
stop_process a

# What a log says was written well, in bytes.
written()
{
	perl -ne '
		$count{"$1 $2"} = hex $3
		    if /(connection=\d+) Write id=(\d+) .*count=0x([0-9a-f]+)/;
		$sum += $count{"$1 $2"}
		    if /(connection=\d+) \.\.\.Write id=(\d+) return=0/;
		END { print $sum + 0 }' "$1"
}

start_sick()
{
	rm -f "$tmp/sick.log"
	start_nbdkit sick --filter=log eval thread_model='echo parallel' \
	    get_size="echo $size" can_write='exit 0' can_flush='exit 0' \
	    flush='exit 0' pwrite='
		cat >/dev/null
		[ "$4" -ge 512 ] || { echo "EIO a bad sector" >&2; exit 1; }' \
	    logfile="$tmp/sick.log"
}

copy_to_sick_and_held()
{
	start_process copy "$nbdsync" copy --json --on-write-error skip \
	    --retries 0 --max-lag 16MiB "$(uri pattern)" "$(uri sick)" \
	    "$(uri holds)"
}

cat >"$tmp/holds" <<END
case \$1 in
thread_model) echo parallel ;;
get_size) echo $size ;;
can_write | can_flush | flush) ;;
pwrite)
	echo >>"$tmp/held"
	while [ -e "$tmp/hold" ]; do sleep 0.1; done
	cat >/dev/null ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/holds"
touch "$tmp/hold"
start_nbdkit holds sh "$tmp/holds"
start_sick
copy_to_sick_and_held
wait_for "grep -q 'Write id=.* offset=0x0 count=0x200 ' '$tmp/sick.log'" 60
is "bad ranges are narrowed while another one stands still" $? 0
like "which has been sent something" "$(wc -l <"$tmp/held")" '^[1-9]'
ok "and still does" [ -e "$tmp/hold" ]
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)"
is "the copy ends with one bad range" $? 13
rm -f "$tmp/copy.started"
is "of one sector" "$(sed -n '/^{/,$p' "$tmp/copy.log" |
    jq -r '.bad_ranges[] | "\(.offset_bytes)+\(.length_bytes)"')" 0+512

# What one that stands still has been sent is no more than what may lag, and
# leaves room for the others.
touch "$tmp/hold"
rm "$tmp/held"
stop_process b
truncate -s 0 "$tmp/b.img"
truncate -s $((48 * MiB + 513)) "$tmp/b.img"
start_nbdkit b file "$tmp/b.img"
start_process copy "$nbdsync" copy --queue-depth 64 --request-size 1MiB \
    "$(uri src)" "$(uri b)" "$(uri holds)"
ok "one that stands still leaves others room for large requests" \
    wait_for "cmp -s '$tmp/src.img' '$tmp/b.img'" 60
like "though it was sent something" "$(wc -l <"$tmp/held")" '^[1-9]'
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)" || bail "it has failed when it went on"
rm -f "$tmp/copy.started"

# Interrupted: the one has all but what it cannot have, the other has not.
touch "$tmp/hold"
rm "$tmp/held"
stop_process sick
start_sick
copy_to_sick_and_held
wait_for "[ \$(written '$tmp/sick.log') = $((size - 512)) ]" 60 ||
    bail "the bad range was not narrowed"
kill -INT "$(pid_of copy)"
wait_for "grep -q interrupted '$tmp/copy.log'" || bail "it was not told"
rm "$tmp/hold"
wait_for "! is_running_ $(pid_of copy)" 90
wait "$(pid_of copy)"
is "an interrupted copy is no success with bad ranges" $? 130
rm -f "$tmp/copy.started"
is "if another disk lacks more" "$(sed -n '/^{/,$p' "$tmp/copy.log" |
    jq -c '[.result, (.progress.destinations[] | .done_bytes == .total_bytes -
    .failed_bytes)]')" '["cancelled",true,false]'
