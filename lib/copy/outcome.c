/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What follows when a request has ended: the next one of its slot, another
 * try with less, or the end of the lane's work or of a destination's.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/lane-private.h"

/* What is refused for its size is halved, but not below this. */
#define MIN_SIZE 4096U

/* So often in a row a destination may say, asked to flush, that it ends. */
#define MAX_SHUTDOWNS 8

/* Failures. */

static void
note_failure(struct lane_failures *f, const struct copy_failure *failure,
    const char *message)
{
	if (f->n++ > 0)
		return;
	f->first = *failure;
	(void)snprintf(f->first.message, sizeof f->first.message, "%s",
	    message != NULL ? message : "");
}

/* All that waits to go there is done with. */
static void
forget_target(struct copy_lane *lane, unsigned target)
{
	struct copy_slot *slot;
	unsigned i;

	for (i = 0; i < lane->n_slots; i++) {
		slot = &lane->slots[i];
		if (slot->is_loaded &&
		    (slot->what.targets & copy_bit(target)) != 0 &&
		    !slot->targets[target].is_given_out)
			copy_slot_finish(lane, slot, target);
	}
}

static void
drop_target(struct copy_lane *lane, unsigned target)
{
	lane->dropped |= copy_bit(target);
	copy_epoch_forget(&lane->epochs[target]);
	copy_bads_forget(lane, target);
	forget_target(lane, target);
}

static void
fail_disk(struct copy_lane *lane, const struct copy_failure *failure,
    const char *message)
{
	if (failure->side == COPY_SOURCE) {
		note_failure(&lane->source_failures, failure, message);
		return;
	}
	note_failure(&lane->target_failures[failure->target], failure,
	    message);
	atomic_store_explicit(
	    &lane->ledger->targets[failure->target].is_failed, true,
	    memory_order_relaxed);
	drop_target(lane, failure->target);
}

void
copy_lane_drop_failed(struct copy_lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->plan->n_targets; i++)
		if ((lane->dropped & copy_bit(i)) == 0 &&
		    !copy_ledger_is_live(lane->ledger, i))
			drop_target(lane, i);
}

/* is_told: the message says why, whatever the server has answered. */
static void
fail_request(struct copy_lane *lane, const struct copy_request *req,
    int error, const char *message, bool is_told)
{
	const struct copy_failure failure = {
		.error = error,
		.is_request = true,
		.is_told = is_told,
		.side = req->side,
		.target = req->target,
		.op = req->op,
		.offset = req->offset,
		.length = req->length,
	};

	fail_disk(lane, &failure, message);
}

void
copy_lane_fail_request(struct copy_lane *lane, const struct copy_request *req,
    int error, const char *message)
{
	fail_request(lane, req, error, message, true);
}

void
copy_lane_fail(struct copy_lane *lane, enum copy_side side, unsigned target,
    int error, const char *message)
{
	const struct copy_failure failure = {
		.error = error,
		.is_told = true,
		.side = side,
		.target = target,
	};

	fail_disk(lane, &failure, message);
}

void
copy_lane_gone(struct copy_lane *lane, enum copy_side side, unsigned target,
    int error, const char *message)
{
	const struct copy_failure failure = {
		.error = error,
		.is_told = true,
		.is_lost = true,
		.side = side,
		.target = target,
	};

	fail_disk(lane, &failure, message);
}

/*
 * The connection is lost, and may come back: nothing more is sent there, and
 * what was on its way is done again.
 */
static bool
is_only_lost(struct copy_lane *lane, const struct copy_request *req,
    int error)
{
	if (error != -ENOTCONN || !lane->plan->reconnects)
		return false;
	if (req->side == COPY_SOURCE)
		lane->is_source_away = true;
	else
		lane->away |= copy_bit(req->target);
	return true;
}

/* Refusals that a smaller request may be spared. */

static bool
is_size_refused(int error)
{
	return error == -EOVERFLOW || error == -EINVAL;
}

