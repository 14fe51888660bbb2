/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of a slot that has been read is written as data, and what as zeroes.
 *
 * Only bytes that are in memory can be looked at.  They are taken apart at
 * the destination's multiples of the plan's sparse grain: runs of grains that
 * are zero are written as such, one run after the other; what is no whole
 * grain is data, unless all of the slot is zero.
 */

#include "copy/lane-private.h"

static uint32_t
length_of(const struct copy_slot *slot)
{
	return (uint32_t)slot->what.length;
}

static bool
is_looked_at(const struct copy_lane *lane, const struct copy_slot *slot,
    unsigned target)
{
	return lane->plan->sparse_grain != 0 &&
	    slot->what.kind == COPY_DATA && slot->source.buffer != NULL &&
	    (lane->plan->skip_zeroes || copy_lane_can_zero(lane, target, 1));
}

/* The end of the grain that byte `from` of the slot lies in. */
static uint32_t
grain_end(const struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t from)
{
	uint32_t grain = lane->plan->sparse_grain;
	uint64_t left = grain - (slot->what.to + from) % grain;

	return length_of(slot) - from <= left ? length_of(slot) :
						from + (uint32_t)left;
}

static bool
is_zero_grain(const struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t from, uint32_t to)
{
	return to - from == lane->plan->sparse_grain &&
	    copy_is_all_zero(slot->source.buffer + from, to - from);
}

/* Where the run ends that begins at `from`, and whether it is zero. */
static uint32_t
find_run(const struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t from, bool *ret_is_zero)
{
	uint32_t to = grain_end(lane, slot, from);
	uint32_t next;

	*ret_is_zero = true;
	if (from == 0 &&
	    copy_is_all_zero(slot->source.buffer, length_of(slot)))
		return length_of(slot);
	*ret_is_zero = is_zero_grain(lane, slot, from, to);
	for (; to < length_of(slot); to = next) {
		next = grain_end(lane, slot, to);
		if (is_zero_grain(lane, slot, to, next) != *ret_is_zero)
			break;
	}
	return to;
}

/* It needs no request. */
static void
skip_run(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    uint32_t to)
{
	copy_ledger_add(&lane->ledger->targets[target].zeroed_bytes,
	    to - slot->compared[target]);
	slot->compared[target] = to;
}

static void
write_run(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    uint32_t to, bool is_zero)
{
	struct copy_request *req = &slot->targets[target];

	req->skip = slot->compared[target];
	req->offset = slot->what.to + req->skip;
	req->length = to - req->skip;
	req->bytes = NULL;
	req->op = COPY_WRITE;
	/* So many cannot be had as bytes, whatever others met meanwhile. */
	if (is_zero && (copy_lane_can_zero(lane, target, req->length) ||
	    req->length > lane->plan->max_request_size))
		req->op = COPY_ZERO;
	else if (slot->what.kind == COPY_DATA)
		req->bytes = &slot->source;
	copy_lane_queue(lane, req);
}

void
copy_slot_write(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target)
{
	bool is_zero = slot->what.kind != COPY_DATA;
	uint32_t to = length_of(slot);

	while (slot->compared[target] < length_of(slot)) {
		if (is_looked_at(lane, slot, target))
			to = find_run(lane, slot, slot->compared[target],
			    &is_zero);
		if (!is_zero || !lane->plan->skip_zeroes) {
			write_run(lane, slot, target, to, is_zero);
			return;
		}
		skip_run(lane, slot, target, to);
	}
	copy_slot_note_done(lane, slot, target, 0, slot->what.length);
	copy_slot_finish(lane, slot, target);
}

void
copy_slot_written(struct copy_lane *lane, struct copy_request *req)
{
	struct copy_target_books *b = &lane->ledger->targets[req->target];
	bool is_zero = req->op == COPY_ZERO || req->bytes == NULL;

	copy_ledger_add(is_zero ? &b->zeroed_bytes : &b->written_bytes,
	    req->length);
	req->slot->compared[req->target] = req->skip + req->length;
	copy_slot_write(lane, req->slot, req->target);
}

bool
copy_slot_has_more(const struct copy_slot *slot, unsigned target)
{
	const struct copy_request *req = &slot->targets[target];

	return req->skip + req->length < slot->what.length;
}
