/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many holes at once: where a destination offers fast zeroing, the part of
 * its disk that an answer of the map is about is zeroed by one request, and
 * then only the data are written.
 *
 * A part of the map, and not the whole disk: how many holes there are is
 * known then, all lanes do it at once, nothing waits for it but the data of
 * that part (others are on their way meanwhile), and what a lost connection
 * undoes is zeroed again like any other zeroes.  Only what is going to be
 * overwritten anyway is zeroed, and nothing of it is written before the
 * request has ended.  What is refused has changed nothing, and is not asked
 * for again; slow zeroing would do all the work twice.
 *
 * Of several destinations one may stand still with it.  The others wait for a
 * moment, then it is left behind with that part, and gets nothing new, until
 * its request has ended.
 */

#include "copy/lane-private.h"

#define PATIENCE_MS 1000

/*
 * A hole in the part, where nothing is to be done, is somebody's data: it is
 * not cleared then.  That much of it has to be zero: a half.
 */
#define MIN_SHARE 2

struct part {
	uint64_t to;		/* bytes on the destinations */
	uint64_t end;
	uint64_t zero_bytes;
	size_t n_holes;
	uint32_t targets;	/* all of it is for these */
};

static struct part
measure(const struct copy_map *m)
{
	const struct copy_stretch *s = m->v + m->held;
	const struct copy_stretch *end = m->v + m->end;
	struct part p = { .targets = UINT32_MAX };

	for (; s < end; s++) {
		p.targets &= s->targets;
		if (s > m->v + m->held && s->to != s[-1].to + s[-1].length)
			p.targets = 0;
		/* What does not matter is trimmed, or left as it is. */
		if (s->kind == COPY_HOLE)
			p.targets = 0;
		if (s->kind != COPY_ZEROES)
			continue;
		if (p.n_holes++ == 0)
			p.to = s->to;
		p.end = s->to + s->length;
		p.zero_bytes += s->length;
	}
	return p;
}

static bool
may_clear(const struct copy_lane *lane, unsigned target, uint64_t length)
{
	return lane->plan->targets[target].use_fast_zero &&
	    !atomic_load_explicit(
		&lane->ledger->targets[target].has_no_fast_zero,
		memory_order_relaxed) &&
	    length <= UINT32_MAX &&
	    copy_lane_can_zero(lane, target, (uint32_t)length) &&
	    copy_ledger_is_live(lane->ledger, target) &&
	    ((lane->away | lane->held | lane->zeroing) & copy_bit(target)) ==
		0 &&
	    !lane->epochs[target].is_fenced;
}

void
copy_clear_begin(struct copy_lane *lane)
{
	struct copy_map *m = &lane->map;
	struct part p;
	unsigned i;

	lane->cleared = lane->clearing = 0;
	if (m->sorted == m->answer_from)
		return;
	p = measure(m);
	if (p.n_holes < lane->plan->min_holes ||
	    p.zero_bytes < (p.end - p.to) / MIN_SHARE)
		return;
	for (i = 0; i < lane->plan->n_targets; i++) {
		if ((p.targets & copy_bit(i)) == 0)
			continue;
		if (lane->plan->targets[i].lacks_fast_zero)
			atomic_store_explicit(
			    &lane->ledger->targets[i].lacks_fast_zero, true,
			    memory_order_relaxed);
		if (!may_clear(lane, i, p.end - p.to))
			continue;
		lane->clears[i].offset = p.to;
		lane->clears[i].length = (uint32_t)(p.end - p.to);
		lane->clearing |= copy_bit(i);
	}
	m->is_held = lane->clearing != 0;
}

/* Zeroes of the held part that are zeroed already need nothing more. */
static void
take_cleared(struct copy_lane *lane, struct copy_stretch *s)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++) {
		if ((s->targets & lane->cleared & copy_bit(i)) == 0)
			continue;
		copy_ledger_add(&lane->ledger->targets[i].zeroed_bytes,
		    s->length);
		copy_ledger_add(&lane->ledger->targets[i].done_bytes,
		    s->length);
		if (copy_epoch_add(&lane->epochs[i], s->to, s->length,
			COPY_ZEROES) < 0)
			lane->map.has_no_memory = true;
	}
	s->targets &= ~lane->cleared;
}

/*
 * Nothing is on its way any more.  Other stretches may have been put behind
 * the held part meanwhile, to be done again: they lie elsewhere.
 */
static void
release(struct copy_lane *lane, uint64_t to, uint64_t end)
{
	struct copy_map *m = &lane->map;
	size_t kept = m->held;
	size_t i;

	for (i = m->held; i < m->end; i++) {
		struct copy_stretch *s = &m->v[i];

		if (s->kind == COPY_ZEROES && s->to >= to && s->to < end)
			take_cleared(lane, s);
		if (s->targets == 0)
			copy_map_forget(m, s);
		else
			m->v[kept++] = *s;
	}
	m->end = kept;
	m->is_held = false;
}

static void
drop(struct copy_lane *lane, unsigned target)
{
	const struct copy_request *req = &lane->clears[target];

	lane->clearing &= ~copy_bit(target);
	if (lane->clearing == 0)
		release(lane, req->offset, req->offset + req->length);
}

struct copy_request *
copy_clear_next(struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++) {
		if ((lane->clearing & copy_bit(i)) == 0 ||
		    lane->clears[i].is_given_out)
			continue;
		if (may_clear(lane, i, lane->clears[i].length))
			return &lane->clears[i];
		drop(lane, i);
	}
	return NULL;
}

static bool
holds_up_others(const struct copy_lane *lane, unsigned target)
{
	uint32_t all = copy_bit(lane->plan->n_targets) - 1;

	return (lane->clearing & copy_bit(target)) != 0 &&
	    (copy_lane_live_targets(lane, all) & ~lane->clearing) != 0;
}

uint64_t
copy_clear_patience_ms(const struct copy_lane *lane, unsigned target)
{
	return holds_up_others(lane, target) ? PATIENCE_MS : 0;
}

void
copy_clear_leave(struct copy_lane *lane, unsigned target)
{
	struct copy_map *m = &lane->map;
	uint32_t bit = copy_bit(target);
	size_t i;

	if (!holds_up_others(lane, target))
		return;
	for (i = m->held; i < m->end; i++) {
		copy_lane_put_behind(lane, &m->v[i], m->v[i].targets & bit);
		m->v[i].targets &= ~bit;
	}
	if (lane->clears[target].is_given_out)
		lane->zeroing |= bit;
	drop(lane, target);
}

void
copy_clear_ended(struct copy_lane *lane, unsigned target, bool is_cleared)
{
	if ((lane->zeroing & copy_bit(target)) != 0) {
		lane->zeroing &= ~copy_bit(target);
		return;
	}
	if (is_cleared)
		lane->cleared |= copy_bit(target);
	drop(lane, target);
}

void
copy_clear_lost(struct copy_lane *lane, unsigned target)
{
	lane->cleared &= ~copy_bit(target);
}
