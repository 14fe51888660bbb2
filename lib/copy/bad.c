/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/bad.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "copy/lane-private.h"

/* A pass's pieces are so many times smaller than those of the one before. */
#define NARROW_SHIFT 3

#define PAUSE_MS     500	/* the first; doubled each time */
#define MAX_PAUSE_MS 30000

/* Passes. */

static unsigned
n_narrowing(const struct copy_plan *plan)
{
	uint32_t size = plan->request_size;
	unsigned n = 0;

	while (size > plan->sector) {
		size >>= NARROW_SHIFT;
		n++;
	}
	return n;
}

static unsigned
last_pass(const struct copy_plan *plan)
{
	return n_narrowing(plan) + plan->retries;
}

uint32_t
copy_bads_request_size(const struct copy_lane *lane)
{
	const struct copy_plan *plan = lane->plan;
	uint32_t size;

	if (lane->bads.pass >= n_narrowing(plan))
		return plan->sector;
	size = plan->request_size >> (NARROW_SHIFT * lane->bads.pass);
	size &= ~(plan->align - 1);
	return size > plan->sector ? size : plan->sector;
}

static bool
waits_for(const struct copy_bads *b, enum copy_error_class class)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->v[i].class == class)
			return true;
	return false;
}

/*
 * Whatever is only a matter of time is tried again as it is; else the pieces
 * become smaller.  From the end every other time: what a server does at the
 * first bad block may be what keeps it from the good ones behind.
 */
static void
begin_pass(struct copy_lane *lane)
{
	struct copy_bads *b = &lane->bads;
	size_t i;

	if (!waits_for(b, COPY_ERROR_SPACE) && !waits_for(b, COPY_ERROR_TIME))
		b->pass++;
	for (i = 0; i < b->n; i++)
		copy_map_put(&b->trying,
		    &b->v[b->pass % 2 ? b->n - 1 - i : i].what);
	b->n = 0;
	copy_ledger_add(&lane->ledger->n_retries, 1);
}

static bool
must_pause(const struct copy_lane *lane)
{
	const struct copy_bads *b = &lane->bads;

	return waits_for(b, COPY_ERROR_SPACE) ||
	    waits_for(b, COPY_ERROR_TIME) ||
	    b->pass >= n_narrowing(lane->plan);
}

/* May all that follows be in vain?  Then nothing new is begun. */
static bool
is_urgent(const struct copy_lane *lane)
{
	const struct copy_bads *b = &lane->bads;
	size_t i;

	for (i = 0; i < b->n; i++)
		if (lane->plan->on_error[b->v[i].side] != COPY_SKIP)
			return true;
	return waits_for(b, COPY_ERROR_SPACE);
}

bool
copy_bads_are_due(const struct copy_lane *lane)
{
	const struct copy_bads *b = &lane->bads;

	if (b->n == 0)
		return false;
	if (b->pass > 0 || is_urgent(lane))
		return true;
	return copy_map_is_empty(&lane->map) &&
	    lane->behind.first == lane->behind.end;
}

bool
copy_bads_begin(struct copy_lane *lane)
{
	struct copy_bads *b = &lane->bads;

	if (copy_map_peek(&b->trying) != NULL ||
	    lane->n_loaded > lane->n_lagging)
		return false;
	if (b->n == 0) {
		b->pass = 0;
		b->n_pauses = 0;
		return false;
	}
	if (!copy_bads_are_due(lane) || b->is_pausing)
		return false;
	if (must_pause(lane)) {
		b->is_pausing = true;
		return false;
	}
	begin_pass(lane);
	return true;
}

uint64_t
copy_lane_pause_ms(const struct copy_lane *lane)
{
	const struct copy_bads *b = &lane->bads;
	uint64_t ms = MAX_PAUSE_MS;

	if (!b->is_pausing)
		return 0;
	if (b->n_pauses < 8 && (uint64_t)PAUSE_MS << b->n_pauses < ms)
		ms = (uint64_t)PAUSE_MS << b->n_pauses;
	return ms;
}

void
copy_lane_paused(struct copy_lane *lane)
{
	struct copy_bads *b = &lane->bads;

	if (!b->is_pausing)
		return;
	b->is_pausing = false;
	b->n_pauses++;
	begin_pass(lane);
}

/* What has failed. */

static void
add_bad(struct copy_lane *lane, const struct copy_bad *bad)
{
	struct copy_bads *b = &lane->bads;
	struct copy_bad *v;

	if (b->n == b->room) {
		v = reallocarray(b->v, b->room * 2 + 16, sizeof *v);
		if (v == NULL) {
			lane->map.has_no_memory = true;
			return;
		}
		b->v = v;
		b->room = b->room * 2 + 16;
	}
	b->v[b->n++] = *bad;
}

