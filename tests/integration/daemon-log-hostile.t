#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever a server, a hook or a user would like to have in the log: in each
# place and format it is one line a message, the same text, without control
# characters, and UTF-8.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires perl -MSocket -MJSON::PP -e 1
requires qemu-nbd --version
plan 16

umask 022
listen_at journal
listen_at syslog

# Colours, the end of a quote, another field, another line, Latin-1, and a
# character of C1.
cat >"$tmp/hook" <<'END'
#!/bin/sh
hostile='"x" job=other level=error \" \\ '
printf '%s\033[31mred\033[0m\a\r<3>fake\001\377 \302\233 \303\251\n' "$hostile"
printf 'MESSAGE=%s\033]0;title\a\342\202\n' "$hostile" >&2
exit 1
END
chmod 755 "$tmp/hook"
truncate -s 1M "$tmp/disk"
start_qemu_nbd server --format=raw --export-name=good "$tmp/disk"
name='%22%20job%3Dother%20%5C%22%20%C3%A9%20%3C3%3E'
conf "log = ( { type = \"stderr\"; },
  { type = \"journal\"; path = \"$tmp/journal.sock\"; },
  { type = \"syslog\"; path = \"$tmp/syslog.sock\"; },
  { type = \"file\"; path = \"$tmp/json\"; format = \"json\"; },
  { type = \"file\"; path = \"$tmp/logfmt\"; format = \"logfmt\"; },
  { type = \"file\"; path = \"$tmp/human\"; } );
endpoints = ( { name = \"n\"; uri = \"null:\"; },
  { name = \"d\"; path = \"$tmp/disk\"; },
  { name = \"other\"; uri = \"nbd+unix:///$name?socket=$tmp/server.sock\"; } );
jobs = ( { name = \"hook\"; source = \"d\"; destination = \"n\";
    pre = [ \"$tmp/hook\" ]; },
  { name = \"name\"; source = \"other\"; destination = \"n\"; } );"
start_daemon "$tmp/conf"
exits 4 "a hook says bad things" "$nbdsync" start --wait --quiet hook
exits 4 "and so does a server" "$nbdsync" start --wait --quiet name
printf '{"reason":"a\\n<3>b \\u001b[31m \\" job=other \\u009b\\u2028"}' |
    api /v1/jobs/name/start --request POST --data @- >"$tmp/answer"
ok "and a user" wait_for "grep -q '<3>b' '$tmp/human'"
wait_for '[ "$(job_field name .state)" = idle ]'
stop_process daemon
is "the daemon ends well" "$?" 0

# The texts, one a line, as each of them has it.
jq -r .message "$tmp/json" >"$tmp/texts.json"
ok "JSON is one object a line" jq -es 'length > 5 and all(type == "object")' \
    "$tmp/json"
cat >"$tmp/logfmt.pl" <<'END'
while (<STDIN>) {
	my %field;

	while (/\G ?([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^" \n]+))/gc) {
		die "twice: $1 in $_" if exists $field{$1};
		$field{$1} = $2 // $3;
	}
	/\G\n/gc or die "no logfmt: $_";
	$field{msg} =~ s/\\(.)/$1/g;
	print "$field{msg}\n";
}
END
perl "$tmp/logfmt.pl" <"$tmp/logfmt" >"$tmp/texts.logfmt" 2>"$tmp/trouble"
is "logfmt is fields, none of them twice" "$(cat "$tmp/trouble")" ""
sed 's/^[^ ]* [a-z]*: //' "$tmp/human" >"$tmp/texts.human"
sed 's/^[^ ]* [a-z]*: //' "$tmp/daemon.log" >"$tmp/texts.stderr"
grep '^MESSAGE=' "$tmp/journal.log" | sed 's/^MESSAGE=//' \
    >"$tmp/texts.journal"
sed -n 's/^<[0-9]*>.* nbdsyncd\[[0-9]*\]: //p' "$tmp/syslog.log" \
    >"$tmp/texts.syslog"
for outlet in logfmt human stderr journal syslog; do
	is "$outlet has the same texts as JSON" \
	    "$(diff "$tmp/texts.json" "$tmp/texts.$outlet")" ""
done
cat "$tmp/json" "$tmp/logfmt" "$tmp/human" "$tmp/daemon.log" \
    "$tmp/journal.log" "$tmp/syslog.log" >"$tmp/all"
is "no control character is in any" "$(tr -d '\n\040-\176\200-\377' \
    <"$tmp/all" | od -c)" "0000000"
ok "nor one of C1" sh -c "! grep -qP '\\xc2[\\x80-\\x9f]' '$tmp/all'"
ok "all is UTF-8" iconv -f UTF-8 -t UTF-8 "$tmp/all"
like "what a server said is in it" "$(cat "$tmp/human")" \
    "job 'name': failed: .*\" job=other .x5C\" .* <3>"
like "and a hook" "$(cat "$tmp/human")" \
    "warning: job 'hook': pre: MESSAGE=\"x\" job=other level=error "
