#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that was started for a copy, and ends in the middle of it, is started
# again; the copy goes on if it has what was written to it, and fails if not.
. "$srcdir/tests/lib/testlib.sh"
requires nbdkit --filter=log --filter=cache file --version
requires nbdkit sh --version
requires jq --version
plan 30

size=$((32 * MiB))
make_data "$tmp/data" $size 1

# start_server NAME NBDKIT-ARGUMENT...: as a command, which begins with what is
# in NAME.first, if anything, tells its process id, and logs what it is asked.
cat >"$tmp/start_server" <<END
#!/bin/sh
name=\$1
shift
echo \$\$ >"$tmp/\$name.pid"
echo \$\$ >>"$tmp/\$name.starts"
[ ! -e "$tmp/\$name.first" ] || . "$tmp/\$name.first"
exec nbdkit --filter=log "\$@" logfile="$tmp/\$name.busy"
END
chmod +x "$tmp/start_server"

fresh()
{
	rm -f "$tmp"/src.* "$tmp"/dst.*
	truncate -s $size "$tmp/dst.img"
	touch "$tmp/hold"
}

# begin COMMAND ARGUMENT...: what does not end before a server is killed.
begin()
{
	start_process copy "$nbdsync" "$@"
	wait_for "[ \$(sed -n 's/.*connection=\([0-9]*\) Read .*/\1/p' \
	    '$tmp/src.busy' 2>/dev/null | sort -u | wc -l) -eq 2 ]" ||
	    bail "there are no two connections"
}

begin_copy()
{
	begin copy --connections 2 --queue-depth 2 --request-size 256KiB \
	    --json "$@"
}

hold_half "$tmp/held" "$tmp/data"
source_()
{
	echo "[ $tmp/start_server src sh $tmp/held ]"
}

destination()
{
	echo "[ $tmp/start_server dst $* file $tmp/dst.img ]"
}

wait_for_answers()
{
	wait_for "[ \$(grep -c '\.\.\.$2 id=' '$tmp/$1.busy') -ge $3 ]" ||
	    bail "the copy did not come to $3 of $2"
}

kill_server()
{
	kill -KILL "$(cat "$tmp/$1.pid")"
	rm "$tmp/hold"
}

n_starts()
{
	wc -l <"$tmp/$1.starts"
}

end_copy()
{
	wait_for "! is_running_ $(pid_of copy)" || {
		echo "# the copy hangs"
		kill -KILL "$(pid_of copy)"
	}
	wait "$(pid_of copy)"
	status=$?
	rm -f "$tmp/copy.started"
	result=$(cat "$tmp/copy.log")
}

fresh
begin_copy $(source_) "$tmp/dst.img"
wait_for_answers src Read 20
kill_server src
end_copy
is "a source that ends is started again" "$status $(n_starts src)" "0 2"
ok "and copied byte for byte" cmp "$tmp/data" "$tmp/dst.img"
is "which the result tells" "$(echo "$result" | sed -n '/^{/,$p' |
    jq '.progress.reconnects >= 1')" true
ok "nothing of it is left" eval '! is_running_ $(cat "$tmp/src.pid")'

fresh
begin_copy $(source_) $(destination)
wait_for_answers dst Write 20
kill_server dst
end_copy
is "so is a destination" "$status $(n_starts dst)" "0 2"
ok "byte for byte" cmp "$tmp/data" "$tmp/dst.img"

# What is written stays in its memory until it is told to flush.
fresh
begin_copy --checkpoint-interval 100ms $(source_) \
    $(destination --filter=cache)
wait_for_answers dst Flush 2
wait_for_answers dst Write 40
kill_server dst
end_copy
is "one that loses what it had not flushed" "$status $(n_starts dst)" "0 2"
ok "gets that again" cmp "$tmp/data" "$tmp/dst.img"

# One that begins anew each time.
echo ": >'$tmp/dst.img'; truncate -s $size '$tmp/dst.img'" >"$tmp/empty"
fresh
cp "$tmp/empty" "$tmp/dst.first"
begin_copy $(source_) $(destination)
wait_for_answers dst Write 20
kill_server dst
end_copy
is "one that has lost all, before a flush" "$status $(n_starts dst)" "0 2"
ok "gets all again" cmp "$tmp/data" "$tmp/dst.img"

