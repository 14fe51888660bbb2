/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A run from start to verdict, as steps on the run's own worker.  Each step
 * ends by asking lanes or endpoints for something; their answer takes the
 * next one:
 *
 *	open the source, connect lane 0 to it: its size is known
 *	open the destination, connect lane 0 to it
 *	plan; refuse here, before anything is written
 *	copy: lane 0 at once, further lanes as soon as they are connected
 *	when all lanes are idle and nothing failed: flush, on one connection
 *	close the lanes, then the endpoints; say how it went
 *
 * The flush comes after the replies to all writes on all connections, which
 * is when it covers them ("Ordering of messages and writes"; several lanes
 * are used only where the server offers NBD_FLAG_CAN_MULTI_CONN, so that it
 * covers those of other connections too).
 *
 * Whatever fails, on any lane, goes to the ledger and stops the others; the
 * run then goes straight to closing.  A further lane that cannot connect is
 * no failure: the others do its work.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "transfer/run-private.h"

/*
 * When a connection to a server that was started for the run is lost, how
 * long to wait for news that the server has exited, and why.
 */
#define EXIT_TICK_MS  20
#define MAX_EXIT_TICKS 25

/* How often the figures are looked at: at first, and later. */
#define EARLY_MS      3000
#define EARLY_TICK_MS 20
#define TUNE_TICK_MS  200

static void close_lanes(struct run *run);
static const struct lane_events lane_events;

static void
set_phase(struct run *run, enum run_phase phase)
{
	atomic_store(&run->phase, (int)phase);
}

static const char *
side_name(enum copy_side side)
{
	return side == COPY_SOURCE ? "source" : "destination";
}

static const char *
endpoint_label(const struct run *run, enum copy_side side)
{
	return side == COPY_SOURCE ? run->source_spec->name :
				     run->destination_spec->name;
}

/* Remember a sentence about something done without; lost if no memory. */
static void
add_gave_up(struct run *run, const char *sentence)
{
	char **list;

	list = realloc(run->gave_up, (run->n_gave_up + 1) * sizeof *list);
	if (list == NULL)
		return;
	run->gave_up = list;
	list[run->n_gave_up] = strdup(sentence);
	if (list[run->n_gave_up] != NULL)
		run->n_gave_up++;
}

/* Something failed that is not a request: text is the whole reason. */
static void
fail_run(struct run *run, enum copy_side side, int error, const char *text)
{
	struct copy_failure failure = {
		.error = error,
		.is_lost = true,
		.side = side,
	};

	(void)snprintf(failure.message, sizeof failure.message, "%.*s",
	    COPY_MESSAGE_SIZE - 1, text);
	copy_ledger_fail(&run->ledger, &failure, 1);
}

/* The end: verdict and report. */

static void
describe_failure(struct run *run)
{
	const struct copy_failure *f = &run->ledger.first_failure;
	struct run_failure *out = &run->result.failure;
	const char *label = endpoint_label(run, f->side);
	const char *reason = f->message;
	char name[128];
	char what[96] = "";
	char words[COPY_MESSAGE_SIZE + 128];

	if (!f->is_lost || f->message[0] == '\0') {
		(void)snprintf(words, sizeof words, "%s%s%s%s",
		    strerror(-f->error), f->message[0] ? " (server: '" : "",
		    f->message, f->message[0] ? "')" : "");
		reason = words;
	}
	if (f->is_request) {
		out->is_request = true;
		out->offset = f->offset;
		out->length = f->length;
		(void)snprintf(out->operation, sizeof out->operation, "%s",
		    copy_op_name(f->op));
		if (f->op == COPY_FLUSH)
			(void)snprintf(what, sizeof what, "flush: ");
		else
			(void)snprintf(what, sizeof what,
			    "%s of %" PRIu64 " bytes at offset %" PRIu64 ": ",
			    copy_op_name(f->op), f->length, f->offset);
	}
	(void)snprintf(out->side, sizeof out->side, "%s", side_name(f->side));
	out->errnum = f->error;
	(void)error_set(&out->error, f->error, "%s '%s': %s%s",
	    side_name(f->side),
	    escape_text(label, strlen(label), name, sizeof name), what, reason);
}

