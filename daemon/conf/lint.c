/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libconfig does not catch.  It ends the process when @include names a
 * directory; loses the rest of a file after a comment that is never closed;
 * joins two strings when the comma between them is missing; wraps integers
 * that do not fit; ends a string at an escaped NUL; says only "syntax error" to
 * 10s without quotes.
 *
 * This walks over the text token by token, the way libconfig's scanner does:
 * comments, strings, numbers, words, and single characters.  On its way it
 * notes where settings stand, which libconfig does not know to the column.
 */

#include "conf/lint.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

/* libconfig takes the square of it in time. */
#define SETTINGS_MAX 1000

struct lint {
	const char *at;
	const char *end;
	const char *line_start;
	unsigned line;
	unsigned depth;
	char brackets[DEPTH_MAX + 2];	/* those we are in; the first is 0 */
	unsigned n_settings[DEPTH_MAX + 2];	/* of these groups */
	bool expects_item;		/* of a list: one may begin here */
	struct conf_spot word;		/* the last one: perhaps a name */
	struct conf_spots *spots;
	bool line_is_blank;		/* so far */
	bool last_was_string;
	bool is_fatal;
	struct conf_problems *problems;
};

static bool
begins(const struct lint *l, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(l->end - l->at) >= len &&
	    memcmp(l->at, word, len) == 0;
}

static void
step(struct lint *l)
{
	if (*l->at++ == '\n') {
		l->line++;
		l->line_start = l->at;
		l->line_is_blank = true;
	}
}

static struct conf_spot
here(const struct lint *l)
{
	return (struct conf_spot){ l->line,
		(unsigned)(l->at - l->line_start) + 1 };
}

static void
skip_line(struct lint *l)
{
	while (l->at < l->end && *l->at != '\n')
		l->at++;
}

static void
skip_comment(struct lint *l)
{
	struct conf_spot spot = here(l);

	l->at += 2;
	while (l->at < l->end) {
		if (begins(l, "*/")) {
			l->at += 2;
			return;
		}
		step(l);
	}
	conf_problems_add(l->problems, spot,
	    "this comment is never closed: \"*/\" is missing");
	l->is_fatal = true;
}

static void
skip_string(struct lint *l)
{
	struct conf_spot spot = here(l);

	if (l->last_was_string)
		conf_problems_add(l->problems, spot,
		    "two strings with nothing between them: "
		    "a \",\" or \";\" is missing");
	l->last_was_string = true;
	for (l->at++; l->at < l->end; step(l)) {
		if (*l->at == '"') {
			l->at++;
			return;
		}
		if (begins(l, "\\x00") || begins(l, "\\X00"))
			conf_problems_add(l->problems, here(l),
			    "a string cannot have a NUL in it: \"\\x00\"");
		if (*l->at == '\\' && l->at + 1 < l->end)
			step(l);
	}
	conf_problems_add(l->problems, spot,
	    "this string is never closed: '\"' is missing");
	l->is_fatal = true;
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '*' || c == '-';
}

static void
skip_word(struct lint *l)
{
	while (l->at < l->end && is_word_char(*l->at))
		l->at++;
}

/* A number as libconfig knows it: 12, 12L, 0x1f, 1.5, 1e-3. */
static bool
is_number(const char *word, bool *ret_is_int32)
{
	char *rest;
	long long value;

	errno = 0;
	value = strtoll(word, &rest,
	    strncasecmp(word, "0x", 2) == 0 ? 16 : 10);
	*ret_is_int32 = errno == 0 && value <= INT_MAX;
	if (*rest == 'L') {
		*ret_is_int32 = errno == 0;
		rest += strspn(rest, "L");
	}
	if (*rest == '\0')
		return true;
	*ret_is_int32 = true;
	(void)strtod(word, &rest);
	return *rest == '\0';
}

