/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for a run of the daemon to end.
 *
 * With a bar the job is asked for as often as the bar is redrawn.  Without,
 * the daemon is asked to answer when something has changed, or the next line
 * is due.  The run has ended when it is the job's last run, and the hooks
 * after it have, too; when the job neither runs it nor ended with it, another
 * one has come since, and the history has its result.
 */
#include "cli/wait.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/job-status.h"
#include "cli/message.h"
#include "cli/signals.h"
#include "cli/terminal.h"

#define HOLD_S	    30		/* the daemon allows 60 */
#define HOLD_SYNC_S 1		/* that alone is no change of state */

struct waiter;

/* What is waited for. */
struct goal {
	uint64_t hold_s;
	/* CLI_OK and *ret_has_ended false: wait on; else it is told. */
	int (*look)(struct waiter *w, const struct job_status *status,
	    bool *ret_has_ended);
	int (*fail_lost)(const struct waiter *w);
	int (*fail_late)(const struct waiter *w);
};

struct waiter {
	const struct wait *wait;
	struct bar bar;
	const struct goal *goal;
	uint64_t deadline_ms;
	uint64_t rev;
	bool ask_now;			/* a progress line is wanted */
	json_t *json;			/* the latest answer */
};

/* How long the daemon may hold its answer, in seconds. */
static uint64_t
hold_time(const struct waiter *w)
{
	uint64_t until = w->deadline_ms;
	uint64_t now = bar_now_ms();
	uint64_t left;

	if (w->wait->bar_mode == BAR_LINES && w->bar.next_ms < until)
		until = w->bar.next_ms;
	if (w->wait->bar_mode == BAR_TERMINAL || w->ask_now || now >= until)
		return 0;
	/* Rounded up: 0 would ask again and again. */
	left = (until - now + 999) / 1000;
	return left < w->goal->hold_s ? left : w->goal->hold_s;
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
		terminal_hurry();
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

/*
 * The run as the history has it takes the place of the last one.  CLI_OK: it
 * is there.  CLI_NO_JOB, untold: it is not.  Else as of control_ask().
 */
static int
look_in_history(const struct waiter *w)
{
	char said[CONTROL_SAID_SIZE] = "";
	struct control quiet = *w->wait->control;
	char target[192] = "/v1/runs/";
	size_t used = strlen(target);
	json_t *run = NULL;
	int exit_code;

	quiet.said = said;
	if (http_encode_segment(w->wait->run_id, target + used,
	    sizeof target - used) < 0)
		return CLI_NO_JOB;
	exit_code = control_ask(&quiet, "GET", target, 0, &run);
	if (exit_code == CLI_OK &&
	    (!json_is_object(json_object_get(run, "report")) ||
	    json_object_set(w->json, "last_run",
	    json_object_get(run, "report")) < 0))
		exit_code = CLI_NO_JOB;
	json_decref(run);
	if (exit_code != CLI_NO_JOB && said[0] != '\0')
		message(w->wait->control->command, "%s", said);
	return exit_code;
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

static int
look_for_end(struct waiter *w, const struct job_status *status,
    bool *ret_has_ended)
{
	const char *run_id = w->wait->run_id;
	/* Its hooks may be running, when its result is there. */
	bool is_running = status->is_running &&
	    strcmp(status->run.id, run_id) == 0;
	int exit_code;

	*ret_has_ended = !is_running && status->has_last_run &&
	    strcmp(status->last_run.id, run_id) == 0;
	if (*ret_has_ended || is_running)
		return CLI_OK;
	do
		exit_code = look_in_history(w);
	while (exit_code == CLI_INTERRUPTED && take_signals(w) == CLI_OK);
	*ret_has_ended = exit_code == CLI_OK;
	return exit_code == CLI_NO_JOB ? fail_lost(w) : exit_code;
}

static int
fail_not_in_sync(const struct waiter *w)
{
	message(w->wait->control->command, "job '%s' is not in sync yet",
	    w->wait->job);
	return CLI_TIMED_OUT;
}

static int
look_for_sync(struct waiter *w, const struct job_status *status,
    bool *ret_has_ended)
{
	const char *mode = json_string_value(json_object_get(w->json,
	    "mode"));

	*ret_has_ended = status->is_running &&
	    status->run.progress.mirror.is_in_sync;
	if (mode != NULL && strcmp(mode, run_mode_name(RUN_MIRROR)) == 0)
		return CLI_OK;
	message(w->wait->control->command, "job '%s' is no mirror: nothing "
	    "keeps it in sync", w->wait->job);
	return CLI_ERROR;
}

/* One answer. */
static int
step(struct waiter *w, bool *ret_has_ended)
{
	struct job_status status;
	int exit_code;

	exit_code = ask(w);
	if (exit_code != CLI_OK || w->json == NULL)
		return exit_code;
	if (job_status_read(w->json, &status) < 0)
		return w->goal->fail_lost(w);
	w->rev = status.rev;
	exit_code = w->goal->look(w, &status, ret_has_ended);
	if (exit_code != CLI_OK || *ret_has_ended)
		return exit_code;
	if (status.is_running)
		show(w, &status);
	if (bar_now_ms() >= w->deadline_ms)
		return w->goal->fail_late(w);
	return pause_for_bar(w);
}

static int
wait_for(const struct wait *wait, const struct goal *goal, json_t **ret_json)
{
	struct waiter w = { .wait = wait, .goal = goal,
		.deadline_ms = UINT64_MAX };
	bool has_ended = false;
	int exit_code = CLI_OK;

	if (wait->timeout_ms > 0 &&
	    __builtin_add_overflow(bar_now_ms(), wait->timeout_ms,
		&w.deadline_ms))
		w.deadline_ms = UINT64_MAX;
	bar_init(&w.bar, wait->bar_mode, wait->bar_every_ms, bar_now_ms());
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
	static const struct goal end = { HOLD_S, look_for_end, fail_lost,
		fail_timed_out };

	return wait_for(wait, &end, ret_json);
}

int
wait_for_sync(const struct wait *wait, json_t **ret_json)
{
	static const struct goal sync = { HOLD_SYNC_S, look_for_sync,
		fail_not_in_sync, fail_not_in_sync };

	return wait_for(wait, &sync, ret_json);
}