static void
finish(struct run *run)
{
	struct run_result *result = &run->result;
	const struct copy_ledger *l = &run->ledger;

	if (run->exit_timer.ev != NULL)
		net_timer_done(&run->exit_timer);
	if (copy_ledger_is_success(l, run->plan.use_flush)) {
		result->outcome = RUN_SUCCEEDED;
	} else if (l->n_failures > 0) {
		result->outcome = RUN_FAILED;
		result->n_failed_requests = l->n_failures;
		describe_failure(run);
	} else {
		result->outcome = RUN_CANCELLED;
	}
	if (atomic_load(&l->status_failed))
		add_gave_up(run, "source failed to answer block status: what "
				 "it did not tell was read");
	result->started_at_ms = run->started_at_ms;
	result->finished_at_ms = run_wall_clock_ms();
	result->gave_up = (const char *const *)run->gave_up;
	result->n_gave_up = run->n_gave_up;
	atomic_store(&run->ended_ms, run_clock_ms());
	set_phase(run, RUN_FINISHED);
	run_get_progress(run, &result->progress);
	/*
	 * A cancel that is on its way is waited for: the owner may free the
	 * run as soon as it hears of the end.
	 */
	if (atomic_exchange(&run->cancel_is_posted, true) &&
	    !run->is_cancelled)
		run->is_waiting_for_cancel = true;
	else
		mailbox_post(run->owner, &run->finished_mail);
}

static void
endpoint_on_closed(void *arg)
{
	struct run *run = arg;

	on_worker_entry();
	if (--run->n_open == 0)
		finish(run);
}

static void
close_endpoints(struct run *run)
{
	int i;

	/* One for this function, so that no endpoint at all works too. */
	run->n_open = 1;
	for (i = 0; i < 2; i++) {
		if (run->endpoints[i] == NULL)
			continue;
		run->n_open++;
		endpoint_close(run->endpoints[i], endpoint_on_closed, run);
		run->endpoints[i] = NULL;
	}
	endpoint_on_closed(run);
}

static void
lane_on_closed(void *arg, struct lane *lane)
{
	struct run *run = arg;

	on_worker_entry();
	lane_free(lane);
	if (--run->n_open == 0)
		close_endpoints(run);
}

static void
close_lanes(struct run *run)
{
	unsigned i;

	if (run->tune_timer.ev != NULL)
		net_timer_done(&run->tune_timer);
	run->n_open = run->n_lanes;
	if (run->n_lanes == 0)
		close_endpoints(run);
	for (i = 0; i < run->n_lanes; i++)
		lane_close(run->lanes[i].lane);
	run->n_lanes = 0;
}

/* A lost server that was started for this run may still tell why. */
static void
exit_on_tick(void *arg)
{
	struct run *run = arg;
	struct copy_failure *f = &run->ledger.first_failure;
	const struct endpoint *ep = run->endpoints[f->side];
	size_t used = strlen(f->message);
	struct error e;

	on_worker_entry();
	if (endpoint_has_exited(ep, &e)) {
		(void)snprintf(f->message + used, sizeof f->message - used,
		    "; %.*s", COPY_MESSAGE_SIZE / 2, e.text);
	} else if (++run->n_exit_ticks < MAX_EXIT_TICKS) {
		net_timer_start(&run->exit_timer, EXIT_TICK_MS);
		return;
	}
	close_lanes(run);
}

/* All lanes are idle and the run is not going on. */
static void
wind_up(struct run *run)
{
	const struct copy_failure *f = &run->ledger.first_failure;
	const struct endpoint *ep = run->endpoints[f->side];

	set_phase(run, RUN_STOPPING);
	if (run->ledger.n_failures > 0 && f->is_lost && ep != NULL &&
	    endpoint_is_command(ep) &&
	    net_timer_init(&run->exit_timer, worker_loop(run->home),
		exit_on_tick, run) == 0)
		exit_on_tick(run);
	else
		close_lanes(run);
}

/* Copying. */

static void
stop_all(struct run *run)
{
	unsigned i;

	copy_ledger_stop(&run->ledger);
	for (i = 0; i < run->n_lanes; i++)
		lane_stop(run->lanes[i].lane);
}

