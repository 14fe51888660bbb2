/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lane gives out.  Three things go on side by side: the map (which
 * stretches are data, which are zero) is asked for ahead of the copying; free
 * slots take work from the map; requests of slots that have been read wait
 * in a queue for each destination, and go before anything new, so that data
 * moves on while it is still in the processor's cache.  What a lost connection
 * makes undone waits behind all else, with what slow destinations missed.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "copy/lane-private.h"

/*
 * So many stretches that a slow destination is behind with; then it is left
 * out of everything until the end, which makes one stretch of the rest.
 */
#define MAX_BEHIND 4096

#define SOURCE_QUEUE COPY_MAX_TARGETS

static unsigned
depth(const struct copy_lane *lane)
{
	return atomic_load_explicit(&lane->tuning->depth,
	    memory_order_relaxed);
}

/* What a server has refused for its size is not tried again. */
static uint32_t
request_size(const struct copy_lane *lane)
{
	uint32_t size = atomic_load_explicit(&lane->tuning->request_size,
	    memory_order_relaxed);
	uint32_t limit = atomic_load_explicit(&lane->ledger->size_limit,
	    memory_order_relaxed);

	return limit != 0 && limit < size ? limit : size;
}

bool
copy_lane_can_zero(const struct copy_lane *lane, unsigned target,
    uint32_t length)
{
	const struct copy_target_books *b = &lane->ledger->targets[target];
	uint32_t limit = atomic_load_explicit(&b->zero.limit,
	    memory_order_relaxed);

	return lane->plan->targets[target].use_zero &&
	    !atomic_load_explicit(&b->zero.is_total, memory_order_relaxed) &&
	    (limit == 0 || length <= limit);
}

bool
copy_lane_can_trim(const struct copy_lane *lane, unsigned target)
{
	return lane->plan->targets[target].use_trim &&
	    !atomic_load_explicit(&lane->ledger->targets[target].trim.is_total,
		memory_order_relaxed);
}

static unsigned
queue_of(const struct copy_request *req)
{
	return req->side == COPY_SOURCE ? SOURCE_QUEUE : req->target;
}

void
copy_lane_queue(struct copy_lane *lane, struct copy_request *req)
{
	req->is_sent = false;
	list_append(&lane->queues[queue_of(req)], &req->node);
}

/* Slots. */

/* What a slot keeps in memory while it waits for a destination. */
static uint64_t
slot_memory(const struct copy_slot *slot)
{
	return slot->what.kind == COPY_DATA ? slot->what.length : 0;
}

static void
end_lagging(struct copy_lane *lane, struct copy_slot *slot)
{
	if (!slot->is_lagging)
		return;
	slot->is_lagging = false;
	lane->n_lagging--;
	lane->lag_bytes -= slot_memory(slot);
	list_remove(&slot->node);
}

/*
 * Free, once nobody needs it and nothing of it is on its way.  One that only
 * the digest needs is in progress, whatever became of its destinations.
 */
void
copy_slot_settle(struct copy_lane *lane, struct copy_slot *slot)
{
	if (slot->is_loaded && slot->what.targets == COPY_FOR_DIGEST)
		end_lagging(lane, slot);
	if (!slot->is_loaded || slot->what.targets != 0 ||
	    slot->n_given_out > 0)
		return;
	end_lagging(lane, slot);
	list_remove(&slot->source.node);
	if (slot->trying != NULL)
		slot->trying->n_loaded--;
	slot->is_loaded = false;
	lane->n_loaded--;
	list_append(&lane->free_slots, &slot->node);
}

/* Destinations that have failed need nothing, nor does a digest that has. */
static uint32_t
live_targets(const struct copy_lane *lane, uint32_t targets)
{
	unsigned i;

	if (lane->digester.is_void)
		targets &= ~COPY_FOR_DIGEST;
	for (i = 0; i < lane->plan->n_targets; i++)
		if (!copy_ledger_is_live(lane->ledger, i))
			targets &= ~copy_bit(i);
	return targets;
}

