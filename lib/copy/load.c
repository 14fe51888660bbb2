/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loading: what the next free slot takes, from the map or from what is tried
 * again, and its first requests.
 */

#include <string.h>

#include "copy/lane-private.h"

/* Those that take the stretch as zeroes; the others have to be sent bytes. */
static uint32_t
zero_takers(const struct copy_lane *lane, uint32_t targets)
{
	uint32_t takers = 0;
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if (copy_lane_can_zero(lane, i, 1) || lane->plan->skip_zeroes)
			takers |= copy_bit(i);
	return targets & (takers | COPY_FOR_DIGEST);
}

/* How much is zeroed, or trimmed, by one request. */
static uint32_t
zero_size(const struct copy_lane *lane, uint32_t targets, enum copy_kind kind)
{
	const struct copy_target_books *b;
	uint32_t size = lane->plan->zero_size;
	uint32_t limit;
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++) {
		b = &lane->ledger->targets[i];
		limit = atomic_load_explicit(
		    kind == COPY_HOLE ? &b->trim.limit : &b->zero.limit,
		    memory_order_relaxed);
		if ((targets & copy_bit(i)) != 0 && limit != 0 && limit < size)
			size = limit;
	}
	return size;
}

/* Such that it begins on a multiple of the size. */
static struct copy_stretch
take_last_piece(struct copy_map *map, struct copy_stretch s, uint32_t size)
{
	uint64_t end = s.from + s.length;
	uint64_t n = end % size != 0 ? end % size : size;

	if (n > s.length)
		n = s.length;
	s.from += s.length - n;
	s.to += s.length - n;
	s.position += s.length - n;
	s.length = n;
	copy_map_take_end(map, n);
	return s;
}

/*
 * How much of the next stretch one slot takes, for which destinations.  Where
 * not all of them can do the same, the others come later.
 */
static struct copy_stretch
next_piece(struct copy_lane *lane, struct copy_map *map,
    const struct copy_bads *trying, uint32_t size)
{
	struct copy_stretch s = *copy_map_peek(map);
	uint32_t takers;

	s.targets = copy_lane_live_targets(lane, s.targets);
	if (s.kind == COPY_HOLE) {
		size = zero_size(lane, s.targets, s.kind);
	} else if (s.kind == COPY_ZEROES &&
	    lane->plan->mode == COPY_MODE_COPY) {
		takers = zero_takers(lane, s.targets);
		if (takers != 0)
			size = zero_size(lane, takers, s.kind);
		if (takers != 0 && takers != s.targets) {
			struct copy_stretch rest = s;

			rest.targets &= ~takers;
			if (rest.length > size)
				rest.length = size;
			s.targets = takers;
			copy_map_put(map, &rest);
		}
	} else if (s.kind == COPY_ZEROES) {
		size = lane->plan->zero_size;
	}
	if (trying != NULL && size > copy_bads_request_size(lane, trying))
		size = copy_bads_request_size(lane, trying);
	/* Zeroes and holes are few, and large. */
	if (trying != NULL && copy_bads_go_back(trying) &&
	    (s.kind == COPY_DATA || s.kind == COPY_SUSPECT))
		return take_last_piece(map, s, size);
	if (s.length > size)
		s.length = size;
	/* Requests end on multiples of their size, where servers like it. */
	if (s.kind == COPY_DATA && s.length == size)
		s.length -= s.from % size;
	copy_map_take(map, s.length);
	return s;
}

static void
describe(struct copy_request *req, enum copy_op op, uint64_t offset,
    uint64_t length)
{
	req->op = op;
	req->offset = offset;
	req->length = (uint32_t)length;
	req->buffer = NULL;
	req->bytes = NULL;
	req->skip = 0;
}

static void
ask_target(struct copy_lane *lane, struct copy_slot *slot, unsigned target,
    enum copy_op op)
{
	describe(&slot->targets[target], op, slot->what.to, slot->what.length);
	copy_lane_queue(lane, &slot->targets[target]);
}

/* The first requests of a slot that has been given its piece. */
static void
begin_slot(struct copy_lane *lane, struct copy_slot *slot)
{
	bool compares = lane->plan->mode != COPY_MODE_COPY;
	unsigned i;

	if (slot->what.kind == COPY_DATA) {
		describe(&slot->source, COPY_READ, slot->what.from,
		    slot->what.length);
		copy_lane_queue(lane, &slot->source);
	}
	for (i = 0; i < lane->plan->n_targets; i++) {
		/* One that is done at once may leave others behind. */
		if ((slot->what.targets & copy_bit(i)) == 0)
			continue;
		slot->targets[i].is_sent = false;
		slot->targets[i].bytes = NULL;
		if (slot->what.kind == COPY_HOLE ||
		    (slot->what.kind == COPY_ZEROES && !compares))
			copy_slot_write(lane, slot, i);
		else if (slot->what.kind == COPY_ZEROES)
			ask_target(lane, slot, i, COPY_STATUS);
		else if (compares)
			ask_target(lane, slot, i, COPY_READ);
	}
	copy_slot_note_unlike(lane, slot);
	if ((slot->what.targets & COPY_FOR_DIGEST) != 0)
		copy_slot_await_digest(lane, slot);
}