/* Take what a lane's last command left behind into the books. */
static bool
note_lane_failure(struct run *run, const struct lane *lane)
{
	const struct copy_failure *f;
	uint64_t n;

	f = lane_failure(lane, &n);
	if (n == 0)
		return false;
	if (f->error != -ECANCELED)
		copy_ledger_fail(&run->ledger, f, n);
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
	if (run->ledger.n_failures > 0 || run->is_cancelled ||
	    copy_ledger_done_bytes(&run->ledger) != run->plan.total_bytes) {
		/* Can only be cancelled or failed: is_success() will tell. */
		wind_up(run);
	} else if (run->plan.use_flush) {
		set_phase(run, RUN_FLUSHING);
		run->lanes[0].is_busy = true;
		lane_flush(run->lanes[0].lane);
	} else {
		close_lanes(run);
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
	find_lane(run, lane)->is_busy = false;
	(void)note_lane_failure(run, lane);
	if (copy_ledger_done_bytes(&run->ledger) == run->plan.total_bytes)
		stop_connecting(run);
	copy_if_all_idle(run);
}

static void
lane_on_flushed(void *arg, struct lane *lane)
{
	struct run *run = arg;

	on_worker_entry();
	find_lane(run, lane)->is_busy = false;
	if (note_lane_failure(run, lane)) {
		wind_up(run);
		return;
	}
	copy_ledger_flushed(&run->ledger);
	close_lanes(run);
}

static void
start_copy(struct run *run, struct run_lane *rl)
{
	rl->is_busy = true;
	lane_copy(rl->lane, &run->plan, &run->cursor, &run->ledger,
	    &run->tuning);
}

static int
add_lane(struct run *run, unsigned i)
{
	const struct lane_setup setup = {
		.worker = worker_pool_get(run->pool, run->home_index + i),
		.home = run->home,
		.limits = run->limits,
		.events = &lane_events,
		.arg = run,
	};
	int r;

	run->lanes[i] = (struct run_lane){ .lane = NULL };
	r = lane_new(&setup, &run->lanes[i].lane);
	if (r == 0)
		run->n_lanes = i + 1;
	return r;
}

static void
show_plan(struct run *run)
{
	const struct copy_plan *plan = &run->plan;
	size_t i;

	for (i = 0; i < plan->n_gave_up; i++)
		add_gave_up(run, plan->gave_up[i]);
	copy_ledger_plan(&run->ledger, plan->total_bytes);
	atomic_store(&run->lanes_shown, plan->lanes);
	atomic_store(&run->is_tuned, true);
	set_phase(run, RUN_COPYING);
}

/* Have n lanes, as far as that is possible. */
static void
add_lanes(struct run *run, unsigned n)
{
	while (run->n_lanes < n && !run->is_short_of_lanes &&
	    add_lane(run, run->n_lanes) == 0) {
		struct run_lane *rl = &run->lanes[run->n_lanes - 1];

		rl->is_busy = true;
		rl->is_connecting = true;
		lane_connect(rl->lane, run->endpoints[COPY_SOURCE],
		    run->endpoints[COPY_DESTINATION]);
	}
	atomic_store(&run->lanes_shown, run->n_lanes - run->n_refused);
}

/* See whether it goes faster with more, or as fast with less. */
static void
tune_on_tick(void *arg)
{
	struct run *run = arg;
	uint64_t now = run_clock_ms();
	unsigned n;

	on_worker_entry();
	if (atomic_load(&run->phase) != RUN_COPYING ||
	    copy_ledger_is_stopped(&run->ledger))
		return;
	n = copy_tuning_look(&run->tuning, now,
	    copy_ledger_done_bytes(&run->ledger));
	if (!copy_cursor_is_at_end(&run->cursor))
		add_lanes(run, n);
	net_timer_start(&run->tune_timer,
	    now - atomic_load(&run->started_ms) < EARLY_MS ? EARLY_TICK_MS :
							     TUNE_TICK_MS);
}

static void
begin_copying(struct run *run)
{
	struct run_lane *lanes;

	copy_cursor_init(&run->cursor, run->plan.line_length);
	copy_tuning_init(&run->tuning, &run->plan, run_clock_ms());
	lanes = realloc(run->lanes, run->plan.max_lanes * sizeof *lanes);
	if (lanes != NULL)
		run->lanes = lanes;
	if (lanes == NULL || net_timer_init(&run->tune_timer,
	    worker_loop(run->home), tune_on_tick, run) < 0) {
		fail_run(run, COPY_SOURCE, -ENOMEM, "out of memory");
		wind_up(run);
		return;
	}
	show_plan(run);
	start_copy(run, &run->lanes[0]);
	add_lanes(run, run->plan.lanes);
	net_timer_start(&run->tune_timer, EARLY_TICK_MS);
}

/* Connecting. */

static void
plan_run(struct run *run)
{
	const struct lane *lane = run->lanes[0].lane;
	const char *source = lane_identity(lane, COPY_SOURCE);
	struct error e;
	int r;

	if (source[0] != '\0' &&
	    strcmp(source, lane_identity(lane, COPY_DESTINATION)) == 0)
		r = error_set(&e, -EINVAL,
		    "is the same export as the source; nothing was written");
	else
		r = copy_plan_make(&run->plan, lane_shape(lane, COPY_SOURCE),
		    lane_shape(lane, COPY_DESTINATION), &run->wish, &e);
	if (r < 0) {
		fail_run(run,
		    strncmp(e.text, "source", 6) == 0 ? COPY_SOURCE :
							COPY_DESTINATION,
		    r, e.text);
		wind_up(run);
		return;
	}
	begin_copying(run);
}

/* Open one end and connect lane 0 to it. */
static void
open_side(struct run *run, enum copy_side side)
{
	bool is_source = side == COPY_SOURCE;
	struct error e;
	int r;

	r = endpoint_open(worker_loop(run->home),
	    is_source ? run->source_spec : run->destination_spec,
	    is_source ? ENDPOINT_SOURCE : ENDPOINT_DESTINATION,
	    atomic_load(&run->source_size), &run->endpoints[side], &e);
	if (r < 0) {
		fail_run(run, side, r, e.text);
		wind_up(run);
		return;
	}
	run->lanes[0].is_busy = true;
	lane_connect(run->lanes[0].lane,
	    is_source ? run->endpoints[side] : NULL,
	    is_source ? NULL : run->endpoints[side]);
}

static void
first_lane_on_connected(struct run *run, struct lane *lane)
{
	if (note_lane_failure(run, lane) || run->is_cancelled) {
		wind_up(run);
	} else if (run->endpoints[COPY_DESTINATION] == NULL) {
		atomic_store(&run->source_size,
		    lane_shape(lane, COPY_SOURCE)->size);
		open_side(run, COPY_DESTINATION);
	} else {
		atomic_store(&run->destination_size,
		    lane_shape(lane, COPY_DESTINATION)->size);
		plan_run(run);
	}
}

/*
 * Is a further connection to the same disk, as the first one saw it?
 */
static bool
is_same_disk(const struct run *run, const struct lane *lane,
    enum copy_side side)
{
	const struct lane *first = run->lanes[0].lane;
	const struct disk_shape *a = lane_shape(first, side);
	const struct disk_shape *b = lane_shape(lane, side);

	return a->size == b->size && a->block_minimum == b->block_minimum &&
	    a->block_maximum == b->block_maximum &&
	    a->read_only == b->read_only && a->can_flush == b->can_flush &&
	    a->can_zero == b->can_zero &&
	    a->can_multi_conn == b->can_multi_conn &&
	    a->can_status == b->can_status;
}

static void
further_lane_on_connected(struct run *run, struct run_lane *rl)
{
	const struct copy_failure *f;
	char sentence[ERROR_TEXT_SIZE];
	enum copy_side side;
	uint64_t n;

	f = lane_failure(rl->lane, &n);
	if (n > 0) {
		(void)snprintf(sentence, sizeof sentence,
		    "%s refused a further connection (%s): fewer connections",
		    side_name(f->side),
		    f->error == -ECANCELED ? "no answer" : f->message);
	} else {
		side = is_same_disk(run, rl->lane, COPY_SOURCE) ?
		    COPY_DESTINATION :
		    COPY_SOURCE;
		if (side == COPY_DESTINATION &&
		    is_same_disk(run, rl->lane, side)) {
			start_copy(run, rl);
			return;
		}
		(void)snprintf(sentence, sizeof sentence,
		    "%s is another disk on a further connection: fewer "
		    "connections",
		    side_name(side));
	}
	if (!copy_ledger_is_stopped(&run->ledger)) {
		add_gave_up(run, sentence);
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
	.on_copied = lane_on_copied,
	.on_flushed = lane_on_flushed,
	.on_closed = lane_on_closed,
};

void
run_drive_start(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, start_mail));

	on_worker_entry();
	run->lanes = calloc(1, sizeof *run->lanes);
	if (run->lanes == NULL || add_lane(run, 0) < 0) {
		fail_run(run, COPY_SOURCE, -ENOMEM, "out of memory");
		wind_up(run);
		return;
	}
	open_side(run, COPY_SOURCE);
}

void
run_drive_cancel(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, cancel_mail));

	on_worker_entry();
	run->is_cancelled = true;
	if (run->is_waiting_for_cancel) {
		mailbox_post(run->owner, &run->finished_mail);
		return;
	}
	if (atomic_load(&run->phase) != RUN_FINISHED) {
		set_phase(run, RUN_STOPPING);
		stop_all(run);
	}
}