static void
lower(_Atomic uint32_t *limit, uint32_t size)
{
	uint32_t old = atomic_load_explicit(limit, memory_order_relaxed);

	while ((old == 0 || size < old) &&
	    !atomic_compare_exchange_weak_explicit(limit, &old, size,
		memory_order_relaxed, memory_order_relaxed))
		continue;
}

static uint32_t
half_of(const struct copy_lane *lane, uint32_t length)
{
	uint32_t half = length / 2 & ~(lane->plan->align - 1);

	return half < MIN_SIZE || half == 0 ? 0 : half;
}

/*
 * A read or write that was refused: is there a smaller one?  If the smallest
 * is refused as well, it is no matter of size: others may be large again.
 */
static bool
try_smaller(struct copy_lane *lane, const struct copy_request *req, int error)
{
	uint32_t half = half_of(lane, req->length);

	if (!is_size_refused(error))
		return false;
	req->slot->is_size_refused = half != 0;
	if (half != 0)
		lower(&lane->ledger->size_limit, half);
	else
		atomic_store_explicit(&lane->ledger->size_limit, 0,
		    memory_order_relaxed);
	return half != 0;
}

/* Write-zeroes or trim that was refused: smaller, or done without. */
static bool
try_without(struct copy_lane *lane, const struct copy_request *req, int error)
{
	struct copy_target_books *b = &lane->ledger->targets[req->target];
	struct copy_refusal *refusal = req->op == COPY_TRIM ? &b->trim :
							      &b->zero;
	uint32_t half = half_of(lane, req->length);

	if (!is_size_refused(error) && error != -EOPNOTSUPP)
		return false;
	if (error != -EOPNOTSUPP && half != 0)
		lower(&refusal->limit, half);
	else
		atomic_store_explicit(&refusal->is_total, true,
		    memory_order_relaxed);
	return true;
}

void
copy_slot_note_done(struct copy_lane *lane, const struct copy_slot *slot,
    unsigned target, uint32_t from, uint64_t length)
{
	enum copy_kind kind = slot->what.kind == COPY_SUSPECT ?
	    COPY_ZEROES :
	    slot->what.kind;

	copy_ledger_add(&lane->ledger->targets[target].done_bytes, length);
	if (lane->plan->mode == COPY_MODE_VERIFY)
		return;
	if (copy_epoch_add(&lane->epochs[target], slot->what.to + from,
		length, kind) < 0)
		lane->map.has_no_memory = true;
}

/* The source. */

static void
source_done(struct copy_lane *lane, struct copy_slot *slot)
{
	bool compares = lane->plan->mode != COPY_MODE_COPY;
	unsigned i;

	copy_ledger_add(&lane->ledger->read_bytes, slot->what.length);
	slot->is_source_here = true;
	for (i = 0; i < lane->plan->n_targets; i++) {
		/* One that is done at once may leave others behind. */
		if ((slot->what.targets & ~slot->again & copy_bit(i)) == 0)
			continue;
		if (!compares)
			copy_slot_write(lane, slot, i);
		else if ((slot->here & copy_bit(i)) != 0)
			copy_slot_compare(lane, slot, i);
	}
	copy_lane_digest(lane);
}

static void
source_ended(struct copy_lane *lane, struct copy_request *req, int error,
    const char *message)
{
	struct copy_slot *slot = req->slot;

	if (error == 0)
		source_done(lane, slot);
	else if (try_smaller(lane, req, error) ||
	    is_only_lost(lane, req, error))
		slot->again = UINT32_MAX;
	else if (!copy_bads_take(lane, req, error))
		fail_request(lane, req, error, message, false);
}

static void
map_ended(struct copy_lane *lane, struct copy_request *req, int error,
    const char *message)
{
	if (is_only_lost(lane, req, error))
		copy_map_unanswered(&lane->map);
	else if (error == -ENOTCONN)
		fail_request(lane, req, error, message, false);
	else
		copy_map_answered(&lane->map, error);
	copy_clear_begin(lane);
}

/* Destinations. */

