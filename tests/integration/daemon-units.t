#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What systemd gets from us is right, and the service is well fenced in: but
# not from anything that it does.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
requires systemd-analyze --version
requires systemd-sysusers --version
requires systemd-tmpfiles --version
requires strace --version
requires nbdkit --filter=error pattern --version
if [ "$(id -u)" -eq 0 ]; then
	plan 42
else
	plan 40
fi

units=$srcdir/packaging/systemd
for unit in nbdsync.service nbdsync.socket nbdsync-job@.service \
    nbdsync-job@.timer nbdsync-notify@.service; do
	sed -e "s,@bindir@/nbdsync,$nbdsync,g" \
	    -e "s,@libexecdir@/nbdsync/notify,$units/notify,g" \
	    -e "s,@sbindir@/nbdsyncd,$nbdsyncd,g" -e 's,@sysconfdir@,/etc,g' \
	    "$units/$unit.in" >"$tmp/$unit"
done
ok "systemd accepts both units" systemd-analyze verify --man=no \
    "$tmp/nbdsync.service" "$tmp/nbdsync.socket"
is "and has nothing to say about them" \
    "$(echo "$err" | grep -e nbdsync.service -e nbdsync.socket)" ""
# The lines that its comments have for drop-ins.
{
	cat "$tmp/nbdsync.service"
	echo '[Service]'
	sed -n 's/^#	\([A-Z]\)/\1/p' "$tmp/nbdsync.service"
} >"$tmp/nbdsync-more.service"
like "its comments offer more" "$(sed -n '/^\[Install/,$p' \
    "$tmp/nbdsync-more.service" | tr '\n' ' ')" \
    "PrivateDevices=no .* LoadCredential=tls-key:/etc/nbdsync/tls/client.key"
ok "which systemd accepts, too" systemd-analyze verify --man=no \
    "$tmp/nbdsync-more.service"
is "without a word" "$(echo "$err" | grep nbdsync-more)" ""
is "what was told to end is not started again, however it has ended" \
    "$(sed -n 's/^RestartPreventExitStatus=//p' "$tmp/nbdsync.service")" "3 78"
ok "the exposure of the service is at most 1.5 of 10" \
    systemd-analyze security --offline=true --threshold=15 \
    "$tmp/nbdsync.service"
cp "$tmp/nbdsync-job@.service" "$tmp/nbdsync-job@vm1.service"
cp "$tmp/nbdsync-job@.timer" "$tmp/nbdsync-job@vm1.timer"
ok "systemd accepts the units of a job" systemd-analyze verify --man=no \
    "$tmp/nbdsync-job@vm1.service" "$tmp/nbdsync-job@vm1.timer"
is "and has nothing to say about them" "$(echo "$err" | grep nbdsync-job)" ""
ok "the exposure of a job's run is at most 1.5, too" \
    systemd-analyze security --offline=true --threshold=15 \
    "$tmp/nbdsync-job@vm1.service"
# Where something has failed, somebody is told.
cp "$tmp/nbdsync-notify@.service" "$tmp/nbdsync-notify@x.service"
ok "systemd accepts the notice" systemd-analyze verify --man=no \
    "$tmp/nbdsync-notify@x.service"
is "and has nothing to say about it" \
    "$(echo "$err" | grep nbdsync-notify)" ""
for unit in nbdsync.service nbdsync-job@.service; do
	is "when $unit fails, it is sent" \
	    "$(sed -n 's/^OnFailure=//p' "$tmp/$unit")" \
	    "nbdsync-notify@%n.service"
done
mkdir "$tmp/bin"
printf '#!/bin/sh\necho "$*" >"%s/asked"\necho "x.service: it said this"\nexit 3\n' \
    "$tmp" >"$tmp/bin/systemctl"
printf '#!/bin/sh\necho "$*" >"%s/to"\ncat >"%s/mail"\n' "$tmp" "$tmp" \
    >"$tmp/bin/sendmail"
