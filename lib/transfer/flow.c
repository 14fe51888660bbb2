/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests and bytes between the engine and the disks of a lane.
 *
 * The engine says what is to be sent; it becomes a request of the protocol.
 * Bytes that arrive are given a carrier, from which they are written to all
 * destinations, or compared; it is free again as soon as the engine needs
 * them no more, which is when they have been sent, mostly.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "transfer/lane-private.h"
#include "transfer/stats.h"

/* Enough that receiving and sending do not wait for each other. */
#define USUAL_CARRIERS 4

/* The kernel's vDSO answers it, without a system call. */
static uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Carriers. */

/* Disks that wait for a carrier look again. */
static void
wake_starving(struct lane *lane)
{
	struct lane_disk *d;
	unsigned i;

	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		if (!d->is_starving)
			continue;
		d->is_starving = false;
		if (d->disk != NULL)
			disk_place_found(d->disk);
	}
}

void
flow_drop_unneeded(struct lane *lane)
{
	struct copy_request *engine;
	unsigned i;

	for (i = 0; i < copy_lane_n_requests(lane->engine); i++) {
		engine = lane->requests[i].engine;
		if (lane->requests[i].carrier != NULL &&
		    !copy_request_is_needed(lane->engine, engine))
			carriers_give_back(&lane->carriers,
			    STEAL(lane->requests[i].carrier));
	}
	wake_starving(lane);
}

/* Those of the slot's bytes that are not needed any more are given up. */
static void
drop_carriers(struct lane *lane, struct copy_request *of)
{
	struct copy_request *siblings[COPY_MAX_SIBLINGS];
	unsigned n = copy_request_siblings(lane->engine, of, siblings);
	bool any = false;
	unsigned i;

	for (i = 0; i < n; i++) {
		struct lane_request *req =
		    &lane->requests[siblings[i]->index];

		if (req->carrier == NULL ||
		    copy_request_is_needed(lane->engine, siblings[i]))
			continue;
		carriers_give_back(&lane->carriers, STEAL(req->carrier));
		any = true;
	}
	if (any)
		wake_starving(lane);
}

/*
 * Of several destinations, slow ones are left behind by the engine itself,
 * when another is done with something: then slots come free, and their
 * carriers, which are no siblings of that request.
 */
static bool
may_leave_behind(const struct lane *lane)
{
	return lane->n_disks > 2;
}

/* Whoever waits for a carrier gets those. */
static void
drop_left_behind(struct lane *lane)
{
	unsigned i;

	for (i = 0; may_leave_behind(lane) && i < lane->n_disks; i++)
		if (lane->disks[i].is_starving) {
			flow_drop_unneeded(lane);
			return;
		}
}

/* A slot that was left behind, and is used again, has another's carrier. */
static void
drop_stale(struct lane *lane, struct lane_request *req)
{
	if (req->carrier == NULL)
		return;
	carriers_give_back(&lane->carriers, STEAL(req->carrier));
	wake_starving(lane);
}

/*
 * Is there one, if what only slow destinations wait for is given up?  Who
 * compares never waits: what has been read on one side is needed until it has
 * been read on the other, so that waiting for it would be for ever.  Nor does
 * who makes a digest: what has been read is needed until what comes before it
 * has been read.
 */
static struct carrier *
take_carrier(struct lane *lane, const struct nbd_arrival *arrival)
{
	enum carriers_need need = lane->plan->mode != COPY_MODE_COPY ||
		copy_plan_digests(lane->plan) ?
	    CARRIERS_URGENT :
	    arrival->is_whole ? CARRIERS_CERTAIN : CARRIERS_MIXED;
	size_t len = arrival->req->length;
	struct copy_request *given_up;
	struct carrier *c;

	lane->carriers.n_usual = USUAL_CARRIERS +
	    copy_lane_n_kept(lane->engine);
	c = carriers_take(&lane->carriers, len, need);
	if (c == NULL && may_leave_behind(lane)) {
		flow_drop_unneeded(lane);
		c = carriers_take(&lane->carriers, len, need);
	}
	while (c == NULL) {
		given_up = copy_lane_relieve(lane->engine);
		if (given_up == NULL)
			return NULL;
		drop_carriers(lane, given_up);
		c = carriers_take(&lane->carriers, len, need);
	}
	return c;
}

/* Describing requests. */

