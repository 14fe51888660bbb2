/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Decides what a run will do before it does any of it: refuses what could
 * only go wrong, and chooses sizes and counts within what both servers
 * allow.  Sizes come from peers: every sum is checked for wrapping.
 */

#include "copy/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"
#include "copy/digest.h"
#include "copy/line.h"

#define SECTOR		512U

/*
 * What a run begins with keeps a local server busy, and stays in the
 * processor's cache.  What goes through a pipe takes none of ours, and fewer
 * turns are worth more.  A distant server needs more in flight:
 * copy/tuning.c goes up to these limits as far as that helps.  Servers work on
 * 16 requests of a connection at a time, mostly.
 */
#define DEFAULT_REQUEST (256U * 1024)
#define PIPED_REQUEST	(512U * 1024)
#define MAX_REQUEST	(1024U * 1024)
#define MIN_DEPTH	4U
#define DEFAULT_DEPTH	16U
#define MAX_DEPTH	64U
#define DEFAULT_LANES	2U
#define MAX_LANES	8U
#define MIN_GRAIN	4096U
#define SPARSE_GRAIN	(32U * 1024)
#define MIN_HOLES	8U
#define ZERO_SIZE	(128U * 1024 * 1024)
#define DIGEST_ZERO_SIZE (4U * 1024 * 1024)	/* takes a moment each */
#define CLAIM_SIZE	(16U * 1024 * 1024)
#define DEFAULT_LAG	(32U * 1024 * 1024)
#define MIN_LAG_SLOTS	16U
#define MAX_LAG_SLOTS	1024U
#define EPOCH_BYTES	(1024ULL * 1024 * 1024)

struct sizes {
	uint32_t minimum;	/* the largest of the smallest blocks */
	uint32_t preferred;
	uint32_t written;	/* preferred by the destinations */
	uint32_t maximum;
};

static uint64_t
round_up(uint64_t n, uint32_t align)
{
	return (n + align - 1) & ~(uint64_t)(align - 1);
}

static uint32_t
max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t
min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Once, however many destinations lack it; bit: one of them, or 0. */
static void
give_up(struct copy_plan *plan, uint32_t bit, const char *sentence)
{
	size_t i;

	for (i = 0; i < plan->n_gave_up; i++)
		if (strcmp(plan->gave_up[i].sentence, sentence) == 0)
			break;
	if (i == COPY_MAX_GAVE_UP)
		return;
	plan->gave_up[i].sentence = sentence;
	plan->gave_up[i].targets |= bit;
	if (i == plan->n_gave_up)
		plan->n_gave_up++;
}

static int
check_disks(const struct disk_shape *source,
    const struct disk_shape *destination, const struct copy_wish *wish,
    struct error *e)
{
	bool writes = wish->mode != COPY_MODE_VERIFY;

	if (writes && destination->read_only)
		return error_set(e, -EROFS, "destination is read-only");
	if (writes && !destination->can_flush && !wish->allow_no_flush)
		return error_set(e, -EOPNOTSUPP,
		    "destination does not offer flush, so nothing written "
		    "there could be called durable; allow it with "
		    "--allow-no-flush or allow_no_flush = true");
	if (source->block_minimum > destination->block_maximum ||
	    destination->block_minimum > source->block_maximum)
		return error_set(e, -EINVAL,
		    "source and destination have no request size in common: "
		    "%" PRIu32 " to %" PRIu32 " and %" PRIu32 " to %" PRIu32
		    " bytes",
		    source->block_minimum, source->block_maximum,
		    destination->block_minimum, destination->block_maximum);
	return 0;
}

static uint32_t
whole_blocks(const struct copy_plan *plan, uint32_t size)
{
	return max_u32(size & ~(plan->align - 1), plan->align);
}

static void
choose_request_size(struct copy_plan *plan, const struct sizes *sizes,
    const struct copy_wish *wish)
{
	uint32_t max = sizes->maximum;
	uint32_t size = wish->request_size;

	plan->max_request_size = size;
	if (size == 0) {
		size = max_u32(plan->can_pipe ? PIPED_REQUEST :
						DEFAULT_REQUEST,
		    min_u32(MAX_REQUEST, sizes->preferred));
		plan->max_request_size = plan->mode == COPY_MODE_COPY &&
			!copy_plan_digests(plan) ?
		    MAX_REQUEST :
		    size;
	}
	if (size > max) {
		if (wish->request_size != 0)
			give_up(plan, 0,
			    "the servers' maximum block size is below the "
			    "request size asked for: smaller requests");
		size = max;
	}
	plan->request_size = whole_blocks(plan, size);
	plan->max_request_size = whole_blocks(plan,
	    min_u32(plan->max_request_size, max));
}