chmod +x "$tmp/bin/systemctl" "$tmp/bin/sendmail"
ok "it can be sent" env PATH="$tmp/bin:$PATH" "$units/notify" \
    nbdsync-job@vm1.service ops@example.org
is "to whom it should go" "$(cat "$tmp/to")" "-i ops@example.org"
like "with the unit" "$(cat "$tmp/mail")" \
    "^Subject: nbdsync-job@vm1.service on $(uname -n) has failed"
like "and what it has said" "$(cat "$tmp/mail")" "^x.service: it said this"
like "lately" "$(cat "$tmp/asked")" "^status .* nbdsync-job@vm1.service$"

sed 's/^[A-Z][A-Za-z]*Filter=.*//' "$tmp/nbdsync.service" >"$tmp/open.service"
not_ok "without the filters it would be more" systemd-analyze security \
    --offline=true --threshold=15 "$tmp/open.service"

# Users and directories.
root=$tmp/root
mkdir -p "$root/etc/nbdsync"
touch "$root/etc/nbdsync/nbdsync.conf"
ok "the user is made" systemd-sysusers --root="$root" \
    "$srcdir/packaging/sysusers/nbdsync.conf"
like "without a shell or a home" "$(cat "$root/etc/passwd")" \
    '^nbdsync:x:[0-9]+:[0-9]+:[^:]*:/:.*/nologin$'
like "with groups for the socket, and for operators" \
    "$(tr '\n' ' ' <"$root/etc/group")" 'nbdsync-op:x:.*nbdsync:x:'
if [ "$(id -u)" -eq 0 ]; then
	sed 's,@sysconfdir@,/etc,g' \
	    "$srcdir/packaging/tmpfiles/nbdsync.conf.in" >"$tmp/tmpfiles"
	ok "the directories are made" systemd-tmpfiles --root="$root" \
	    --create "$tmp/tmpfiles"
	user=$(awk -F : '$1 == "nbdsync" { print $3 ":" $4 }' \
	    "$root/etc/passwd")
	is "they are the daemon's, or for it to read, and nobody else's" \
	    "$(cd "$root" && stat -c '%a %u:%g %n' run/nbdsync \
	    var/lib/nbdsync var/log/nbdsync etc/nbdsync/tls \
	    etc/nbdsync/nbdsync.conf)" "755 $user run/nbdsync
700 $user var/lib/nbdsync
750 $user var/log/nbdsync
750 0:${user#*:} etc/nbdsync/tls
640 0:${user#*:} etc/nbdsync/nbdsync.conf"
fi

# The fence, held against what a run of a job does: the system calls of the
# daemon, and of a server that it starts.
members()
{
	for set_ in "$@"; do
		systemd-analyze syscall-filter "$set_" | sed 's/#.*//' |
		    tail -n +2
	done | while read -r name_; do
		case $name_ in
		@*) members "$name_" ;;
		?*) echo "$name_" ;;
		esac
	done
}
# The system calls that a unit lets through.
allowed()
{
	filters=$(sed -n 's/^SystemCallFilter=//p' "$tmp/$1")
	# shellcheck disable=SC2046
	members $(echo "$filters" | grep -v '^~') | sort -u >"$tmp/let"
	# shellcheck disable=SC2046
	members $(echo "$filters" | sed -n 's/^~//p') | sort -u >"$tmp/kept"
	comm -23 "$tmp/let" "$tmp/kept"
}
calls()
{
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$1" | sort -u
}
families()
{
	sed -n 's/.* socket(\(AF_[A-Z0-9_]*\),.*/\1/p' "$1" | sort -u
}
# Families of addresses that a unit keeps from those of standard input.
kept_families()
{
	sed -n 's/^RestrictAddressFamilies=//p' "$tmp/$1" | tr ' ' '\n' |
	    sort | comm -23 "$2" -
}
allowed nbdsync.service >"$tmp/allowed"

