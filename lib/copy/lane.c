/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lane gives out.  Three things go on side by side: the map (which
 * stretches are data, which are zero) is asked for ahead of the copying; free
 * slots take work from the map; requests of slots that have been read wait
 * in a queue for each destination, and go before anything new, so that data
 * moves on while it is still in the processor's cache.
 */

#include <errno.h>
#include <stdlib.h>

#include "copy/lane-private.h"

#define SOURCE_QUEUE COPY_MAX_TARGETS

unsigned
copy_lane_depth(const struct copy_lane *lane)
{
	return atomic_load_explicit(&lane->tuning->depth,
	    memory_order_relaxed);
}

uint32_t
copy_lane_request_size(const struct copy_lane *lane)
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

void *
copy_lane_make_room(struct copy_lane *lane, void *list, size_t n,
    size_t *room, size_t size)
{
	size_t more = *room * 2 + 16;

	if (n < *room)
		return list;
	list = reallocarray(list, more, size);
	if (list == NULL)
		lane->map.has_no_memory = true;
	else
		*room = more;
	return list;
}

/* What is in progress. */

uint32_t
copy_lane_live_targets(const struct copy_lane *lane, uint32_t targets)
{
	unsigned i;

	if (lane->digester.is_void)
		targets &= ~COPY_FOR_DIGEST;
	for (i = 0; i < lane->plan->n_targets; i++)
		if (!copy_ledger_is_live(lane->ledger, i))
			targets &= ~copy_bit(i);
	return targets;
}

unsigned
copy_lane_n_in_progress(const struct copy_lane *lane)
{
	unsigned n = lane->n_loaded - lane->n_lagging;
	unsigned i;

	if (lane->plan->n_targets > 1)
		for (i = 0; i < lane->plan->n_targets; i++)
			n -= lane->target_bads[i].n_loaded + lane->n_alone[i];
	return n;
}

bool
copy_lane_has_depth(const struct copy_lane *lane)
{
	return copy_lane_n_in_progress(lane) < copy_lane_depth(lane);
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
 * behind that can still be taken away from it.  Of several, what one has been
 * sent stays in memory if it stands still: no more than its share.
 */
static unsigned
most_busy(const struct copy_lane *lane, unsigned queue)
{
	return queue == SOURCE_QUEUE ? copy_lane_depth(lane) :
				       copy_lane_share_of_one(lane);
}

static bool
may_take(const struct copy_lane *lane, unsigned queue)
{
	if (lane->n_busy[queue] >= most_busy(lane, queue))
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
	uint64_t ahead = 2 * (uint64_t)copy_lane_depth(lane);

	if (req->is_given_out || lane->is_source_away ||
	    !copy_map_extend(&lane->map, ahead * copy_lane_request_size(lane),
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

	if (lane->map.has_no_memory || lane->behind.has_no_memory ||
	    copy_bads_lack_memory(lane))
		copy_lane_fail(lane, COPY_SOURCE, 0, -ENOMEM, "out of memory");
	copy_lane_drop_failed(lane);
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
	} while (copy_lane_load(lane));
	return NULL;
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
	copy_skips_done(lane);
	copy_digester_done(lane);
	free(lane->differences);
	free(lane->slots);
	free(lane);
}