static void
choose_lanes(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct copy_wish *wish)
{
	uint64_t useful;
	bool is_one = false;
	unsigned i;

	plan->lanes = wish->connections ? wish->connections : DEFAULT_LANES;
	plan->max_lanes = wish->connections ? wish->connections : MAX_LANES;
	if (plan->max_lanes > 1 && plan->digest != DIGEST_NONE) {
		if (wish->connections > 1)
			give_up(plan, 0, "a digest of the whole takes it in "
					 "order: one connection");
		plan->max_lanes = 1;
	}
	if (plan->max_lanes > 1 && !source->can_multi_conn) {
		give_up(plan, 0, "source does not offer several connections "
				 "(multi-conn): one connection");
		plan->max_lanes = 1;
	}
	for (i = 0; plan->max_lanes > 1 && i < plan->n_targets; i++) {
		if (destinations[i]->can_multi_conn)
			continue;
		give_up(plan, 1U << i, "destination does not offer several "
				       "connections (multi-conn): one "
				       "connection");
		is_one = true;
	}
	if (is_one)
		plan->max_lanes = 1;
	/* A lane that finds nothing left to claim is a waste. */
	useful = plan->line_length / plan->claim_size + 1;
	if (plan->max_lanes > useful)
		plan->max_lanes = (unsigned)useful;
	if (plan->lanes > plan->max_lanes)
		plan->lanes = plan->max_lanes;
}

/* What a slow destination may keep in memory, shared among the lanes. */
static void
choose_lag(struct copy_plan *plan, const struct copy_wish *wish)
{
	uint64_t lag = wish->max_lag ? wish->max_lag : DEFAULT_LAG;
	uint64_t slots;

	if (plan->n_targets == 1)
		return;
	plan->lag_bytes = lag;
	slots = lag / plan->lanes / plan->request_size;
	plan->lag_slots = slots < MIN_LAG_SLOTS ? MIN_LAG_SLOTS :
	    slots > MAX_LAG_SLOTS		? MAX_LAG_SLOTS :
						  (unsigned)slots;
}

static void
choose_depth(struct copy_plan *plan, const struct copy_wish *wish)
{
	bool is_chosen = wish->queue_depth == 0;
	/* What is compared stays in memory until all sides are read. */
	unsigned most = plan->mode == COPY_MODE_COPY ? MAX_DEPTH :
						       DEFAULT_DEPTH;

	plan->queue_depth = is_chosen ? DEFAULT_DEPTH : wish->queue_depth;
	plan->min_queue_depth = is_chosen ? MIN_DEPTH : wish->queue_depth;
	plan->max_queue_depth = is_chosen ? most : wish->queue_depth;
}

static void
choose_target_features(struct copy_plan *plan, unsigned target,
    uint64_t source_size, const struct disk_shape *destination,
    const struct copy_wish *wish)
{
	struct copy_target_plan *t = &plan->targets[target];
	bool compares = plan->mode != COPY_MODE_COPY;
	uint32_t bit = 1U << target;

	t->use_status = compares && destination->can_status;
	if (compares && plan->use_status && !t->use_status)
		give_up(plan, bit, "destination does not offer block status: "
				   "all of it is read");
	if (plan->mode == COPY_MODE_VERIFY) {
		if (wish->n_ranges == 0 && !wish->zero_rest &&
		    destination->size > source_size)
			give_up(plan, bit, "destination is larger than the "
					   "source: what it has behind that "
					   "is not compared");
		return;
	}
	t->use_zero = destination->can_zero && !wish->is_allocated;
	t->use_fast_zero = t->use_zero && destination->can_fast_zero &&
	    !compares && !wish->is_zero_before;
	t->lacks_fast_zero = t->use_zero && !destination->can_fast_zero &&
	    !compares && !wish->is_zero_before;
	t->use_trim = wish->skips_holes && !compares &&
	    destination->can_trim;
	t->use_flush = destination->can_flush;
	if (!destination->can_zero)
		give_up(plan, bit, "destination does not offer write-zeroes: "
				   "zeroes are written as data");
	if (wish->skips_holes && !destination->can_trim)
		give_up(plan, bit, "destination does not offer trim: holes "
				   "that need not be copied are left as they "
				   "were");
	if (!t->use_flush)
		give_up(plan, bit, "destination does not offer flush: nothing "
				   "there is known to be durable");
}

/*
 * A request more for each run is worth it where it spares the destination a
 * good deal of zeroes.
 */