/* To be done at the end, for these destinations. */
static void
put_behind(struct copy_lane *lane, const struct copy_stretch *stretch,
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

/* Take from all that wait for this slot what they have not been sent. */
static void
leave_behind(struct copy_lane *lane, struct copy_slot *slot)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if ((slot->what.targets & copy_bit(i)) != 0)
			list_remove(&slot->targets[i].node);
	put_behind(lane, &slot->what, slot->what.targets);
	slot->what.targets &= COPY_FOR_DIGEST;
	end_lagging(lane, slot);
	copy_slot_settle(lane, slot);
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

struct copy_request *
copy_lane_relieve(struct copy_lane *lane)
{
	struct copy_slot *slot = oldest_to_leave(lane);

	if (slot == NULL)
		return NULL;
	leave_behind(lane, slot);
	return &slot->source;
}

/*
 * One destination is done with the slot and others are not: from now on it
 * does not count as work in progress, but as what the slow ones keep.
 */
static void
begin_lagging(struct copy_lane *lane, struct copy_slot *slot)
{
	uint64_t share;

	if (!slot->is_lagging) {
		slot->is_lagging = true;
		lane->n_lagging++;
		lane->lag_bytes += slot_memory(slot);
		list_append(&lane->lagging, &slot->node);
	}
	share = lane->plan->lag_bytes /
	    atomic_load_explicit(&lane->tuning->lanes, memory_order_relaxed);
	while (lane->n_lagging > lane->plan->lag_slots ||
	    lane->lag_bytes > share)
		if (copy_lane_relieve(lane) == NULL)
			return;
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
		begin_lagging(lane, slot);
}

void
copy_slot_again(struct copy_lane *lane, struct copy_slot *slot)
{
	struct copy_stretch s = slot->what;
	struct copy_stretch again;
	unsigned i;

	s.targets &= slot->again;
	if ((s.targets & COPY_FOR_DIGEST) != 0)
		copy_slot_leave_digest(lane, slot);
	again = s;
	again.targets = copy_bads_put(lane, slot, s.targets);
	slot->again = 0;
	/* Late: a write that was lost on its way may still be carried out. */
	put_behind(lane, &again, again.targets & lane->away);
	again.targets &= ~lane->away;
	copy_map_put(&lane->map, &again);
	for (i = 0; i < lane->plan->n_targets; i++)
		if ((s.targets & copy_bit(i)) != 0)
			list_remove(&slot->targets[i].node);
	slot->what.targets &= ~s.targets;
	copy_slot_settle(lane, slot);
}

/* Loading: from the map into a slot. */

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

	s.targets = live_targets(lane, s.targets);
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

static bool
too_far_behind(const struct copy_lane *lane)
{
	return lane->behind.end - lane->behind.first > MAX_BEHIND;
}

/*
 * A destination that would be left behind with too many pieces is not given
 * new ones.  Those that it has lag.
 */
static void
leave_out(struct copy_lane *lane, struct copy_stretch *s)
{
	size_t last = lane->behind.end - 1;
	uint32_t behind = lane->behind.v[last].targets & s->targets;

	if (behind == 0 || behind == (s->targets & ~COPY_FOR_DIGEST))
		return;
	put_behind(lane, s, behind);
	s->targets &= ~behind;
}

/* Destinations whose connections are lost, and that may come back. */
static uint32_t
away_targets(const struct copy_lane *lane)
{
	return live_targets(lane, lane->away);
}

/* And those that get nothing new, while something is tried again. */
static uint32_t
absent_targets(const struct copy_lane *lane)
{
	return live_targets(lane, lane->away | lane->held);
}

unsigned
copy_lane_n_in_progress(const struct copy_lane *lane)
{
	unsigned n = lane->n_loaded - lane->n_lagging;
	unsigned i;

	if (lane->plan->n_targets > 1)
		for (i = 0; i < lane->plan->n_targets; i++)
			n -= lane->target_bads[i].n_loaded;
	return n;
}

bool
copy_lane_has_depth(const struct copy_lane *lane)
{
	return copy_lane_n_in_progress(lane) < depth(lane);
}

/*
 * At the end, what was left behind is done like anything else; but for
 * destinations that cannot take it now.
 */
static void
catch_up(struct copy_lane *lane)
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

/* Is there no destination that anything new can be done for now? */
static bool
all_are_absent(const struct copy_lane *lane)
{
	uint32_t all = copy_bit(lane->plan->n_targets) - 1;

	return (live_targets(lane, all) & ~absent_targets(lane)) == 0;
}

/* Those that cannot take it now are not waited for by the others. */
static void
leave_absent(struct copy_lane *lane, struct copy_stretch *s,
    const struct copy_bads *trying)
{
	uint32_t absent = s->targets;

	/* What a destination is held for is its own. */
	if (trying == NULL || trying == &lane->bads)
		absent &= absent_targets(lane);
	else
		absent &= away_targets(lane);
	put_behind(lane, s, absent);
	s->targets &= ~absent;
}

/* Is there anything new, and may it be begun? */
static bool
has_new(struct copy_lane *lane)
{
	enum copy_order order = copy_lane_order_for_digest(lane);

	return !all_are_absent(lane) && order != COPY_FIRST_IS_HELD &&
	    (copy_lane_has_depth(lane) || order == COPY_FIRST_IS_URGENT) &&
	    copy_map_peek(&lane->map) != NULL;
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
		catch_up(lane);
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
	    zero_takers(lane, live_targets(lane, s->targets)) == 0;
}

/* How large a piece whose bytes move may be; 0: none, for now. */
static uint32_t
gate_room(const struct copy_lane *lane)
{
	uint32_t align = lane->plan->align;
	uint32_t size = request_size(lane);
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
	slot->bad = 0;
	slot->skipped = 0;
	slot->source_error = 0;
	slot->trying = trying;
	if (trying != NULL)
		trying->n_loaded++;
	lane->is_turn_of_new = trying != NULL;
	slot->here = 0;
	memset(slot->compared, 0, sizeof slot->compared);
	memset(slot->differed, 0, sizeof slot->differed);
	memset(slot->told, 0, sizeof slot->told);
	memset(slot->sorted, 0, sizeof slot->sorted);
	lane->n_loaded++;
	begin_slot(lane, slot);
}

static bool
load_slot(struct copy_lane *lane)
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
	size = moves ? gate_room(lane) : request_size(lane);
	lane->digester.is_held = size == 0;
	if (size == 0)
		return false;
	piece = next_piece(lane, map, trying, size);
	leave_absent(lane, &piece, trying);
	if (too_far_behind(lane))
		leave_out(lane, &piece);
	if (piece.targets == 0)
		return true;
	if (moves && lane->gate.pass != NULL)
		lane->gate.pass(lane->gate.arg, piece.length);
	fill_slot(lane, &piece, trying);
	return true;
}

