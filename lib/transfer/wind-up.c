/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The end of a run: its lanes are closed, then its endpoints; then it is said
 * how it went, and what another run may go on from is kept.
 */

#include <stdio.h>
#include <string.h>

#include "transfer/run-private.h"

/*
 * When a connection to a server that was started for the run is lost, how
 * long to wait for news that the server has exited, and why.
 */
#define EXIT_TICK_MS  20
#define MAX_EXIT_TICKS 25

void
run_set_phase(struct run *run, enum run_phase phase)
{
	atomic_store(&run->phase, (int)phase);
}

void
run_fail(struct run *run, enum copy_side side, unsigned target, int error,
    const char *text)
{
	struct copy_failure failure = {
		.error = error,
		.is_told = true,
		.side = side,
		.target = target,
	};

	(void)snprintf(failure.message, sizeof failure.message, "%.*s",
	    COPY_MESSAGE_SIZE - 1, text);
	copy_ledger_fail(&run->ledger, &failure, 1);
}

static void
finish(struct run *run)
{
	if (run->exit_timer.ev != NULL)
		net_timer_done(&run->exit_timer);
	resume_free(run);
	run_judge(run);
	run->result.distrusted = run->keeper.distrusted;
	if (!checkpoint_conclude(run))
		run_is_kept(run);
}

/* That was the last. */
void
run_is_kept(struct run *run)
{
	struct run_result *result = &run->result;
	char sentence[ERROR_TEXT_SIZE];

	checkpoint_end(run);
	result->leaves_outdated = checkpoint_is_outdated(run);
	result->has_begun = run->has_begun;
	if (run->keeper.trouble.code != 0) {
		(void)snprintf(sentence, sizeof sentence, "the place to go on "
		    "from could not be saved: %.*s", ERROR_TEXT_SIZE / 2,
		    run->keeper.trouble.text);
		run_add_gave_up(run, sentence);
		result->gave_up = (const char *const *)run->gave_up;
		result->n_gave_up = run->n_gave_up;
	}
	atomic_store(&run->ended_ms, run_clock_ms());
	run_set_phase(run, RUN_FINISHED);
	run_get_progress(run, &run->result.progress);
	/*
	 * A mail that is on its way is waited for: the owner may free the run
	 * as soon as it hears of the end.
	 */
	if (atomic_exchange(&run->cancel_is_posted, true) &&
	    !run->has_cancel_mail)
		run->n_mails_to_come++;
	if (atomic_exchange(&run->abort_is_posted, true) &&
	    !run->has_abort_mail)
		run->n_mails_to_come++;
	if (run->n_mails_to_come == 0)
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
close_endpoint(struct run *run, struct endpoint **ep)
{
	if (*ep == NULL)
		return;
	run->n_open++;
	endpoint_close(*ep, endpoint_on_closed, run);
	*ep = NULL;
}

static void
close_endpoints(struct run *run)
{
	unsigned i;

	/* One for this function, so that no endpoint at all works too. */
	run->n_open = 1;
	close_endpoint(run, &run->source);
	for (i = 0; i < run->n_destinations; i++)
		close_endpoint(run, &run->destinations[i]);
	endpoint_on_closed(run);
}

void
run_on_lane_closed(void *arg, struct lane *lane)
{
	struct run *run = arg;

	on_worker_entry();
	lane_free(lane);
	if (--run->n_open > 0)
		return;
	budget_give_back(&run->share, run->n_paid_lanes * run->lane_bytes);
	close_endpoints(run);
}

void
run_close_lanes(struct run *run)
{
	unsigned i;

	if (run->pulse_timer.ev != NULL)
		net_timer_done(&run->pulse_timer);
	net_timer_done(&run->room_timer);
	budget_stop_waiting(&run->share);
	run->n_open = run->n_lanes;
	if (run->n_lanes == 0) {
		close_endpoints(run);	/* it may be over now, and gone */
		return;
	}
	for (i = 0; i < run->n_lanes; i++)
		lane_close(run->lanes[i].lane);
	run->n_lanes = 0;
}

/* The failure that the run ends with, and whose it is; NULL: none. */
static struct copy_failure *
last_failure(struct run *run, const struct endpoint **ret_ep)
{
	unsigned i;

	*ret_ep = run->source;
	if (run->ledger.n_failures > 0)
		return &run->ledger.first_failure;
	for (i = 0; i < run->n_destinations; i++) {
		*ret_ep = run->destinations[i];
		if (run->ledger.targets[i].n_failures > 0)
			return &run->ledger.targets[i].first_failure;
	}
	return NULL;
}

/* A lost server that was started for this run may still tell why. */
static void
exit_on_tick(void *arg)
{
	struct run *run = arg;
	const struct endpoint *ep;
	struct copy_failure *f = last_failure(run, &ep);
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
	run_close_lanes(run);
}

void
run_wind_up(struct run *run)
{
	const struct endpoint *ep;
	const struct copy_failure *f = last_failure(run, &ep);

	run_set_phase(run, RUN_STOPPING);
	if (f != NULL && f->is_lost && ep != NULL && endpoint_is_command(ep) &&
	    net_timer_init(&run->exit_timer, worker_loop(run->home),
		exit_on_tick, run) == 0)
		exit_on_tick(run);
	else
		run_close_lanes(run);
}

void
run_refuse(struct run *run)
{
	run_set_phase(run, RUN_STOPPING);
	run_close_lanes(run);
}
