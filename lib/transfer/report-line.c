/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a run has written, as its report has kept it: the pieces of the line,
 * and the digests of its blocks.  It comes from a file, so that nothing in it
 * is believed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "transfer/report.h"

struct run_line *
run_line_copy(const struct run_line *line)
{
	struct run_line *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		return NULL;
	*copy = *line;
	copy->pieces = calloc(line->n_pieces + 1, sizeof *copy->pieces);
	copy->blocks = calloc(line->n_blocks + 1, sizeof *copy->blocks);
	if (copy->pieces == NULL || copy->blocks == NULL) {
		run_line_free(copy);
		return NULL;
	}
	memcpy(copy->pieces, line->pieces,
	    line->n_pieces * sizeof *copy->pieces);
	memcpy(copy->blocks, line->blocks,
	    line->n_blocks * sizeof *copy->blocks);
	return copy;
}

uint64_t
run_line_length(const struct run_line *line, const struct run_piece *p)
{
	return (p->length + line->align - 1) & ~(uint64_t)(line->align - 1);
}

void
run_line_free(struct run_line *line)
{
	if (line == NULL)
		return;
	free(line->pieces);
	free(line->blocks);
	free(line);
}

void
run_line_freep(struct run_line **line)
{
	run_line_free(*line);
}

/* A number from 0 to max; false: there is none. */
static bool
take_number(const json_t *o, uint64_t max, uint64_t *ret)
{
	if (!json_is_integer(o) || json_integer_value(o) < 0 ||
	    (uint64_t)json_integer_value(o) > max)
		return false;
	*ret = (uint64_t)json_integer_value(o);
	return true;
}

static bool
take_piece(const json_t *o, struct run_piece *p)
{
	uint64_t targets;

	if (!take_number(json_array_get(o, 0), INT64_MAX, &p->from) ||
	    !take_number(json_array_get(o, 1), INT64_MAX, &p->to) ||
	    !take_number(json_array_get(o, 2), INT64_MAX, &p->length) ||
	    !take_number(json_array_get(o, 3), UINT32_MAX, &targets))
		return false;
	p->targets = (uint32_t)targets;
	return p->length > 0 && p->length <= INT64_MAX - p->from &&
	    p->length <= INT64_MAX - p->to;
}

/* The line is as long as its blocks are; pieces begin aligned on it. */
static bool
take_pieces(const json_t *list, struct run_line *line)
{
	uint64_t length = 0;

	for (size_t i = 0; i < line->n_pieces; i++) {
		if (!take_piece(json_array_get(list, i), &line->pieces[i]) ||
		    line->pieces[i].length > INT64_MAX - length -
			line->align)
			return false;
		length += run_line_length(line, &line->pieces[i]);
	}
	return line->n_blocks ==
	    length / RUN_BLOCK_SIZE + (length % RUN_BLOCK_SIZE != 0);
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f'    ? c - 'a' + 10 :
				      -1;
}

static bool
take_value(const char *text, struct run_block_digest *b)
{
	if (strlen(text) != (size_t)2 * RUN_BLOCK_DIGEST_SIZE)
		return false;
	for (size_t i = 0; i < RUN_BLOCK_DIGEST_SIZE; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		b->value[i] = (unsigned char)(high << 4 | low);
	}
	b->is_known = true;
	return true;
}

static bool
take_blocks(const json_t *values, const json_t *unlike, struct run_line *line)
{
	uint64_t mask;

	for (size_t i = 0; i < line->n_blocks; i++) {
		const json_t *value = json_array_get(values, i);

		if (!take_number(json_array_get(unlike, i), UINT32_MAX, &mask))
			return false;
		line->blocks[i].unlike = (uint32_t)mask;
		if (!json_is_null(value) && (!json_is_string(value) ||
			!take_value(json_string_value(value),
			    &line->blocks[i])))
			return false;
	}
	return true;
}

static void
take_failures(const json_t *list, struct run_line *line)
{
	for (size_t i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (json_is_string(json_array_get(list, i)))
			line->failed |= (uint32_t)1 << i;
}

static bool
take_line(const json_t *report, const json_t *o, struct run_line *line)
{
	const char *algorithm =
	    json_string_value(json_object_get(o, "algorithm"));
	uint64_t size;
	uint64_t align;

	if (algorithm == NULL ||
	    strcmp(algorithm, digest_name(DIGEST_XXH3)) != 0 ||
	    !take_number(json_object_get(o, "block_bytes"), UINT32_MAX,
		&size) ||
	    size != RUN_BLOCK_SIZE ||
	    !take_number(json_object_get(o, "align_bytes"),
		RUN_MAX_REQUEST_SIZE, &align) ||
	    align == 0 || (align & (align - 1)) != 0)
		return false;
	line->align = (uint32_t)align;
	take_failures(json_object_get(report, "destination_failures"), line);
	return take_pieces(json_object_get(o, "pieces"), line) &&
	    take_blocks(json_object_get(o, "values"),
		json_object_get(o, "unlike"), line);
}

int
report_read_line(const json_t *report, struct run_line **ret_line,
    struct error *e)
{
	const json_t *o = json_object_get(report, "block_digests");
	CLEANUP(run_line_freep) struct run_line *line = NULL;

	if (json_array_size(json_object_get(o, "pieces")) == 0)
		return error_set(e, -ENODATA, "has left no digests");
	line = calloc(1, sizeof *line);
	if (line == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	line->n_pieces = json_array_size(json_object_get(o, "pieces"));
	line->n_blocks = json_array_size(json_object_get(o, "values"));
	if (line->n_pieces > REPORT_MAX_PIECES ||
	    line->n_blocks > REPORT_MAX_BLOCKS)
		return error_set(e, -EBADMSG, "has left too many digests");
	line->pieces = calloc(line->n_pieces + 1, sizeof *line->pieces);
	line->blocks = calloc(line->n_blocks + 1, sizeof *line->blocks);
	if (line->pieces == NULL || line->blocks == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	if (!take_line(report, o, line))
		return error_set(e, -EBADMSG, "has left digests that make no "
		    "sense");
	*ret_line = STEAL(line);
	return 0;
}
