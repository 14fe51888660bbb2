/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Blocks of what is read back: which are right, which are read again, which
 * have no digest, and which ranges of the disks they are.  What is done about
 * them is readback.c's.
 */

#include <stdlib.h>
#include <string.h>

#include "transfer/readback-private.h"
#include "transfer/run-private.h"
#include "transfer/series-private.h"

static uint32_t
bit(unsigned target)
{
	return (uint32_t)1 << target;
}

void
readback_add_range(struct readback *b, const struct run_range *range)
{
	struct run_range *v = reallocarray(b->ranges, b->n_ranges + 1,
	    sizeof *v);

	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	b->ranges = v;
	v[b->n_ranges++] = *range;
}

/* Neighbours are one. */
void
readback_add_difference(struct readback *b, uint64_t offset, uint64_t length)
{
	struct run_difference *v = b->differences;
	size_t n = b->n_differences;

	if (n > 0 && v[n - 1].destination == b->target &&
	    v[n - 1].offset + v[n - 1].length == offset) {
		v[n - 1].length += length;
		return;
	}
	v = reallocarray(v, n + 1, sizeof *v);
	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	b->differences = v;
	v[n] = (struct run_difference){
		.destination = b->target, .offset = offset, .length = length
	};
	b->n_differences++;
}

bool
readback_was_written(const struct readback *b, const struct copy_piece *p)
{
	return !p->is_rest && (p->targets & bit(b->target)) != 0;
}

static void
add_to(struct readback *b, struct blocks *blocks, uint64_t index)
{
	uint64_t *v = reallocarray(blocks->v, blocks->n + 1, sizeof *v);

	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	blocks->v = v;
	v[blocks->n++] = index;
}

/*
 * What of a piece lies in a block of the line and was written to the
 * destination; false: nothing.
 */
static bool
part_of(const struct readback *b, const struct copy_piece *p, uint64_t index,
    struct run_range *ret)
{
	uint64_t from = index * RUN_BLOCK_SIZE;
	uint64_t end = from + RUN_BLOCK_SIZE;
	uint64_t first = p->position > from ? 0 : from - p->position;
	uint64_t last = end - p->position < p->length ? end - p->position :
							p->length;

	if (first >= last || !readback_was_written(b, p))
		return false;
	ret->from = p->from + first;
	ret->to = p->to + first;
	ret->length = last - first;
	return true;
}

/* The parts of pieces that lie in a block of the line. */
static void
add_block(struct readback *b, uint64_t index, bool differs)
{
	const struct copy_plan *plan = b->plan;
	uint64_t end = (index + 1) * RUN_BLOCK_SIZE;
	const struct copy_piece *p =
	    copy_plan_piece_at(plan, index * RUN_BLOCK_SIZE);
	struct run_range r;

	for (; p < plan->pieces + plan->n_pieces && p->position < end; p++) {
		if (!part_of(b, p, index, &r))
			continue;
		if (differs)
			readback_add_difference(b, r.from, r.length);
		else
			readback_add_range(b, &r);
	}
}

void
readback_suspects_differ(struct readback *b)
{
	for (size_t i = 0; i < b->suspects.n; i++)
		add_block(b, b->suspects.v[i], true);
	b->suspects.n = 0;
}

/* Up to where a destination was read as it was written. */
static uint64_t
same_line(const struct copy_plan *a, const struct copy_plan *b)
{
	size_t i;

	for (i = 0; i < a->n_pieces && i < b->n_pieces; i++)
		if (a->pieces[i].position != b->pieces[i].position ||
		    a->pieces[i].length != b->pieces[i].length ||
		    a->pieces[i].to != b->pieces[i].to)
			break;
	if (i == a->n_pieces || a->pieces[i].is_rest)
		return UINT64_MAX;
	return a->pieces[i].position;
}

uint64_t
readback_bytes_of(const struct readback *b, uint64_t index)
{
	return copy_plan_bytes_in(b->plan, index * RUN_BLOCK_SIZE,
	    (index + 1) * RUN_BLOCK_SIZE);
}

