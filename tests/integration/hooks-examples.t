#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hooks that are ready for use call what they should: LVM, curl and
# sendmail are stand-ins that note their arguments.
. "$srcdir/tests/lib/testlib.sh"
plan 31

hooks=$srcdir/doc/examples/hooks
mkdir "$tmp/bin"
stub()
{
	printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$tmp" \
	    "${2:-}" >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}
PATH=$tmp/bin:$PATH
export PATH

stub lvs 'exit 5'
stub lvcreate
stub lvremove
exits 0 "lvm-snapshot makes a snapshot" "$hooks/lvm-snapshot" make vg0/vm1
like "of the volume" "$(cat "$tmp/calls")" \
    "lvcreate --yes --quiet --snapshot --size 1G --name vm1-nbdsync vg0/vm1"
ok "and removes none where there is none" \
    sh -c "! grep -q lvremove '$tmp/calls'"
exits 0 "nor when there is none to remove" "$hooks/lvm-snapshot" remove vg0/vm1
rm "$tmp/calls"
stub lvs
exits 0 "one that was left behind is replaced" \
    "$hooks/lvm-snapshot" make vg0/vm1 5G
is "first removed, then made" "$(grep -v lvs "$tmp/calls")" \
"lvremove --yes --quiet vg0/vm1-nbdsync
lvcreate --yes --quiet --snapshot --size 5G --name vm1-nbdsync vg0/vm1"
stub lvremove 'exit 5'
exits 5 "a failure is one" "$hooks/lvm-snapshot" remove vg0/vm1

NBDSYNC_JOB=vm1 NBDSYNC_RUN=r1 NBDSYNC_RUN_UUID=u1
NBDSYNC_SOURCE=a NBDSYNC_DESTINATION=b
export NBDSYNC_HOOK NBDSYNC_RESULT NBDSYNC_JOB NBDSYNC_RUN NBDSYNC_RUN_UUID \
    NBDSYNC_SOURCE NBDSYNC_DESTINATION NBDSYNC_ERROR
stub curl 'exit 22'
NBDSYNC_HOOK=pre
exits 0 "healthchecks does not stop a run" "$hooks/healthchecks" http://h/u
like "whose beginning it tells" "$(cat "$tmp/calls")" \
    "curl .* http://h/u/start\?rid=u1$"
NBDSYNC_HOOK=post NBDSYNC_RESULT=failed
exits 22 "an answer that is no success is an error afterwards" \
    "$hooks/healthchecks" http://h/u
like "a failure is told" "$(cat "$tmp/calls")" "curl .* http://h/u/1\?rid=u1$"
stub curl
NBDSYNC_RESULT=succeeded
exits 0 "and so" "$hooks/healthchecks" http://h/u
like "is success" "$(cat "$tmp/calls")" "curl .* http://h/u/0\?rid=u1$"
rm "$tmp/calls"
for NBDSYNC_RESULT in stopped repaired finished-with-bad-ranges; do
	"$hooks/healthchecks" http://h/u </dev/null
done
is "a mirror that was stopped is one as well, but not what has gaps" \
    "$(sed 's,.*http://h/u/\(.\).*,\1,' "$tmp/calls" | tr -d '\n')" 001
NBDSYNC_RESULT=succeeded
stub curl "wc -c >'$tmp/size'"
head -c 200000 /dev/zero | "$hooks/healthchecks" http://h/u
is "with no more of what is known than they take" \
    "$(tr -d ' ' <"$tmp/size")" 100000
stub curl

stub sendmail "cat >'$tmp/mail'"
NBDSYNC_HOOK=on_failure NBDSYNC_RESULT=failed NBDSYNC_ERROR="disk is full"
exits 0 "mail sends a mail" sh -c "echo '{}' | '$hooks/mail' root"
like "with the reason" "$(tr '\n' ' ' <"$tmp/mail")" \
    "To: root Subject: nbdsync: job vm1: failed  Job vm1, .* run r1: disk is full"
like "and what the run was" "$(tail -n 1 "$tmp/mail")" '^\{}$'
stub nbdsync 'echo "limited by: source-latency"'
"$hooks/mail" root </dev/null
is "which is the job's status, where the daemon answers" \
    "$(tail -n 1 "$tmp/mail")" "limited by: source-latency"
# Both ends of a pipe begin at once.
like "of that job" "$(tail -n 2 "$tmp/calls" | tr '\n' ' ')" \
    "nbdsync status vm1 "
stub nbdsync 'exit 10'
unset NBDSYNC_RESULT NBDSYNC_ERROR
NBDSYNC_HOOK=on_stalled NBDSYNC_EVENT=job.stalled
export NBDSYNC_EVENT
exits 0 "also of a run that stands still" \
    sh -c "echo '{}' | '$hooks/mail' root"
like "with that" "$(tr '\n' ' ' <"$tmp/mail")" \
    "job vm1: job.stalled  Job vm1, .* run r1: job.stalled"
unset NBDSYNC_RUN
NBDSYNC_HOOK=on_rpo NBDSYNC_EVENT=job.rpo-critical
exits 0 "and of what is about no run" sh -c "echo '{}' | '$hooks/mail' root"
like "with that, too" "$(cat "$tmp/mail")" "job vm1: job.rpo-critical"

stub curl "cat >'$tmp/pushed'"
exits 0 "ntfy tells of that" "$hooks/ntfy" http://n/topic
like "loudly" "$(cat "$tmp/calls")" \
    "curl .*Priority: high .*Title: .*: job vm1: job.rpo-critical .* http://n/topic$"
is "with the disks" "$(cat "$tmp/pushed")" "from a to b"
NBDSYNC_EVENT=job.rpo-recovered
"$hooks/ntfy" http://n/topic
like "and when it is over" "$(tail -n 1 "$tmp/calls")" \
    "Priority: low .*: job vm1: job.rpo-recovered "
unset NBDSYNC_EVENT
NBDSYNC_HOOK=on_failure NBDSYNC_RESULT=failed NBDSYNC_ERROR="disk is full"
export NBDSYNC_RESULT NBDSYNC_ERROR
"$hooks/ntfy" http://n/topic
like "of a failure" "$(tail -n 1 "$tmp/calls")" \
    "Priority: high .*: job vm1: failed "
is "with the reason" "$(cat "$tmp/pushed")" "disk is full"
stub curl 'exit 22'
exits 22 "an answer that is no success is an error" "$hooks/ntfy" http://n/topic
