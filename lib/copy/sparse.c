/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of a slot that has been read is written as data, and what as zeroes;
 * and what a hole needs, if anything.
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
    uint32_t from, enum copy_kind *ret_kind)
{
	uint32_t to = grain_end(lane, slot, from);
	uint32_t next;
	bool is_zero;

	*ret_kind = COPY_ZEROES;
	if (from == 0 &&
	    copy_is_all_zero(slot->source.buffer, length_of(slot)))
		return length_of(slot);
	is_zero = is_zero_grain(lane, slot, from, to);
	for (; to < length_of(slot); to = next) {
		next = grain_end(lane, slot, to);
		if (is_zero_grain(lane, slot, to, next) != is_zero)
			break;
	}
	*ret_kind = is_zero ? COPY_ZEROES : COPY_DATA;
	return to;
}

/* Is it as it is to be, whatever the destination holds? */
static bool
is_skipped(const struct copy_lane *lane, unsigned target, enum copy_kind kind)
{
	if (kind == COPY_HOLE)
		return !copy_lane_can_trim(lane, target);
	return kind == COPY_ZEROES && lane->plan->skip_zeroes;
}

/* It needs no request. */
static void
skip_run(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    uint32_t to, enum copy_kind kind)
{
	struct copy_target_books *b = &lane->ledger->targets[target];

	copy_ledger_add(kind == COPY_HOLE ? &b->untouched_bytes :
					    &b->zeroed_bytes,
	    to - slot->compared[target]);
	slot->compared[target] = to;
}

static enum copy_op
choose_op(const struct copy_lane *lane, unsigned target, enum copy_kind kind,
    uint32_t length)
{
	if (kind == COPY_HOLE)
		return COPY_TRIM;
	/* So many cannot be had as bytes, whatever others met meanwhile. */
	if (kind == COPY_ZEROES && (copy_lane_can_zero(lane, target, length) ||
	    length > lane->plan->max_request_size))
		return COPY_ZERO;
	return COPY_WRITE;
}

static void
write_run(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    uint32_t to, enum copy_kind kind)
{
	struct copy_request *req = &slot->targets[target];

	req->skip = slot->compared[target];
	req->offset = slot->what.to + req->skip;
	req->length = to - req->skip;
	req->bytes = NULL;
	req->op = choose_op(lane, target, kind, req->length);
	if (req->op == COPY_WRITE && slot->what.kind == COPY_DATA)
		req->bytes = &slot->source;
	copy_lane_queue(lane, req);
}

void
copy_slot_write(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target)
{
	enum copy_kind kind = slot->what.kind;
	uint32_t to = length_of(slot);

	while (slot->compared[target] < length_of(slot)) {
		if (is_looked_at(lane, slot, target))
			to = find_run(lane, slot, slot->compared[target],
			    &kind);
		if (!is_skipped(lane, target, kind)) {
			write_run(lane, slot, target, to, kind);
			return;
		}
		skip_run(lane, slot, target, to, kind);
	}
	copy_slot_note_done(lane, slot, target, 0, slot->what.length);
	copy_slot_finish(lane, slot, target);
}

/* What it has done there. */
static _Atomic uint64_t *
counter_of(const struct copy_lane *lane, const struct copy_request *req)
{
	struct copy_target_books *b = &lane->ledger->targets[req->target];

	if (req->op == COPY_TRIM)
		return &b->trimmed_bytes;
	return req->op == COPY_ZERO || req->bytes == NULL ? &b->zeroed_bytes :
							    &b->written_bytes;
}

void
copy_slot_written(struct copy_lane *lane, struct copy_request *req)
{
	copy_ledger_add(counter_of(lane, req), req->length);
	req->slot->compared[req->target] = req->skip + req->length;
	/* Nobody needs the rest any more, so that its bytes may be gone. */
	if (copy_lane_is_over(lane) &&
	    copy_slot_has_more(req->slot, req->target))
		return;
	copy_slot_write(lane, req->slot, req->target);
}

bool
copy_slot_has_more(const struct copy_slot *slot, unsigned target)
{
	const struct copy_request *req = &slot->targets[target];

	return req->skip + req->length < slot->what.length;
}
