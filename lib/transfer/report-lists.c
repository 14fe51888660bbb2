/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists of a report, which may have a hundred thousand entries.  That
 * takes a quarter of a second, so that whoever has others to answer meanwhile
 * keeps what they are made of, and has them made on another thread; and as
 * values of jansson's they would take a hundred megabytes, so that they are
 * written one by one.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/report.h"

typedef json_t *make_entry(const struct run_result *r, size_t i);

/* NULL: out of memory. */
static json_t *
make_list(const struct run_result *r, size_t n, make_entry *make)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < n; i++)
		if (json_array_append_new(list, make(r, i)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* By destination and offset, as is what was skipped. */
static json_t *
difference(const struct run_result *r, size_t i)
{
	const struct run_difference *d = &r->differences[i];

	return json_pack("{s:i, s:I, s:I, s:s?}", "destination",
	    (int)d->destination, "offset_bytes", (json_int_t)d->offset,
	    "length_bytes", (json_int_t)d->length, "all_zero",
	    d->is_zero_at_source ? "source" :
	    d->is_zero_at_destination ? "destination" : NULL);
}

static json_t *
gap(const struct run_result *r, size_t i)
{
	const struct run_gap *g = &r->not_copied[i];

	return json_pack("{s:i, s:s, s:I, s:I, s:s}", "destination",
	    (int)g->destination, "side", g->side, "offset_bytes",
	    (json_int_t)g->offset, "length_bytes", (json_int_t)g->length,
	    "reason", g->reason);
}

static json_t *
bad_range(const struct run_result *r, size_t i)
{
	const struct run_bad_range *b = &r->bad_ranges[i];

	return json_pack("{s:s, s:i, s:I, s:I, s:s, s:i, s:b}", "side",
	    b->side, "destination", (int)b->destination, "offset_bytes",
	    (json_int_t)b->offset, "length_bytes", (json_int_t)b->length,
	    "error", strerror(-b->errnum), "errno", -b->errnum,
	    "filled", b->is_filled);
}

/* null where there is none. */
static json_t *
block_digest(const struct run_result *r, size_t i)
{
	const struct run_block_digest *b = &r->block_digests[i];
	unsigned char value[DIGEST_MAX_SIZE] = { 0 };
	char text[DIGEST_TEXT_SIZE];

	if (!b->is_known)
		return json_null();
	memcpy(value, b->value, sizeof b->value);
	return json_string(digest_format(DIGEST_XXH3, value, text));
}

/* Of each block, the destinations that were sent something else. */
static json_t *
unlike(const struct run_result *r, size_t i)
{
	return json_integer((json_int_t)r->block_digests[i].unlike);
}

/* By them a destination can be compared with the digests later. */
static json_t *
piece(const struct run_result *r, size_t i)
{
	const struct run_piece *p = &r->pieces[i];

	return json_pack("[I, I, I, I]", (json_int_t)p->from,
	    (json_int_t)p->to, (json_int_t)p->length,
	    (json_int_t)p->targets);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int
report_put_lists(json_t *o, const struct run_result *r, size_t most)
{
	if (json_object_set_new(o, "differences", make_list(r,
	    least(r->n_differences, most), difference)) < 0 ||
	    json_object_set_new(o, "not_copied", make_list(r,
	    least(r->n_not_copied, most), gap)) < 0 ||
	    json_object_set_new(o, "bad_ranges", make_list(r,
	    least(r->n_bad_ranges, most), bad_range)) < 0)
		return -ENOMEM;
	return 0;
}

int
report_put_block_digests(json_t *o, const struct run_result *r)
{
	if (r->n_block_digests == 0 || r->n_block_digests > REPORT_MAX_BLOCKS)
		return 0;
	return json_object_set_new(o, "block_digests",
	    json_pack("{s:s, s:I, s:o, s:o, s:I, s:o}", "algorithm",
		digest_name(DIGEST_XXH3), "block_bytes",
		(json_int_t)RUN_BLOCK_SIZE, "values",
		make_list(r, r->n_block_digests, block_digest), "unlike",
		make_list(r, r->n_block_digests, unlike),
		"align_bytes", (json_int_t)r->align, "pieces",
		r->n_pieces > REPORT_MAX_PIECES ? json_null() :
		make_list(r, r->n_pieces, piece))) < 0 ? -ENOMEM : 0;
}

struct report_lists {
	struct run_difference *differences;
	struct run_gap *not_copied;
	struct run_bad_range *bad_ranges;
	struct run_block_digest *block_digests;
	struct run_piece *pieces;
	size_t bytes;
	struct run_result r;		/* has these, and nothing else */
};

/* Of n elements; never NULL but for want of memory. */
static void *
copy(const void *list, size_t n, size_t size, size_t *bytes)
{
	void *mine = calloc(n + 1, size);

	if (mine != NULL && n > 0)
		memcpy(mine, list, n * size);
	*bytes += n * size;
	return mine;
}

static bool
copy_all(struct report_lists *l, const struct run_result *r)
{
	l->differences = copy(r->differences, r->n_differences,
	    sizeof *r->differences, &l->bytes);
	l->not_copied = copy(r->not_copied, r->n_not_copied,
	    sizeof *r->not_copied, &l->bytes);
	l->bad_ranges = copy(r->bad_ranges, r->n_bad_ranges,
	    sizeof *r->bad_ranges, &l->bytes);
	l->block_digests = copy(r->block_digests, r->n_block_digests,
	    sizeof *r->block_digests, &l->bytes);
	l->pieces = copy(r->pieces, r->n_pieces, sizeof *r->pieces,
	    &l->bytes);
	return l->differences != NULL && l->not_copied != NULL &&
	    l->bad_ranges != NULL && l->block_digests != NULL &&
	    l->pieces != NULL;
}

struct report_lists *
report_keep_lists(const struct run_result *r)
{
	struct report_lists *l = calloc(1, sizeof *l);

	if (l == NULL || !copy_all(l, r)) {
		report_lists_free(l);
		return NULL;
	}
	l->r = (struct run_result){
		.differences = l->differences,
		.n_differences = r->n_differences,
		.not_copied = l->not_copied,
		.n_not_copied = r->n_not_copied,
		.bad_ranges = l->bad_ranges,
		.n_bad_ranges = r->n_bad_ranges,
		.block_digests = l->block_digests,
		.n_block_digests = r->n_block_digests,
		.pieces = l->pieces,
		.n_pieces = r->n_pieces,
		.align = r->align,
	};
	return l;
}

size_t
report_lists_bytes(const struct report_lists *l)
{
	return sizeof *l + l->bytes;
}

char *
report_text_with_lists(json_t *o, const struct report_lists *l)
{
	const struct report_list lists[] = {
		{ "differences", l->r.n_differences, difference },
		{ "not_copied", l->r.n_not_copied, gap },
		{ "bad_ranges", l->r.n_bad_ranges, bad_range },
	};

	if (report_put_block_digests(o, &l->r) < 0)
		return NULL;
	return report_text_with(o, lists, sizeof lists / sizeof lists[0],
	    &l->r);
}

void
report_lists_free(struct report_lists *l)
{
	if (l == NULL)
		return;
	free(l->differences);
	free(l->not_copied);
	free(l->bad_ranges);
	free(l->block_digests);
	free(l->pieces);
	free(l);
}