void
flow_describe(struct nbd_request *nbd, enum copy_op op)
{
	static const enum nbd_command commands[] = {
		[COPY_STATUS] = NBD_CMD_BLOCK_STATUS,
		[COPY_READ] = NBD_CMD_READ,
		[COPY_WRITE] = NBD_CMD_WRITE,
		[COPY_ZERO] = NBD_CMD_WRITE_ZEROES,
		[COPY_FAST_ZERO] = NBD_CMD_WRITE_ZEROES,
		[COPY_TRIM] = NBD_CMD_TRIM,
		[COPY_FLUSH] = NBD_CMD_FLUSH,
	};

	nbd->command = commands[op];
	nbd->flags = op == COPY_FAST_ZERO ? NBD_CMD_FLAG_FAST_ZERO : 0;
	nbd->offset = 0;
	nbd->length = 0;
	nbd->iov = NULL;
	nbd->n_iov = 0;
	nbd->n_piped = 0;
	nbd->tells_sent = false;
	nbd->extents = NULL;
}

static int
describe_zeroes(struct lane *lane, struct lane_request *req)
{
	if (lane->zeroes == NULL)
		lane->zeroes = calloc(1, lane->plan->max_request_size);
	if (lane->zeroes == NULL)
		return -ENOMEM;
	req->iov = (struct iovec){ lane->zeroes, req->engine->length };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	return 0;
}

/* What was read leaves from where it arrived. */
static void
describe_carried(struct lane *lane, struct lane_request *req)
{
	const struct copy_request *bytes = req->engine->bytes;
	struct lane_request *from = &lane->requests[bytes->index];

	if (bytes->buffer != NULL) {
		req->iov = (struct iovec){ bytes->buffer + req->engine->skip,
			req->engine->length };
	} else {
		req->iov = from->iov;
		req->nbd.n_piped = req->engine->length - from->iov.iov_len;
		req->nbd.pipe = &from->carrier->pipe;
	}
	mark_take(&req->mark, req->engine->offset, req->iov.iov_base,
	    req->iov.iov_len);
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	req->nbd.tells_sent = true;
	carriers_leave(&lane->carriers, from->carrier);
}

static int
describe(struct lane *lane, struct lane_request *req,
    struct copy_request *engine)
{
	flow_describe(&req->nbd, engine->op);
	req->engine = engine;
	req->nbd.owner = req;
	req->nbd.offset = engine->offset;
	req->nbd.length = engine->length;
	req->mark.n = 0;
	if (engine->op == COPY_STATUS)
		req->nbd.extents = &req->extents;
	else if (engine->op == COPY_WRITE && engine->bytes == NULL)
		return describe_zeroes(lane, req);
	else if (engine->op == COPY_WRITE)
		describe_carried(lane, req);
	else if (engine->op == COPY_FLUSH)
		recognize_note_flush(lane_disk(lane, engine->side,
		    engine->target));
	return 0;
}

/* Sending. */

/* The digest has taken what other slots hold; false: nothing of the kind. */
static bool
drop_digested(struct lane *lane)
{
	struct copy_request *read;
	bool any = false;

	while ((read = copy_lane_take_digested(lane->engine)) != NULL) {
		drop_carriers(lane, read);
		any = true;
	}
	return any;
}

static void
request_ended(struct lane *lane, struct lane_request *req, int error,
    const char *message)
{
	copy_lane_done(lane->engine, req->engine, error, message);
	drop_carriers(lane, req->engine);
	drop_left_behind(lane);
	(void)drop_digested(lane);
}

static struct connection_books *
books_of(struct lane *lane, const struct lane_request *req)
{
	return lane_books(lane_disk(lane, req->engine->side,
	    req->engine->target));
}

static void
note_sent(struct lane *lane, struct lane_request *req)
{
	req->is_on_way = true;
	stats_note_sent(lane->setup.counts, req->engine->side);
	connection_sent(books_of(lane, req));
}

static void
note_answered(struct lane *lane, struct lane_request *req, uint64_t took_us)
{
	req->is_on_way = false;
	stats_note(lane->setup.counts, req->engine->side, req->engine->op,
	    req->nbd.error, took_us);
	connection_answered(books_of(lane, req), req->nbd.error == 0 &&
	    (req->engine->op == COPY_READ || req->engine->op == COPY_WRITE) ?
	    took_us : 0);
}

/* Send a request, or tell the engine why it could not be sent. */
static void
send_request(struct lane *lane, struct copy_request *engine)
{
	struct lane_request *req = &lane->requests[engine->index];
	struct lane_disk *d = lane_disk(lane, engine->side, engine->target);
	int r;

	req->sent_us = now_us();
	if (engine->op == COPY_READ)
		drop_stale(lane, req);
	r = describe(lane, req, engine);
	if (r == 0)
		r = d->disk != NULL && d->lost.code == 0 ?
		    disk_submit(d->disk, &req->nbd) :
		    -ENOTCONN;
	if (r < 0)
		request_ended(lane, req, r, strerror(-r));
	else
		note_sent(lane, req);
}

