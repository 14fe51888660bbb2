/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lane's commands, and its disks, on the lane's own worker.
 *
 * Happy path: connect, then copy: completions of any disk go to the engine,
 * and one pump per batch of completions sends all that the engine wants sent
 * (flow.c).  When the engine is finished the run is told.
 *
 * What can fail, and what happens then:
 *	a request		the engine tries less, or is done with the
 *				disk: the source, or a destination
 *	a connection		its requests complete with -ENOTCONN, then
 *				disk_on_failed() says why; it may come back
 *				(reconnect.c), else the why is reported
 *	the run is stopped	what is in flight is waited for, at most
 *				DRAIN_MS, and not at all if it is aborted; the
 *				command ends without a failure
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transfer/lane-private.h"

/*
 * Once a run is not going to succeed, how long a lane waits for what is in
 * flight before it hangs up.
 */
#define DRAIN_MS 5000

void
lane_answer(struct lane *lane)
{
	/* A second answer would be the same mail, posted twice. */
	assert(lane->command != LANE_NONE);
	if (lane->is_draining)
		net_timer_stop(&lane->drain_timer);
	lane->is_draining = false;
	throttle_done(lane);
	lane->answered = lane->command;
	lane->command = LANE_NONE;
	worker_post(lane->setup.home, &lane->answer_mail);
}

void
lane_note_failure(struct lane_disk *d, int error, const char *message)
{
	if (d->n_failures++ > 0)
		return;
	connection_is(lane_books(d), CONNECTION_FAILED, error);
	memset(&d->failure, 0, sizeof d->failure);
	d->failure.side = d->side;
	d->failure.target = d->target;
	d->failure.error = error;
	d->failure.is_told = true;
	(void)snprintf(d->failure.message, sizeof d->failure.message, "%.*s",
	    COPY_MESSAGE_SIZE - 1, message);
}

void
lane_note_lost(struct lane_disk *d, int error, const char *message)
{
	lane_note_failure(d, error, message);
	if (d->n_failures == 1)
		d->failure.is_lost = true;
}

void
lane_start_draining(struct lane *lane)
{
	if (lane->is_draining)
		return;
	lane->is_draining = true;
	net_timer_start(&lane->drain_timer, DRAIN_MS);
	/* What is on its way has to arrive somewhere, to be over. */
	flow_drop_unneeded(lane);
}

/* Copying. */

/* A disk's failure, with the connection's own account of it. */
static void
take_failure(struct lane_disk *d)
{
	const struct error lost = d->lost;
	const struct copy_failure *f;
	uint64_t n;

	f = copy_lane_failure(d->lane->engine, d->side, d->target, &n);
	if (n == 0)
		return;
	d->failure = *f;
	d->n_failures = n;
	if (f->error != -ENOTCONN || lost.code == 0)
		return;
	d->failure.error = lost.code;
	d->failure.is_told = true;
	d->failure.is_lost = true;
	(void)snprintf(d->failure.message, sizeof d->failure.message, "%.*s",
	    COPY_MESSAGE_SIZE - 1, lost.text);
}

/* Requests have failed with the connection, which has not said why yet. */
static bool
waits_for_account(struct lane *lane)
{
	const struct copy_failure *f;
	struct lane_disk *d;
	uint64_t n;
	unsigned i;

	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		f = copy_lane_failure(lane->engine, d->side, d->target, &n);
		if (n > 0 && f->error == -ENOTCONN && d->lost.code == 0)
			return !lane->is_stopped;
	}
	return false;
}

static void
finish_copy(struct lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->n_disks; i++) {
		reconnect_stop(&lane->disks[i]);
		take_failure(&lane->disks[i]);
	}
	net_timer_stop(&lane->epoch_timer);
	lane_answer(lane);
}

static void
pause_on_timeout(void *arg)
{
	struct lane_disk *d = arg;
	struct lane *lane = d->lane;

	on_worker_entry();
	d->is_pausing = false;
	if (lane->command != LANE_COPY)
		return;
	copy_lane_paused(lane->engine, d->side, d->target);
	lane_pump(lane);
}

static void
epoch_on_timeout(void *arg)
{
	struct lane *lane = arg;

	on_worker_entry();
	if (lane->command != LANE_COPY)
		return;
	net_timer_start(&lane->epoch_timer, lane->setup.epoch_ms);
	copy_lane_end_epoch(lane->engine);
	lane_pump(lane);
}

/* What has failed is tried again later, each disk at its own time. */
static void
start_pauses(struct lane *lane)
{
	struct lane_disk *d;
	uint64_t ms;
	unsigned i;

	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		ms = copy_lane_pause_ms(lane->engine, d->side, d->target);
		if (ms == 0 || d->is_pausing)
			continue;
		d->is_pausing = true;
		net_timer_start(&d->pause_timer, ms);
	}
}

/* What connections' time goes into. */
static void
note_loads(struct lane *lane)
{
	struct lane_disk *d;
	uint64_t network_us;
	uint64_t tls_us;
	unsigned i;

	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		if (d->disk == NULL || d->lost.code != 0)
			continue;
		disk_load(d->disk, &network_us, &tls_us);
		copy_tuning_note_load(lane->tuning, i,
		    network_us - d->network_us, tls_us - d->tls_us);
		d->network_us = network_us;
		d->tls_us = tls_us;
	}
}

