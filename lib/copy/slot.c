/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A slot's way from one destination that is done with it to the last, and
 * back to the free ones; load.c fills them.
 */

#include "copy/lane-private.h"

/*
 * Free, once nobody needs it and nothing of it is on its way.  One that only
 * the digest needs is in progress, whatever became of its destinations.
 */
void
copy_slot_settle(struct copy_lane *lane, struct copy_slot *slot)
{
	if (slot->is_loaded && slot->what.targets == COPY_FOR_DIGEST)
		copy_slot_end_lagging(lane, slot);
	if (!slot->is_loaded || slot->what.targets != 0 ||
	    slot->n_given_out > 0)
		return;
	copy_slot_end_lagging(lane, slot);
	list_remove(&slot->source.node);
	if (slot->trying != NULL)
		slot->trying->n_loaded--;
	copy_slot_end_alone(lane, slot);
	slot->is_loaded = false;
	lane->n_loaded--;
	list_append(&lane->free_slots, &slot->node);
}

void
copy_slot_finish(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target)
{
	list_remove(&slot->targets[target].node);
	slot->what.targets &= ~copy_bit(target);
	if ((slot->what.targets & ~COPY_FOR_DIGEST) == 0)
		copy_slot_settle(lane, slot);
	else if (copy_ledger_is_live(lane->ledger, target))
		copy_slot_begin_lagging(lane, slot);
}

/*
 * Those for which it is to be done again, and nothing of it is on its way.
 * What the source has failed with, or what nobody has read yet, waits for all
 * of them; a destination waits for no other one, which may stand still.
 */
static uint32_t
ready_again(const struct copy_slot *slot)
{
	uint32_t ready = slot->again;
	unsigned i;

	if (slot->n_given_out == 0)
		return ready;
	if ((ready & COPY_FOR_DIGEST) != 0 || slot->source.is_given_out)
		return 0;
	for (i = 0; i < COPY_MAX_TARGETS; i++)
		if (slot->targets[i].is_given_out)
			ready &= ~copy_bit(i);
	return ready;
}

void
copy_slot_again(struct copy_lane *lane, struct copy_slot *slot)
{
	struct copy_stretch s = slot->what;
	uint32_t ready = ready_again(slot);
	struct copy_stretch again;
	bool is_for_digest;
	unsigned i;

	if (ready == 0)
		return;
	s.targets &= ready;
	is_for_digest = (s.targets & COPY_FOR_DIGEST) != 0;
	if (is_for_digest)
		copy_slot_leave_digest(lane, slot);
	again = s;
	again.targets = copy_bads_put(lane, slot, s.targets);
	slot->again &= ~ready;
	/* Late: a write that was lost on its way may still be carried out. */
	copy_lane_put_behind(lane, &again, again.targets & lane->away);
	again.targets &= ~lane->away;
	/* Whether it is the size shows before others are made smaller. */
	if (slot->is_size_refused)
		copy_map_put_first(&lane->map, &again);
	else
		copy_map_put(&lane->map, &again);
	slot->is_size_refused = false;
	for (i = 0; i < lane->plan->n_targets; i++)
		if ((s.targets & copy_bit(i)) != 0)
			list_remove(&slot->targets[i].node);
	slot->what.targets &= ~s.targets;
	if ((s.targets & ~COPY_FOR_DIGEST) != 0 &&
	    (slot->what.targets & ~COPY_FOR_DIGEST) != 0)
		copy_slot_begin_lagging(lane, slot);
	copy_slot_settle(lane, slot);
	/* It may not wait for this one any more. */
	if (is_for_digest)
		copy_lane_digest(lane);
}
