/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where a destination differs from the source.  Blocks are the plan's grain
 * when differences are written, so that a few bytes do not become a few
 * requests, and sectors when they are told.
 */

#include <stdlib.h>
#include <string.h>

#include "copy/lane-private.h"

bool
copy_is_all_zero(const unsigned char *p, size_t len)
{
	size_t head = len < 16 ? len : 16;
	size_t i;

	for (i = 0; i < head; i++)
		if (p[i] != 0)
			return false;
	return len <= 16 || memcmp(p, p + 16, len - 16) == 0;
}

/* Is this block of the slot the same on both disks? */
static bool
is_equal(const struct copy_slot *slot, unsigned target, uint32_t from,
    uint32_t len)
{
	const unsigned char *theirs = slot->targets[target].buffer + from;

	if (slot->what.kind == COPY_SUSPECT)
		return copy_is_all_zero(theirs, len);
	return memcmp(slot->source.buffer + from, theirs, len) == 0;
}

static uint32_t
block_at(const struct copy_slot *slot, uint32_t from, uint32_t block)
{
	uint32_t left = (uint32_t)slot->what.length - from;

	return left < block ? left : block;
}

/* The next run of blocks that differ: false if there is none. */
static bool
find_run(const struct copy_slot *slot, unsigned target, uint32_t block,
    uint32_t *from, uint32_t *to)
{
	uint32_t length = (uint32_t)slot->what.length;
	uint32_t pos = *from;
	uint32_t n;

	/* Mostly nothing differs, which is seen at once. */
	if (is_equal(slot, target, pos, length - pos))
		return false;
	while (is_equal(slot, target, pos, n = block_at(slot, pos, block)))
		pos += n;
	*from = pos;
	do
		pos += n;
	while (pos < length &&
	    !is_equal(slot, target, pos, n = block_at(slot, pos, block)));
	*to = pos;
	return true;
}

/* On which sides is there nothing but zeroes?  It is told to explain. */
static unsigned
find_zero_sides(const struct copy_slot *slot, unsigned target, uint32_t from,
    uint32_t len)
{
	if (slot->what.kind == COPY_SUSPECT ||
	    copy_is_all_zero(slot->source.buffer + from, len))
		return 1U << COPY_SOURCE;
	if (copy_is_all_zero(slot->targets[target].buffer + from, len))
		return 1U << COPY_DESTINATION;
	return 0;
}

/* Neighbours are one difference. */
static void
note_difference(struct copy_lane *lane, unsigned target, uint64_t offset,
    uint64_t length, unsigned zero_sides)
{
	struct copy_difference *last;

	if (lane->n_differences > 0) {
		last = &lane->differences[lane->n_differences - 1];
		if (last->target == target &&
		    last->offset + last->length == offset) {
			last->length += length;
			last->zero_sides &= zero_sides;
			return;
		}
	}
	if (lane->differences == NULL)
		lane->differences = calloc(COPY_MAX_DIFFERENCES,
		    sizeof *lane->differences);
	if (lane->differences == NULL ||
	    lane->n_differences == COPY_MAX_DIFFERENCES) {
		lane->differences_are_cut = true;
		return;
	}
	lane->differences[lane->n_differences++] = (struct copy_difference){
		.target = target, .offset = offset, .length = length,
		.zero_sides = zero_sides
	};
}

static void
write_run(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    uint32_t from, uint32_t len)
{
	struct copy_request *req = &slot->targets[target];
	bool is_zero = slot->what.kind == COPY_SUSPECT ||
	    copy_is_all_zero(slot->source.buffer + from, len);

	req->offset = slot->what.to + from;
	req->length = len;
	req->skip = from;
	req->bytes = slot->what.kind == COPY_SUSPECT ? NULL : &slot->source;
	req->op = COPY_WRITE;
	if (is_zero && copy_lane_can_zero(lane, target, len)) {
		req->op = COPY_ZERO;
		req->bytes = NULL;
	}
	copy_lane_queue(lane, req);
}

/* Counted at the end, since a slot that is refused is compared again. */
static void
count(struct copy_lane *lane, const struct copy_slot *slot, unsigned target)
{
	struct copy_target_books *b = &lane->ledger->targets[target];

	copy_ledger_add(lane->plan->mode == COPY_MODE_VERIFY ?
		&b->differing_bytes :
		&b->written_bytes,
	    slot->differed[target]);
	copy_ledger_add(&b->equal_bytes,
	    slot->what.length - slot->differed[target]);
	copy_slot_note_done(lane, slot, target, 0, slot->what.length);
}

void
copy_slot_compare(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target)
{
	bool writes = lane->plan->mode == COPY_MODE_SYNC;
	uint32_t block = writes ? lane->plan->grain : lane->plan->sector;
	uint32_t from = slot->compared[target];
	uint32_t to;

	while (from < slot->what.length &&
	    find_run(slot, target, block, &from, &to)) {
		slot->differed[target] += to - from;
		slot->compared[target] = to;
		if (writes) {
			write_run(lane, slot, target, from, to - from);
			return;
		}
		note_difference(lane, target, slot->what.from + from,
		    to - from, find_zero_sides(slot, target, from,
			to - from));
		from = to;
	}
	count(lane, slot, target);
	copy_slot_finish(lane, slot, target);
}