/*
 * There is no memory for another piece, and nothing is in progress that would
 * give some back: a slow destination, or one that is away, has it all.
 */
static bool
leave_one_behind(struct lane *lane)
{
	struct copy_request *given_up;

	if (!lane->is_short || copy_lane_n_in_progress(lane->engine) > 0)
		return false;
	lane->is_short = false;
	given_up = copy_lane_relieve(lane->engine);
	if (given_up == NULL)
		return false;
	drop_carriers(lane, given_up);
	return true;
}

void
flow_pump(struct lane *lane)
{
	struct copy_request *engine;

	do
		while ((engine = copy_lane_next(lane->engine)) != NULL)
			send_request(lane, engine);
	while (drop_digested(lane) || leave_one_behind(lane));
	drop_left_behind(lane);
}

static enum copy_kind
kind_of(uint64_t flags)
{
	if (flags & NBD_STATE_ZERO)
		return COPY_ZEROES;
	return flags & NBD_STATE_HOLE ? COPY_HOLE : COPY_DATA;
}

static void
tell_extents(struct lane *lane, const struct lane_request *req)
{
	const struct nbd_extents *extents = &req->extents;
	size_t i;

	for (i = 0; i < extents->n; i++)
		copy_lane_add_extent(lane->engine, req->engine,
		    extents->v[i].length, kind_of(extents->v[i].flags));
}

/*
 * Who knows what became of what was written before?  A server that is gone, or
 * going, has said nothing of that.
 */
static bool
is_flush_in_vain(int error)
{
	return error < 0 && error != -ENOTCONN && error != -ESHUTDOWN;
}

/*
 * An answer after the lane's own: the run reads what the engine has found,
 * on its worker, so that the engine is not to be touched any more.
 */
static void
request_done_late(struct lane *lane, const struct lane_request *req)
{
	int error = req->nbd.error;

	if (req->engine->op == COPY_FLUSH && is_flush_in_vain(error))
		keeper_distrust(lane->setup.keeper, req->engine->target);
}

/* What the disk will be known by, if it is lost. */
static void
note_mark(struct lane *lane, const struct lane_request *req)
{
	const struct copy_request *engine = req->engine;
	struct lane_disk *d = lane_disk(lane, engine->side, engine->target);
	int error = req->nbd.error;

	if (engine->op == COPY_FLUSH)
		recognize_note_flushed(d, error == 0);
	else if (engine->op == COPY_WRITE && error == 0)
		recognize_note_written(d, &req->mark);
	else if (engine->op == COPY_READ && error == 0 &&
	    !recognize_is_written(d))
		recognize_note_read(d, engine->offset, &req->iov);
}

static void
note_zeroes(struct lane *lane, const struct lane_request *req)
{
	const struct copy_request *engine = req->engine;
	bool is_write = engine->op == COPY_WRITE;

	if (req->nbd.error == 0 && (is_write || engine->op == COPY_ZERO ||
	    engine->op == COPY_FAST_ZERO))
		zeroes_note(lane->setup.zeroes, engine->offset,
		    engine->length, is_write && engine->bytes != NULL);
}

void
flow_request_done(struct lane *lane, struct lane_request *req)
{
	struct copy_request *engine = req->engine;
	const struct nbd_request *nbd = &req->nbd;
	uint64_t took_us = now_us() - req->sent_us;

	note_answered(lane, req, took_us);
	if (lane->command != LANE_COPY) {
		request_done_late(lane, req);
		return;
	}
	if (nbd->error == 0 && (engine->op == COPY_READ ||
	    engine->op == COPY_WRITE))
		copy_tuning_note(lane->tuning, engine->side, took_us);
	if (nbd->error == 0 && engine->op == COPY_STATUS)
		tell_extents(lane, req);
	if (engine->op == COPY_WRITE)
		copy_request_sent(engine);
	note_mark(lane, req);
	note_zeroes(lane, req);
	request_ended(lane, req, nbd->error, nbd->message);
	/* What is not noted for want of memory is done again one day. */
	if (engine->op == COPY_FLUSH && nbd->error == 0)
		(void)keeper_take(lane->setup.keeper, lane->engine,
		    engine->target);
	else if (engine->op == COPY_FLUSH && is_flush_in_vain(nbd->error))
		keeper_distrust(lane->setup.keeper, engine->target);
}

bool
flow_waits_for(const struct lane_disk *d)
{
	const struct lane *lane = d->lane;
	const struct copy_request *engine;
	unsigned i;

	for (i = 0; lane->requests != NULL &&
	     i < copy_lane_n_requests(lane->engine); i++) {
		engine = lane->requests[i].engine;
		if (engine != NULL && engine->is_given_out &&
		    engine->side == d->side && engine->target == d->target)
			return true;
	}
	return false;
}