static void
choose_sparse_grain(struct copy_plan *plan, const struct copy_wish *wish)
{
	plan->sees_all = wish->sparse_grain != 0 &&
	    wish->sparse_grain != COPY_SPARSE_OFF;
	if (wish->sparse_grain == COPY_SPARSE_OFF)
		plan->sparse_grain = 0;
	else if (wish->sparse_grain != 0)
		plan->sparse_grain = max_u32(wish->sparse_grain, plan->align);
	else
		plan->sparse_grain = max_u32(plan->grain, SPARSE_GRAIN);
}

static void
choose_features(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct copy_wish *wish)
{
	unsigned i;

	plan->use_status = source->can_status;
	plan->reconnects = wish->reconnects;
	plan->keeps = wish->keeps;
	memcpy(plan->on_error, wish->on_error, sizeof plan->on_error);
	plan->retries = wish->retries;
	plan->waits_for_space = wish->waits_for_space;
	plan->max_bad_bytes = wish->max_bad_bytes;
	plan->max_bad_ranges = wish->max_bad_ranges;
	plan->digest = wish->digest;
	plan->digests_blocks = wish->digests_blocks;
	plan->block_size = COPY_BLOCK_SIZE;
	plan->epoch_bytes = EPOCH_BYTES;
	plan->skip_zeroes = wish->is_zero_before &&
	    plan->mode == COPY_MODE_COPY;
	plan->skip_holes = wish->skips_holes;
	if (!plan->use_status)
		give_up(plan, 0, "source does not offer block status: all of "
				 "it is read");
	for (i = 0; i < plan->n_targets; i++)
		choose_target_features(plan, i, source->size, destinations[i],
		    wish);
}

/* The sizes that all disks agree on. */
static struct sizes
common_sizes(const struct disk_shape *source,
    const struct disk_shape *const destinations[], unsigned n)
{
	struct sizes s = {
		.minimum = source->block_minimum,
		.preferred = source->block_preferred,
		.maximum = source->block_maximum,
	};
	unsigned i;

	for (i = 0; i < n; i++) {
		const struct disk_shape *d = destinations[i];

		s.minimum = max_u32(s.minimum, d->block_minimum);
		s.preferred = max_u32(s.preferred, d->block_preferred);
		s.written = max_u32(s.written, d->block_preferred);
		s.maximum = min_u32(s.maximum, d->block_maximum);
	}
	return s;
}

static int
lay_out(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct sizes *sizes, const struct copy_wish *wish,
    unsigned *ret_target, struct error *e)
{
	int r = 0;

	for (*ret_target = 0; r == 0 && *ret_target < plan->n_targets;
	     (*ret_target)++)
		r = check_disks(source, destinations[*ret_target], wish, e);
	if (r < 0) {
		(*ret_target)--;
		return r;
	}
	*ret_target = 0;
	if (sizes->minimum > sizes->maximum)
		return error_set(e, -EINVAL,
		    "destinations have no request size in common: one takes "
		    "no less than %" PRIu32 " bytes, one no more than %" PRIu32,
		    sizes->minimum, sizes->maximum);
	r = copy_line_lay_out(plan, source, destinations, wish, ret_target, e);
	if (r == 0 && wish->digests_blocks &&
	    plan->line_length / COPY_BLOCK_SIZE >= COPY_MAX_BLOCKS)
		return error_set(e, -EINVAL,
		    "source is too large for digests of its blocks");
	return r;
}

int
copy_plan_make(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[], unsigned n_destinations,
    const struct copy_wish *wish, unsigned *ret_target, struct error *e)
{
	const struct sizes sizes = common_sizes(source, destinations,
	    n_destinations);
	int r;

	memset(plan, 0, sizeof *plan);
	plan->mode = wish->mode;
	plan->n_targets = n_destinations;
	plan->align = max_u32(sizes.minimum, wish->align);
	plan->sector = max_u32(plan->align, SECTOR);
	plan->grain = max_u32(plan->align,
	    max_u32(MIN_GRAIN, min_u32(sizes.written, COPY_MAX_ALIGN)));
	r = lay_out(plan, source, destinations, &sizes, wish, ret_target, e);
	if (r < 0) {
		if (*ret_target == n_destinations)
			*ret_target = 0;	/* it is about none of them */
		copy_plan_done(plan);
		return r;
	}
	choose_features(plan, source, destinations, wish);
	choose_sparse_grain(plan, wish);
	plan->can_pipe = plan->mode == COPY_MODE_COPY && !plan->sees_all &&
	    plan->n_targets == 1 && !copy_plan_digests(plan) &&
	    source->can_pipe && destinations[0]->can_pipe;
	choose_request_size(plan, &sizes, wish);
	plan->min_holes = MIN_HOLES;
	plan->zero_size = plan->digest != DIGEST_NONE ? DIGEST_ZERO_SIZE :
							ZERO_SIZE;
	plan->claim_size = round_up(max_u32(CLAIM_SIZE, plan->request_size),
	    plan->digests_blocks ? COPY_BLOCK_SIZE : COPY_MAX_ALIGN);
	choose_depth(plan, wish);
	choose_lanes(plan, source, destinations, wish);
	choose_lag(plan, wish);
	return 0;
}