/* Giving out. */

static struct copy_request *
give_out(struct copy_lane *lane, struct copy_request *req)
{
	req->is_given_out = true;
	lane->in_flight++;
	if (req->slot != NULL) {
		req->slot->n_given_out++;
		lane->n_busy[queue_of(req)]++;
	}
	return req;
}

/*
 * A destination gets as much at a time as may be in progress: what waits
 * behind that can still be taken away from it.
 */
static bool
may_take(const struct copy_lane *lane, unsigned queue)
{
	if (lane->n_busy[queue] >= depth(lane))
		return false;
	if (queue == SOURCE_QUEUE)
		return !lane->is_source_away;
	return (lane->away & copy_bit(queue)) == 0 &&
	    !lane->epochs[queue].is_fenced;
}

static struct copy_request *
take_queued(struct copy_lane *lane)
{
	struct list *node;
	unsigned i;

	for (i = 0; i <= SOURCE_QUEUE; i++) {
		if (!may_take(lane, i))
			continue;
		node = list_take_first(&lane->queues[i]);
		if (node != NULL)
			return list_entry(node, struct copy_request, node);
	}
	return NULL;
}

/* Keep the map ahead of the slots by about two rounds of requests. */
static struct copy_request *
ask_for_map(struct copy_lane *lane)
{
	struct copy_request *req = &lane->map_request;
	uint64_t ahead = 2 * (uint64_t)depth(lane);

	if (req->is_given_out || lane->is_source_away ||
	    !copy_map_extend(&lane->map, ahead * request_size(lane),
		ahead * lane->plan->zero_size, &req->offset, &req->length))
		return NULL;
	return req;
}

