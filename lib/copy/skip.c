/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is skipped: listed, neighbours as one, and counted, by disk, against
 * what may be.  Bytes are counted as soon as they are to be skipped, by all
 * lanes together; ranges when a pass of what is tried again (bad.c) is over.
 */

#include "copy/skip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/lane-private.h"

static bool
is_neighbour(const struct copy_bad_range *a, const struct copy_bad_range *b)
{
	return a->side == b->side && a->targets == b->targets &&
	    a->error == b->error && a->offset + a->length == b->offset &&
	    a->to + a->length == b->to;
}

/* One that the range continues; SIZE_MAX: there is none. */
static size_t
find_neighbour(const struct copy_skips *b, const struct copy_bad_range *range)
{
	size_t i = b->n;

	while (i > 0 && b->n - i < COPY_RECENT) {
		i--;
		if (is_neighbour(&b->v[i], range) ||
		    is_neighbour(range, &b->v[i]))
			return i;
	}
	return SIZE_MAX;
}

/* They come in any order: one may join two.  Returns how many are gone. */
static uint64_t
join_neighbours(struct copy_skips *b, struct copy_bad_range *range)
{
	uint64_t n = 0;
	size_t i;

	while ((i = find_neighbour(b, range)) != SIZE_MAX) {
		if (b->v[i].offset < range->offset) {
			range->offset = b->v[i].offset;
			range->to = b->v[i].to;
		}
		range->length += b->v[i].length;
		b->v[i] = b->v[--b->n];
		n++;
	}
	return n;
}

/* Each disk has its own. */
static struct copy_account *
account_of(const struct copy_lane *lane, enum copy_side side, unsigned target)
{
	return side == COPY_SOURCE ? &lane->ledger->skipped :
				     &lane->ledger->targets[target].skipped;
}

static void
list_skip(struct copy_lane *lane, struct copy_bad_range *range,
    unsigned target)
{
	struct copy_skips *b = &lane->skips;
	uint64_t n = 1 - join_neighbours(b, range);
	struct copy_bad_range *v;

	copy_ledger_add(&account_of(lane, range->side, target)->ranges, n);
	v = copy_lane_make_room(lane, b->v, b->n, &b->room, sizeof *v);
	if (v == NULL)
		return;
	b->v = v;
	b->v[b->n++] = *range;
}

void
copy_skips_add(struct copy_lane *lane, const struct copy_bad *bad,
    unsigned target)
{
	struct copy_bad_range range = {
		.side = bad->side,
		.targets = bad->what.targets & ~COPY_FOR_DIGEST,
		.offset = bad->what.from,
		.to = bad->what.to,
		.length = bad->what.length,
		.error = bad->error,
	};
	unsigned i;

	if ((bad->what.targets & COPY_FOR_DIGEST) != 0)
		copy_lane_leave_out_of_digest(lane);
	if (range.targets == 0)
		return;
	for (i = 0; i < lane->plan->n_targets; i++)
		if ((range.targets & copy_bit(i)) != 0)
			copy_ledger_add(
			    &lane->ledger->targets[i].failed_bytes,
			    range.length);
	copy_lane_bads(lane, bad->side, target)->skipped = bad->error;
	list_skip(lane, &range, target);
}

/* Not before the pass is over: its pieces may be neighbours in the end. */
static void
check_account(struct copy_lane *lane, struct copy_bads *b,
    enum copy_side side, unsigned target)
{
	struct copy_account *account = account_of(lane, side, target);
	char message[80];
	int error = b->skipped;

	if (error == 0 || b->n_loaded > 0)
		return;
	b->skipped = 0;
	if (copy_ledger_get(&account->ranges) <= lane->plan->max_bad_ranges)
		return;
	(void)snprintf(message, sizeof message, "more than %" PRIu64
	    " ranges are bad", lane->plan->max_bad_ranges);
	copy_lane_fail(lane, side, target, error, message);
}

void
copy_skips_check(struct copy_lane *lane)
{
	unsigned i;

	check_account(lane, &lane->bads, COPY_SOURCE, 0);
	for (i = 0; i < lane->plan->n_targets; i++)
		check_account(lane, &lane->target_bads[i], COPY_DESTINATION,
		    i);
}

void
copy_skips_take_back(struct copy_lane *lane, struct copy_slot *slot)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if ((slot->skipped & copy_bit(i)) != 0)
			(void)atomic_fetch_sub_explicit(
			    &account_of(lane, COPY_DESTINATION, i)->bytes,
			    slot->what.length, memory_order_relaxed);
	slot->skipped = 0;
}

static void
fail_for_limit(struct copy_lane *lane, const struct copy_request *req,
    int error)
{
	char message[128];

	(void)snprintf(message, sizeof message, "%s; more than %" PRIu64
	    " bytes are bad", strerror(-error),
	    lane->plan->max_bad_bytes);
	copy_lane_fail_request(lane, req, error, message);
}

bool
copy_skips_allow(struct copy_lane *lane, const struct copy_request *req,
    int error)
{
	struct copy_account *account = account_of(lane, req->side,
	    req->target);
	uint64_t length = req->slot->what.length;
	uint64_t bytes = atomic_fetch_add_explicit(&account->bytes, length,
	    memory_order_relaxed);

	if (bytes + length <= lane->plan->max_bad_bytes)
		return true;
	fail_for_limit(lane, req, error);
	return false;
}

void
copy_skips_done(struct copy_lane *lane)
{
	free(lane->skips.v);
}

const struct copy_bad_range *
copy_lane_skipped(const struct copy_lane *lane, size_t *ret_n)
{
	*ret_n = lane->skips.n;
	return lane->skips.v;
}