/* Where data go that have arrived. */

/*
 * Through a pipe nobody sees whether they are zeroes.  Data that begin with
 * something else are none.
 */
static bool
may_be_piped(const struct lane *lane, const struct nbd_arrival *arrival)
{
	return lane->can_pipe && arrival->is_whole &&
	    arrival->n_head <= CARRIER_HEAD_SIZE &&
	    arrival->n_head < arrival->req->length &&
	    !copy_is_all_zero(arrival->head, arrival->n_head);
}

static bool
place_in_memory(struct lane_request *req)
{
	struct copy_request *engine = req->engine;

	engine->buffer = carrier_buffer(req->carrier, engine->length);
	if (engine->buffer == NULL)
		return false;
	req->iov = (struct iovec){ engine->buffer, engine->length };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	return true;
}

static void
place_in_pipe(struct lane_request *req, size_t n_head)
{
	req->engine->buffer = NULL;
	req->iov = (struct iovec){ req->carrier->head, n_head };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	req->nbd.n_piped = req->engine->length - n_head;
	req->nbd.pipe = &req->carrier->pipe;
}

/* No place will come free by itself: what is in flight cannot be waited for. */
static bool
run_out_of_memory(struct lane_disk *d)
{
	copy_lane_fail(d->lane->engine, d->side, d->target, -ENOMEM,
	    "out of memory");
	lane_start_draining(d->lane);
	return false;
}

bool
flow_find_place(void *arg, const struct nbd_arrival *arrival)
{
	struct lane_disk *d = arg;
	struct lane *lane = d->lane;
	struct lane_request *req = arrival->req->owner;

	on_worker_entry();
	if (req->carrier == NULL)
		req->carrier = take_carrier(lane, arrival);
	if (req->carrier == NULL && (lane->carriers.n_leaving > 0 ||
		lane->carriers.n_coming_back > 0)) {
		d->is_starving = true;
		return false;
	}
	if (req->carrier == NULL)
		return run_out_of_memory(d);
	if (may_be_piped(lane, arrival) &&
	    carrier_pipe(&lane->carriers, req->carrier, arrival->req->length))
		place_in_pipe(req, arrival->n_head);
	else if (!place_in_memory(req))
		return run_out_of_memory(d);
	return true;
}

int
flow_leave_pipe(void *arg UNUSED, struct nbd_request *nbd)
{
	on_worker_entry();
	return place_in_memory(nbd->owner) ? 0 : -ENOMEM;
}

void
flow_on_sent(void *arg)
{
	struct lane_disk *d = arg;
	struct lane_request *req;
	struct nbd_request *nbd;

	on_worker_entry();
	while ((nbd = disk_reap_sent(d->disk)) != NULL) {
		req = nbd->owner;
		copy_request_sent(req->engine);
		drop_carriers(d->lane, req->engine);
	}
}

/* Beginning and end. */

static bool
lane_can_pipe(const struct lane *lane)
{
	/* One that was lost between two commands is not there now. */
	if (lane->disks[0].disk == NULL || lane->disks[1].disk == NULL)
		return false;
	return lane->plan->can_pipe && disk_can_pipe(lane->disks[0].disk) &&
	    disk_can_pipe(lane->disks[1].disk);
}

int
flow_init(struct lane *lane)
{
	int r;

	if (lane->engine != NULL)
		flow_done(lane);
	r = copy_lane_new(lane->plan, lane->cursor, lane->ledger,
	    lane->tuning, &lane->engine);
	if (r < 0)
		return r;
	carriers_init(&lane->carriers, USUAL_CARRIERS);
	lane->can_pipe = lane_can_pipe(lane);
	lane->requests = calloc(copy_lane_n_requests(lane->engine),
	    sizeof *lane->requests);
	return lane->requests == NULL ? -ENOMEM : throttle_init(lane);
}

void
flow_done(struct lane *lane)
{
	struct lane_request *req;
	unsigned i;

	for (i = 0; lane->requests != NULL &&
	     i < copy_lane_n_requests(lane->engine); i++) {
		req = &lane->requests[i];
		if (req->carrier != NULL)
			carriers_give_back(&lane->carriers, req->carrier);
		if (req->is_on_way) {
			stats_note_lost(lane->setup.counts,
			    req->engine->side);
			connection_answered(books_of(lane, req), 0);
		}
		free(req->extents.v);
	}
	carriers_done(&lane->carriers);
	copy_lane_free(lane->engine);
	lane->engine = NULL;
	free(lane->requests);
	lane->requests = NULL;
	free(lane->zeroes);
	lane->zeroes = NULL;
}
