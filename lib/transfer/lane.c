/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Glue between the engine's decisions (copy/lane.h), two disks, and the run.
 *
 * Happy path: connect, then copy: completions of either disk go to the
 * engine, and one pump per batch of completions sends all that the engine
 * wants sent.  Data that arrive are given a carrier, which is free again as
 * soon as they have been sent.  When the engine is finished the run is told.
 *
 * What can fail, and what happens then:
 *	a request		the engine stops; what is in flight is waited
 *				for, at most DRAIN_MS; the command ends
 *	a connection		its requests complete with -ENOTCONN, then
 *				disk_on_failed() says why: the why is reported
 *	the run is stopped	as for a request, without a failure
 */

#include "transfer/lane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "transfer/carrier.h"

/* Enough that receiving and sending do not wait for each other. */
#define USUAL_CARRIERS 4

/*
 * Once a run is not going to succeed, how long a lane waits for what is in
 * flight before it hangs up.
 */
#define DRAIN_MS 5000

enum lane_command {
	LANE_NONE,
	LANE_CONNECT,
	LANE_COPY,
	LANE_FLUSH,
	LANE_CLOSE,
};

struct lane_side {
	struct lane *lane;
	enum copy_side side;
	struct disk *disk;	/* NULL: not connected, or closed */
	bool is_wanted;		/* LANE_CONNECT waits for it */
	struct error lost;	/* code not 0: the disk has failed */
};

struct lane_request {
	struct nbd_request nbd;
	struct iovec iov;
	struct copy_slot *slot;
	uint64_t sent_us;		/* when it was submitted */
	struct carrier *carrier;	/* NULL: nothing has arrived yet, or
					   all of it has been sent */
};

struct lane {
	struct lane_setup setup;

	/* Mails to the lane's worker, and the answer. */
	struct mail command_mail;
	struct mail stop_mail;
	struct mail answer_mail;

	/* The run's worker; read by the lane's when the mail is delivered. */
	bool stop_is_posted;
	bool close_is_posted;
	enum lane_command next_command;
	const struct endpoint *next_endpoints[2];
	const struct copy_plan *plan;
	struct copy_cursor *cursor;
	struct copy_ledger *ledger;
	struct copy_tuning *tuning;

	/* The lane's worker only, from here on. */
	enum lane_command command;	/* under way */
	enum lane_command answered;
	bool is_stopped;
	struct lane_side sides[2];
	struct net_timer drain_timer;
	bool is_draining;
	struct copy_lane *engine;
	struct lane_request *requests;
	struct lane_request flush_request;
	struct carriers carriers;
	bool is_starving;		/* the source waits for a carrier */
	bool can_pipe;			/* both disks can */
	unsigned char *zeroes;		/* a request's worth, when needed */
	struct nbd_extents extents;
	struct copy_failure failure;
	uint64_t n_failures;
	unsigned n_closing;
};

static struct lane *
lane_of_mail(struct mail *mail, size_t offset)
{
	return (struct lane *)(void *)((char *)mail - offset);
}

/* Answers: from the lane's worker to the run's. */

static void
answer_deliver(struct mail *mail)
{
	struct lane *lane = lane_of_mail(mail,
	    offsetof(struct lane, answer_mail));
	const struct lane_events *events = lane->setup.events;
	void *arg = lane->setup.arg;

	on_worker_entry();
	switch (lane->answered) {
	case LANE_CONNECT:
		events->on_connected(arg, lane);
		break;
	case LANE_COPY:
		events->on_copied(arg, lane);
		break;
	case LANE_FLUSH:
		events->on_flushed(arg, lane);
		break;
	case LANE_CLOSE:
		events->on_closed(arg, lane);
		break;
	case LANE_NONE:
		break;
	}
}

static void
lane_answer(struct lane *lane)
{
	if (lane->is_draining)
		net_timer_stop(&lane->drain_timer);
	lane->is_draining = false;
	lane->answered = lane->command;
	lane->command = LANE_NONE;
	worker_post(lane->setup.home, &lane->answer_mail);
}

