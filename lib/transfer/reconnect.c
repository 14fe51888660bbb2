/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A disk whose connection is lost while a lane copies, and its way back.
 *
 *	away ----- the timer: connect -----> connecting
 *	  ^  \                                   |   \
 *	  |   no time is left: failed            |    ready: the same disk?
 *	  +------- it fails: wait longer --------+         yes: here again
 *	                                                   no: failed
 *
 * The engine has been told, and does what it can do without that disk.  A
 * server that comes back with another size, or other limits, is refused
 * before anything is sent to it; one that has not what is known of it
 * (recognize.c), before anything is written.  One that was started for the
 * run, and is gone, is started again by its endpoint meanwhile.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "transfer/lane-private.h"
#include "transfer/run.h"

/* Between two tries. */
#define MIN_DELAY_MS 100
#define MAX_DELAY_MS 10000

/*
 * A server that is there again each time, and lost by the next request, is as
 * good as away: after so many times, and the time there is.
 */
#define MAX_LOSSES 4

static uint64_t
now_ms(const struct lane_disk *d)
{
	return net_loop_now_ms(worker_loop(d->lane->setup.worker));
}

/* A destination that has failed on another lane is of no use to this one. */
static bool
is_dead(const struct lane_disk *d)
{
	return d->side == COPY_DESTINATION &&
	    !copy_ledger_is_live(d->lane->ledger, d->target);
}

/* It stays away. */
static void
give_up(struct lane_disk *d)
{
	reconnect_stop(d);
	connection_is(lane_books(d), CONNECTION_FAILED, d->lost.code);
	copy_lane_gone(d->lane->engine, d->side, d->target, d->lost.code,
	    d->lost.text);
	lane_pump(d->lane);
}

/* Have all other destinations that live got all they need, and are some? */
static bool
is_straggler(const struct lane_disk *d)
{
	const struct copy_ledger *l = d->lane->ledger;
	unsigned n = 0;
	unsigned i;

	for (i = 0; i < l->n_targets; i++) {
		const struct copy_target_books *b = &l->targets[i];

		if (i == d->target || !copy_ledger_is_live(l, i))
			continue;
		if (copy_ledger_get(&b->done_bytes) <
		    copy_ledger_get(&b->total_bytes))
			return false;
		n++;
	}
	return d->side == COPY_DESTINATION && n > 0;
}

static bool
is_time_over(const struct lane_disk *d)
{
	const struct lane_setup *setup = &d->lane->setup;
	uint64_t since_ms = d->n_losses > MAX_LOSSES ? d->losses_since_ms :
						       d->away_since_ms;
	uint64_t time_ms = setup->reconnect_ms;

	if (setup->straggler_ms != 0 && setup->straggler_ms < time_ms &&
	    is_straggler(d))
		time_ms = setup->straggler_ms;
	return now_ms(d) - since_ms >= time_ms;
}

/* What all destinations have, or this one. */
static uint64_t
done_bytes(const struct lane_disk *d)
{
	const struct copy_ledger *l = d->lane->ledger;
	uint64_t done = 0;
	unsigned i;

	for (i = 0; i < l->n_targets; i++)
		if (d->side == COPY_SOURCE || i == d->target)
			done += copy_ledger_get(&l->targets[i].done_bytes);
	return done;
}

/*
 * How often it was lost without anything being done in between: what a lost
 * connection undoes does not count as done when it is done again.
 */
static void
count_loss(struct lane_disk *d)
{
	uint64_t done = done_bytes(d);

	if (d->n_losses == 0 || done > d->most_done) {
		d->most_done = done;
		d->n_losses = 0;
		d->losses_since_ms = now_ms(d);
	}
	d->n_losses++;
}

/* Try again later, if there is time. */
static void
wait_and_try(struct lane_disk *d)
{
	char why[ERROR_TEXT_SIZE];
	uint64_t delay = backoff_ms(MIN_DELAY_MS, MAX_DELAY_MS, d->n_tries,
	    arc4random());

	if (is_time_over(d)) {
		(void)snprintf(why, sizeof why, "%s", d->lost.text);
		(void)error_set(&d->lost, d->lost.code,
		    "%.*s; given up after %" PRIu64 " s and %u tries to "
		    "connect again", ERROR_TEXT_SIZE / 2, why,
		    (now_ms(d) - d->away_since_ms) / 1000, d->n_tries);
		give_up(d);
		return;
	}
	net_timer_start(&d->retry_timer, delay);
	connection_waits(lane_books(d), d->lost.code, delay);
	d->n_tries++;
}