fresh
cp "$tmp/empty" "$tmp/dst.first"
begin_copy --checkpoint-interval 100ms $(source_) $(destination)
wait_for_answers dst Flush 2
kill_server dst
end_copy
is "after a flush that is no success" "$status $(n_starts dst)" "4 2"
like "for a reason" "$result" \
    "destination .*came back as another disk: what was written to it"
like "with the command's end" "$result" "was killed by signal 9"
is "nothing is written to it then" \
    "$(tr -d '\0' <"$tmp/dst.img" | wc -c)" 0

# Zeroes show nothing.
fresh
cp "$tmp/empty" "$tmp/dst.first"
truncate -s $size "$tmp/nothing"
hold_half "$tmp/held-nothing" "$tmp/nothing"
begin_copy --checkpoint-interval 100ms --allocated --sparse 0 \
    [ "$tmp/start_server" src sh "$tmp/held-nothing" ] $(destination)
wait_for_answers dst Flush 2
kill_server dst
end_copy
is "one that cannot be known again is not trusted" \
    "$status $(n_starts dst)" "4 2"
like "as is said" "$result" "was started again, and nothing shows"

# A source that is another one.
fresh
cp "$tmp/data" "$tmp/src.img"
echo "[ \$(wc -l <'$tmp/src.starts') = 1 ] || : >'$tmp/src.img'
    truncate -s $size '$tmp/src.img'" >"$tmp/src.first"
hold_half "$tmp/held-other" "$tmp/src.img"
begin_copy [ "$tmp/start_server" src sh "$tmp/held-other" ] "$tmp/dst.img"
wait_for_answers src Read 20
kill_server src
end_copy
is "a source that has lost all is no success" \
    "$status $(n_starts src)" "4 2"
like "for a reason" "$result" "source .*came back as another disk: what was"

# A comparison, which writes nothing.
fresh
cp "$tmp/data" "$tmp/dst.img"
begin compare --connections 2 --queue-depth 2 \
    --request-size 256KiB --json $(source_) $(destination)
wait_for_answers dst Read 20
kill_server dst
end_copy
is "a comparison goes on with one that is started again" \
    "$status $(n_starts dst)" "0 2"

# One that does not come back.
fresh
echo "[ \$(wc -l <'$tmp/dst.starts') = 1 ] || exit 3" >"$tmp/dst.first"
begin_copy --reconnect 3s $(source_) $(destination)
wait_for_answers dst Write 20
kill_server dst
end_copy
is "one that always ends fails the run" $status 4
like "after the time it was given" "$result" \
    "given up after [0-9]+ s and [0-9]+ tries"
like "with the reason" "$result" "exited with status 3"
ok "after several starts" [ "$(n_starts dst)" -gt 2 ]
ok "but not many" [ "$(n_starts dst)" -lt 20 ]

fresh
begin_copy --reconnect 0 $(source_) $(destination)
wait_for_answers dst Write 20
kill_server dst
end_copy
is "none is started again where nothing is connected again" \
    "$status $(n_starts dst)" "4 1"
like "and that is the reason" "$result" "was killed by signal 9"

# Interrupted while it is away.
fresh
echo "[ \$(wc -l <'$tmp/dst.starts') = 1 ] || exit 3" >"$tmp/dst.first"
begin_copy $(source_) $(destination)
wait_for_answers dst Write 20
kill_server dst
wait_for "[ \$(wc -l <'$tmp/dst.starts') -ge 2 ]"
is "while one is tried again" $? 0
stop_process copy TERM
is "the copy can be interrupted" $? 130

# A file is served by one, too.
fresh
begin_copy --checkpoint-interval 100ms $(source_) "$tmp/dst.img"
wait_for_answers src Read 20
for pid in $(pgrep -P "$(pid_of copy)"); do
	[ "$pid" = "$(cat "$tmp/src.pid")" ] || kill -KILL "$pid"
done
rm "$tmp/hold"
end_copy
is "the server of a file is started again" $status 0
ok "and the file is right" cmp "$tmp/data" "$tmp/dst.img"
