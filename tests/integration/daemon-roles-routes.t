#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each route of the control API asks for one role: who has less is refused,
# and who has it, or more, is not.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
[ "$(id -u)" -eq 0 ] || {
	echo '1..0 # SKIP only root can be several users'
	exit
}
requires setpriv --version
plan 13

# Users that every system has.  Nobody has a role by being one of them.
conf "endpoints = ( { name = \"n\"; uri = \"null:\"; },
  { name = \"m\"; path = \"/nonexistent\"; } );
jobs = ( { name = \"j\"; source = \"m\"; destination = \"n\"; } );"
roles='viewers = [ "nobody" ]; operators = [ "daemon" ]; admins = [ "bin" ];'
sed "s/^control = { /&$roles /" "$tmp/conf" >"$tmp/roles.conf"
start_daemon "$tmp/roles.conf"
chmod 755 "$tmp"
chmod 666 "$NBDSYNC_SOCKET"
api /v1/schema >"$tmp/schema"

# What the role of each is, once more: it is a promise.
cat >"$tmp/wanted" <<'END'
GET / viewer
GET /metrics viewer
GET /v1/endpoints viewer
GET /v1/events viewer
GET /v1/health viewer
GET /v1/jobs viewer
GET /v1/jobs/{job} viewer
GET /v1/jobs/{job}/checkpoint viewer
GET /v1/jobs/{job}/history viewer
GET /v1/jobs/{job}/map viewer
GET /v1/log viewer
GET /v1/runs viewer
GET /v1/runs/{run} viewer
GET /v1/runs/{run}/log viewer
GET /v1/schema nobody
GET /v1/version nobody
PATCH /v1/jobs/{job}/limits operator
POST /v1/config/check operator
POST /v1/config/reload admin
POST /v1/endpoints/{endpoint}/probe operator
POST /v1/jobs/{job}/cancel operator
POST /v1/jobs/{job}/pause operator
POST /v1/jobs/{job}/reset admin
POST /v1/jobs/{job}/resume operator
POST /v1/jobs/{job}/start operator
POST /v1/jobs/{job}/stop operator
POST /v1/jobs/{job}/verify operator
POST /v1/shutdown admin
PUT /v1/log/level admin
END
is "the schema tells the role of every route" "$(jq -r '.routes[] |
    "\(.method) \(.path) \(.role // "nobody")"' "$tmp/schema" |
    LC_ALL=C sort)" "$(cat "$tmp/wanted")"

# as USER METHOD PATH: the status; of a stream, that of its beginning
as()
{
	setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups \
	    curl --silent --noproxy '*' --no-buffer --include --max-time 30 \
	    --unix-socket "$NBDSYNC_SOCKET" --request "$2" "http://x$3" |
	    sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p; /"live"/q'
}

# answers USER [ROLE...]: how what is for these is answered to USER: "yes" or
# "403", each once
answers()
{
	user=$1
	shift
	for role in "$@"; do
		grep " $role\$" "$tmp/wanted" | while read -r method path _; do
			path=$(echo "$path" | sed 's/{job}/j/; s/{run}/r/
			    s/{endpoint}/m/')
			case $(as "$user" "$method" "$path") in
			403) echo 403 ;;
			[2345]*) echo yes ;;
			*) echo "$method $path: no answer" ;;
			esac
		done
	done | sort -u
}

is "who has no role hears what is for everybody" "$(answers sys nobody)" yes
is "and nothing else" "$(answers sys viewer operator admin)" 403
is "a viewer may ask all that only looks" "$(answers nobody nobody viewer)" yes
is "but do nothing" "$(answers nobody operator)" 403
is "and nothing that is an administrator's" "$(answers nobody admin)" 403
is "an operator may look" "$(answers daemon nobody viewer)" yes
is "and do" "$(answers daemon operator)" yes
is "but not what is an administrator's" "$(answers daemon admin)" 403
is "an administrator may look" "$(answers bin nobody viewer)" yes
is "and do" "$(answers bin operator)" yes
is "all there is" "$(answers bin admin)" yes
is "a refusal is a problem that says what is missing" "$(setpriv \
    --reuid=nobody --regid="$(id -g nobody)" --clear-groups curl --silent \
    --unix-socket "$NBDSYNC_SOCKET" --request POST \
    http://x/v1/jobs/j/start | jq -r '"\(.type) \(.status)"')" \
    "urn:nbdsync:forbidden 403"
