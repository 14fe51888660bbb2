/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A run from start to verdict, as steps on the run's own worker.  Each step
 * ends by asking lanes or endpoints for something; their answer takes the
 * next one:
 *
 *	open the source, connect lane 0 to it: its size is known
 *	open the destinations, connect lane 0 to them
 *	plan; refuse here, before anything is written
 *	copy: lane 0 at once, further lanes as soon as they are connected; each
 *	lane flushes what it has written
 *	close the lanes, then the endpoints; say how it went
 *
 * Whatever fails of the source, on any lane, goes to the ledger and stops the
 * others, and so does what fails of the last destination; the run then goes
 * straight to closing.  One of several destinations that cannot be opened is
 * left out from the start, unless all are required.  What a plan refuses is
 * refused for all: that is no accident.  A further lane that cannot connect is
 * no failure: the others do its work.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "copy/sample.h"
#include "transfer/run-private.h"

/* How often memory is asked for that a run waits for. */
#define ROOM_TICK_MS  50

static const struct lane_events lane_events;

/* Copying. */

static void
stop_all(struct run *run)
{
	unsigned i;

	copy_ledger_stop(&run->ledger);
	resume_stop(run);
	for (i = 0; i < run->n_lanes; i++)
		lane_stop(run->lanes[i].lane);
}

static void
note_disk_failure(struct run *run, const struct lane *lane,
    enum copy_side side, unsigned target)
{
	const struct copy_failure *f;
	uint64_t n;

	f = lane_failure(lane, side, target, &n);
	if (n > 0 && f->error != -ECANCELED)
		copy_ledger_fail(&run->ledger, f, n);
	else if (n > 0)
		copy_ledger_stop(&run->ledger);
}

/*
 * Take what a lane's last command left behind into the books.  True: the run
 * is not going on.
 */
static bool
note_lane_failures(struct run *run, const struct lane *lane)
{
	unsigned i;

	note_disk_failure(run, lane, COPY_SOURCE, 0);
	for (i = 0; i < run->n_destinations; i++)
		note_disk_failure(run, lane, COPY_DESTINATION, i);
	if (!copy_ledger_is_stopped(&run->ledger))
		return false;
	stop_all(run);
	return true;
}

static bool
all_idle(const struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_lanes; i++)
		if (run->lanes[i].is_busy)
			return false;
	return true;
}

/* lane is always one of the run's. */
static struct run_lane *
find_lane(struct run *run, const struct lane *lane)
{
	struct run_lane *rl = run->lanes;

	while (rl->lane != lane)
		rl++;
	return rl;
}

static void
copy_if_all_idle(struct run *run)
{
	if (!all_idle(run))
		return;
	if (copy_ledger_is_stopped(&run->ledger) || run->is_cancelled ||
	    copy_ledger_done_bytes(&run->ledger) != run->plan.total_bytes) {
		/* Can only be cancelled or failed: is_success() will tell. */
		run_wind_up(run);
	} else {
		run_close_lanes(run);
	}
}

/*
 * All is copied: lanes that are still connecting are not needed any more.
 * Some servers let a further connection wait until the first one is gone.
 */
static void
stop_connecting(struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_lanes; i++)
		if (run->lanes[i].is_connecting)
			lane_stop(run->lanes[i].lane);
}

static void
lane_on_copied(void *arg, struct lane *lane)
{
	struct run *run = arg;

	on_worker_entry();
	if (resume_copied(run))
		return;
	find_lane(run, lane)->is_busy = false;
	(void)note_lane_failures(run, lane);
	run_take_differences(run, lane);
	run_take_bad_ranges(run, lane);
	if (copy_ledger_done_bytes(&run->ledger) == run->plan.total_bytes)
		stop_connecting(run);
	copy_if_all_idle(run);
}

static void
start_copy(struct run *run, struct run_lane *rl)
{
	rl->is_busy = true;
	lane_copy(rl->lane, &run->plan, &run->cursor, &run->ledger,
	    &run->tuning);
}

/* The books of lane i stay as long as the run; NULL: out of memory. */
static struct connection_books *
open_books(struct run *run, unsigned i)
{
	struct connection_books *books = calloc(1 + run->n_destinations,
	    sizeof *books);

	if (books != NULL)
		atomic_store(&run->books[i], books);
	return books;
}

