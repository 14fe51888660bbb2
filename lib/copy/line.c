/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The line: what is wished, as pieces one behind another, each of which its
 * destinations have room for and both servers' blocks fit into.  Sizes come
 * from peers: every sum is checked for wrapping.
 */

#include "copy/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"
#include "copy/sample.h"

static uint64_t
round_up(uint64_t n, uint32_t align)
{
	return (n + align - 1) & ~(uint64_t)(align - 1);
}

static uint64_t
round_down(uint64_t n, uint32_t align)
{
	return n & ~(uint64_t)(align - 1);
}

static uint32_t
bit(unsigned target)
{
	return (uint32_t)1 << target;
}

static uint32_t
max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * The range with its length.  A whole disk may be empty; what begins where the
 * source ends is nothing that anybody can have wished for.
 */
static int
take_length(struct copy_range *r, const struct disk_shape *source,
    const struct copy_wish *wish, struct error *e)
{
	if (r->length != COPY_LENGTH_ALL)
		return 0;
	r->length = r->from < source->size ? source->size - r->from : 0;
	if (r->from > 0 && r->from == source->size && !wish->may_be_empty)
		return error_set(e, -EINVAL,
		    "source has %" PRIu64 " bytes: the range from %" PRIu64
		    " on is empty", source->size, r->from);
	return 0;
}

/*
 * A range has to start on a sector and be whole sectors; only at the end of
 * the source may the last sector be shorter.
 */
static int
check_range(const struct copy_range *r, const struct disk_shape *source,
    uint32_t sector, struct error *e)
{
	bool reaches_end;

	if (!range_is_within(r->from, r->length, 0, source->size))
		return error_set(e, -ERANGE,
		    "source has %" PRIu64 " bytes: the range of %" PRIu64
		    " bytes at %" PRIu64 " reaches beyond its end",
		    source->size, r->length, r->from);
	reaches_end = r->from + r->length == source->size;
	/* Nothing is left to the end, wherever that is. */
	if (reaches_end && r->length == 0)
		return 0;
	if (r->from % sector != 0 || r->to % sector != 0 ||
	    (r->length % sector != 0 && !reaches_end))
		return error_set(e, -EINVAL,
		    "range of %" PRIu64 " bytes at %" PRIu64 " to %" PRIu64
		    " is not made of whole sectors of %" PRIu32 " bytes",
		    r->length, r->from, r->to, sector);
	return 0;
}

/* length: as much of the range as can be read. */
static int
check_room(const struct copy_range *r, uint64_t length,
    const struct disk_shape *destination, struct error *e)
{
	if (!range_is_within(r->to, length, 0, destination->size))
		return error_set(e, -ENOSPC,
		    "destination is too small: it has %" PRIu64
		    " bytes, %" PRIu64 " bytes at %" PRIu64 " are needed",
		    destination->size, length, r->to);
	return 0;
}

static int
compare_by_destination(const void *a, const void *b)
{
	const struct copy_piece *x = a;
	const struct copy_piece *y = b;

	return x->to < y->to ? -1 : x->to > y->to;
}

/*
 * Two pieces that write the same bytes would race.
 */