bool
copy_plan_halve_requests(struct copy_plan *plan)
{
	uint32_t half = whole_blocks(plan, plan->max_request_size / 2);

	if (half >= plan->max_request_size || half < MIN_GRAIN)
		return false;
	plan->max_request_size = half;
	plan->request_size = min_u32(plan->request_size, half);
	return true;
}

void
copy_plan_done(struct copy_plan *plan)
{
	unsigned i;

	for (i = 0; i < plan->n_targets; i++)
		ranges_done(&plan->targets[i].done);
	free(plan->pieces);
	free(plan->gaps);
	plan->pieces = NULL;
	plan->gaps = NULL;
	plan->n_pieces = 0;
	plan->n_gaps = 0;
}

/* How many bytes of a piece are in the set? */
static uint64_t
count_done(const struct ranges *done, const struct copy_piece *p)
{
	uint64_t offset = 0;
	uint64_t n = 0;
	uint64_t run;
	bool is_in;

	while (offset < p->length) {
		run = ranges_run_at(done, p->to + offset, p->length - offset,
		    &is_in);
		n += is_in ? run : 0;
		offset += run;
	}
	return n;
}

/* Whole blocks of it only; a piece may end inside one. */
static int
add_blocks(const struct copy_plan *plan, struct ranges *set,
    const struct range *r)
{
	uint64_t from = round_up(r->offset, plan->align);
	uint64_t end = r->offset + r->len;
	uint64_t down = end & ~(uint64_t)(plan->align - 1);
	size_t i;

	for (i = 0; i < plan->n_pieces; i++)
		if (plan->pieces[i].to + plan->pieces[i].length == end)
			down = end;
	return from < down ? ranges_add(set, from, down - from) : 0;
}

static int
resume_target(struct copy_plan *plan, unsigned target,
    const struct ranges *done)
{
	struct copy_target_plan *t = &plan->targets[target];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < done->n; i++)
		r = add_blocks(plan, &t->done, &done->v[i]);
	for (i = 0; r == 0 && i < plan->n_pieces; i++)
		if ((plan->pieces[i].targets & (1U << target)) != 0)
			t->done_bytes += count_done(&t->done,
			    &plan->pieces[i]);
	return r;
}

int
copy_plan_resume(struct copy_plan *plan, const struct ranges done[])
{
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->n_targets; i++)
		r = resume_target(plan, i, &done[i]);
	for (i = 0; r < 0 && i < plan->n_targets; i++) {
		ranges_clear(&plan->targets[i].done);
		plan->targets[i].done_bytes = 0;
	}
	return r;
}

const struct copy_piece *
copy_plan_piece_to(const struct copy_plan *plan, uint32_t targets,
    uint64_t to)
{
	size_t i;

	for (i = 0; i + 1 < plan->n_pieces; i++)
		if ((plan->pieces[i].targets & targets) != 0 &&
		    to >= plan->pieces[i].to &&
		    to - plan->pieces[i].to < plan->pieces[i].length)
			break;
	return &plan->pieces[i];
}

uint64_t
copy_plan_bytes_in(const struct copy_plan *plan, uint64_t from, uint64_t to)
{
	const struct copy_piece *p = copy_plan_piece_at(plan, from);
	const struct copy_piece *end = plan->pieces + plan->n_pieces;
	uint64_t n = 0;
	uint64_t first;
	uint64_t last;

	for (; p < end && p->position < to; p++) {
		first = p->position > from ? p->position : from;
		last = p->position + p->length;
		if (last > to)
			last = to;
		if (last > first && !p->is_rest)
			n += last - first;
	}
	return n;
}

const struct copy_piece *
copy_plan_piece_at(const struct copy_plan *plan, uint64_t position)
{
	size_t low = 0;
	size_t high = plan->n_pieces;
	size_t mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (plan->pieces[mid].position <= position)
			low = mid;
		else
			high = mid;
	}
	return &plan->pieces[low];
}