static void
old_on_closed(void *arg)
{
	lane_disk_closed(arg);
}

/* The connection is of no use any more. */
static void
drop_disk(struct lane_disk *d)
{
	if (d->disk == NULL)
		return;
	d->lane->n_closing++;
	disk_close(d->disk, old_on_closed, d->lane);
	d->disk = NULL;
}

static void
try_on_time(void *arg)
{
	struct lane_disk *d = arg;
	struct error e;

	on_worker_entry();
	if (is_dead(d)) {
		give_up(d);
		return;
	}
	d->is_connecting = true;
	connection_tries(lane_books(d));
	if (lane_connect_disk(d, &e) < 0) {
		d->is_connecting = false;
		d->lost = e;
		wait_and_try(d);
	}
}

/* For whoever watches the run; another lane may do the same just now. */
static void
tell_loss(const struct lane_disk *d)
{
	struct run_loss *_Atomic *last = d->lane->setup.loss;
	struct run_loss *loss = calloc(1, sizeof *loss);
	struct run_loss *before;

	if (loss == NULL)
		return;
	loss->is_destination = d->side == COPY_DESTINATION;
	loss->destination = d->target;
	loss->connection = d->lane->setup.number;
	loss->error = d->lost;
	do {
		before = atomic_exchange(last, NULL);
		if (before != NULL)
			loss->n_more += before->n_more + 1;
		free(before);
		before = NULL;
	} while (!atomic_compare_exchange_strong(last, &before, loss));
}

bool
reconnect_begin(struct lane_disk *d)
{
	struct lane *lane = d->lane;

	if (!lane->plan->reconnects || lane->is_stopped ||
	    copy_lane_is_over(lane->engine) || is_dead(d))
		return false;
	if (d->retry_timer.ev == NULL &&
	    net_timer_init(&d->retry_timer, worker_loop(lane->setup.worker),
		try_on_time, d) < 0)
		return false;
	drop_disk(d);
	if (!d->is_away) {
		d->is_away = true;
		count_loss(d);
		d->n_tries = d->n_losses - 1;
		d->away_since_ms = now_ms(d);
		atomic_fetch_add(&lane->ledger->n_away, 1);
		tell_loss(d);
		copy_lane_lost(lane->engine, d->side, d->target);
		recognize_note_lost(d);
		/* What it has taken from slots belongs to no request. */
		flow_drop_unneeded(lane);
	}
	d->is_connecting = false;
	wait_and_try(d);
	return true;
}

/* It is there, and of no use. */
static void
refuse(struct lane_disk *d, const struct error *e)
{
	d->lost = *e;
	drop_disk(d);
	give_up(d);
}

void
reconnect_ready(struct lane_disk *d)
{
	struct error e;

	d->is_connecting = false;
	if (!disk_shape_is_same(&d->shape, disk_shape(d->disk))) {
		(void)error_set(&e, -ESTALE,
		    "came back as another disk (size, limits or features "
		    "have changed); nothing was written to it");
		refuse(d, &e);
	} else if (recognize_begin(d) < 0) {
		(void)error_set(&e, -ENOMEM, "out of memory");
		refuse(d, &e);
	}
}

void
reconnect_recognized(struct lane_disk *d, const struct error *e)
{
	struct lane *lane = d->lane;

	if (e->code != 0) {
		refuse(d, e);
		return;
	}
	reconnect_stop(d);
	d->lost.code = 0;
	atomic_fetch_add(&lane->ledger->n_reconnects, 1);
	connection_is_back(lane_books(d), d->disk);
	copy_lane_back(lane->engine, d->side, d->target);
	lane_pump(lane);
}

void
reconnect_stop(struct lane_disk *d)
{
	if (!d->is_away)
		return;
	d->is_away = false;
	d->is_connecting = false;
	atomic_fetch_sub(&d->lane->ledger->n_away, 1);
	net_timer_stop(&d->retry_timer);
}
