#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Functions with a better sister, and what the style forbids in C.
# shellcheck source=tests/lint/lint.sh
. "$srcdir/tests/lint/lint.sh"
plan 10

unbounded='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|alloca'
not_reentrant='strtok|gmtime|localtime|ctime|asctime|rand|srand'
unchecked='atoi|atol|atoll|atof|mktemp|tempnam|tmpnam|system|popen'

# Comments and texts may say what they like.
code_of()
{
	sed -E -e 's/"([^"\\]|\\.)*"/""/g' -e 's|/\*.*\*/||' \
	    -e '/^[ 	]*(\/\*|\*)/s/.*//' "$1"
}

# Lines of the code of file $1 that match $2, with a reason.
find_in()
{
	code_of "$1" | grep -n -E -e "$2" | sed "s|^|$1:|; s|\$|	<- $3|"
}

banned()
(
	cd "$1" || exit 1
	c_files lib daemon cli tests | while read -r file; do
		find_in "$file" '(^|[^:])//' 'comments are /* */'
		# Tests may be careless with their own data.
		case $file in
		tests/*) continue ;;
		esac
		find_in "$file" "(^|[^A-Za-z0-9_.>])($unbounded) *\\(" \
		    'no limit'
		find_in "$file" "(^|[^A-Za-z0-9_.>])($not_reentrant) *\\(" \
		    'not for threads'
		find_in "$file" "(^|[^A-Za-z0-9_.>])($unchecked) *\\(" \
		    'errors go unseen'
		case $file in
		lib/*) find_in "$file" '(^|[^A-Za-z0-9_])exit *\(' \
		    'lib/ returns its errors' ;;
		esac
	done | nothing
)

ok "this tree calls no banned function" banned "$srcdir"
printf '\tstrcpy(a, b);\n' | tree lib/base/a.c
reports "strcpy is reported" banned 'a.c:1:.*no limit'
printf '\tx = (int)sprintf(a, "%%d", b);\n' | tree cli/a.c
reports "sprintf is reported" banned 'a.c:1:.*no limit'
printf '\ttm = gmtime(&t);\n' | tree lib/base/a.c
reports "gmtime is reported" banned 'a.c:1:.*not for threads'
printf '\tn = atoi(text);\n' | tree daemon/a.c
reports "atoi is reported" banned 'a.c:1:.*errors go unseen'
printf '\tn = 1; // one\n' | tree daemon/a.c
reports "a comment of C++ is reported" banned 'a.c:1:.*comments are'
printf '\tstrcpy(a, b);\n' | tree tests/a.c
ok "tests may" banned "$tmp/tree"
printf '\texit(1);\n' | tree lib/base/a.c
reports "exit is reported in lib" banned 'lib/ returns'
printf '\texit(1);\n' | tree cli/a.c
ok "elsewhere it is allowed" banned "$tmp/tree"
printf '/* never atoi() */\n\tgmtime_r(&t, "strcpy(", snprintf(a));\n' |
    tree lib/base/a.c
ok "comments, texts and the better sisters are not reported" \
    banned "$tmp/tree"