static int
add_lane(struct run *run, unsigned i)
{
	const struct lane_setup setup = {
		.number = i + 1,
		.worker = worker_pool_get(run->pool, run->home_index + i),
		.home = run->home,
		.limits = run->limits,
		.reconnect_ms = run->reconnect_ms,
		.straggler_ms = run->straggler_ms,
		.share = &run->share,
		.keeper = &run->keeper,
		.marks = &run->marks,
		.counts = run->counts,
		.loss = &run->loss,
		.books = open_books(run, i),
		.zeroes = &run->zeroes,
		.epoch_ms = run->keeper.interval_ms,
		.events = &lane_events,
		.arg = run,
	};
	int r;

	run->lanes[i] = (struct run_lane){ .lane = NULL };
	if (setup.books == NULL)
		return -ENOMEM;
	r = lane_new(&setup, &run->lanes[i].lane);
	if (r == 0)
		run->n_lanes = i + 1;
	return r;
}

static uint64_t
largest_destination(const struct run *run)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < run->n_destinations; i++) {
		uint64_t size = atomic_load(&run->destination_sizes[i]);

		if (size > most)
			most = size;
	}
	return most;
}

static void
show_plan(struct run *run)
{
	const struct copy_plan *plan = &run->plan;
	size_t i;

	for (i = 0; i < plan->n_gave_up; i++)
		run_tell_gave_up(run, plan->gave_up[i].targets,
		    plan->gave_up[i].sentence);
	zeroes_begin(&run->zeroes, largest_destination(run));
	if (run->distrusted != 0)
		run_tell_gave_up(run, run->distrusted, run->mode == RUN_VERIFY ?
		    "destination has refused a flush before: what it reads may "
		    "not be on its disk until all is written again" :
		    "destination has refused a flush before: all is written, "
		    "whatever it reads");
	copy_ledger_plan(&run->ledger, plan->total_bytes);
	for (i = 0; i < plan->n_targets; i++)
		copy_ledger_plan_target(&run->ledger, (unsigned)i,
		    plan->targets[i].total_bytes);
	for (i = 0; i < run->n_destinations; i++)
		copy_ledger_resume(&run->ledger, (unsigned)i,
		    plan->targets[i].done_bytes);
	atomic_store(&run->lanes_shown, plan->lanes);
	atomic_store(&run->is_tuned, true);
	run_set_phase(run, RUN_COPYING);
}

/* Connect a further lane to all that have not failed. */
static void
connect_lane(struct run *run, struct run_lane *rl)
{
	struct endpoint *live[RUN_MAX_DESTINATIONS];
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		live[i] = copy_ledger_is_live(&run->ledger, i) ?
		    run->destinations[i] :
		    NULL;
	rl->is_busy = true;
	rl->is_connecting = true;
	lane_connect(rl->lane, run->source, live, run->n_destinations);
}

/* Is there memory for one more lane? */
static bool
pay_lane(struct run *run)
{
	bool is_first = run->n_paid_lanes == 0;

	if (!(is_first ? budget_take_first : budget_take)(&run->share,
	    run->lane_bytes))
		return false;
	run->n_paid_lanes++;
	return true;
}

void
run_add_lanes(struct run *run, unsigned n)
{
	while (run->n_lanes < n && !run->is_short_of_lanes && pay_lane(run) &&
	    add_lane(run, run->n_lanes) == 0)
		connect_lane(run, &run->lanes[run->n_lanes - 1]);
	atomic_store(&run->lanes_shown, run->n_lanes - run->n_refused);
}

/* Memory that there never will be is not waited for. */
static void
check_memory(struct run *run)
{
	uint64_t max = budget_memory_max(run->share.budget);
	char sentence[ERROR_TEXT_SIZE];

	if (max == 0 || run->lane_bytes <= max)
		return;
	(void)snprintf(sentence, sizeof sentence, "a connection with requests "
	    "of this size needs %" PRIu64 " bytes of memory, and only %"
	    PRIu64 " are allowed", run->lane_bytes, max);
	run_fail(run, COPY_SOURCE, 0, -ENOMEM, sentence);
	copy_ledger_stop(&run->ledger);
}

/*
 * Begin as soon as there is memory for one lane.  Those that have it need no
 * more to go on, so that there will be.
 */