static void
check_number(struct lint *l)
{
	struct conf_spot spot = here(l);
	char word[64];
	size_t len = 0;
	bool is_int32;

	while (l->at < l->end && (is_word_char(*l->at) || *l->at == '.' ||
	    *l->at == '+')) {
		if (len < sizeof word - 1)
			word[len++] = *l->at;
		l->at++;
	}
	word[len] = '\0';
	if (!is_number(word, &is_int32))
		conf_problems_add(l->problems, spot,
		    "%s is not a number; a value with a unit is a string and "
		    "stands in quotes: \"%s\"", word, word);
	else if (!is_int32)
		conf_problems_add(l->problems, spot,
		    "%s is too large for an integer; a size is a string with "
		    "a unit, such as \"64MiB\"", word);
}

static void
check_bracket(struct lint *l)
{
	if (strchr("{([", *l->at) != NULL) {
		if (++l->depth == DEPTH_MAX + 1) {
			conf_problems_add(l->problems, here(l),
			    "nested more than %d levels deep", DEPTH_MAX);
			l->is_fatal = true;
		}
		l->n_settings[l->depth] = 0;
		l->brackets[l->depth] = *l->at;
		l->expects_item = *l->at != '{';
	} else if (strchr("})]", *l->at) != NULL && l->depth > 0) {
		l->depth--;
		l->expects_item = false;
	}
}

static bool
is_in_list(const struct lint *l)
{
	return l->brackets[l->depth] == '(' || l->brackets[l->depth] == '[';
}

/* Of one group. */
static void
count_setting(struct lint *l)
{
	conf_spots_add(l->spots, l->word);
	if (++l->n_settings[l->depth] != SETTINGS_MAX + 1)
		return;
	conf_problems_add(l->problems, l->word,
	    "more than %d settings in one group", SETTINGS_MAX);
	l->is_fatal = true;
}

static void
refuse_include(struct lint *l)
{
	conf_problems_add(l->problems, here(l),
	    "@include is not supported: see \"include_dir\" in "
	    "nbdsync.conf(5)");
	l->is_fatal = true;
	skip_line(l);
}

/* Of one character. */
static void
check_mark(struct lint *l)
{
	if ((*l->at == '=' || *l->at == ':') && !is_in_list(l))
		count_setting(l);
	if (*l->at == ',' && is_in_list(l))
		l->expects_item = true;
	check_bracket(l);
	l->at++;
}

static void
check_token(struct lint *l)
{
	bool was_blank = l->line_is_blank;

	l->line_is_blank = false;
	if (l->expects_item && is_in_list(l) &&
	    strchr("})],", *l->at) == NULL) {
		conf_spots_add(l->spots, here(l));
		l->expects_item = false;
	}
	if (*l->at == '"') {
		skip_string(l);
		return;
	}
	l->last_was_string = false;
	if (was_blank && begins(l, "@include")) {
		refuse_include(l);
	} else if (isdigit((unsigned char)*l->at)) {
		check_number(l);
	} else if (isalpha((unsigned char)*l->at) || *l->at == '*') {
		l->word = here(l);
		skip_word(l);
	} else {
		check_mark(l);
	}
}

bool
lint_text(const char *text, size_t len, struct conf_spots *spots,
    struct conf_problems *problems)
{
	struct lint l = {
		.at = text,
		.end = text + len,
		.line_start = text,
		.line = 1,
		.line_is_blank = true,
		.spots = spots,
		.problems = problems,
	};

	if (memchr(text, '\0', len) != NULL) {
		conf_problems_add(problems, CONF_WHOLE_FILE, "has NUL bytes: "
		    "no text file");
		return false;
	}
	while (l.at < l.end && !l.is_fatal) {
		if (isspace((unsigned char)*l.at))
			step(&l);
		else if (*l.at == '#' || begins(&l, "//"))
			skip_line(&l);
		else if (begins(&l, "/*"))
			skip_comment(&l);
		else
			check_token(&l);
	}
	return !l.is_fatal;
}