static void
note_failure(struct lane *lane, enum copy_side side, int error,
    const char *message)
{
	if (lane->n_failures++ > 0)
		return;
	memset(&lane->failure, 0, sizeof lane->failure);
	lane->failure.side = side;
	lane->failure.error = error;
	lane->failure.is_lost = true;
	(void)snprintf(lane->failure.message, sizeof lane->failure.message,
	    "%.*s", COPY_MESSAGE_SIZE - 1, message);
}

static void
start_draining(struct lane *lane)
{
	if (lane->is_draining)
		return;
	lane->is_draining = true;
	net_timer_start(&lane->drain_timer, DRAIN_MS);
	/* What is on its way has to arrive somewhere, to be over. */
	if (lane->is_starving)
		disk_place_found(lane->sides[COPY_SOURCE].disk);
	lane->is_starving = false;
}

/* Copying. */

/*
 * The engine has come to an end.  A request that failed because its
 * connection did waits for the connection's own account of what happened.
 */
static void
finish_copy(struct lane *lane)
{
	const struct copy_failure *f;
	const struct error *lost;
	uint64_t n;

	f = copy_lane_failure(lane->engine, &n);
	if (n > 0) {
		lost = &lane->sides[f->side].lost;
		if (f->error == -ENOTCONN && lost->code == 0 &&
		    lane->command == LANE_COPY && !lane->is_stopped)
			return;
		lane->failure = *f;
		lane->n_failures = n;
		if (f->error == -ENOTCONN && lost->code != 0) {
			lane->failure.error = lost->code;
			lane->failure.is_lost = true;
			(void)snprintf(lane->failure.message,
			    sizeof lane->failure.message, "%.*s",
			    COPY_MESSAGE_SIZE - 1, lost->text);
		}
	}
	lane_answer(lane);
}

static void
describe_request(struct nbd_request *nbd, enum copy_op op)
{
	static const enum nbd_command commands[] = {
		[COPY_STATUS] = NBD_CMD_BLOCK_STATUS,
		[COPY_READ] = NBD_CMD_READ,
		[COPY_WRITE] = NBD_CMD_WRITE,
		[COPY_ZERO] = NBD_CMD_WRITE_ZEROES,
		[COPY_FLUSH] = NBD_CMD_FLUSH,
	};

	nbd->command = commands[op];
	nbd->flags = 0;
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
	req->iov = (struct iovec){ lane->zeroes, req->slot->length };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	return 0;
}

/* What was read leaves from where it arrived. */
static void
describe_carried(struct lane *lane, struct lane_request *req)
{
	bool is_piped = req->slot->buffer == NULL;

	if (!is_piped)
		req->iov = (struct iovec){ req->slot->buffer,
			req->slot->length };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	req->nbd.n_piped = req->slot->length - req->iov.iov_len;
	req->nbd.tells_sent = true;
	carriers_leave(&lane->carriers, req->carrier);
}

static int
describe_slot(struct lane *lane, struct lane_request *req,
    struct copy_slot *slot)
{
	describe_request(&req->nbd, slot->op);
	req->slot = slot;
	req->nbd.owner = req;
	req->nbd.offset = slot->offset;
	req->nbd.length = slot->length;
	if (slot->op == COPY_STATUS)
		req->nbd.extents = &lane->extents;
	else if (slot->op == COPY_WRITE && slot->is_real_zeroes)
		return describe_zeroes(lane, req);
	else if (slot->op == COPY_WRITE)
		describe_carried(lane, req);
	return 0;
}

/* A carrier is free: the source may go on. */
static void
drop_carrier(struct lane *lane, struct lane_request *req)
{
	if (req->carrier == NULL)
		return;
	carriers_give_back(&lane->carriers, STEAL(req->carrier));
	if (!lane->is_starving)
		return;
	lane->is_starving = false;
	disk_place_found(lane->sides[COPY_SOURCE].disk);
}