static bool
has_digest(const struct readback *b, uint64_t index)
{
	return index < b->n_was && b->was[index].is_known &&
	    (b->was[index].unlike & bit(b->target)) == 0;
}

/* Is the i-th block that was just read the same as that one was? */
static bool
is_same_block(const struct series *s, size_t i, uint64_t index)
{
	const struct run_result *is = &s->result;

	return i < is->n_block_digests && is->block_digests[i].is_known &&
	    memcmp(is->block_digests[i].value,
		s->readback->was[index].value, RUN_BLOCK_DIGEST_SIZE) == 0;
}

/* There is nothing to compare it with. */
static void
leave_unverified(struct readback *b, uint64_t index)
{
	if (b->unverified_bytes == 0)
		b->unverified_from = copy_plan_piece_at(b->plan,
		    index * RUN_BLOCK_SIZE)->to + index * RUN_BLOCK_SIZE -
		    copy_plan_piece_at(b->plan,
			index * RUN_BLOCK_SIZE)->position;
	b->unverified_bytes += readback_bytes_of(b, index);
}

/* A block is the same, or not, or its digests do not tell. */
static void
judge_block(struct series *s, uint64_t index, uint64_t end)
{
	struct readback *b = s->readback;
	const struct run_result *is = &s->result;

	if (readback_bytes_of(b, index) == 0)
		return;
	if (has_digest(b, index) && index < is->n_block_digests &&
	    is->block_digests[index].is_known &&
	    (index + 1) * RUN_BLOCK_SIZE <= end) {
		if (is_same_block(s, index, index))
			b->verified_bytes += readback_bytes_of(b, index);
		else
			add_to(b, &b->suspects, index);
	} else if (b->stored != NULL || b->result.n_bad_ranges > 0) {
		leave_unverified(b, index);
	} else {
		add_to(b, &b->unknowns, index);
	}
}

/* Blocks of whose parts the ranges of the next pass are made. */
void
readback_take_blocks(struct readback *b, const struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++)
		add_block(b, blocks->v[i], false);
}

/* Does a difference lie in the block? */
static bool
is_in_block(const struct readback *b, const struct run_difference *d,
    uint64_t index)
{
	const struct copy_plan *plan = b->plan;
	const struct copy_piece *p =
	    copy_plan_piece_at(plan, index * RUN_BLOCK_SIZE);
	struct run_range r;

	for (; p < plan->pieces + plan->n_pieces &&
	     p->position < (index + 1) * RUN_BLOCK_SIZE; p++)
		if (part_of(b, p, index, &r) && d->offset < r.from + r.length &&
		    r.from < d->offset + d->length)
			return true;
	return false;
}

/* A block that the source tells nothing of differs as a whole. */
void
readback_narrow(struct readback *b, const struct run_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < b->suspects.n; i++) {
		bool is_told = false;

		for (size_t k = 0; k < r->n_differences && !is_told; k++)
			is_told = is_in_block(b, &r->differences[k],
			    b->suspects.v[i]);
		if (!is_told || r->differences_are_cut)
			b->suspects.v[n++] = b->suspects.v[i];
	}
	b->suspects.n = n;
}

void
readback_judge_blocks(struct series *s)
{
	const struct copy_plan *plan = s->readback->plan;
	uint64_t end = same_line(plan, &s->run->plan);

	for (uint64_t i = 0; i * RUN_BLOCK_SIZE < plan->line_length; i++)
		judge_block(s, i, end);
}

void
readback_judge_again(struct series *s)
{
	struct readback *b = s->readback;
	size_t n = 0;

	for (size_t i = 0; i < b->suspects.n; i++) {
		uint64_t index = b->suspects.v[i];

		if (is_same_block(s, i, index)) {
			b->verified_bytes += readback_bytes_of(b, index);
			b->again_bytes += readback_bytes_of(b, index);
		} else {
			b->suspects.v[n++] = index;
		}
	}
	b->suspects.n = n;
}