/* Is there anything new, and may it be begun? */
static bool
has_new(struct copy_lane *lane)
{
	enum copy_order order = copy_lane_order_for_digest(lane);

	return !copy_lane_all_are_absent(lane) && order != COPY_FIRST_IS_HELD &&
	    copy_map_peek(&lane->map) != NULL &&
	    (order == COPY_FIRST_IS_URGENT || copy_lane_find_room(lane));
}

/*
 * Where the next piece comes from; NULL: there is none now.  *ret_trying: it
 * is one that has failed before, on that disk.
 */
static struct copy_map *
next_map(struct copy_lane *lane, struct copy_bads **ret_trying)
{
	uint32_t held;
	bool is_due;
	bool is_new;

	/* One that is held no more catches up, too. */
	do {
		held = lane->held;
		copy_lane_catch_up(lane);
		*ret_trying = copy_bads_next(lane, &is_due);
	} while (*ret_trying == NULL && (held & ~lane->held) != 0);
	is_new = !is_due && has_new(lane);
	if (*ret_trying != NULL && !(is_new && lane->is_turn_of_new))
		return &(*ret_trying)->trying;
	*ret_trying = NULL;
	return is_new ? &lane->map : NULL;
}

/* Do the bytes of the stretch go through us? */
static bool
is_moved(const struct copy_lane *lane, const struct copy_stretch *s)
{
	if (s->kind != COPY_ZEROES)
		return s->kind != COPY_HOLE;
	return lane->plan->mode == COPY_MODE_COPY &&
	    zero_takers(lane, copy_lane_live_targets(lane, s->targets)) == 0;
}

/* How large a piece whose bytes move may be; 0: none, for now. */
static uint32_t
gate_room(const struct copy_lane *lane)
{
	uint32_t align = lane->plan->align;
	uint32_t size = copy_lane_request_size(lane);
	uint32_t room;

	if (lane->gate.room == NULL)
		return size;
	room = lane->gate.room(lane->gate.arg);
	if (room > 0 && room < align)
		room = align;
	return room < size ? room - room % align : size;
}

static void
fill_slot(struct copy_lane *lane, const struct copy_stretch *piece,
    struct copy_bads *trying)
{
	struct copy_slot *slot = list_entry(lane->free_slots.next,
	    struct copy_slot, node);

	list_remove(&slot->node);
	slot->what = *piece;
	slot->is_loaded = true;
	slot->is_source_here = false;
	slot->again = 0;
	slot->is_size_refused = false;
	slot->bad = 0;
	slot->skipped = 0;
	slot->source_error = 0;
	slot->trying = trying;
	if (trying != NULL)
		trying->n_loaded++;
	copy_slot_begin_alone(lane, slot);
	lane->is_turn_of_new = trying != NULL;
	slot->here = 0;
	memset(slot->compared, 0, sizeof slot->compared);
	memset(slot->differed, 0, sizeof slot->differed);
	memset(slot->told, 0, sizeof slot->told);
	memset(slot->sorted, 0, sizeof slot->sorted);
	lane->n_loaded++;
	begin_slot(lane, slot);
}

bool
copy_lane_load(struct copy_lane *lane)
{
	struct copy_bads *trying;
	struct copy_stretch piece;
	struct copy_map *map;
	uint32_t size;
	bool moves;

	if (list_is_empty(&lane->free_slots) ||
	    !list_is_empty(&lane->digester.taken))
		return false;
	map = next_map(lane, &trying);
	if (map == NULL)
		return false;
	moves = is_moved(lane, copy_map_peek(map));
	size = moves ? gate_room(lane) : copy_lane_request_size(lane);
	lane->digester.is_held = size == 0;
	if (size == 0)
		return false;
	piece = next_piece(lane, map, trying, size);
	copy_lane_leave_absent(lane, &piece, trying);
	copy_lane_leave_out(lane, &piece);
	if (piece.targets == 0)
		return true;
	if (moves && lane->gate.pass != NULL)
		lane->gate.pass(lane->gate.arg, piece.length);
	fill_slot(lane, &piece, trying);
	return true;
}
