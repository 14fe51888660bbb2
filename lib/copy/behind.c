/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Destinations that are behind the others.  A slow one keeps slots in memory
 * for a while, which lag; then it is left behind, as is one that is away or
 * in trouble, and catches up at the end.
 */

#include "copy/lane-private.h"

/*
 * So many stretches that a slow destination is behind with; then it is left
 * out of everything until the end, which makes one stretch of the rest.
 */
#define MAX_BEHIND 4096

/* What a slot keeps in memory while it waits for a destination. */
static uint64_t
slot_memory(const struct copy_slot *slot)
{
	return slot->what.kind == COPY_DATA ? slot->what.length : 0;
}

uint64_t
copy_lane_lag_share(const struct copy_lane *lane)
{
	return lane->plan->lag_bytes /
	    atomic_load_explicit(&lane->tuning->lanes, memory_order_relaxed);
}

void
copy_slot_end_lagging(struct copy_lane *lane, struct copy_slot *slot)
{
	if (!slot->is_lagging)
		return;
	slot->is_lagging = false;
	lane->n_lagging--;
	lane->lag_bytes -= slot_memory(slot);
	list_remove(&slot->node);
}

void
copy_slot_begin_lagging(struct copy_lane *lane, struct copy_slot *slot)
{
	uint64_t share = copy_lane_lag_share(lane);

	if (!slot->is_lagging) {
		slot->is_lagging = true;
		lane->n_lagging++;
		lane->lag_bytes += slot_memory(slot);
		list_append(&lane->lagging, &slot->node);
	}
	while (lane->n_lagging > lane->plan->lag_slots ||
	    lane->lag_bytes > share)
		if (copy_lane_relieve(lane) == NULL)
			return;
}

static struct copy_slot *
oldest_to_leave(struct copy_lane *lane)
{
	struct list *l;
	struct copy_slot *slot;

	for (l = lane->lagging.next; l != &lane->lagging; l = l->next) {
		slot = list_entry(l, struct copy_slot, node);
		/* One that has failed goes its own way. */
		if (slot->n_given_out == 0 && slot->again == 0)
			return slot;
	}
	return NULL;
}

/* Take from all that wait for this slot what they have not been sent. */
static void
leave_behind(struct copy_lane *lane, struct copy_slot *slot)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if ((slot->what.targets & copy_bit(i)) != 0)
			list_remove(&slot->targets[i].node);
	copy_lane_put_behind(lane, &slot->what, slot->what.targets);
	slot->what.targets &= COPY_FOR_DIGEST;
	copy_slot_end_lagging(lane, slot);
	copy_slot_settle(lane, slot);
}

struct copy_request *
copy_lane_relieve(struct copy_lane *lane)
{
	struct copy_slot *slot = oldest_to_leave(lane);

	if (slot == NULL)
		return NULL;
	leave_behind(lane, slot);
	return &slot->source;
}

void
copy_lane_put_behind(struct copy_lane *lane, const struct copy_stretch *stretch,
    uint32_t targets)
{
	struct copy_stretch s = *stretch;
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++) {
		s.targets = targets & copy_bit(i);
		if (s.targets == 0)
			continue;
		copy_ledger_add(&lane->ledger->targets[i].behind_bytes,
		    s.length);
		copy_map_put(&lane->behind, &s);
	}
}

void
copy_lane_leave_out(struct copy_lane *lane, struct copy_stretch *s)
{
	const struct copy_map *m = &lane->behind;
	uint32_t behind;

	if (m->end - m->first <= MAX_BEHIND)
		return;
	behind = m->v[m->end - 1].targets & s->targets;
	if (behind == 0 || behind == (s->targets & ~COPY_FOR_DIGEST))
		return;
	copy_lane_put_behind(lane, s, behind);
	s->targets &= ~behind;
}

/* Destinations whose connections are lost, and that may come back. */
static uint32_t
away_targets(const struct copy_lane *lane)
{
	return copy_lane_live_targets(lane, lane->away);
}

/* And those that get nothing new, while something is tried again, or zeroed. */
static uint32_t
absent_targets(const struct copy_lane *lane)
{
	return copy_lane_live_targets(lane,
	    lane->away | lane->held | lane->zeroing);
}

bool
copy_lane_all_are_absent(const struct copy_lane *lane)
{
	uint32_t all = copy_bit(lane->plan->n_targets) - 1;

	return (copy_lane_live_targets(lane, all) & ~absent_targets(lane)) == 0;
}

void
copy_lane_leave_absent(struct copy_lane *lane, struct copy_stretch *s,
    const struct copy_bads *trying)
{
	uint32_t absent = s->targets;

	/* What a destination is held for is its own. */
	if (trying == NULL || trying == &lane->bads)
		absent &= absent_targets(lane);
	else
		absent &= away_targets(lane);
	copy_lane_put_behind(lane, s, absent);
	s->targets &= ~absent;
}

void
copy_lane_catch_up(struct copy_lane *lane)
{
	size_t n = lane->behind.end - lane->behind.first;
	struct copy_stretch s;
	unsigned i;

	if (!copy_map_is_empty(&lane->map))
		return;
	for (; n > 0; n--) {
		s = *copy_map_peek(&lane->behind);
		copy_map_take(&lane->behind, s.length);
		if ((s.targets & absent_targets(lane)) != 0) {
			copy_map_put(&lane->behind, &s);
			continue;
		}
		for (i = 0; i < lane->plan->n_targets; i++)
			if ((s.targets & copy_bit(i)) != 0)
				copy_ledger_add(
				    &lane->ledger->targets[i].behind_bytes,
				    -s.length);
		copy_map_put(&lane->map, &s);
	}
}
