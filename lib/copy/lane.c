/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One lane's way through the disk.  Three things go on side by side: the map
 * (which stretches are data, which are zero) is asked for ahead of the
 * copying; free slots take work from the map; slots that have been read wait
 * in a queue to be written, and go before anything new, so that data moves
 * on while it is still in the processor's cache.
 *
 * A server's map may have any shape.  Zero stretches are rounded inwards to
 * the plan's grain and data outwards, so requests stay aligned on both disks
 * and a map in single bytes costs no more than one in blocks.  Only what is
 * known to read as zeroes is not read ("NBD_STATE_ZERO"); a hole whose
 * content is unknown is data.
 */

#include "copy/lane.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most one claim grows to on a disk that is all zero. */
#define MAX_CLAIM (1024ULL * 1024 * 1024)

/* A part of the disk of one kind, mapped and not yet given to a slot. */
struct stretch {
	uint64_t from;
	uint64_t to;
	uint64_t length;
	bool zero;
};

struct copy_lane {
	const struct copy_plan *plan;
	struct copy_cursor *cursor;
	struct copy_ledger *ledger;
	const struct copy_tuning *tuning;

	struct copy_slot *slots;
	unsigned n_slots;	/* the last one is for block status */
	struct copy_slot *free_slots;
	unsigned n_loaded;	/* of them, not free */
	struct copy_slot *ready_first;	/* read, to be written */
	struct copy_slot *ready_last;
	unsigned in_flight;

	/* The claim [.., claim_end) of the line, mapped up to map_position. */
	uint64_t map_position;
	uint64_t claim_end;
	uint64_t claim_size;
	bool claim_has_data;
	bool exhausted;		/* nothing is left to claim */

	struct stretch *map;	/* map[map_first..map_end) are waiting */
	size_t map_first;
	size_t map_end;
	size_t map_room;
	uint64_t mapped_data;	/* bytes waiting */
	uint64_t mapped_zero;

	/* The block status answer that is coming in, as source offsets. */
	uint64_t answer_from;	/* first byte asked for */
	uint64_t answer_end;	/* and behind the last */
	uint64_t answer_to;	/* answer_from on the destination */
	uint64_t answered;	/* up to here the server has told */
	uint64_t zero_from;	/* the zeroes it ended with so far */
	uint64_t zero_end;
	uint64_t sorted;	/* up to here it is in the map */

	struct copy_failure failure;
	uint64_t n_failures;
};