static void
put_part(struct copy_lane *lane, const struct copy_request *req,
    uint32_t from, uint32_t to, enum copy_kind kind)
{
	struct copy_stretch s = req->slot->what;

	s.from += from;
	s.to += from;
	s.position += from;
	s.length = to - from;
	s.kind = kind;
	s.targets = copy_bit(req->target);
	copy_map_put(&lane->map, &s);
}

/*
 * Where the source is zero, a destination tells: whole grains that are zero
 * there, too, are equal, and the rest is read.
 */
static void
target_extent(struct copy_lane *lane, struct copy_request *req,
    uint64_t length, enum copy_kind kind)
{
	struct copy_slot *slot = req->slot;
	uint32_t grain = lane->plan->grain;
	uint32_t from = slot->told[req->target];
	uint32_t to = length > req->length - from ? req->length :
						    from + (uint32_t)length;

	slot->told[req->target] = to;
	if (kind != COPY_ZEROES)
		return;
	if (from != 0)
		from = (from + grain - 1) & ~(grain - 1);
	if (to != req->length)
		to &= ~(grain - 1);
	if (from >= to)
		return;
	put_part(lane, req, slot->sorted[req->target], from, COPY_SUSPECT);
	copy_ledger_add(&lane->ledger->targets[req->target].equal_bytes,
	    to - from);
	copy_slot_note_done(lane, slot, req->target, from, to - from);
	slot->sorted[req->target] = to;
}

void
copy_lane_add_extent(struct copy_lane *lane, struct copy_request *req,
    uint64_t length, enum copy_kind kind)
{
	if (req->slot == NULL)
		copy_map_add_extent(&lane->map, length, kind);
	else
		target_extent(lane, req, length, kind);
}

/* What it did not tell is asked again; if it tells nothing, it is read. */
static void
target_told(struct copy_lane *lane, struct copy_request *req)
{
	struct copy_slot *slot = req->slot;
	uint32_t sorted = slot->sorted[req->target];
	uint32_t told = slot->told[req->target];

	if (told != req->length)
		told &= ~(lane->plan->grain - 1);
	if (told == 0)
		told = req->length;
	put_part(lane, req, sorted, told, COPY_SUSPECT);
	put_part(lane, req, told, req->length, COPY_ZEROES);
	copy_slot_finish(lane, slot, req->target);
}

static void
target_read(struct copy_lane *lane, struct copy_request *req)
{
	struct copy_slot *slot = req->slot;

	slot->here |= copy_bit(req->target);
	if (slot->is_source_here || slot->what.kind == COPY_SUSPECT)
		copy_slot_compare(lane, slot, req->target);
}

static void
target_written(struct copy_lane *lane, struct copy_request *req)
{
	if (lane->plan->mode == COPY_MODE_COPY)
		copy_slot_written(lane, req);
	else
		copy_slot_compare(lane, req->slot, req->target);
}

static void
target_succeeded(struct copy_lane *lane, struct copy_request *req)
{
	switch (req->op) {
	case COPY_STATUS:
		target_told(lane, req);
		break;
	case COPY_READ:
		target_read(lane, req);
		break;
	case COPY_WRITE:
	case COPY_ZERO:
	case COPY_TRIM:
		target_written(lane, req);
		break;
	case COPY_FAST_ZERO:
	case COPY_FLUSH:
		break;
	}
}

static bool
may_be_tried_again(struct copy_lane *lane, const struct copy_request *req,
    int error)
{
	if (req->op == COPY_ZERO || req->op == COPY_TRIM)
		return try_without(lane, req, error);
	return try_smaller(lane, req, error);
}

