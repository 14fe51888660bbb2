/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Connections that come and go.  What was acknowledged and not flushed may be
 * gone with one, and waits behind all else to be done again.
 */

#include "copy/epoch.h"
#include "copy/lane-private.h"

struct undo {
	struct copy_lane *lane;
	unsigned target;
};

/* What was acknowledged, and may be gone. */
static void
undo(void *arg, uint64_t to, uint64_t length, enum copy_kind kind)
{
	const struct undo *u = arg;
	struct copy_lane *lane = u->lane;
	const struct copy_piece *p;
	struct copy_stretch s;

	copy_ledger_add(&lane->ledger->targets[u->target].done_bytes,
	    -length);
	while (length > 0) {
		p = copy_plan_piece_to(lane->plan, copy_bit(u->target), to);
		s.from = p->from + (to - p->to);
		s.to = to;
		s.position = p->position + (to - p->to);
		s.length = p->to + p->length - to;
		if (s.length > length)
			s.length = length;
		s.kind = copy_map_kind(lane->plan, u->target, kind);
		copy_lane_put_behind(lane, &s, copy_bit(u->target));
		to += s.length;
		length -= s.length;
	}
}

/*
 * Of several destinations, one that is lost keeps no slot: the others need
 * them.  Of one, a slot of which a part has been written, and the next part
 * waits: what was written is in no epoch yet, and may be gone.  Neither may it
 * have any more what was read of it, and is to be compared with the source
 * when that is here.
 */
static bool
must_leave(const struct copy_lane *lane, const struct copy_slot *slot,
    unsigned target)
{
	return lane->plan->n_targets > 1 || slot->compared[target] > 0 ||
	    (slot->here & copy_bit(target)) != 0;
}

static void
leave_slots(struct copy_lane *lane, unsigned target)
{
	struct copy_slot *slot;
	unsigned i;

	for (i = 0; i < lane->n_slots; i++) {
		slot = &lane->slots[i];
		if (!slot->is_loaded || !must_leave(lane, slot, target) ||
		    (slot->what.targets & copy_bit(target)) == 0 ||
		    slot->targets[target].is_given_out)
			continue;
		list_remove(&slot->targets[target].node);
		slot->again |= copy_bit(target);
		copy_slot_again(lane, slot);
	}
}

void
copy_lane_lost(struct copy_lane *lane, enum copy_side side, unsigned target)
{
	struct undo u = { .lane = lane, .target = target };

	if (side == COPY_SOURCE) {
		lane->is_source_away = true;
		return;
	}
	lane->away |= copy_bit(target);
	lane->epochs[target].is_fenced =
	    lane->plan->targets[target].use_flush;
	leave_slots(lane, target);
	copy_clear_lost(lane, target);
	copy_epoch_lose(&lane->epochs[target], undo, &u);
}

void
copy_lane_back(struct copy_lane *lane, enum copy_side side, unsigned target)
{
	if (side == COPY_SOURCE)
		lane->is_source_away = false;
	else
		lane->away &= ~copy_bit(target);
}