void
lane_pump(struct lane *lane)
{
	note_loads(lane);
	flow_pump(lane);
	start_pauses(lane);
	if (!copy_lane_is_finished(lane->engine)) {
		if (copy_lane_is_over(lane->engine))
			lane_start_draining(lane);
	} else if (!waits_for_account(lane)) {
		finish_copy(lane);
	}
}

/* Events of the disks. */

static bool
is_connected(const struct lane *lane)
{
	unsigned i;

	for (i = 0; i < lane->n_disks; i++)
		if (lane->disks[i].is_wanted)
			return false;
	return true;
}

/* Others may go on without one of several destinations. */
static void
connect_ended(struct lane_disk *d)
{
	struct lane *lane = d->lane;
	bool is_needed = d->side == COPY_SOURCE || lane->n_disks == 2;

	d->is_wanted = false;
	if ((d->n_failures > 0 && is_needed) || is_connected(lane))
		lane_answer(lane);
}

static void
disk_on_ready(void *arg)
{
	struct lane_disk *d = arg;
	struct lane *lane = d->lane;

	on_worker_entry();
	if (d->is_connecting) {
		reconnect_ready(d);
		return;
	}
	d->is_wanted = false;
	if (lane->command != LANE_CONNECT)
		return;
	connection_is_ready(lane_books(d), d->disk);
	d->shape = *disk_shape(d->disk);
	d->identity = strdup(disk_identity(d->disk));
	if (d->identity == NULL)
		lane_note_failure(d, -ENOMEM, "out of memory");
	connect_ended(d);
}

static void
request_done(struct lane_disk *d, struct nbd_request *nbd)
{
	/* The engine may be one that has copied before. */
	if (recognize_is_under_way(d))
		recognize_request_done(d, nbd);
	else if (d->lane->n_probing > 0)
		probe_request_done(d, nbd);
	else
		flow_request_done(d->lane, nbd->owner);
}

static void
disk_on_completions(void *arg)
{
	struct lane_disk *d = arg;
	struct nbd_request *nbd;
	bool any = false;

	on_worker_entry();
	while (d->disk != NULL && (nbd = disk_reap(d->disk)) != NULL) {
		request_done(d, nbd);
		any = true;
	}
	if (any && d->lane->command == LANE_COPY)
		lane_pump(d->lane);
}

static void
lost_while_copying(struct lane_disk *d)
{
	struct lane *lane = d->lane;
	uint64_t n;

	if (reconnect_begin(d)) {
		/* It may have been given up at once, and the lane be done. */
		if (lane->command == LANE_COPY)
			lane_pump(lane);
		return;
	}
	reconnect_stop(d);
	connection_is(lane_books(d), CONNECTION_FAILED, d->lost.code);
	(void)copy_lane_failure(lane->engine, d->side, d->target, &n);
	if (n == 0)
		copy_lane_gone(lane->engine, d->side, d->target, d->lost.code,
		    d->lost.text);
	lane_pump(lane);
}

/* A connection is gone; what it had in flight has been told already. */
static void
disk_on_failed(void *arg, const struct error *e)
{
	struct lane_disk *d = arg;
	struct lane *lane = d->lane;

	on_worker_entry();
	d->lost = *e;
	if (lane->command == LANE_COPY) {
		lost_while_copying(d);
	} else if (lane->command == LANE_CONNECT) {
		lane_note_lost(d, e->code, e->text);
		connect_ended(d);
	}
}

static const struct disk_events disk_events = {
	.on_ready = disk_on_ready,
	.on_completions = disk_on_completions,
	.on_failed = disk_on_failed,
	.find_place = flow_find_place,
	.leave_pipe = flow_leave_pipe,
	.on_sent = flow_on_sent,
};

/* Commands, on the lane's worker. */

int
lane_connect_disk(struct lane_disk *d, struct error *e)
{
	struct lane *lane = d->lane;

	if (lane->is_stopped)
		return error_set(e, -ECANCELED, "stopped");
	d->network_us = d->tls_us = 0;
	connection_begins(lane_books(d));
	return endpoint_connect(d->endpoint, worker_loop(lane->setup.worker),
	    &lane->setup.limits, &disk_events, d, &d->disk, e);
}

static void
do_connect(struct lane *lane)
{
	struct lane_disk *d;
	struct error e;
	unsigned i;
	int r;

	for (i = 0; i < lane->n_disks; i++)
		lane->disks[i].is_wanted = lane->next_endpoints[i] != NULL;
	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		if (!d->is_wanted)
			continue;
		d->endpoint = lane->next_endpoints[i];
		r = lane_connect_disk(d, &e);
		if (r < 0) {
			lane_note_lost(d, r, e.text);
			connect_ended(d);
		}
		if (lane->command != LANE_CONNECT)
			return;
	}
}