conf "endpoints = ( { name = \"p\"; command = [ \"nbdkit\", \"pattern\",
    \"8M\" ]; }, { name = \"f\"; path = \"$tmp/disk\"; },
    { name = \"w\"; command = [ \"nbdkit\", \"--filter=error\", \"pattern\",
      \"8M\", \"error-pread-rate=100%\" ]; },
    { name = \"v\"; uri = \"nbd+vsock://2/x\"; } );
jobs = ( { name = \"one\"; source = \"p\"; destination = \"f\";
    pre = [ \"/bin/true\" ]; },
  { name = \"worn\"; source = \"w\"; destination = \"f\"; retries = 0; },
  { name = \"skips\"; source = \"w\"; destination = \"f\"; retries = 0;
    on_read_error = \"skip\";
    ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } ); },
  { name = \"guest\"; source = \"v\"; destination = \"f\"; } );
metrics = { listen = \"127.0.0.1:$(free_port)\"; };"
truncate -s 8M "$tmp/disk"
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 start_process daemon strace -f -qq \
    -e signal=none -o "$tmp/trace" "$nbdsyncd" --config "$tmp/conf"
wait_until_up_ daemon "'$nbdsync' status >/dev/null 2>&1"
ok "a job runs, and is watched" "$nbdsync" start --wait one
"$nbdsync" start --wait --quiet guest 2>/dev/null
ok "so is the configuration that is read again" "$nbdsync" reload

# What the timer starts, as it stands in the unit of a job.
start_unit()
{
	line_=$(sed -n "s/^ExecStart=\\(.*\\)%i$/\\1$1/p" \
	    "$tmp/nbdsync-job@.service")
	# shellcheck disable=SC2086
	run env ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" strace -f -qq \
	    -e signal=none -o "$tmp/trace-job" $line_
}
start_unit one
is "the unit of a job runs it, and waits" "$status $(job_field one \
    '[.run, .last_run.result] | @json')" '0 [null,"succeeded"]'
is "without a word, as one that succeeds" "$out$err" ""
allowed nbdsync-job@.service >"$tmp/allowed-job"
is "none of its calls is kept from it" "$(calls "$tmp/trace-job" |
    comm -23 - "$tmp/allowed-job")" ""
families "$tmp/trace-job" >"$tmp/families-job"
is "nor the daemon's socket" "$(cat "$tmp/families-job"; \
    kept_families nbdsync-job@.service "$tmp/families-job")" AF_UNIX
start_unit worn
is "when the run fails, so does the unit" "$status" 4
like "which says why" "$err" "source 'w': read .*: Input/output error"
start_unit skips
is "with something skipped it fails, too" "$status $(grep -c \
    '^SuccessExitStatus=3 7$' "$tmp/nbdsync-job@.service")" "13 1"
"$nbdsync" pause --quiet one --reason "metered link"
start_unit one
is "a job that is paused is not started, which is no failure of the unit" \
    "$status" 7
like "and says why" "$err" "job 'one' is paused: metered link"
kill "$(sed -n '1s/ .*//p' "$tmp/trace")"
ok "and the daemon that ends" wait_for "! is_running_ $(pid_of daemon)" 60
calls "$tmp/trace" >"$tmp/used"
ok "much was seen" test "$(wc -l <"$tmp/used")" -gt 40
# SQLite gives its files to the directory's owner, as root alone; and an error
# of that is none.
is "none of these calls is kept from the service" \
    "$(comm -23 "$tmp/used" "$tmp/allowed" | grep -v '^fchown$')" ""
families "$tmp/trace" >"$tmp/families"
ok "one asked for another machine by vsock" grep -q AF_VSOCK "$tmp/families"
is "nor is any family of addresses" \
    "$(kept_families nbdsync.service "$tmp/families")" ""
is "nor any memory, to write to and to run" \
    "$(grep PROT_EXEC "$tmp/trace" | grep PROT_WRITE)" ""