static void
target_ended(struct copy_lane *lane, struct copy_request *req, int error,
    const char *message)
{
	struct copy_slot *slot = req->slot;

	if (!copy_ledger_is_live(lane->ledger, req->target)) {
		copy_slot_finish(lane, slot, req->target);
	} else if (error == 0) {
		if ((slot->again & copy_bit(req->target)) == 0)
			target_succeeded(lane, req);
	} else if (req->op == COPY_STATUS && error != -ENOTCONN) {
		atomic_store_explicit(
		    &lane->ledger->targets[req->target].status_failed, true,
		    memory_order_relaxed);
		target_told(lane, req);
	} else if (is_only_lost(lane, req, error) ||
	    may_be_tried_again(lane, req, error)) {
		slot->again |= copy_bit(req->target);
	} else if (!copy_bads_take(lane, req, error)) {
		fail_request(lane, req, error, message, false);
	}
}

/*
 * The server ends in order, and the connection will when all is answered; one
 * that comes back may flush.  That is not hoped for without end.
 */
static bool
is_shutting_down(struct copy_lane *lane, const struct copy_request *req,
    int error)
{
	return error == -ESHUTDOWN &&
	    lane->epochs[req->target].n_shutdowns++ < MAX_SHUTDOWNS &&
	    is_only_lost(lane, req, -ENOTCONN);
}

static void
note_durable(struct copy_target_books *b, uint64_t bytes)
{
	copy_ledger_add(&b->durable_bytes, bytes);
	if (bytes > 0)
		copy_ledger_add(&b->n_flushes, 1);
}

static void
flush_ended(struct copy_lane *lane, const struct copy_request *req,
    int error, const char *message)
{
	struct copy_epoch *e = &lane->epochs[req->target];
	uint64_t bytes;

	e->is_flushing = false;
	if (!copy_ledger_is_live(lane->ledger, req->target))
		return;
	if (error == 0)
		e->n_shutdowns = 0;
	if (error == 0 && copy_epoch_flushed(e, &bytes) < 0)
		lane->map.has_no_memory = true;
	else if (error == 0)
		note_durable(&lane->ledger->targets[req->target], bytes);
	else if (!is_only_lost(lane, req, error) &&
	    !is_shutting_down(lane, req, error))
		fail_request(lane, req, error, message, false);
}

/*
 * All of it is written anyway: what fails here is tried again then, and
 * differently.  But what nobody knows the end of, since the connection is
 * lost, may still be carried out, at any time, over what is written next: no
 * flush on another connection waits for it.  A write that comes late does no
 * harm, since the same bytes have been written again; zeroes over data do.
 */
static void
clear_ended(struct copy_lane *lane, const struct copy_request *req,
    int error, const char *message)
{
	bool is_live = copy_ledger_is_live(lane->ledger, req->target);
	bool may_wait = lane->plan->waits_for_space &&
	    copy_error_class(error) == COPY_ERROR_SPACE;

	if (error == -EOPNOTSUPP || is_size_refused(error))
		atomic_store_explicit(
		    &lane->ledger->targets[req->target].has_no_fast_zero, true,
		    memory_order_relaxed);
	else if (error < 0 && is_live && (error == -ENOTCONN || (!may_wait &&
	    lane->plan->on_error[COPY_DESTINATION] == COPY_STOP)))
		fail_request(lane, req, error, message, false);
	copy_clear_ended(lane, req->target, error == 0 && is_live);
}

void
copy_lane_done(struct copy_lane *lane, struct copy_request *req, int error,
    const char *message)
{
	assert(req->is_given_out);
	req->is_given_out = false;
	lane->in_flight--;
	if (req->slot == NULL) {
		if (req->op == COPY_FLUSH)
			flush_ended(lane, req, error, message);
		else if (req->op == COPY_FAST_ZERO)
			clear_ended(lane, req, error, message);
		else
			map_ended(lane, req, error, message);
		return;
	}
	req->slot->n_given_out--;
	lane->n_busy[req->side == COPY_SOURCE ? COPY_MAX_TARGETS :
						req->target]--;
	if (req->side == COPY_SOURCE)
		source_ended(lane, req, error, message);
	else
		target_ended(lane, req, error, message);
	copy_slot_again(lane, req->slot);
	copy_slot_settle(lane, req->slot);
	copy_skips_check(lane);
}

void
copy_request_sent(struct copy_request *req)
{
	req->is_sent = true;
}
