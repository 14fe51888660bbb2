#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The recipes, as the daemon carries them out: a server of healthchecks' kind
# hears of a run, and a mail comes when one has failed.  (LVM cannot be had in
# a test: hooks-examples.t has a stand-in.  QEMU is in backup-qemu.t.)
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires nbdkit --filter=error pattern --version
requires perl -MIO::Socket::INET -e 1
plan 18

# The configurations of the page are complete but for their endpoints.
awk '/^```conf$/ { n++; file = dir "/recipe-" n ".conf"; next }
    /^```$/ { file = "" }
    file { print >file }' dir="$tmp" "$srcdir/doc/recipes.md"
ok "there are configurations in the page" test -s "$tmp/recipe-3.conf"
problems=
for file in "$tmp"/recipe-*.conf; do
	grep -q '^endpoints' "$file" || cat >>"$file" <<-'END'
	endpoints = ( { name = "vm1"; path = "/dev/vg0/vm1"; },
	  { name = "vm1-copy"; uri = "nbds://backup.example/vm1"; } );
	END
	sed -i 's,/usr/local/lib/nbdsync/[a-z]*,/bin/true,' "$file"
	problems=$problems$("$nbdsync" configcheck "$file" 2>&1 |
	    grep -v ': ok, ')
done
is "they are good" "$problems" ""
is "the programs it names are there" "$(grep -o '`[a-z]*/[a-z-]*`' \
    "$srcdir/doc/recipes.md" | tr -d '`' | grep -e ^hooks -e ^backup |
    sort -u | while read -r name; do
	[ -x "$srcdir/doc/examples/$name" ] || echo "$name"
done)" ""

# What healthchecks.io would be: it notes what is asked, and answers.
cat >"$tmp/server.pl" <<'END'
use IO::Socket::INET;
$| = 1;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1",
    LocalPort => 0) or die;
print $s->sockport, "\n";
while (my $c = $s->accept) {
	my ($line, $length) = (scalar <$c>, 0);

	while (defined(my $header = <$c>)) {
		$length = $1 if $header =~ /^Content-Length: (\d+)/i;
		last if $header =~ /^\r?$/;
	}
	read $c, my $body, $length if $length;
	print "$line$body\n";
	print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
	    "Connection: close\r\n\r\nOK";
}
END
start_process server perl "$tmp/server.pl"
ok "there is a server" wait_for "[ -s '$tmp/server.log' ]"
url=http://127.0.0.1:$(head -n 1 "$tmp/server.log")/uuid
heard()
{
	wait_for "grep -q '$1' '$tmp/server.log'"
}

# The environment of a hook is made from nothing: so where sendmail would be
# in the PATH of the daemon, it is set for this one.
mkdir "$tmp/bin"
printf '#!/bin/sh\ncat >"%s/mail.$2"\n' "$tmp" >"$tmp/bin/sendmail"
printf '#!/bin/sh\nPATH=%s:$PATH exec %s "$@"\n' "$tmp/bin" \
    "$tmp/bin/mail-hook" >"$tmp/bin/mail"
cp "$srcdir/doc/examples/hooks/mail" "$tmp/bin/mail-hook"
cp "$srcdir/doc/examples/hooks/healthchecks" "$tmp/bin/healthchecks"
chmod 755 "$tmp/bin"/*

hooks="pre = [ \"$tmp/bin/healthchecks\", \"$url\" ];
  post = [ \"$tmp/bin/healthchecks\", \"$url\" ];
  on_failure = [ \"$tmp/bin/mail\", \"root\" ];"
conf "endpoints = ( { name = \"n\"; uri = \"null:\"; },
  { name = \"good\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"bad\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"1M\", \"error-pread-rate=100%\" ]; } );
jobs = ( { name = \"good\"; source = \"good\"; destination = \"n\"; $hooks },
  { name = \"bad\"; source = \"bad\"; destination = \"n\"; retries = 0;
    $hooks },
  { name = \"late\"; source = \"good\"; destination = \"n\";
    rpo_warn = \"1s\"; on_rpo = [ \"$tmp/bin/mail\", \"backup\" ]; } );"
start_daemon "$tmp/conf"
ok "a job runs" "$nbdsync" start --wait --quiet good
ok "its beginning is told" heard '^GET /uuid/start?rid=[0-9a-f]\{8\}-[-0-9a-f]* '
ok "its success is" heard '^POST /uuid/0?rid=[0-9a-f]'
like "with what became of it" "$(cat "$tmp/server.log")" \
    '"result": ?"succeeded"'
not_ok "nobody gets a mail" test -e "$tmp/mail.root"

exits 4 "another one fails" "$nbdsync" start --wait --quiet bad
ok "that is told" heard '^POST /uuid/1?rid=[0-9a-f]'
ok "and somebody gets a mail" wait_for "grep -q '^Job ' '$tmp/mail.root'"
like "with the reason" "$(cat "$tmp/mail.root")" 'source .bad.*(error|fail)'
like "to whom it should be" "$(cat "$tmp/mail.root")" '^To: root'

ok "one comes of a job without a success, too" wait_for \
    "grep -q '^Subject: .*job late: job.rpo-warning' '$tmp/mail.backup'"
is "which is no error" "$(grep -c "on_rpo failed" "$tmp/daemon.log")" 0

stop_process server
run "$nbdsync" start --wait --quiet good
is "a server that is away stops no run" "$status" 0
ok "but is in the log" wait_for \
    "grep -q 'warning: .*curl: ' '$tmp/daemon.log'"
stop_process daemon