static uint64_t
round_down(uint64_t n, uint32_t align)
{
	return n & ~(uint64_t)(align - 1);
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct copy_slot *
status_slot(struct copy_lane *lane)
{
	return &lane->slots[lane->n_slots - 1];
}

static uint32_t
request_size(const struct copy_lane *lane)
{
	return atomic_load_explicit(&lane->tuning->request_size,
	    memory_order_relaxed);
}

static unsigned
depth(const struct copy_lane *lane)
{
	return atomic_load_explicit(&lane->tuning->depth,
	    memory_order_relaxed);
}

static bool
is_over(const struct copy_lane *lane)
{
	return lane->n_failures > 0 || copy_ledger_is_stopped(lane->ledger);
}

static void
note_failure(struct copy_lane *lane, const struct copy_failure *failure,
    const char *message)
{
	if (lane->n_failures++ > 0)
		return;
	lane->failure = *failure;
	(void)snprintf(lane->failure.message, sizeof lane->failure.message,
	    "%s", message != NULL ? message : "");
}

static int
map_reserve(struct copy_lane *lane)
{
	struct stretch *map;
	size_t room;

	if (lane->map_first == lane->map_end)
		lane->map_first = lane->map_end = 0;
	if (lane->map_end < lane->map_room)
		return 0;
	if (lane->map_first > 0) {
		lane->map_end -= lane->map_first;
		memmove(lane->map, lane->map + lane->map_first,
		    lane->map_end * sizeof *lane->map);
		lane->map_first = 0;
		return 0;
	}
	room = lane->map_room ? lane->map_room * 2 : 64;
	map = realloc(lane->map, room * sizeof *map);
	if (map == NULL)
		return -ENOMEM;
	lane->map = map;
	lane->map_room = room;
	return 0;
}

/*
 * Put source bytes [from, from + length) at the end of the map, joined to
 * what is there where both are of one kind.
 */
static void
map_append(struct copy_lane *lane, uint64_t from, uint64_t to, uint64_t length,
    bool zero)
{
	static const struct copy_failure no_memory = {
		.error = -ENOMEM,
		.side = COPY_SOURCE,
	};
	struct stretch *last;

	if (length == 0)
		return;
	if (zero)
		lane->mapped_zero += length;
	else
		lane->mapped_data += length;
	if (lane->map_end > lane->map_first) {
		last = &lane->map[lane->map_end - 1];
		if (last->zero == zero && last->from + last->length == from &&
		    last->to + last->length == to) {
			last->length += length;
			return;
		}
	}
	if (map_reserve(lane) < 0) {
		note_failure(lane, &no_memory, NULL);
		return;
	}
	lane->map[lane->map_end++] = (struct stretch){
		.from = from, .to = to, .length = length, .zero = zero
	};
}

/* Sort the answer's bytes from lane->sorted up to end into the map. */
static void
sort_answer(struct copy_lane *lane, uint64_t end, bool zero)
{
	if (end <= lane->sorted)
		return;
	map_append(lane, lane->sorted,
	    lane->answer_to + (lane->sorted - lane->answer_from),
	    end - lane->sorted, zero);
	lane->claim_has_data |= !zero;
	lane->sorted = end;
}

/*
 * A run of zero extents is over: what of it is whole grains is zero, the rest
 * stays for the data that follows.
 */
static void
sort_zero_run(struct copy_lane *lane)
{
	uint32_t grain = lane->plan->grain;
	uint64_t from = lane->zero_from;
	uint64_t end = lane->zero_end;

	lane->zero_from = lane->zero_end = lane->answered;
	if (from != lane->answer_from)
		from = round_down(from + grain - 1, grain);
	if (end != lane->answer_end)
		end = round_down(end, grain);
	if (from >= end)
		return;
	sort_answer(lane, from, false);
	sort_answer(lane, end, true);
}

void
copy_lane_add_extent(struct copy_lane *lane, uint64_t length, bool zero)
{
	uint64_t start = lane->answered;

	lane->answered = start + min_u64(length, lane->answer_end - start);
	if (zero) {
		if (lane->zero_end != start)
			lane->zero_from = start;
		lane->zero_end = lane->answered;
	} else {
		sort_zero_run(lane);
	}
}

/*
 * The answer is complete.  It may be shorter than what was asked for: the
 * next question begins at the last whole grain that was told.  Where not
 * even one was told, the first one is taken for data, so that each answer
 * makes progress.
 */
static void
finish_answer(struct copy_lane *lane)
{
	uint64_t end = lane->answered;

	sort_zero_run(lane);
	if (end < lane->answer_end) {
		end = round_down(end, lane->plan->grain);
		if (end <= lane->answer_from)
			end = min_u64(lane->answer_end,
			    round_down(lane->answer_from, lane->plan->grain) +
				lane->plan->grain);
	}
	sort_answer(lane, end, false);
	lane->map_position += lane->sorted - lane->answer_from;
}

/*
 * Find the next part of the line that is to be mapped, claiming more when
 * the last claim is used up.  On a disk that is all zero claims grow: there
 * is little to share out, and much to ask.
 */
static bool
find_unmapped(struct copy_lane *lane, const struct copy_piece **ret_piece)
{
	const struct copy_plan *plan = lane->plan;
	const struct copy_piece *p;

	for (;;) {
		if (lane->map_position >= lane->claim_end) {
			lane->claim_size = lane->claim_has_data ?
			    plan->claim_size :
			    min_u64(lane->claim_size * 2, MAX_CLAIM);
			lane->claim_has_data = false;
			if (lane->exhausted ||
			    !copy_cursor_claim(lane->cursor, lane->claim_size,
				&lane->map_position, &lane->claim_end)) {
				lane->exhausted = true;
				return false;
			}
		}
		p = copy_plan_piece_at(plan, lane->map_position);
		if (lane->map_position - p->position < p->length)
			break;
		/* Between the end of a piece and the start of the next. */
		lane->map_position = min_u64(lane->claim_end,
		    p->position +
			round_down(p->length + plan->align - 1, plan->align));
	}
	*ret_piece = p;
	return true;
}

static bool
may_ask_status(const struct copy_lane *lane)
{
	return lane->plan->use_status &&
	    !atomic_load_explicit(&lane->ledger->status_failed,
		memory_order_relaxed);
}

/*
 * Keep the map ahead of the slots by about two rounds of requests.
 * Returns the request that asks for more, if one has to be sent.
 */
static struct copy_slot *
extend_map(struct copy_lane *lane)
{
	const struct copy_plan *plan = lane->plan;
	uint64_t ahead = 2 * (uint64_t)depth(lane);
	const struct copy_piece *p;
	struct copy_slot *slot = status_slot(lane);
	uint64_t offset;

	while (!slot->busy && lane->n_failures == 0 &&
	    lane->mapped_data < ahead * request_size(lane) &&
	    lane->mapped_zero < ahead * plan->zero_size &&
	    find_unmapped(lane, &p)) {
		offset = lane->map_position - p->position;
		lane->answer_from = p->from + offset;
		lane->answer_to = p->to + offset;
		lane->answer_end = lane->answer_from +
		    min_u64(p->length - offset,
			lane->claim_end - lane->map_position);
		lane->answered = lane->answer_from;
		lane->zero_from = lane->answer_from;
		lane->zero_end = lane->answer_from;
		lane->sorted = lane->answer_from;
		if (may_ask_status(lane)) {
			slot->op = COPY_STATUS;
			slot->offset = lane->answer_from;
			slot->length = (uint32_t)(lane->answer_end -
			    lane->answer_from);
			return slot;
		}
		lane->answered = lane->answer_end;
		finish_answer(lane);
	}
	return NULL;
}

/* Take a request's worth off the front of the map. */
static void
take_from_map(struct copy_lane *lane, struct copy_slot *slot, uint32_t size,
    bool natural)
{
	struct stretch *s = &lane->map[lane->map_first];
	uint64_t length = min_u64(s->length, size);

	/* Requests end on multiples of their size, where servers like it. */
	if (natural && length == size)
		length -= s->from % size;
	slot->from = s->from;
	slot->to = s->to;
	slot->length = (uint32_t)length;
	if (s->zero)
		lane->mapped_zero -= length;
	else
		lane->mapped_data -= length;
	s->from += length;
	s->to += length;
	s->length -= length;
	if (s->length == 0)
		lane->map_first++;
}

static void
load_slot(struct copy_lane *lane, struct copy_slot *slot)
{
	const struct copy_plan *plan = lane->plan;

	slot->is_real_zeroes = false;
	slot->buffer = NULL;
	if (!lane->map[lane->map_first].zero) {
		take_from_map(lane, slot, request_size(lane), true);
		slot->op = COPY_READ;
		slot->offset = slot->from;
	} else if (plan->use_zero) {
		take_from_map(lane, slot, plan->zero_size, false);
		slot->op = COPY_ZERO;
		slot->offset = slot->to;
	} else {
		take_from_map(lane, slot, request_size(lane), false);
		slot->op = COPY_WRITE;
		slot->offset = slot->to;
		slot->is_real_zeroes = true;
	}
}

static struct copy_slot *
give_out(struct copy_lane *lane, struct copy_slot *slot)
{
	slot->busy = true;
	lane->in_flight++;
	return slot;
}

struct copy_slot *
copy_lane_next(struct copy_lane *lane)
{
	struct copy_slot *slot;

	if (is_over(lane))
		return NULL;
	slot = lane->ready_first;
	if (slot != NULL) {
		lane->ready_first = slot->next;
		return give_out(lane, slot);
	}
	slot = extend_map(lane);
	if (slot != NULL)
		return give_out(lane, slot);
	slot = lane->free_slots;
	if (slot == NULL || lane->map_first == lane->map_end ||
	    lane->n_failures > 0 || lane->n_loaded >= depth(lane))
		return NULL;
	lane->free_slots = slot->next;
	lane->n_loaded++;
	load_slot(lane, slot);
	return give_out(lane, slot);
}

static bool
is_all_zero(const unsigned char *p, size_t len)
{
	size_t head = len < 16 ? len : 16;
	size_t i;

	for (i = 0; i < head; i++)
		if (p[i] != 0)
			return false;
	return len <= 16 || memcmp(p, p + 16, len - 16) == 0;
}

/* What has been read goes on to the destination. */
static void
read_done(struct copy_lane *lane, struct copy_slot *slot)
{
	copy_ledger_add(&lane->ledger->read_bytes, slot->length);
	slot->op = lane->plan->use_zero && slot->buffer != NULL &&
		is_all_zero(slot->buffer, slot->length) ?
	    COPY_ZERO :
	    COPY_WRITE;
	slot->offset = slot->to;
	slot->next = NULL;
	if (lane->ready_first == NULL)
		lane->ready_first = slot;
	else
		lane->ready_last->next = slot;
	lane->ready_last = slot;
}

static void
release(struct copy_lane *lane, struct copy_slot *slot)
{
	slot->next = lane->free_slots;
	lane->free_slots = slot;
	lane->n_loaded--;
}

static void
slot_failed(struct copy_lane *lane, struct copy_slot *slot, int error,
    const char *message)
{
	const struct copy_failure failure = {
		.error = error,
		.is_request = true,
		.side = copy_op_side(slot->op),
		.op = slot->op,
		.offset = slot->offset,
		.length = slot->length,
	};

	note_failure(lane, &failure, message);
	if (slot != status_slot(lane))
		release(lane, slot);
}

/*
 * A server that cannot tell its map any more is no reason to fail: what
 * follows is data, here and in the other lanes.
 */
static void
status_done(struct copy_lane *lane, int error)
{
	if (error < 0 || lane->answered == lane->answer_from) {
		atomic_store_explicit(&lane->ledger->status_failed, true,
		    memory_order_relaxed);
		lane->answered = lane->answer_end;
	}
	finish_answer(lane);
}

void
copy_lane_done(struct copy_lane *lane, struct copy_slot *slot, int error,
    const char *message)
{
	assert(slot->busy);
	slot->busy = false;
	lane->in_flight--;
	if (slot->op == COPY_STATUS && error != -ENOTCONN) {
		status_done(lane, error);
	} else if (error < 0) {
		slot_failed(lane, slot, error, message);
	} else if (slot->op == COPY_READ) {
		read_done(lane, slot);
	} else {
		copy_ledger_add(slot->op == COPY_ZERO || slot->is_real_zeroes ?
			&lane->ledger->zeroed_bytes :
			&lane->ledger->written_bytes,
		    slot->length);
		release(lane, slot);
	}
}

void
copy_lane_fail(struct copy_lane *lane, enum copy_side side, int error,
    const char *message)
{
	const struct copy_failure failure = {
		.error = error,
		.is_lost = true,
		.side = side,
	};

	note_failure(lane, &failure, message);
}

bool
copy_lane_is_finished(const struct copy_lane *lane)
{
	if (lane->in_flight > 0)
		return false;
	return is_over(lane) ||
	    (lane->exhausted && lane->map_first == lane->map_end &&
		lane->ready_first == NULL);
}

unsigned
copy_lane_in_flight(const struct copy_lane *lane)
{
	return lane->in_flight;
}

unsigned
copy_lane_n_slots(const struct copy_lane *lane)
{
	return lane->n_slots;
}

const struct copy_failure *
copy_lane_failure(const struct copy_lane *lane, uint64_t *ret_n)
{
	*ret_n = lane->n_failures;
	return &lane->failure;
}

static void
lane_init_slots(struct copy_lane *lane)
{
	unsigned i;

	for (i = lane->n_slots; i-- > 0;) {
		lane->slots[i].index = i;
		if (i == lane->n_slots - 1)
			continue;
		lane->slots[i].next = lane->free_slots;
		lane->free_slots = &lane->slots[i];
	}
}

int
copy_lane_new(const struct copy_plan *plan, struct copy_cursor *cursor,
    struct copy_ledger *ledger, const struct copy_tuning *tuning,
    struct copy_lane **ret_lane)
{
	struct copy_lane *lane;

	lane = calloc(1, sizeof *lane);
	if (lane == NULL)
		return -ENOMEM;
	lane->plan = plan;
	lane->cursor = cursor;
	lane->ledger = ledger;
	lane->tuning = tuning;
	lane->claim_size = plan->claim_size;
	lane->claim_has_data = true;
	lane->n_slots = plan->max_queue_depth + 1;
	lane->slots = calloc(lane->n_slots, sizeof *lane->slots);
	if (lane->slots == NULL) {
		copy_lane_free(lane);
		return -ENOMEM;
	}
	lane_init_slots(lane);
	*ret_lane = lane;
	return 0;
}

void
copy_lane_free(struct copy_lane *lane)
{
	if (lane == NULL)
		return;
	free(lane->map);
	free(lane->slots);
	free(lane);
}