/* The engine's slot is done with what it was given out for. */
static void
slot_done(struct lane *lane, struct lane_request *req, int error,
    const char *message)
{
	copy_lane_done(lane->engine, req->slot, error, message);
	if (error < 0 || req->slot->op != COPY_WRITE)
		drop_carrier(lane, req);
}

/* The kernel's vDSO answers it, without a system call. */
static uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Send a slot's request, or tell the engine why it could not be sent. */
static void
send_slot(struct lane *lane, struct copy_slot *slot)
{
	struct lane_request *req = &lane->requests[slot->index];
	struct lane_side *side = &lane->sides[copy_op_side(slot->op)];
	int r;

	req->sent_us = now_us();
	r = describe_slot(lane, req, slot);
	if (r == 0)
		r = side->lost.code == 0 ? disk_submit(side->disk, &req->nbd) :
					   -ENOTCONN;
	if (r < 0)
		slot_done(lane, req, r, strerror(-r));
}

static void
pump(struct lane *lane)
{
	struct copy_slot *slot;
	uint64_t n;

	while ((slot = copy_lane_next(lane->engine)) != NULL)
		send_slot(lane, slot);
	if (copy_lane_is_finished(lane->engine)) {
		finish_copy(lane);
		return;
	}
	(void)copy_lane_failure(lane->engine, &n);
	if (n > 0 || copy_ledger_is_stopped(lane->ledger))
		start_draining(lane);
}

static void
flush_failed(struct lane *lane, int error, const char *message, bool is_lost)
{
	lane->n_failures = 1;
	lane->failure = (struct copy_failure){
		.error = error,
		.is_request = true,
		.is_lost = is_lost,
		.side = COPY_DESTINATION,
		.op = COPY_FLUSH,
	};
	(void)snprintf(lane->failure.message, sizeof lane->failure.message,
	    "%.*s", COPY_MESSAGE_SIZE - 1, message);
}

static void
request_done(struct lane *lane, struct nbd_request *nbd)
{
	struct lane_request *req = nbd->owner;
	const struct nbd_extent *x;
	size_t i;

	if (req == &lane->flush_request) {
		if (nbd->error < 0 && lane->command == LANE_FLUSH)
			flush_failed(lane, nbd->error, nbd->message, false);
		return;
	}
	if (nbd->command == NBD_CMD_BLOCK_STATUS && nbd->error == 0) {
		for (i = 0; i < lane->extents.n; i++) {
			x = &lane->extents.v[i];
			copy_lane_add_extent(lane->engine, x->length,
			    x->flags & NBD_STATE_ZERO);
		}
	}
	if (nbd->error == 0 && (nbd->command == NBD_CMD_READ ||
	    nbd->command == NBD_CMD_WRITE))
		copy_tuning_note(lane->tuning, copy_op_side(req->slot->op),
		    now_us() - req->sent_us);
	if (nbd->command == NBD_CMD_WRITE)
		drop_carrier(lane, req);
	slot_done(lane, req, nbd->error, nbd->message);
}

/* Where data go that have arrived. */

static bool
is_zero(const void *p, size_t n)
{
	const unsigned char *bytes = p;

	return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) ==
	    0);
}

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
	    !is_zero(arrival->head, arrival->n_head);
}

static bool
place_in_memory(struct carrier *c, struct lane_request *req)
{
	req->slot->buffer = carrier_buffer(c, req->slot->length);
	if (req->slot->buffer == NULL)
		return false;
	req->iov = (struct iovec){ req->slot->buffer, req->slot->length };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	return true;
}

static void
place_in_pipe(struct carrier *c, struct lane_request *req, size_t n_head)
{
	req->slot->buffer = NULL;
	req->iov = (struct iovec){ c->head, n_head };
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	req->nbd.n_piped = req->slot->length - n_head;
	req->nbd.pipe = &c->pipe;
}

static bool
is_winding_up(const struct lane *lane)
{
	uint64_t n;

	(void)copy_lane_failure(lane->engine, &n);
	return n > 0 || copy_ledger_is_stopped(lane->ledger);
}

