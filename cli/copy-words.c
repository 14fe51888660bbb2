/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is particular in the words of `nbdsync copy`.
 *
 * A command in brackets is words of its own, as the shell makes them, with
 * options that are not ours.  So brackets are taken out before options are
 * looked for.
 */
#include "cli/copy-words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define SECTOR_SIZE 512
#define FIELD_SIZE  48

/* The text up to the next ':' or the end; *text moves behind the ':'. */
static int
take_field(const char **text, char field[FIELD_SIZE], bool *ret_is_last)
{
	size_t len = strcspn(*text, ":");

	if (len >= FIELD_SIZE)
		return -EINVAL;
	memcpy(field, *text, len);
	field[len] = '\0';
	*ret_is_last = (*text)[len] == '\0';
	*text += len + (*ret_is_last ? 0 : 1);
	return 0;
}

static int
take_size(const char **text, uint64_t if_empty, uint64_t *ret_size,
    bool *ret_is_last)
{
	char field[FIELD_SIZE];
	int r;

	r = take_field(text, field, ret_is_last);
	if (r < 0)
		return r;
	if (field[0] == '\0' && if_empty != 0) {
		*ret_size = if_empty;
		return 0;
	}
	r = units_parse_size(field, SECTOR_SIZE, ret_size);
	/* As a number it would mean "all". */
	return r == 0 && *ret_size == RUN_LENGTH_ALL ? -ERANGE : r;
}

static int
parse_fields(const char *text, struct run_range *range)
{
	bool is_last = true;
	int r;

	r = take_size(&text, 0, &range->from, &is_last);
	if (r < 0 || is_last)
		return r < 0 ? r : -EINVAL;
	r = take_size(&text, RUN_LENGTH_ALL, &range->length, &is_last);
	if (r < 0)
		return r;
	range->to = range->from;
	if (is_last)
		return 0;
	r = take_size(&text, 0, &range->to, &is_last);
	if (r < 0)
		return r;
	return is_last ? 0 : -EINVAL;
}

static bool
wraps(const struct run_range *range)
{
	uint64_t end;

	return range->length != RUN_LENGTH_ALL &&
	    (__builtin_add_overflow(range->from, range->length, &end) ||
		__builtin_add_overflow(range->to, range->length, &end));
}

int
copy_range_parse(const char *text, struct run_range *ret_range,
    struct error *e)
{
	struct run_range range;
	int r;

	r = parse_fields(text, &range);
	if (r == -EINVAL)
		return error_set(e, r,
		    "'%s' is no FROM:LENGTH[:TO], such as '1GiB:64MiB' or "
		    "'0:2048s:1GiB'",
		    text);
	if (r < 0 || wraps(&range))
		return error_set(e, -ERANGE, "'%s' is out of range", text);
	if (range.length == 0)
		return error_set(e, -EINVAL, "'%s' is empty", text);
	*ret_range = range;
	return 0;
}

static bool
is_word(const char *word, const char *wanted)
{
	return strcmp(word, wanted) == 0;
}

/* The index of the "]" that closes the "[" at open; argc: there is none. */
static int
find_close(int open, int argc, char **argv)
{
	int i = open + 1;

	while (i < argc && !is_word(argv[i], "]"))
		i++;
	return i;
}

static int
fold_one(struct copy_brackets *b, int open, int *argc, char **argv,
    struct error *e)
{
	struct copy_bracket *bracket = &b->v[b->n];
	int close = find_close(open, *argc, argv);
	int n_words = close - open - 1;
	char **words = b->words;

	if (close == *argc)
		return error_set(e, -EINVAL, "there is a '[' without a ']'");
	if (n_words == 0)
		return error_set(e, -EINVAL, "there is no command in '[ ]'");
	if (b->n == COPY_BRACKETS_MAX)
		return error_set(e, -EINVAL,
		    "there are more than two commands in '[ ]'");
	for (int i = 0; i < b->n; i++)
		words += b->v[i].argc;
	memcpy(words, argv + open + 1, (size_t)n_words * sizeof *words);
	bracket->mark[0] = '[';
	argv[open] = bracket->mark;
	bracket->argv = (const char *const *)words;
	bracket->argc = n_words;
	b->n++;
	/* With the NULL at the end. */
	memmove(argv + open + 1, argv + close + 1,
	    (size_t)(*argc - close) * sizeof *argv);
	*argc -= n_words + 1;
	return 0;
}

int
copy_brackets_fold(struct copy_brackets *brackets, int *argc, char **argv,
    struct error *e)
{
	int r = 0;

	memset(brackets, 0, sizeof *brackets);
	brackets->words = calloc((size_t)*argc + 1, sizeof *brackets->words);
	if (brackets->words == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	for (int i = 0; r == 0 && i < *argc; i++) {
		if (is_word(argv[i], "["))
			r = fold_one(brackets, i, argc, argv, e);
		else if (is_word(argv[i], "]"))
			r = error_set(e, -EINVAL,
			    "there is a ']' without a '['");
	}
	if (r < 0)
		copy_brackets_done(brackets);
	return r;
}

void
copy_brackets_done(struct copy_brackets *brackets)
{
	free(brackets->words);
	memset(brackets, 0, sizeof *brackets);
}

int
copy_brackets_to_spec(const struct copy_brackets *brackets,
    const char *operand, struct endpoint_spec **ret_spec, struct error *e)
{
	for (int i = 0; i < brackets->n; i++) {
		const struct copy_bracket *b = &brackets->v[i];

		if (b->mark == operand)
			return endpoint_spec_from_command(NULL, b->argv,
			    b->argc, ret_spec, e);
	}
	return endpoint_spec_from_text(NULL, operand, ret_spec, e);
}
