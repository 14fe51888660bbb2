#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that has refused a flush reads what it has in its cache, and may
# have forgotten to write it: that is compared with no more.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error file --version
requires jq --version
plan 43

size=$((1 * MiB))
make_data "$tmp/src.img" $size disk
start_nbdkit src -r file "$tmp/src.img"

# As Linux does: a flush that fails tells it once, and forgets what was dirty.
cat >"$tmp/cached" <<'END'
#!/bin/sh
case $1 in
get_size) echo 1048576 ;;
thread_model) echo serialize_all_requests ;;
can_write | can_flush) ;;
pread) dd if="$dir/cache" skip="$4" count="$3" status=none \
    iflag=skip_bytes,count_bytes,fullblock bs=1M ;;
pwrite)
	dd of="$dir/cache" seek="$4" oflag=seek_bytes conv=notrunc bs=1M \
	    iflag=fullblock status=none
	echo "$4 $3" >>"$dir/dirty" ;;
flush)
	touch "$dir/dirty"
	if [ -e "$dir/refuse" ]; then
		rm "$dir/refuse" "$dir/dirty"
		echo EIO >&2
		exit 1
	fi
	while read -r at n; do
		dd if="$dir/cache" of="$dir/disk" skip="$at" seek="$at" \
		    count="$n" iflag=skip_bytes,count_bytes \
		    oflag=seek_bytes conv=notrunc status=none
	done <"$dir/dirty"
	rm "$dir/dirty" ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/cached"
start_cached()
{
	rm -f "$tmp/cache" "$tmp/disk"
	truncate -s $size "$tmp/cache" "$tmp/disk"
	start_nbdkit cached sh "$tmp/cached"
}
export dir="$tmp"
start_cached
ok "what was flushed is on the disk" "$nbdsync" copy "$(uri src)" \
    "$(uri cached)"
cmp "$tmp/src.img" "$tmp/disk" || bail "the disk is none"

start_process mirror "$nbdsync" mirror --sync --interval 0 "$(uri src)" \
    "$(uri cached)"
change()
{
	printf '%s' "$1" | dd of="$tmp/src.img" bs=1 seek=500000 conv=notrunc \
	    status=none
}
change once
wait_for "cmp -s '$tmp/src.img' '$tmp/disk'" 60 || bail "it does not mirror"
touch "$tmp/refuse"
change twice
ok "a flush of a mirror is refused" wait_for "[ ! -e '$tmp/refuse' ]" 60
ok "and what it was for is written again" \
    wait_for "cmp -s '$tmp/src.img' '$tmp/disk'" 60
ok "which was told" wait_for "grep -q 'flush: .*may not be on its disk' \
    '$tmp/mirror.log'" 60
kill -INT "$(pid_of mirror)"
wait_for "! is_running_ $(pid_of mirror)" 60
rm -f "$tmp/mirror.started"