static bool
disk_find_place(void *arg, const struct nbd_arrival *arrival)
{
	static const char no_memory[] = "out of memory";
	struct lane_side *side = arg;
	struct lane *lane = side->lane;
	struct lane_request *req = arrival->req->owner;
	bool is_urgent = is_winding_up(lane);
	struct carrier *c;

	on_worker_entry();
	c = carriers_take(&lane->carriers, is_urgent);
	if (c == NULL) {
		lane->is_starving = true;
		return false;
	}
	req->carrier = c;
	if (may_be_piped(lane, arrival) &&
	    carrier_pipe(&lane->carriers, c, arrival->req->length))
		place_in_pipe(c, req, arrival->n_head);
	else if (!place_in_memory(c, req))
		copy_lane_fail(lane->engine, COPY_SOURCE, -ENOMEM, no_memory);
	return req->nbd.iov != NULL;
}

static int
disk_leave_pipe(void *arg UNUSED, struct nbd_request *nbd)
{
	struct lane_request *req = nbd->owner;

	on_worker_entry();
	return place_in_memory(req->carrier, req) ? 0 : -ENOMEM;
}

static void
disk_on_sent(void *arg)
{
	struct lane_side *side = arg;
	struct nbd_request *nbd;

	on_worker_entry();
	while ((nbd = disk_reap_sent(side->disk)) != NULL)
		drop_carrier(side->lane, nbd->owner);
}

/* Events of the disks. */

static bool
is_connected(const struct lane *lane)
{
	return !lane->sides[COPY_SOURCE].is_wanted &&
	    !lane->sides[COPY_DESTINATION].is_wanted;
}

static void
disk_on_ready(void *arg)
{
	struct lane_side *side = arg;
	struct lane *lane = side->lane;

	on_worker_entry();
	side->is_wanted = false;
	if (lane->command == LANE_CONNECT && is_connected(lane))
		lane_answer(lane);
}

static void
disk_on_completions(void *arg)
{
	struct lane_side *side = arg;
	struct lane *lane = side->lane;
	struct nbd_request *nbd;
	bool any = false;

	on_worker_entry();
	while ((nbd = disk_reap(side->disk)) != NULL) {
		request_done(lane, nbd);
		any = true;
	}
	if (!any)
		return;
	if (lane->command == LANE_COPY)
		pump(lane);
	else if (lane->command == LANE_FLUSH &&
	    lane->failure.error != -ENOTCONN)
		lane_answer(lane);
}

/* A connection is gone; what it had in flight has been told already. */
static void
disk_on_failed(void *arg, const struct error *e)
{
	struct lane_side *side = arg;
	struct lane *lane = side->lane;
	uint64_t n;

	on_worker_entry();
	side->lost = *e;
	if (lane->command == LANE_COPY) {
		(void)copy_lane_failure(lane->engine, &n);
		if (n == 0)
			copy_lane_fail(lane->engine, side->side, e->code,
			    e->text);
		pump(lane);
	} else if (lane->command == LANE_FLUSH &&
	    side->side == COPY_DESTINATION) {
		flush_failed(lane, e->code, e->text, true);
		lane_answer(lane);
	} else if (lane->command == LANE_CONNECT) {
		note_failure(lane, side->side, e->code, e->text);
		lane_answer(lane);
	}
}

static const struct disk_events disk_events = {
	.on_ready = disk_on_ready,
	.on_completions = disk_on_completions,
	.on_failed = disk_on_failed,
	.find_place = disk_find_place,
	.leave_pipe = disk_leave_pipe,
	.on_sent = disk_on_sent,
};

/* Commands, on the lane's worker. */

static void
do_connect(struct lane *lane)
{
	struct net_loop *loop = worker_loop(lane->setup.worker);
	struct lane_side *side;
	struct error e;
	int i;
	int r;

	for (i = 0; i < 2; i++) {
		side = &lane->sides[i];
		side->is_wanted = lane->next_endpoints[i] != NULL;
	}
	for (i = 0; i < 2; i++) {
		side = &lane->sides[i];
		if (!side->is_wanted)
			continue;
		if (lane->is_stopped)
			r = error_set(&e, -ECANCELED, "stopped");
		else
			r = endpoint_connect(lane->next_endpoints[i], loop,
			    &lane->setup.limits, &disk_events, side,
			    &side->disk, &e);
		if (r < 0) {
			note_failure(lane, side->side, r, e.text);
			lane_answer(lane);
			return;
		}
	}
}