/* All is claimed, and nothing of it is under way. */
static bool
has_no_work(const struct copy_lane *lane)
{
	return lane->n_loaded == 0 && copy_map_is_empty(&lane->map) &&
	    lane->behind.first == lane->behind.end &&
	    copy_bads_are_empty(lane);
}

static bool
is_flush_due(const struct copy_lane *lane, unsigned target)
{
	const struct copy_epoch *e = &lane->epochs[target];

	if (!lane->plan->targets[target].use_flush || e->is_flushing ||
	    (lane->away & copy_bit(target)) != 0 ||
	    !copy_ledger_is_live(lane->ledger, target))
		return false;
	if (e->is_fenced)
		return true;
	return e->open_bytes > 0 && (e->is_due ||
	    e->open_bytes >= lane->plan->epoch_bytes || has_no_work(lane));
}

static struct copy_request *
flush(struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++) {
		if (!is_flush_due(lane, i))
			continue;
		copy_epoch_flush(&lane->epochs[i]);
		return &lane->flushes[i];
	}
	return NULL;
}

/* What is worth a flush when all is over. */
static bool
wants_last_flush(const struct copy_lane *lane, unsigned target)
{
	return lane->plan->keeps && lane->plan->targets[target].use_flush &&
	    (lane->away & copy_bit(target)) == 0 &&
	    copy_ledger_is_live(lane->ledger, target) &&
	    !lane->epochs[target].is_flushing &&
	    lane->epochs[target].open_bytes > 0;
}

/*
 * Nothing new is begun; but what has been written is made to count.  After
 * all that is on its way.
 */
static struct copy_request *
last_flush(struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i <= SOURCE_QUEUE; i++)
		if (lane->n_busy[i] > 0)
			return NULL;
	for (i = 0; i < lane->plan->n_targets; i++) {
		if (!wants_last_flush(lane, i))
			continue;
		copy_epoch_flush(&lane->epochs[i]);
		return give_out(lane, &lane->flushes[i]);
	}
	return NULL;
}

struct copy_request *
copy_lane_next(struct copy_lane *lane)
{
	struct copy_request *req;

	if (lane->map.has_no_memory || lane->behind.has_no_memory)
		copy_lane_fail(lane, COPY_SOURCE, 0, -ENOMEM, "out of memory");
	if (copy_lane_is_over(lane))
		return last_flush(lane);
	do {
		req = take_queued(lane);
		if (req == NULL)
			req = copy_clear_next(lane);
		if (req == NULL)
			req = ask_for_map(lane);
		if (req == NULL)
			req = flush(lane);
		if (req != NULL)
			return give_out(lane, req);
	} while (load_slot(lane));
	return NULL;
}

/* Connections that come and go. */

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
		put_behind(lane, &s, copy_bit(u->target));
		to += s.length;
		length -= s.length;
	}
}

/*
 * A slot of which a part has been written, and the next part waits: what was
 * written is in no epoch yet, and may be gone.
 */
