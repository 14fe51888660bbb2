/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/bad.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "copy/lane-private.h"

/* A pass's pieces are so many times smaller than those of the one before. */
#define NARROW_SHIFT 3

#define PAUSE_MS     500	/* the first; doubled each time */
#define MAX_PAUSE_MS 30000

/* Whose they are. */

/* Of a destination: its bit.  0: the source. */
static uint32_t
bit_of(const struct copy_lane *lane, const struct copy_bads *b)
{
	return b == &lane->bads ? 0 :
	    copy_bit((unsigned)(b - lane->target_bads));
}

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
copy_bads_request_size(const struct copy_lane *lane, const struct copy_bads *b)
{
	const struct copy_plan *plan = lane->plan;
	uint32_t size;

	if (b->pass >= n_narrowing(plan))
		return plan->sector;
	size = plan->request_size >> (NARROW_SHIFT * b->pass);
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
 * From the end every other time: what a server does at the first bad block may
 * be what keeps it from the good ones behind.
 */
bool
copy_bads_go_back(const struct copy_bads *b)
{
	return b->pass % 2 != 0;
}

/*
 * Whatever is only a matter of time is tried again as it is; else the pieces
 * become smaller.
 */
static void
begin_pass(struct copy_lane *lane, struct copy_bads *b)
{
	size_t i;

	if (!waits_for(b, COPY_ERROR_SPACE) && !waits_for(b, COPY_ERROR_TIME))
		b->pass++;
	for (i = 0; i < b->n; i++)
		copy_map_put(&b->trying,
		    &b->v[copy_bads_go_back(b) ? b->n - 1 - i : i].what);
	b->n = 0;
	b->has_urgent = false;
	copy_ledger_add(&lane->ledger->n_retries, 1);
}

static bool
must_pause(const struct copy_lane *lane, const struct copy_bads *b)
{
	return waits_for(b, COPY_ERROR_SPACE) ||
	    waits_for(b, COPY_ERROR_TIME) ||
	    b->pass >= n_narrowing(lane->plan);
}

/*
 * May all that follows there be in vain, or does the digest wait?  Then
 * nothing new is begun.
 */
static bool
is_urgent(const struct copy_lane *lane, const struct copy_bad *bad)
{
	return lane->plan->on_error[bad->side] != COPY_SKIP ||
	    bad->class == COPY_ERROR_SPACE ||
	    (bad->what.targets & COPY_FOR_DIGEST) != 0;
}

static bool
is_due(const struct copy_lane *lane, const struct copy_bads *b)
{
	uint32_t bit = bit_of(lane, b);

	if (b->n == 0)
		return false;
	if (b->pass > 0 || b->has_urgent)
		return true;
	/* What the others are behind with is not waited for. */
	return bit == 0 ? copy_map_is_empty(&lane->map) :
			  copy_map_is_empty_for(&lane->map, bit);
}

/* Is a piece that the source has failed at being read again? */
static bool
is_reading_again(const struct copy_lane *lane)
{
	const struct copy_slot *slot;
	unsigned i;

	for (i = 0; lane->bads.n_loaded > 0 && i < lane->n_slots; i++) {
		slot = &lane->slots[i];
		if (slot->is_loaded && slot->trying == &lane->bads &&
		    slot->what.kind == COPY_DATA && !slot->is_source_here)
			return true;
	}
	return false;
}

bool
copy_bads_go_first(const struct copy_lane *lane)
{
	return copy_map_peek(&lane->bads.trying) != NULL ||
	    is_due(lane, &lane->bads) || is_reading_again(lane);
}

/* Is anything of the disk under way that may still fail? */
static bool
is_under_way(const struct copy_lane *lane, const struct copy_bads *b)
{
	uint32_t bit = bit_of(lane, b);
	unsigned i;

	if (bit == 0)
		return copy_lane_n_in_progress(lane) > 0;
	for (i = 0; i < lane->n_slots; i++)
		if (lane->slots[i].is_loaded &&
		    (lane->slots[i].what.targets & bit) != 0)
			return true;
	return false;
}

/* Nothing is tried again any more. */
static void
end_passes(struct copy_lane *lane, struct copy_bads *b)
{
	b->pass = 0;
	b->n_pauses = 0;
	lane->held &= ~bit_of(lane, b);
	if (b->is_counted)
		copy_ledger_add(&lane->ledger->n_retrying, (uint64_t)-1);
	b->is_counted = false;
}

/* Begin a pass, if it is time; false: not now. */
static bool
begin(struct copy_lane *lane, struct copy_bads *b)
{
	/* What was read well is known to be, whatever else is under way. */
	if (b == &lane->bads && b->n == 0 && !is_reading_again(lane))
		end_passes(lane, b);
	if (is_under_way(lane, b))
		return false;
	if (b->n == 0) {
		end_passes(lane, b);
		return false;
	}
	if (!is_due(lane, b) || b->is_pausing)
		return false;
	lane->held |= bit_of(lane, b);
	if (must_pause(lane, b)) {
		b->is_pausing = true;
		return false;
	}
	begin_pass(lane, b);
	return true;
}

/* Is a piece to be tried again now? */
static bool
is_ready(struct copy_lane *lane, struct copy_bads *b)
{
	if (copy_map_peek(&b->trying) == NULL && !begin(lane, b))
		return false;
	if (bit_of(lane, b) != 0 && lane->plan->n_targets > 1)
		return b->n_loaded < COPY_RETRY_SLOTS;
	return copy_lane_has_depth(lane);
}

static bool
is_empty(const struct copy_bads *b)
{
	return b->n == 0 && copy_map_peek(&b->trying) == NULL;
}

struct copy_bads *
copy_bads_next(struct copy_lane *lane, bool *ret_is_due)
{
	struct copy_bads *b;
	unsigned i;

	*ret_is_due = true;
	if (is_ready(lane, &lane->bads))
		return &lane->bads;
	if (copy_bads_go_first(lane))
		return NULL;
	*ret_is_due = false;
	for (i = 0; i < lane->plan->n_targets; i++) {
		b = &lane->target_bads[i];
		if ((is_empty(b) && (lane->held & copy_bit(i)) == 0) ||
		    (lane->away & copy_bit(i)) != 0)
			continue;
		if (!copy_ledger_is_live(lane->ledger, i))
			copy_bads_forget(lane, i);
		else if (is_ready(lane, b))
			return b;
	}
	return NULL;
}

bool
copy_bads_lack_memory(const struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if (lane->target_bads[i].trying.has_no_memory)
			return true;
	return lane->bads.trying.has_no_memory;
}

bool
copy_bads_are_empty(const struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if (!is_empty(&lane->target_bads[i]))
			return false;
	return is_empty(&lane->bads);
}

void
copy_bads_forget(struct copy_lane *lane, unsigned target)
{
	struct copy_bads *b = &lane->target_bads[target];
	const struct copy_stretch *s;

	while ((s = copy_map_peek(&b->trying)) != NULL)
		copy_map_take(&b->trying, s->length);
	b->n = 0;
	b->has_urgent = false;
	b->is_pausing = false;
	end_passes(lane, b);
}

uint64_t
copy_lane_pause_ms(const struct copy_lane *lane, enum copy_side side,
    unsigned target)
{
	const struct copy_bads *b = side == COPY_SOURCE ? &lane->bads :
	    &lane->target_bads[target];
	uint64_t ms = MAX_PAUSE_MS;

	if (!b->is_pausing)
		return side == COPY_SOURCE ? 0 :
		    copy_clear_patience_ms(lane, target);
	if (b->n_pauses < 8 && (uint64_t)PAUSE_MS << b->n_pauses < ms)
		ms = (uint64_t)PAUSE_MS << b->n_pauses;
	return ms;
}

void
copy_lane_paused(struct copy_lane *lane, enum copy_side side, unsigned target)
{
	struct copy_bads *b = copy_lane_bads(lane, side, target);

	if (side == COPY_DESTINATION)
		copy_clear_leave(lane, target);
	if (!b->is_pausing)
		return;
	b->is_pausing = false;
	b->n_pauses++;
	begin_pass(lane, b);
}

/* What has failed. */

/* Where one follows the other, a becomes both. */
static bool
join(struct copy_bad *a, const struct copy_bad *b)
{
	struct copy_stretch *s = &a->what;
	const struct copy_stretch *t = &b->what;
	uint64_t back = s->from - t->from;

	if (a->error != b->error || s->kind != t->kind ||
	    s->targets != t->targets || s->to - t->to != back ||
	    s->position - t->position != back ||
	    (back != t->length && -back != s->length))
		return false;
	if (back == t->length) {
		s->from = t->from;
		s->to = t->to;
		s->position = t->position;
	}
	s->length += t->length;
	return true;
}

/*
 * A large part of a disk may be bad: that is one stretch, which the next pass
 * cuts up again.  They come in any order: one may close a gap.
 */
static bool
join_bads(struct copy_bads *b, const struct copy_bad *bad)
{
	size_t i = b->n;
	size_t k;

	while (i > 0 && b->n - i < COPY_RECENT && !join(&b->v[i - 1], bad))
		i--;
	if (i == 0 || b->n - i == COPY_RECENT)
		return false;
	for (k = i - 1; k > 0 && i - k <= COPY_RECENT; k--)
		if (join(&b->v[k - 1], &b->v[i - 1])) {
			memmove(&b->v[i - 1], &b->v[i],
			    (b->n - i) * sizeof b->v[0]);
			b->n--;
			break;
		}
	return true;
}

static void
add_bad(struct copy_lane *lane, struct copy_bads *b,
    const struct copy_bad *bad)
{
	struct copy_bad *v;

	if (!join_bads(b, bad)) {
		v = copy_lane_make_room(lane, b->v, b->n, &b->room,
		    sizeof *v);
		if (v == NULL)
			return;
		b->v = v;
		b->v[b->n++] = *bad;
	}
	/* Before it is counted: whoever sees that looks for the reason. */
	atomic_store(&lane->ledger->retrying_disk,
	    (unsigned)ffs((int)bit_of(lane, b)));
	atomic_store(&lane->ledger->retrying_for, bad->error);
	if (!b->is_counted)
		copy_ledger_add(&lane->ledger->n_retrying, 1);
	b->is_counted = true;
	if (!is_urgent(lane, bad))
		return;
	b->has_urgent = true;
	lane->held |= bit_of(lane, b);
}

/* Not another try is left for what failed so. */
static bool
is_final(const struct copy_lane *lane, const struct copy_bads *b,
    enum copy_error_class class, uint64_t length)
{
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

/* The slot's failure of one disk, or, if it is the source, of all. */
static void
note_bad(struct copy_lane *lane, const struct copy_request *req, int error,
    bool is_skipped)
{
	struct copy_slot *slot = req->slot;
	uint32_t targets = UINT32_MAX;

	if (req->side == COPY_SOURCE) {
		slot->source_error = error;
		copy_skips_take_back(lane, slot);
	} else {
		slot->target_errors[req->target] = error;
		targets = copy_bit(req->target);
	}
	slot->again |= targets;
	slot->bad |= targets;
	if (is_skipped)
		slot->skipped |= targets;
}

bool
copy_bads_take(struct copy_lane *lane, struct copy_request *req, int error)
{
	enum copy_on_error policy = lane->plan->on_error[req->side];
	enum copy_error_class class = copy_error_class(error);
	const struct copy_bads *b = copy_lane_bads(lane, req->side,
	    req->target);
	struct copy_slot *slot = req->slot;
	bool is_last;

	if (policy == COPY_STOP && !(class == COPY_ERROR_SPACE &&
		lane->plan->waits_for_space))
		return false;
	if (policy == COPY_RETRY && class == COPY_ERROR_ALWAYS)
		return false;
	/* What the source has failed with comes first. */
	if (req->side == COPY_DESTINATION && slot->source_error != 0)
		return true;
	is_last = is_final(lane, b, class, slot->what.length);
	if (is_last && policy != COPY_SKIP)
		return false;
	if (!is_last || copy_skips_allow(lane, req, error))
		note_bad(lane, req, error, is_last);
	return true;
}

/* Those of a disk are skipped, or tried again. */
static void
put_bad(struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t targets, enum copy_side side, unsigned target)
{
	struct copy_bad bad = {
		.what = slot->what,
		.side = side,
		.error = side == COPY_SOURCE ? slot->source_error :
					       slot->target_errors[target],
	};

	bad.class = copy_error_class(bad.error);
	bad.what.targets = targets & slot->skipped;
	if (bad.what.targets != 0)
		copy_skips_add(lane, &bad, target);
	bad.what.targets = targets & ~slot->skipped;
	if (side == COPY_SOURCE && !copy_lane_digest_awaits(lane, bad.class))
		bad.what.targets &= ~COPY_FOR_DIGEST;
	if (bad.what.targets != 0)
		add_bad(lane, copy_lane_bads(lane, side, target), &bad);
}

uint32_t
copy_bads_put(struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t targets)
{
	uint32_t failed = targets & slot->bad;
	unsigned i;

	if (slot->source_error != 0) {
		put_bad(lane, slot, failed, COPY_SOURCE, 0);
		return targets & ~failed;
	}
	for (i = 0; i < lane->plan->n_targets; i++)
		if ((failed & copy_bit(i)) != 0)
			put_bad(lane, slot, copy_bit(i), COPY_DESTINATION, i);
	return targets & ~failed;
}

void
copy_bads_init(struct copy_lane *lane)
{
	unsigned i;

	copy_map_init(&lane->bads.trying, lane->plan, NULL, lane->ledger);
	for (i = 0; i < lane->plan->n_targets; i++)
		copy_map_init(&lane->target_bads[i].trying, lane->plan, NULL,
		    lane->ledger);
}

void
copy_bads_done(struct copy_lane *lane)
{
	unsigned i;

	copy_map_done(&lane->bads.trying);
	free(lane->bads.v);
	for (i = 0; i < lane->plan->n_targets; i++) {
		copy_map_done(&lane->target_bads[i].trying);
		free(lane->target_bads[i].v);
	}
}