static bool
is_neighbour(const struct copy_bad_range *a, const struct copy_bad_range *b)
{
	return a->side == b->side && a->targets == b->targets &&
	    a->error == b->error && a->offset + a->length == b->offset &&
	    a->to + a->length == b->to;
}

static void
skip(struct copy_lane *lane, const struct copy_bad *bad)
{
	struct copy_bads *b = &lane->bads;
	const struct copy_bad_range range = {
		.side = bad->side,
		.targets = bad->what.targets,
		.offset = bad->what.from,
		.to = bad->what.to,
		.length = bad->what.length,
		.error = bad->error,
	};
	struct copy_bad_range *v;
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if ((range.targets & copy_bit(i)) != 0)
			copy_ledger_add(
			    &lane->ledger->targets[i].failed_bytes,
			    range.length);
	if (b->n_skipped > 0 &&
	    is_neighbour(&b->skipped[b->n_skipped - 1], &range)) {
		b->skipped[b->n_skipped - 1].length += range.length;
		return;
	}
	if (b->n_skipped == b->skipped_room) {
		v = reallocarray(b->skipped, b->skipped_room * 2 + 16,
		    sizeof *v);
		if (v == NULL) {
			lane->map.has_no_memory = true;
			return;
		}
		b->skipped = v;
		b->skipped_room = b->skipped_room * 2 + 16;
	}
	b->skipped[b->n_skipped++] = range;
}

/* Is there room on the list of what is skipped? */
static bool
is_too_much(const struct copy_lane *lane, uint64_t length)
{
	const struct copy_plan *plan = lane->plan;
	struct copy_ledger *l = lane->ledger;
	uint64_t bytes = atomic_fetch_add_explicit(&l->bad_bytes, length,
	    memory_order_relaxed);
	uint64_t ranges = atomic_fetch_add_explicit(&l->bad_ranges, 1,
	    memory_order_relaxed);

	return bytes + length > plan->max_bad_bytes ||
	    ranges + 1 > plan->max_bad_ranges;
}

/* Not another try is left for what failed so. */
static bool
is_final(const struct copy_lane *lane, enum copy_error_class class,
    uint64_t length)
{
	const struct copy_bads *b = &lane->bads;

	if (atomic_load_explicit(&lane->ledger->no_more_tries,
		memory_order_relaxed))
		return true;
	switch (class) {
	case COPY_ERROR_SPACE:
		return !lane->plan->waits_for_space;
	case COPY_ERROR_TIME:
		return b->n_pauses >= lane->plan->retries;
	case COPY_ERROR_ALWAYS:
		return length <= lane->plan->sector;
	case COPY_ERROR_PLACE:
		break;
	}
	return b->pass >= last_pass(lane->plan) &&
	    length <= lane->plan->sector;
}

bool
copy_bads_take(struct copy_lane *lane, struct copy_request *req, int error)
{
	enum copy_on_error policy = lane->plan->on_error[req->side];
	enum copy_error_class class = copy_error_class(error);
	struct copy_slot *slot = req->slot;
	uint32_t targets = req->side == COPY_SOURCE ? UINT32_MAX :
						      copy_bit(req->target);

	if (policy == COPY_STOP && !(class == COPY_ERROR_SPACE &&
		lane->plan->waits_for_space))
		return false;
	if (policy == COPY_RETRY && class == COPY_ERROR_ALWAYS)
		return false;
	if (is_final(lane, class, slot->what.length)) {
		if (policy != COPY_SKIP || is_too_much(lane,
			slot->what.length))
			return false;
		slot->skipped |= targets;
	}
	slot->again |= targets;
	slot->bad |= targets;
	slot->bad_side = req->side;
	slot->bad_error = error;
	return true;
}

uint32_t
copy_bads_put(struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t targets)
{
	struct copy_bad bad = {
		.what = slot->what,
		.side = slot->bad_side,
		.error = slot->bad_error,
		.class = copy_error_class(slot->bad_error),
	};
	uint32_t failed = targets & slot->bad;

	bad.what.targets = failed & slot->skipped;
	if (bad.what.targets != 0)
		skip(lane, &bad);
	bad.what.targets = failed & ~slot->skipped;
	if (bad.what.targets != 0)
		add_bad(lane, &bad);
	return targets & ~failed;
}

void
copy_bads_init(struct copy_lane *lane)
{
	copy_map_init(&lane->bads.trying, lane->plan, NULL, lane->ledger);
}

void
copy_bads_done(struct copy_lane *lane)
{
	copy_map_done(&lane->bads.trying);
	free(lane->bads.v);
	free(lane->bads.skipped);
}

const struct copy_bad_range *
copy_lane_skipped(const struct copy_lane *lane, size_t *ret_n)
{
	*ret_n = lane->bads.n_skipped;
	return lane->bads.skipped;
}