static int
make_engine(struct lane *lane)
{
	int r;

	r = copy_lane_new(lane->plan, lane->cursor, lane->ledger,
	    lane->tuning, &lane->engine);
	if (r < 0)
		return r;
	carriers_init(&lane->carriers, USUAL_CARRIERS);
	lane->can_pipe = disk_can_pipe(lane->sides[COPY_SOURCE].disk) &&
	    disk_can_pipe(lane->sides[COPY_DESTINATION].disk);
	lane->requests = calloc(copy_lane_n_slots(lane->engine),
	    sizeof *lane->requests);
	return lane->requests == NULL ? -ENOMEM : 0;
}

static void
do_copy(struct lane *lane)
{
	struct lane_side *side;
	int i;
	int r;

	r = make_engine(lane);
	if (r < 0) {
		note_failure(lane, COPY_SOURCE, r, "out of memory");
		lane_answer(lane);
		return;
	}
	/* A disk may have been lost between two commands. */
	for (i = 0; i < 2; i++) {
		side = &lane->sides[i];
		if (side->lost.code != 0)
			copy_lane_fail(lane->engine, side->side,
			    side->lost.code, side->lost.text);
	}
	pump(lane);
}

static void
do_flush(struct lane *lane)
{
	struct lane_side *side = &lane->sides[COPY_DESTINATION];
	struct nbd_request *nbd = &lane->flush_request.nbd;
	int r = side->lost.code;

	describe_request(nbd, COPY_FLUSH);
	nbd->owner = &lane->flush_request;
	nbd->offset = 0;
	nbd->length = 0;
	if (r == 0)
		r = disk_submit(side->disk, nbd);
	if (r < 0) {
		flush_failed(lane, r,
		    side->lost.code != 0 ? side->lost.text : "",
		    side->lost.code != 0);
		lane_answer(lane);
	} else if (lane->is_stopped) {
		start_draining(lane);
	}
}

static void
disk_on_closed(void *arg)
{
	struct lane *lane = arg;

	on_worker_entry();
	if (--lane->n_closing > 0)
		return;
	net_timer_done(&lane->drain_timer);
	lane->answered = LANE_CLOSE;
	lane->command = LANE_NONE;
	worker_post(lane->setup.home, &lane->answer_mail);
}

static void
do_close(struct lane *lane)
{
	int i;

	/* One for this function, so that no disk at all works as well. */
	lane->n_closing = 1;
	for (i = 0; i < 2; i++) {
		if (lane->sides[i].disk == NULL)
			continue;
		lane->n_closing++;
		disk_close(lane->sides[i].disk, disk_on_closed, lane);
		lane->sides[i].disk = NULL;
	}
	disk_on_closed(lane);
}

/* What is in flight was waited for long enough: give it up. */
static void
drain_on_timeout(void *arg)
{
	struct lane *lane = arg;

	on_worker_entry();
	lane->is_stopped = true;
	if (lane->command == LANE_COPY) {
		finish_copy(lane);
	} else if (lane->command == LANE_FLUSH) {
		note_failure(lane, COPY_DESTINATION, -ECANCELED, "stopped");
		lane_answer(lane);
	}
}

