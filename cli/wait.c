/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for a run of the daemon to end.
 *
 * With a bar the job is asked for as often as the bar is redrawn.  Without,
 * the daemon is asked to answer when something has changed.  The run has
 * ended when it is the job's last run; when the job neither runs it nor ended
 * with it, nobody knows its result any more.
 */
#include "cli/wait.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit-codes.h"
#include "cli/job-status.h"
#include "cli/message.h"
#include "cli/signals.h"

#define HOLD_S	    UINT64_C(30)	/* the daemon allows 60 */
#define HOLD_SYNC_S UINT64_C(1)		/* that alone is no change of state */

struct waiter {
	const struct wait *wait;
	struct bar bar;
	uint64_t deadline_ms;
	uint64_t rev;
	bool ask_now;			/* a progress line is wanted */
	json_t *json;			/* the latest answer */
};

/* How long the daemon may hold its answer, in seconds. */
static uint64_t
hold_time(const struct waiter *w)
{
	uint64_t most = w->wait->run_id != NULL ? HOLD_S : HOLD_SYNC_S;
	uint64_t now = bar_now_ms();
	uint64_t left;

	if (w->wait->bar_mode == BAR_TERMINAL || w->ask_now ||
	    now >= w->deadline_ms)
		return 0;
	/* Rounded up: 0 would ask again and again. */
	left = (w->deadline_ms - now + 999) / 1000;
	return left < most ? left : most;
}

/* CLI_OK: go on waiting; a progress line may be wanted then. */
static int
take_signals(struct waiter *w)
{
	int sig;

	while ((sig = signals_take(w->wait->control->interrupt_fd)) != 0) {
		if (!signals_is_interrupt(sig)) {
			w->ask_now = true;
			continue;
		}
		if (w->wait->run_id != NULL)
			message(w->wait->control->command,
			    "no longer waiting; run %s of job '%s' goes on",
			    w->wait->run_id, w->wait->job);
		return CLI_INTERRUPTED;
	}
	return CLI_OK;
}

/* CLI_OK: w->json is an answer, or NULL after a signal. */
static int
ask(struct waiter *w)
{
	uint64_t hold_s = hold_time(w);
	char suffix[80] = "";
	int exit_code;

	json_decref(w->json);
	w->json = NULL;
	if (hold_s > 0)
		(void)snprintf(suffix, sizeof suffix,
		    "?wait=%" PRIu64 "&since=%" PRIu64, hold_s, w->rev);
	exit_code = control_ask_job(w->wait->control, "GET", w->wait->job,
	    suffix, hold_s, &w->json);
	if (exit_code == CLI_INTERRUPTED)
		return take_signals(w);
	return exit_code;
}

static void
show(struct waiter *w, const struct job_status *status)
{
	struct run_progress progress = status->run.progress;

	if (strcmp(status->state, run_phase_name(RUN_STOPPING)) == 0)
		progress.phase = RUN_STOPPING;
	bar_update(&w->bar, &progress, bar_now_ms());
	if (w->ask_now)
		bar_print_line(&w->bar);
	w->ask_now = false;
}

/* Until the bar is to be redrawn, or a signal comes. */
static int
pause_for_bar(struct waiter *w)
{
	struct pollfd fd = {
		.fd = w->wait->control->interrupt_fd,
		.events = POLLIN,
	};

	if (w->wait->bar_mode != BAR_TERMINAL)
		return CLI_OK;
	(void)poll(&fd, 1, BAR_REDRAW_MS);
	return take_signals(w);
}

static int
fail_lost(const struct waiter *w)
{
	message(w->wait->control->command,
	    "the daemon knows nothing of run %s of job '%s' any more; was it "
	    "restarted?",
	    w->wait->run_id, w->wait->job);
	return CLI_ERROR;
}

static int
fail_timed_out(const struct waiter *w)
{
	message(w->wait->control->command,
	    "run %s of job '%s' has not ended in time; it goes on",
	    w->wait->run_id, w->wait->job);
	return CLI_TIMED_OUT;
}

/* One answer.  CLI_OK and *ret_has_ended false: wait on. */
static int
step_run(struct waiter *w, bool *ret_has_ended)
{
	const char *run_id = w->wait->run_id;
	struct job_status status;
	int exit_code;

	exit_code = ask(w);
	if (exit_code != CLI_OK || w->json == NULL)
		return exit_code;
	if (job_status_read(w->json, &status) < 0)
		return fail_lost(w);
	w->rev = status.rev;
	if (status.has_last_run && strcmp(status.last_run.id, run_id) == 0) {
		*ret_has_ended = true;
		return CLI_OK;
	}
	if (!status.is_running || strcmp(status.run.id, run_id) != 0)
		return fail_lost(w);
	show(w, &status);
	if (bar_now_ms() >= w->deadline_ms)
		return fail_timed_out(w);
	return pause_for_bar(w);
}

static int
fail_not_in_sync(const struct waiter *w)
{
	message(w->wait->control->command, "job '%s' is not in sync yet",
	    w->wait->job);
	return CLI_TIMED_OUT;
}

/* The same for a mirror. */
static int
step_sync(struct waiter *w, bool *ret_has_ended)
{
	const json_t *progress;
	struct job_status status;
	int exit_code;

	exit_code = ask(w);
	if (exit_code != CLI_OK || w->json == NULL)
		return exit_code;
	if (job_status_read(w->json, &status) < 0)
		return fail_not_in_sync(w);
	w->rev = status.rev;
	if (strcmp(json_string_value(json_object_get(w->json, "mode")) ?: "",
	    run_mode_name(RUN_MIRROR)) != 0) {
		message(w->wait->control->command, "job '%s' is no mirror: "
		    "nothing keeps it in sync", w->wait->job);
		return CLI_ERROR;
	}
	progress = json_object_get(json_object_get(w->json, "run"),
	    "progress");
	*ret_has_ended = json_is_true(json_object_get(json_object_get(progress,
	    "mirror"), "in_sync"));
	if (*ret_has_ended)
		return CLI_OK;
	if (status.is_running)
		show(w, &status);
	if (bar_now_ms() >= w->deadline_ms)
		return fail_not_in_sync(w);
	return pause_for_bar(w);
}

static int
wait_by(const struct wait *wait,
    int (*step)(struct waiter *w, bool *ret_has_ended), json_t **ret_json)
{
	struct waiter w = { .wait = wait, .deadline_ms = UINT64_MAX };
	bool has_ended = false;
	int exit_code = CLI_OK;

	if (wait->timeout_ms > 0 &&
	    __builtin_add_overflow(bar_now_ms(), wait->timeout_ms,
		&w.deadline_ms))
		w.deadline_ms = UINT64_MAX;
	bar_init(&w.bar, wait->bar_mode, 0, bar_now_ms());
	while (exit_code == CLI_OK && !has_ended)
		exit_code = step(&w, &has_ended);
	bar_clear(&w.bar);
	if (exit_code == CLI_OK)
		*ret_json = w.json;
	else
		json_decref(w.json);
	return exit_code;
}

int
wait_for_run(const struct wait *wait, json_t **ret_json)
{
	return wait_by(wait, step_run, ret_json);
}

int
wait_for_sync(const struct wait *wait, json_t **ret_json)
{
	return wait_by(wait, step_sync, ret_json);
}
