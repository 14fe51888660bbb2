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

/* How many bytes of this lane slow destinations may keep in memory. */
static uint64_t
lag_share(const struct copy_lane *lane)
{
	return lane->plan->lag_bytes /
	    atomic_load_explicit(&lane->tuning->lanes, memory_order_relaxed);
}

/* All but one may be slow; of each, one is read while another is written. */
uint64_t
copy_lane_n_kept(const struct copy_lane *lane)
{
	uint64_t least = 2 * (uint64_t)(lane->plan->n_targets - 1);
	uint64_t n = lag_share(lane) / copy_lane_request_size(lane);

	return n < least ? least : n;
}

unsigned
copy_lane_share_of_one(const struct copy_lane *lane)
{
	unsigned depth = copy_lane_depth(lane);
	unsigned n_others = lane->plan->n_targets - 1;
	uint64_t most;

	if (n_others == 0)
		return depth;
	most = copy_lane_n_kept(lane) / n_others;
	return most < depth ? (unsigned)most : depth;
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
	uint64_t share = lag_share(lane);

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

/* The index of the only destination; SIZE_MAX: there is none, or several. */
static size_t
only_one(const struct copy_lane *lane, uint32_t targets)
{
	size_t i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if (targets == copy_bit((unsigned)i))
			return i;
	return SIZE_MAX;
}

void
copy_slot_begin_alone(struct copy_lane *lane, struct copy_slot *slot)
{
	size_t i = only_one(lane, slot->what.targets);

	slot->alone = 0;
	if (lane->plan->n_targets == 1 || slot->trying != NULL || i == SIZE_MAX)
		return;
	slot->alone = slot->what.targets;
	lane->n_alone[i]++;
}

void
copy_slot_end_alone(struct copy_lane *lane, struct copy_slot *slot)
{
	if (slot->alone != 0)
		lane->n_alone[only_one(lane, slot->alone)]--;
	slot->alone = 0;
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

/* May one more slot be loaded, for those that are there? */
static bool
has_room_for(const struct copy_lane *lane, uint32_t here)
{
	size_t i = only_one(lane, here);

	if (i == SIZE_MAX)
		return here == 0 || copy_lane_has_depth(lane);
	return lane->n_alone[i] < copy_lane_share_of_one(lane);
}

/*
 * The first stretch that may be begun, after those that their only destination
 * has no room for; or the first that has to wait for others.
 */
static size_t
first_with_room(const struct copy_lane *lane, size_t end, bool *ret_has_room)
{
	const struct copy_map *m = &lane->map;
	uint32_t here;
	size_t i;

	*ret_has_room = false;
	for (i = m->first; i < end; i++) {
		here = copy_lane_live_targets(lane, m->v[i].targets) &
		    ~absent_targets(lane);
		*ret_has_room = has_room_for(lane, here);
		if (*ret_has_room || only_one(lane, here) == SIZE_MAX)
			break;
	}
	return i;
}

bool
copy_lane_find_room(struct copy_lane *lane)
{
	struct copy_map *m = &lane->map;
	bool has_room;
	size_t i;

	if (lane->plan->n_targets == 1)
		return copy_lane_has_depth(lane);
	i = first_with_room(lane, m->is_held ? m->held : m->end, &has_room);
	if (has_room)
		copy_map_bring_forward(m, i);
	return has_room;
}

/* All there is in the map waits for the destinations that need it alone. */
static bool
is_map_passed_over(const struct copy_lane *lane)
{
	const struct copy_map *m = &lane->map;
	bool has_room;

	return m->exhausted &&
	    first_with_room(lane, m->end, &has_room) == m->end;
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

	if (n == 0 || !is_map_passed_over(lane))
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