stop_process cached
start_cached
start_nbdkit worn -r --filter=error file "$tmp/src.img" error-pread-rate=100%
hold_half "$tmp/held.sh" "$tmp/src.img"
start_nbdkit held sh "$tmp/held.sh"
truncate -s $size "$tmp/e.img"
conf "endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
  { name = \"t\"; uri = \"$(uri tired)\"; },
  { name = \"w\"; uri = \"$(uri worn)\"; },
  { name = \"h\"; uri = \"$(uri held)\"; },
  { name = \"e\"; path = \"$tmp/e.img\"; },
  { name = \"d\"; uri = \"$(uri cached)\"; } );
jobs = ( { name = \"vm\"; mode = \"sync\"; source = \"s\";
  destination = \"d\"; },
  { name = \"look\"; mode = \"verify\"; source = \"s\";
  destination = \"d\"; },
  { name = \"two\"; mode = \"sync\"; source = \"h\";
  destinations = [ \"d\", \"e\" ]; checkpoint = \"1s\"; },
  { name = \"mirror\"; mode = \"mirror\"; source = \"t\";
  destination = \"d\"; on_read_error = \"skip\"; retries = 0;
  fill = \"zeroes\"; pass_interval = \"0s\"; },
  { name = \"part\"; source = \"h\"; destination = \"d\";
  checkpoint = \"1s\"; },
  { name = \"filled\"; mode = \"sync\"; source = \"w\";
  destination = \"d\"; on_read_error = \"skip\"; retries = 0;
  fill = \"pattern\"; } );"
start_daemon "$tmp/conf"
touch "$tmp/refuse"
exits 4 "a sync whose flush is refused has failed" "$nbdsync" start --wait vm
ok "though it has written all" cmp "$tmp/src.img" "$tmp/cache"
ok "which is not on the disk" eval '! cmp -s "$tmp/src.img" "$tmp/disk"'
exits 3 "that the cache is equal is no success" "$nbdsync" verify --wait vm
like "as the result says" "$(job_field vm '.last_run.gave_up[]')" \
    'refused a flush before: what it reads may not be on its disk'
is "nor is it for the time of the last success" \
    "$(job_field vm '[.last_success, .verified_at] | tostring')" '[null,null]'
exits 3 "nor is there anything to repair" "$nbdsync" verify --repair --wait vm
exits 3 "nor is it a success of another job" "$nbdsync" start --wait look
stop_process daemon
sed 's/"d"/"renamed"/g' "$tmp/conf" >"$tmp/renamed.conf"
start_daemon "$tmp/renamed.conf"
exits 3 "nor when another daemon calls it by another name" "$nbdsync" verify \
    --wait vm
stop_process daemon
start_daemon "$tmp/conf"
ok "the next one succeeds, also with another daemon" "$nbdsync" start --wait vm
ok "and has written it again" cmp "$tmp/src.img" "$tmp/disk"
like "for a reason that it tells" "$(job_field vm '.last_run.gave_up[]')" \
    'has refused a flush before'
ok "now they are equal" "$nbdsync" verify --wait vm
ok "for the other job, too" "$nbdsync" start --wait look
ok "one more is a sync as ever" "$nbdsync" start --wait vm
is "that writes nothing" "$(job_field vm .last_run.progress.written_bytes)" 0

# The run may go on for long after that, and be killed.
change thrice
touch "$tmp/refuse" "$tmp/hold"
start_job two
wait_for "[ \$(job_field two .run.progress.destinations[0].failed) = true ]" ||
    bail "it was not refused"
wait_for "sql 'SELECT * FROM jobs' | grep -q '\"distrusted\":1'" 20
ok "what is refused is noted while the others go on" [ $? -eq 0 ]
stop_process daemon KILL
ok "nothing of it is on the disk" eval '! cmp -s "$tmp/src.img" "$tmp/disk"'
rm "$tmp/hold"
# By its name, and not as the first one.
sed 's/\[ "d", "e" \]/[ "e", "d" ]/' "$tmp/conf" >"$tmp/conf.new"
mv "$tmp/conf.new" "$tmp/conf"
start_daemon "$tmp/conf"
ok "when the daemon was killed, the next run" "$nbdsync" start --wait two
is "in whatever order its destinations are" \
    "$(job_field two '.destinations | map(.endpoint) | tostring')" '["e","d"]'
like "knows of it" "$(job_field two '.last_run.gave_up[]')" \
    "'d' has refused a flush before"
ok "and has written it again" cmp "$tmp/src.img" "$tmp/disk"

# What a repair has not brought to the disk is not gone on from.
touch "$tmp/hold"
start_job part
wait_for "[ \"\$(job_field part \
    '.run.progress.durable_bytes // 0')\" -ge $((size / 4)) ]" ||
    bail "nothing is durable"
"$nbdsync" cancel part
wait_job part
for file in cache disk; do
	printf '%s' bad | dd of="$tmp/$file" bs=1 seek=1000 conv=notrunc \
	    status=none
done
rm "$tmp/hold"
touch "$tmp/refuse"
exits 4 "a repair that is refused its flush has failed" "$nbdsync" verify \
    --repair --wait part
ok "though it has written all" cmp "$tmp/src.img" "$tmp/cache"
ok "a copy that had begun before" "$nbdsync" start --wait part
is "does not go on from there" "$(job_field part .last_run.resumed)" false
ok "and so has written it again" cmp "$tmp/src.img" "$tmp/disk"

# A mirror that fills does not compare with what it has not filled, either.
cp "$tmp/src.img" "$tmp/tired.img"
start_nbdkit tired -r --filter=error file "$tmp/tired.img" error-pread=EIO \
    error-pread-rate=100% error-pread-file="$tmp/is-tired"
start_job mirror
wait_for "[ \"\$(job_field mirror \
    '.run.progress.mirror.passes_complete // 0')\" -gt 0 ]" ||
    bail "it does not mirror"
touch "$tmp/refuse" "$tmp/is-tired"
wait_for "[ ! -e '$tmp/refuse' ]" || bail "nothing is filled"
truncate -s 0 "$tmp/tired.img"
truncate -s $size "$tmp/tired.img"
rm "$tmp/is-tired"
ok "a source that is zero by now is mirrored to a disk that was to be" \
    wait_for "cmp -s '$tmp/tired.img' '$tmp/disk'"
"$nbdsync" cancel mirror
wait_job mirror

# What is filled is flushed by itself.
touch "$tmp/refuse"
exits 4 "where filling is refused its flush the run has failed" "$nbdsync" \
    start --wait filled
ok "it was asked for one" [ ! -e "$tmp/refuse" ]
run "$nbdsync" start --wait filled
like "the next run knows of it" "$(job_field filled '.last_run.gave_up[]')" \
    'has refused a flush before'

# What a job knows does not go with it.
stop_process daemon
rm -r "$STATE_DIRECTORY"

#	only JOBS	are configured
only()
{
	conf "endpoints = ( { name = \"s\"; uri = \"$(uri src)\"; },
	  { name = \"d\"; uri = \"$(uri cached)\"; } );
	jobs = ( $1 { name = \"look\"; mode = \"verify\"; source = \"s\";
	    destination = \"d\"; } );"
}
only '{ name = "vm"; source = "s"; destination = "d"; },'
start_daemon "$tmp/conf"
change again
touch "$tmp/refuse"
exits 4 "a job is refused a flush" "$nbdsync" start --wait vm
only '{ name = "other"; source = "s"; destination = "d"; },'
ok "and is called otherwise" "$nbdsync" reload
exits 3 "that the cache is equal is no success of it" "$nbdsync" verify \
    --wait other
only ""
ok "and then is no more" "$nbdsync" reload
exits 3 "nor is it one of the job that is left" "$nbdsync" start --wait look
ok "all is written by that" "$nbdsync" start --mode copy --wait look
ok "to the disk" cmp "$tmp/src.img" "$tmp/disk"
ok "and then it is equal" "$nbdsync" start --wait look