static void
command_deliver(struct mail *mail)
{
	struct lane *lane = lane_of_mail(mail,
	    offsetof(struct lane, command_mail));

	on_worker_entry();
	lane->command = lane->next_command;
	lane->n_failures = 0;
	lane->failure.error = 0;
	if (lane->drain_timer.ev == NULL &&
	    net_timer_init(&lane->drain_timer,
		worker_loop(lane->setup.worker), drain_on_timeout, lane) < 0 &&
	    lane->command != LANE_CLOSE) {
		note_failure(lane, COPY_SOURCE, -ENOMEM, "out of memory");
		lane_answer(lane);
		return;
	}
	switch (lane->command) {
	case LANE_CONNECT:
		do_connect(lane);
		break;
	case LANE_COPY:
		do_copy(lane);
		break;
	case LANE_FLUSH:
		do_flush(lane);
		break;
	case LANE_CLOSE:
		do_close(lane);
		break;
	case LANE_NONE:
		break;
	}
}

static void
stop_deliver(struct mail *mail)
{
	struct lane *lane = lane_of_mail(mail,
	    offsetof(struct lane, stop_mail));

	on_worker_entry();
	lane->is_stopped = true;
	if (lane->command == LANE_CONNECT) {
		note_failure(lane, COPY_SOURCE, -ECANCELED, "stopped");
		lane_answer(lane);
	} else if (lane->command == LANE_COPY) {
		/* The ledger is stopped too: the engine winds up. */
		pump(lane);
	} else if (lane->command == LANE_FLUSH) {
		start_draining(lane);
	}
}

/* Calls of the run. */

int
lane_new(const struct lane_setup *setup, struct lane **ret_lane)
{
	struct lane *lane = calloc(1, sizeof *lane);
	int i;

	if (lane == NULL)
		return -ENOMEM;
	lane->setup = *setup;
	lane->command_mail.deliver = command_deliver;
	lane->stop_mail.deliver = stop_deliver;
	lane->answer_mail.deliver = answer_deliver;
	for (i = 0; i < 2; i++) {
		lane->sides[i].lane = lane;
		lane->sides[i].side = i == 0 ? COPY_SOURCE : COPY_DESTINATION;
	}
	*ret_lane = lane;
	return 0;
}

void
lane_free(struct lane *lane)
{
	unsigned i;

	if (lane == NULL)
		return;
	for (i = 0; lane->requests != NULL &&
	     i < copy_lane_n_slots(lane->engine); i++)
		if (lane->requests[i].carrier != NULL)
			carriers_give_back(&lane->carriers,
			    lane->requests[i].carrier);
	carriers_done(&lane->carriers);
	copy_lane_free(lane->engine);
	free(lane->requests);
	free(lane->zeroes);
	free(lane->extents.v);
	free(lane);
}

static void
post_command(struct lane *lane, enum lane_command command)
{
	lane->next_command = command;
	worker_post(lane->setup.worker, &lane->command_mail);
}

void
lane_connect(struct lane *lane, const struct endpoint *source,
    const struct endpoint *destination)
{
	lane->next_endpoints[COPY_SOURCE] = source;
	lane->next_endpoints[COPY_DESTINATION] = destination;
	post_command(lane, LANE_CONNECT);
}

void
lane_copy(struct lane *lane, const struct copy_plan *plan,
    struct copy_cursor *cursor, struct copy_ledger *ledger,
    struct copy_tuning *tuning)
{
	lane->plan = plan;
	lane->cursor = cursor;
	lane->ledger = ledger;
	lane->tuning = tuning;
	post_command(lane, LANE_COPY);
}

void
lane_flush(struct lane *lane)
{
	post_command(lane, LANE_FLUSH);
}

void
lane_close(struct lane *lane)
{
	lane->close_is_posted = true;
	post_command(lane, LANE_CLOSE);
}

void
lane_stop(struct lane *lane)
{
	if (lane->stop_is_posted || lane->close_is_posted)
		return;
	lane->stop_is_posted = true;
	worker_post(lane->setup.worker, &lane->stop_mail);
}

const struct disk_shape *
lane_shape(const struct lane *lane, enum copy_side side)
{
	return disk_shape(lane->sides[side].disk);
}

const char *
lane_identity(const struct lane *lane, enum copy_side side)
{
	return disk_identity(lane->sides[side].disk);
}

const struct copy_failure *
lane_failure(const struct lane *lane, uint64_t *ret_n)
{
	*ret_n = lane->n_failures;
	return &lane->failure;
}