static void
room_on_tick(void *arg)
{
	struct run *run = arg;

	on_worker_entry();
	/* There may be less than there was. */
	check_memory(run);
	if (run->is_cancelled || copy_ledger_is_stopped(&run->ledger)) {
		run_wind_up(run);
	} else if (pay_lane(run)) {
		start_copy(run, &run->lanes[0]);
		run_add_lanes(run, run->plan.lanes);
		pulse_start(run);
	} else {
		atomic_store(&run->tuning.limit, (int)COPY_LIMIT_MEMORY);
		net_timer_start(&run->room_timer, ROOM_TICK_MS);
	}
}

static void
begin_copying(struct run *run)
{
	struct run_lane *lanes;

	copy_cursor_init(&run->cursor, run->plan.line_length);
	copy_tuning_init(&run->tuning, &run->plan, run_clock_ms());
	run->tuning.n_workers = worker_pool_size(run->pool);
	/* What was looked at before may be written now. */
	marks_clear(&run->marks);
	run->ledger.digests = &run->digests;
	lanes = realloc(run->lanes, run->plan.max_lanes * sizeof *lanes);
	if (lanes != NULL)
		run->lanes = lanes;
	if (lanes == NULL ||
	    copy_digests_init(&run->digests, &run->plan) < 0 ||
	    net_timer_init(&run->room_timer, worker_loop(run->home),
		room_on_tick, run) < 0 ||
	    pulse_init(run) < 0) {
		run_fail(run, COPY_SOURCE, 0, -ENOMEM, "out of memory");
		run_wind_up(run);
		return;
	}
	run->lane_bytes = throttle_lane_bytes(&run->plan);
	show_plan(run);
	room_on_tick(run);
}

/* Connecting. */

static void
tell_promise(struct run *run)
{
	char sentence[ERROR_TEXT_SIZE];

	(void)snprintf(sentence, sizeof sentence, "that the destination is "
	    "zero is a promise of who started this: %d blocks of it were "
	    "looked at (seed %" PRIi64 ")", COPY_MAX_SAMPLES,
	    run->started_at_ms);
	run_add_gave_up(run, sentence);
}

static unsigned
count_failed(const struct run *run)
{
	unsigned n = run->ledger.n_failures > 0;
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		n += run->ledger.targets[i].n_failures > 0;
	return n;
}

/* All is known. */
void
run_begin(struct run *run)
{
	if (run->is_cancelled || copy_ledger_is_stopped(&run->ledger)) {
		copy_ledger_stop(&run->ledger);
		run_wind_up(run);
		return;
	}
	if (checkpoint_begin(run) < 0) {
		run_fail(run, COPY_SOURCE, 0, -ENOMEM, "out of memory");
		copy_ledger_stop(&run->ledger);
		run_wind_up(run);
		return;
	}
	run->has_begun = true;
	if (run->plan.skip_zeroes) {
		tell_promise(run);
		run->lanes[0].is_busy = true;
		lane_probe(run->lanes[0].lane, &run->plan, &run->ledger,
		    (uint64_t)run->started_at_ms);
	} else {
		begin_copying(run);
	}
}

/* What is not as promised is no accident: nothing is written to any. */
static void
lane_on_probed(void *arg, struct lane *lane)
{
	struct run *run = arg;
	unsigned n_failed = count_failed(run);

	on_worker_entry();
	run->lanes[0].is_busy = false;
	if (note_lane_failures(run, lane) || run->is_cancelled ||
	    count_failed(run) > n_failed) {
		copy_ledger_stop(&run->ledger);
		run_wind_up(run);
	} else {
		begin_copying(run);
	}
}

/* Who only compares writes to neither, and asks both what is zero. */
static enum endpoint_role
role_of(const struct run *run, enum copy_side side)
{
	return side == COPY_SOURCE || run->wish.mode == COPY_MODE_VERIFY ?
	    ENDPOINT_SOURCE :
	    ENDPOINT_DESTINATION;
}

/* Can it go on, after something may have failed on the way to the plan? */
static bool
may_go_on(const struct run *run)
{
	return !run->is_cancelled && !copy_ledger_is_stopped(&run->ledger) &&
	    !(run->requires_all && count_failed(run) > 0);
}

/* False: the run is winding up. */
static bool
open_endpoint(struct run *run, const struct endpoint_spec *spec,
    enum copy_side side, unsigned target, struct endpoint **ret_ep)
{
	struct error e;
	int r;