static void
undo_parts(struct copy_lane *lane, unsigned target)
{
	struct copy_slot *slot;
	unsigned i;

	for (i = 0; i < lane->n_slots; i++) {
		slot = &lane->slots[i];
		if (!slot->is_loaded || slot->compared[target] == 0 ||
		    (slot->what.targets & copy_bit(target)) == 0 ||
		    slot->targets[target].is_given_out)
			continue;
		list_remove(&slot->targets[target].node);
		slot->again |= copy_bit(target);
		if (slot->n_given_out == 0)
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
	undo_parts(lane, target);
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

void
copy_lane_end_epoch(struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		lane->epochs[i].is_due = lane->epochs[i].open_bytes > 0;
}

int
copy_lane_take_durable(struct copy_lane *lane, unsigned target,
    struct ranges *set)
{
	struct ranges *durable = &lane->epochs[target].durable;
	int r = ranges_add_all(set, durable);

	if (r == 0)
		ranges_clear(durable);
	return r;
}

/* Questions. */

bool
copy_lane_is_over(const struct copy_lane *lane)
{
	return lane->source_failures.n > 0 ||
	    copy_ledger_is_stopped(lane->ledger) ||
	    copy_ledger_all_failed(lane->ledger);
}

bool
copy_lane_is_finished(const struct copy_lane *lane)
{
	unsigned i;

	if (lane->in_flight > 0)
		return false;
	if (copy_lane_is_over(lane)) {
		for (i = 0; i < lane->plan->n_targets; i++)
			if (wants_last_flush(lane, i))
				return false;
		return true;
	}
	for (i = 0; i < lane->plan->n_targets; i++)
		if (lane->plan->targets[i].use_flush &&
		    copy_ledger_is_live(lane->ledger, i) &&
		    !copy_epoch_is_clean(&lane->epochs[i]))
			return false;
	return has_no_work(lane);
}

unsigned
copy_lane_n_loaded(const struct copy_lane *lane)
{
	return lane->n_loaded;
}

unsigned
copy_lane_in_flight(const struct copy_lane *lane)
{
	return lane->in_flight;
}

/* What has not been given out never will be when all is over. */
static bool
is_needed_by(const struct copy_lane *lane, const struct copy_request *read,
    const struct copy_request *write)
{
	bool waits = write->bytes == read && !write->is_sent;

	if (copy_lane_is_over(lane))
		return waits && write->is_given_out;
	return waits || copy_slot_has_more(write->slot, write->target);
}

bool
copy_request_is_needed(const struct copy_lane *lane,
    const struct copy_request *read)
{
	const struct copy_slot *slot = read->slot;
	unsigned i;

	if (read->is_given_out)
		return true;
	if (!slot->is_loaded)
		return false;
	if (lane->plan->mode != COPY_MODE_COPY)
		return read->side == COPY_SOURCE ||
		    (slot->what.targets & copy_bit(read->target)) != 0;
	if (read->side == COPY_SOURCE &&
	    (slot->what.targets & COPY_FOR_DIGEST) != 0)
		return true;
	for (i = 0; i < lane->plan->n_targets; i++)
		if ((slot->what.targets & copy_bit(i)) != 0 &&
		    is_needed_by(lane, read, &slot->targets[i]))
			return true;
	return false;
}

unsigned
copy_request_siblings(struct copy_lane *lane, struct copy_request *req,
    struct copy_request *siblings[])
{
	unsigned n = 0;
	unsigned i;

	if (req->slot == NULL)
		return 0;
	siblings[n++] = &req->slot->source;
	for (i = 0; i < lane->plan->n_targets; i++)
		siblings[n++] = &req->slot->targets[i];
	return n;
}

unsigned
copy_lane_n_requests(const struct copy_lane *lane)
{
	return (lane->n_slots + 1) * (1 + lane->plan->n_targets) +
	    lane->plan->n_targets;
}

const struct copy_failure *
copy_lane_failure(const struct copy_lane *lane, enum copy_side side,
    unsigned target, uint64_t *ret_n)
{
	const struct lane_failures *f = side == COPY_SOURCE ?
	    &lane->source_failures :
	    &lane->target_failures[target];

	*ret_n = f->n;
	return &f->first;
}

const struct copy_difference *
copy_lane_differences(const struct copy_lane *lane, size_t *ret_n,
    bool *ret_is_cut)
{
	*ret_n = lane->n_differences;
	*ret_is_cut = lane->differences_are_cut;
	return lane->differences;
}

/* Beginning and end. */

static void
init_request(struct copy_request *req, struct copy_slot *slot,
    enum copy_side side, unsigned target, unsigned index)
{
	req->slot = slot;
	req->side = side;
	req->target = target;
	req->index = index;
	list_init(&req->node);
}

static void
init_slots(struct copy_lane *lane)
{
	unsigned n = 1 + lane->plan->n_targets;
	unsigned i;
	unsigned t;

	for (i = 0; i < lane->n_slots; i++) {
		struct copy_slot *slot = &lane->slots[i];

		init_request(&slot->source, slot, COPY_SOURCE, 0, i * n);
		for (t = 0; t < lane->plan->n_targets; t++)
			init_request(&slot->targets[t], slot,
			    COPY_DESTINATION, t, i * n + 1 + t);
		list_init(&slot->digest_node);
		list_append(&lane->free_slots, &slot->node);
	}
	init_request(&lane->map_request, NULL, COPY_SOURCE, 0,
	    lane->n_slots * n);
	lane->map_request.op = COPY_STATUS;
	for (t = 0; t < lane->plan->n_targets; t++) {
		init_request(&lane->flushes[t], NULL, COPY_DESTINATION, t,
		    lane->n_slots * n + 1 + t);
		lane->flushes[t].op = COPY_FLUSH;
		init_request(&lane->clears[t], NULL, COPY_DESTINATION, t,
		    (lane->n_slots + 1) * n + t);
		lane->clears[t].op = COPY_FAST_ZERO;
	}
}

int
copy_lane_new(const struct copy_plan *plan, struct copy_cursor *cursor,
    struct copy_ledger *ledger, const struct copy_tuning *tuning,
    struct copy_lane **ret_lane)
{
	struct copy_lane *lane;
	unsigned i;

	lane = calloc(1, sizeof *lane);
	if (lane == NULL)
		return -ENOMEM;
	lane->plan = plan;
	lane->ledger = ledger;
	lane->tuning = tuning;
	copy_map_init(&lane->map, plan, cursor, ledger);
	copy_map_init(&lane->behind, plan, NULL, ledger);
	copy_bads_init(lane);
	list_init(&lane->free_slots);
	list_init(&lane->lagging);
	for (i = 0; i <= SOURCE_QUEUE; i++)
		list_init(&lane->queues[i]);
	for (i = 0; i < COPY_MAX_TARGETS; i++)
		copy_epoch_init(&lane->epochs[i]);
	lane->n_slots = plan->max_queue_depth + plan->lag_slots;
	/* Those that are held take none from the others. */
	if (plan->n_targets > 1)
		lane->n_slots += plan->n_targets * COPY_RETRY_SLOTS;
	lane->slots = calloc(lane->n_slots, sizeof *lane->slots);
	if (copy_digester_init(lane) < 0 || lane->slots == NULL) {
		copy_lane_free(lane);
		return -ENOMEM;
	}
	init_slots(lane);
	*ret_lane = lane;
	return 0;
}

void
copy_lane_set_gate(struct copy_lane *lane, const struct copy_gate *gate)
{
	lane->gate = *gate;
}

void
copy_lane_free(struct copy_lane *lane)
{
	unsigned i;

	if (lane == NULL)
		return;
	for (i = 0; i < COPY_MAX_TARGETS; i++)
		copy_epoch_done(&lane->epochs[i]);
	copy_map_done(&lane->map);
	copy_map_done(&lane->behind);
	copy_bads_done(lane);
	copy_digester_done(lane);
	free(lane->differences);
	free(lane->slots);
	free(lane);
}