static void
do_copy(struct lane *lane)
{
	struct lane_disk *d;
	unsigned i;

	if (flow_init(lane) < 0) {
		lane_note_failure(&lane->disks[0], -ENOMEM, "out of memory");
		lane_answer(lane);
		return;
	}
	net_timer_start(&lane->epoch_timer, lane->setup.epoch_ms);
	/* A disk may have been lost between two commands, and be needed. */
	for (i = 0; i < lane->n_disks && lane->command == LANE_COPY; i++) {
		d = &lane->disks[i];
		if (d->lost.code != 0 && (d->side == COPY_SOURCE ||
		    copy_ledger_is_live(lane->ledger, d->target)))
			lost_while_copying(d);
	}
	if (lane->command == LANE_COPY)
		lane_pump(lane);
}

void
lane_disk_closed(struct lane *lane)
{
	unsigned i;

	lane->n_closing--;
	if (lane->n_closing > 0 || lane->command != LANE_CLOSE)
		return;
	net_timer_done(&lane->drain_timer);
	net_timer_done(&lane->epoch_timer);
	for (i = 0; i < lane->n_disks; i++) {
		net_timer_done(&lane->disks[i].retry_timer);
		net_timer_done(&lane->disks[i].pause_timer);
	}
	lane->answered = LANE_CLOSE;
	lane->command = LANE_NONE;
	worker_post(lane->setup.home, &lane->answer_mail);
}

static void
disk_on_closed(void *arg)
{
	on_worker_entry();
	lane_disk_closed(arg);
}

static void
do_close(struct lane *lane)
{
	unsigned i;

	/* One for this function, so that no disk at all works as well. */
	lane->n_closing++;
	for (i = 0; i < lane->n_disks; i++) {
		connection_is(lane_books(&lane->disks[i]), CONNECTION_NONE, 0);
		if (lane->disks[i].disk == NULL)
			continue;
		lane->n_closing++;
		disk_close(lane->disks[i].disk, disk_on_closed, lane);
		lane->disks[i].disk = NULL;
	}
	lane_disk_closed(lane);
}

/* What is in flight was waited for long enough: give it up. */
static void
drain_on_timeout(void *arg)
{
	struct lane *lane = arg;

	on_worker_entry();
	lane->is_stopped = true;
	if (lane->command == LANE_COPY)
		finish_copy(lane);
}

static void
begin_command(struct lane *lane)
{
	unsigned i;

	lane->command = lane->next_command;
	for (i = 0; i < lane->n_disks; i++) {
		lane->disks[i].n_failures = 0;
		lane->disks[i].failure.error = 0;
	}
}

/*
 * What the last command has not waited for is on its way still: the requests
 * cannot be used for anything else, and the lane is of no more use.
 */
static bool
refuse_unanswered(struct lane *lane)
{
	struct lane_disk *d;
	bool any = false;
	unsigned i;

	if (lane->command != LANE_PROBE && lane->command != LANE_COPY)
		return false;
	for (i = 0; i < lane->n_disks; i++) {
		d = &lane->disks[i];
		if (lane->engine == NULL || !flow_waits_for(d))
			continue;
		lane_note_failure(d, -ETIMEDOUT, "does not answer");
		any = true;
	}
	if (any)
		lane_answer(lane);
	return any;
}

static int
make_timers(struct lane *lane)
{
	struct net_loop *loop = worker_loop(lane->setup.worker);
	unsigned i;
	int r = 0;

	if (lane->drain_timer.ev == NULL)
		r = net_timer_init(&lane->drain_timer, loop, drain_on_timeout,
		    lane);
	for (i = 0; r == 0 && i < lane->n_disks; i++)
		if (lane->disks[i].pause_timer.ev == NULL)
			r = net_timer_init(&lane->disks[i].pause_timer, loop,
			    pause_on_timeout, &lane->disks[i]);
	if (r == 0 && lane->epoch_timer.ev == NULL)
		r = net_timer_init(&lane->epoch_timer, loop, epoch_on_timeout,
		    lane);
	return r;
}

void
lane_obey(struct lane *lane)
{
	begin_command(lane);
	if (make_timers(lane) < 0 && lane->command != LANE_CLOSE) {
		lane_note_failure(&lane->disks[0], -ENOMEM, "out of memory");
		lane_answer(lane);
		return;
	}
	if (refuse_unanswered(lane))
		return;
	switch (lane->command) {
	case LANE_CONNECT:
		do_connect(lane);
		break;
	case LANE_PROBE:
		probe_begin(lane);
		break;
	case LANE_COPY:
		do_copy(lane);
		break;
	case LANE_CLOSE:
		do_close(lane);
		break;
	case LANE_NONE:
		break;
	}
}

void
lane_obey_stop(struct lane *lane)
{
	lane->is_stopped = true;
	if (lane->command == LANE_CONNECT || lane->command == LANE_PROBE) {
		lane_note_failure(&lane->disks[0], -ECANCELED, "stopped");
		lane_answer(lane);
	} else if (lane->command == LANE_COPY) {
		/* The ledger is stopped too: the engine winds up. */
		lane_pump(lane);
	}
}

void
lane_obey_abort(struct lane *lane)
{
	if (lane->command != LANE_COPY)
		return;
	lane_start_draining(lane);
	finish_copy(lane);
}