	r = endpoint_open(worker_loop(run->home), spec, role_of(run, side),
	    atomic_load(&run->source_size), &run->words, ret_ep, &e);
	if (r == 0)
		return true;
	run_fail(run, side, target, r, e.text);
	if (may_go_on(run))
		return true;
	copy_ledger_stop(&run->ledger);
	run_wind_up(run);
	return false;
}

/* Open the source, and connect lane 0 to it. */
static void
open_source(struct run *run)
{
	if (!open_endpoint(run, run->source_spec, COPY_SOURCE, 0,
	    &run->source))
		return;
	run->lanes[0].is_busy = true;
	lane_connect(run->lanes[0].lane, run->source, NULL, 0);
}

static void
open_destinations(struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (!open_endpoint(run, run->destination_specs[i],
		    COPY_DESTINATION, i, &run->destinations[i]))
			return;
	run->are_destinations_open = true;
	run->lanes[0].is_busy = true;
	lane_connect(run->lanes[0].lane, NULL, run->destinations,
	    run->n_destinations);
}

static void
first_lane_on_connected(struct run *run, struct lane *lane)
{
	unsigned i;

	if (note_lane_failures(run, lane) || !may_go_on(run)) {
		copy_ledger_stop(&run->ledger);
		run_wind_up(run);
	} else if (!run->are_destinations_open) {
		atomic_store(&run->source_size,
		    lane_shape(lane, COPY_SOURCE, 0)->size);
		open_destinations(run);
	} else {
		for (i = 0; i < run->n_destinations; i++)
			if (copy_ledger_is_live(&run->ledger, i))
				atomic_store(&run->destination_sizes[i],
				    lane_shape(lane, COPY_DESTINATION,
					i)->size);
		run_make_plan(run);
	}
}

static void
further_lane_on_connected(struct run *run, struct run_lane *rl)
{
	char sentence[ERROR_TEXT_SIZE];

	if (run_may_use_lane(run, rl->lane, sentence, sizeof sentence)) {
		start_copy(run, rl);
		return;
	}
	if (!copy_ledger_is_stopped(&run->ledger) &&
	    !run_is_over_soon(run, rl->lane)) {
		run_add_gave_up(run, sentence);
		run->is_short_of_lanes = true;
		run->n_refused++;
		atomic_fetch_sub(&run->lanes_shown, 1);
	}
	copy_if_all_idle(run);
}

static void
lane_on_connected(void *arg, struct lane *lane)
{
	struct run *run = arg;
	struct run_lane *rl = find_lane(run, lane);

	on_worker_entry();
	rl->is_busy = false;
	rl->is_connecting = false;
	if (rl == &run->lanes[0])
		first_lane_on_connected(run, lane);
	else
		further_lane_on_connected(run, rl);
}

static const struct lane_events lane_events = {
	.on_connected = lane_on_connected,
	.on_probed = lane_on_probed,
	.on_copied = lane_on_copied,
	.on_closed = run_on_lane_closed,
};

void
run_drive_start(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, start_mail));

	on_worker_entry();
	run->lanes = calloc(1, sizeof *run->lanes);
	if (run->lanes == NULL || add_lane(run, 0) < 0 ||
	    net_timer_init(&run->store_timer, worker_loop(run->home),
		run_on_store_silent, run) < 0) {
		run_fail(run, COPY_SOURCE, 0, -ENOMEM, "out of memory");
		run_wind_up(run);
		return;
	}
	open_source(run);
}

/* False: it has come too late for anything. */
static bool
take_cancel(struct run *run)
{
	run->is_cancelled = true;
	if (run->n_mails_to_come > 0) {
		if (--run->n_mails_to_come == 0)
			mailbox_post(run->owner, &run->finished_mail);
		return false;
	}
	if (atomic_load(&run->phase) == RUN_FINISHED)
		return false;
	run_set_phase(run, RUN_STOPPING);
	stop_all(run);
	return true;
}

void
run_drive_cancel(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, cancel_mail));

	on_worker_entry();
	run->has_cancel_mail = true;
	(void)take_cancel(run);
}

void
run_drive_abort(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, abort_mail));
	unsigned i;

	on_worker_entry();
	run->has_abort_mail = true;
	if (!take_cancel(run))
		return;
	for (i = 0; i < run->n_lanes; i++)
		lane_abort(run->lanes[i].lane);
}