static int
check_overlap(const struct copy_plan *plan, struct error *e)
{
	struct copy_piece *sorted;
	size_t i;
	int r = 0;

	if (plan->n_pieces < 2)
		return 0;
	sorted = malloc(plan->n_pieces * sizeof *sorted);
	if (sorted == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	memcpy(sorted, plan->pieces, plan->n_pieces * sizeof *sorted);
	qsort(sorted, plan->n_pieces, sizeof *sorted, compare_by_destination);
	for (i = 1; i < plan->n_pieces && r == 0; i++)
		if (sorted[i].to - sorted[i - 1].to < sorted[i - 1].length)
			r = error_set(e, -EINVAL,
			    "destination ranges overlap at byte %" PRIu64,
			    sorted[i].to);
	free(sorted);
	return r;
}

static int
add_piece(struct copy_plan *plan, const struct copy_piece *piece,
    struct error *e)
{
	struct copy_piece *p;
	unsigned i;

	if (piece->length == 0)
		return 0;
	/*
	 * Sizes are below 2^63 each, but ranges may read the same bytes
	 * many times over.
	 */
	if (plan->line_length > INT64_MAX - piece->length - COPY_MAX_ALIGN)
		return error_set(e, -EINVAL,
		    "source ranges add up to more than 2^63 bytes");
	p = reallocarray(plan->pieces, plan->n_pieces + 1, sizeof *p);
	if (p == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	plan->pieces = p;
	p += plan->n_pieces++;
	*p = *piece;
	p->position = plan->line_length;
	plan->line_length += round_up(p->length, plan->align);
	for (i = 0; i < plan->n_targets; i++)
		if ((p->targets & bit(i)) != 0)
			plan->targets[i].total_bytes += p->length;
	return 0;
}

static int
add_gap(struct copy_plan *plan, const struct copy_gap *gap, struct error *e)
{
	struct copy_gap *g;

	if (gap->length == 0)
		return 0;
	g = reallocarray(plan->gaps, plan->n_gaps + 1, sizeof *g);
	if (g == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	plan->gaps = g;
	g[plan->n_gaps++] = *gap;
	return 0;
}

/* Of these destinations, those that can go on to a block of this size only. */
static uint32_t
targets_of_block(uint32_t targets, uint32_t block,
    const struct disk_shape *source,
    const struct disk_shape *const destinations[])
{
	uint32_t found = 0;
	unsigned i;

	for (i = 0; i < COPY_MAX_TARGETS; i++)
		if ((targets & bit(i)) != 0 &&
		    block == max_u32(source->block_minimum,
				 destinations[i]->block_minimum))
			found |= bit(i);
	return found;
}

/*
 * A range goes as far as whole blocks of both servers do: one piece for all
 * destinations, and perhaps more of its tail for those with smaller blocks.
 */
static int
add_range(struct copy_plan *plan, const struct copy_range *range,
    const struct disk_shape *source,
    const struct disk_shape *const destinations[], struct error *e)
{
	struct copy_piece p = { .targets = bit(plan->n_targets) - 1 };
	struct copy_gap gap = { .length = range->length };
	uint64_t done = 0;
	uint32_t block;
	int r = 0;

	for (block = plan->align; r == 0 && p.targets != 0; block /= 2) {
		gap.targets = targets_of_block(p.targets, block, source,
		    destinations);
		if (gap.targets == 0)
			continue;
		p.from = range->from + done;
		p.to = range->to + done;
		p.length = round_down(range->length, block) - done;
		done += p.length;
		gap.blocks = block > source->block_minimum ?
		    COPY_DESTINATION :
		    COPY_SOURCE;
		gap.block = block;
		gap.offset = range->from + done;
		gap.length = range->length - done;
		r = add_piece(plan, &p, e);
		if (r == 0)
			r = add_gap(plan, &gap, e);
		p.targets &= ~gap.targets;
	}
	return r;
}

/* What a destination has behind the end of the source becomes zero. */
static int
add_rest(struct copy_plan *plan, unsigned target, uint64_t from,
    const struct disk_shape *destination, struct error *e)
{
	uint32_t block = destination->block_minimum;
	uint64_t end = round_down(destination->size, block);
	struct copy_piece p = {
		.from = round_up(from, block),
		.to = round_up(from, block),
		.targets = bit(target),
		.is_rest = true,
	};
	struct copy_gap gap = {
		.blocks = COPY_DESTINATION,
		.block = block,
		.targets = bit(target),
		.offset = from,
	};
	int r = 0;

	if (p.to < end) {
		p.length = end - p.to;
		gap.length = p.to - from;
		r = add_piece(plan, &p, e);
		if (r == 0)
			r = add_gap(plan, &gap, e);
		gap.offset = end;
	}
	gap.length = destination->size - gap.offset;
	return r < 0 ? r : add_gap(plan, &gap, e);
}

/* The range, or what a sample takes of it. */
static int
add_wished(struct copy_plan *plan, const struct copy_range *range,
    const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct copy_wish *wish, struct error *e)
{
	struct copy_spots spots;
	struct copy_range spot;
	int r = 0;

	if (wish->sample_ppm == 0)
		return add_range(plan, range, source, destinations, e);
	copy_spots_init(&spots, range, wish->sample_ppm,
	    wish->sample_seed + range->from);
	while (r == 0 && copy_spots_next(&spots, &spot))
		r = add_range(plan, &spot, source, destinations, e);
	return r;
}

int
copy_line_lay_out(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct copy_wish *wish, unsigned *ret_target, struct error *e)
{
	const struct copy_range whole = { 0, COPY_LENGTH_ALL, 0 };
	const struct copy_range *ranges = wish->n_ranges ? wish->ranges :
	    &whole;
	size_t n = wish->n_ranges ? wish->n_ranges : 1;
	/* A piece ends where its disks do, which may be inside a sector. */
	uint32_t sector = wish->align != 0 ? source->block_minimum :
					     plan->sector;
	struct copy_range range;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		range = ranges[i];
		r = take_length(&range, source, wish, e);
		if (r == 0)
			r = check_range(&range, source, sector, e);
		for (*ret_target = 0; r == 0 && *ret_target < plan->n_targets;
		     (*ret_target)++)
			r = check_room(&range,
			    round_down(range.length, source->block_minimum),
			    destinations[*ret_target], e);
		if (r == 0)
			r = add_wished(plan, &range, source, destinations,
			    wish, e);
		else if (*ret_target > 0)
			(*ret_target)--;
	}
	if (r == 0)
		r = check_overlap(plan, e);
	for (i = 0; r == 0 && wish->zero_rest && i < plan->n_targets; i++)
		if (destinations[i]->size > source->size)
			r = add_rest(plan, (unsigned)i, source->size,
			    destinations[i], e);
	for (i = 0; i < plan->n_targets; i++)
		if (plan->total_bytes < plan->targets[i].total_bytes)
			plan->total_bytes = plan->targets[i].total_bytes;
	return r;
}
