/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a job remembers over a restart of the daemon: its UUID, its pause and
 * the run that is to go on after it, its last success, its counters, and in the
 * history each run that has ended.
 *
 * It is asked for when the job is made, and written when a run has ended;
 * both by the store's thread, so that nothing here waits.  Without a store,
 * or with one that fails, jobs run as ever and forget.  What was counted
 * before the store had answered is added to what it then says.  What the store
 * has no room for waits for its turn.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

/* How long a schedule waits for the store. */
#define ANSWER_WAIT_MS 30000
/* How many jobs ask it at once: others need room in its queue, too. */
#define ASKING_MAX     (STORE_QUEUE_MAX / 2)
/* How many are written at once. */
#define STORING_MAX    (STORE_QUEUE_MAX / 4)

static const char *const counter_names[JOB_COUNTERS] = {
	[JOB_COUNT_RUNS] = "runs",
	[JOB_COUNT_SUCCEEDED] = "succeeded",
	[JOB_COUNT_FAILED] = "failed",
	[JOB_COUNT_CANCELLED] = "cancelled",
	[JOB_COUNT_BYTES] = "bytes",
};

static json_t *
counters_to_json(const struct job *job) ON_MAIN
{
	json_t *o = json_object();

	for (unsigned i = 0; i < JOB_COUNTERS; i++)
		(void)json_object_set_new(o, counter_names[i],
		    json_integer((json_int_t)job->counters[i]));
	return o;
}

/* wish: NULL, or stolen. */
static json_t *
pause_to_json(const struct job *job, json_t *wish) ON_MAIN
{
	json_t *o = json_pack("{s:I, s:b}", "at_ms",
	    (json_int_t)job->paused_at_ms, "starts", wish != NULL);

	if (wish != NULL)
		(void)json_object_set_new(o, "wish", wish);
	return o;
}

/* The counters, and what else has no column of its own. */
static json_t *
notes_to_json(const struct job *job) ON_MAIN
{
	json_t *o = counters_to_json(job);

	if (job->is_paused)
		(void)json_object_set_new(o, "pause", pause_to_json(job,
		    job->resume_starts ? job_wish_to_json(job) : NULL));
	(void)json_object_set_new(o, "known_since_ms",
	    json_integer((json_int_t)job->known_since_ms));
	if (job->waits_for_window)
		(void)json_object_set_new(o, "held", json_true());
	if (job->has_success)
		(void)json_object_set_new(o, "success", json_pack(
		    "{s:s, s:I, s:I}", "run", job->success.run_id,
		    "duration_ms", (json_int_t)job->success.duration_ms,
		    "copied_bytes", (json_int_t)job->success.copied_bytes));
	return o;
}

/*
 * As text.  A run of so many ranges that they do not fit does not go on after
 * a restart: to do something else than was wished would be worse.  NULL: out
 * of memory.
 */
static char *
make_notes(const struct job *job) ON_MAIN
{
	json_t *o = notes_to_json(job);
	char *text = json_dumps(o, JSON_COMPACT);

	if (text != NULL && strlen(text) >= sizeof job->state.counters) {
		free(text);
		(void)json_object_set_new(o, "pause", pause_to_json(job,
		    NULL));
		text = json_dumps(o, JSON_COMPACT);
	}
	json_decref(o);
	return text;
}

/* What is not there, or no number, is 0. */
static uint64_t
number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void
take_success(struct job *job, const json_t *o) ON_MAIN
{
	const char *id = json_string_value(json_object_get(o, "run"));

	if (id == NULL || job->has_success)
		return;
	job->has_success = true;
	(void)snprintf(job->success.run_id, sizeof job->success.run_id, "%s",
	    id);
	job->success.finished_at_ms = job->state.last_success_ms;
	job->success.duration_ms = number(o, "duration_ms");
	job->success.copied_bytes = number(o, "copied_bytes");
	/* A run may have begun after it, and been killed with the daemon. */
	if (!job->has_last_run)
		job->last_outcome = RUN_CANCELLED;
}

static void
take_pause(struct job *job, const json_t *o) ON_MAIN
{
	if (!job->state.is_paused || job->is_pause_known)
		return;
	job->is_paused = true;
	job->pause_until_ms = job->state.paused_until_ms;
	job->paused_at_ms = (int64_t)number(o, "at_ms");
	job->resume_starts = json_is_true(json_object_get(o, "starts")) &&
	    job_take_stored_wish(job, json_object_get(o, "wish")) == 0;
	(void)snprintf(job->pause_reason, sizeof job->pause_reason, "%.*s",
	    (int)sizeof job->pause_reason - 1, job->state.paused_reason);
	job_say(job, MSG_JOB_PAUSED, LOG_LEVEL_INFO, "is still paused");
}

static void
take_notes(struct job *job) ON_MAIN
{
	json_t *o = json_loads(job->state.counters, 0, NULL);
	uint64_t since;

	for (unsigned i = 0; i < JOB_COUNTERS; i++)
		job->counters[i] += number(o, counter_names[i]);
	take_success(job, json_object_get(o, "success"));
	take_pause(job, json_object_get(o, "pause"));
	if (json_is_true(json_object_get(o, "held")) && job->run == NULL)
		job->waits_for_window = true;
	since = number(o, "known_since_ms");
	if (since != 0 && (int64_t)since < job->known_since_ms)
		job->known_since_ms = (int64_t)since;
	json_decref(o);
}

static void store_next(struct jobs *jobs) ON_MAIN;

/* The job may have gone meanwhile. */
static void
on_put(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct job *job = jobs_find(jobs, call->job);

	on_main_entry();
	jobs->n_storing--;
	if (job != NULL)
		job->is_storing = false;
	if (job != NULL && call->error.code == -EAGAIN) {
		job->is_unstored = true;
		jobs_start_tick(jobs);
		return;
	}
	if (call->error.code < 0)
		log_message(&messages[MSG_STATE], LOG_LEVEL_WARNING,
		    "job '%s': what it has counted is not stored: %s",
		    call->job, call->error.text);
	store_next(jobs);
	jobs_look_at_stopping(jobs);
}

static void
put_state(struct job *job) ON_MAIN
{
	CLEANUP(cleanup_free) char *notes = make_notes(job);
	struct store_call *call = store_call_new(job->jobs->mailbox, on_put,
	    job->jobs);

	if (call == NULL || notes == NULL) {
		store_call_free(call);
		job_say(job, MSG_STATE, LOG_LEVEL_WARNING,
		    "what it has counted is not stored: out of memory");
		return;
	}
	(void)snprintf(job->state.counters, sizeof job->state.counters, "%s",
	    notes);
	job->state.is_paused = job->is_paused;
	job->state.paused_until_ms = job->pause_until_ms;
	(void)snprintf(job->state.paused_reason,
	    sizeof job->state.paused_reason, "%s", job->pause_reason);
	job->is_storing = true;
	job->jobs->n_storing++;
	store_put_job(job->jobs->store, call, &job->state);
}

/* Now, or when that is possible. */
static void
store_state(struct job *job) ON_MAIN
{
	job->is_unstored = true;
	job_recall(job);
	if (job->jobs->store == NULL || !job->is_state_known ||
	    job->is_storing || job->jobs->n_storing >= STORING_MAX)
		return;
	job->is_unstored = false;
	put_state(job);
}

/* There is room for one more. */
static void
store_next(struct jobs *jobs)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (job->is_unstored && job->is_state_known) {
			store_state(job);
			return;
		}
}

static void
take_state(struct job *job, const struct store_job *stored) ON_MAIN
{
	struct store_job mine = job->state;

	job->state = *stored;
	if (mine.last_success_ms > stored->last_success_ms)
		job->state.last_success_ms = mine.last_success_ms;
	if (mine.last_attempt_ms > stored->last_attempt_ms)
		job->state.last_attempt_ms = mine.last_attempt_ms;
	/* A run that was due may have been started without waiting for this. */
	if (mine.last_fire_ms > stored->last_fire_ms)
		job->state.last_fire_ms = mine.last_fire_ms;
	take_notes(job);
	job->is_state_known = true;
	job_take_fire(job, job->state.last_fire_ms / 1000);
	if (mine.last_attempt_ms > 0 || job->is_unstored ||
	    stored->counters[0] == '\0')
		store_state(job);
	jobs_changed(job->jobs, job);
}

static void
ask_later(struct job *job) ON_MAIN
{
	job->asks_again = true;
	jobs_start_tick(job->jobs);
}

static void ask_next(struct jobs *jobs) ON_MAIN;

/* The job may have gone meanwhile. */
static void
on_state(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct job *job;

	on_main_entry();
	jobs->n_asking--;
	job = jobs_find(jobs, call->job);
	if (job != NULL && call->error.code == -EAGAIN &&
	    !job->is_state_known) {
		ask_later(job);
		return;
	}
	ask_next(jobs);
	if (job == NULL)
		return;
	job->is_asking = false;
	if (call->error.code == 0 && !job->is_state_known) {
		take_state(job, call->jobs);
	} else if (!job->is_state_known) {
		job->ask_at_ms = job_now_ms() + STORE_RETRY_MS;
		ask_later(job);
	}
	/* What has waited for this, may go on. */
	net_timer_start(&job->jobs->schedule_timer, 0);
	jobs_look_at_stopping(jobs);
}

bool
job_is_unknown(const struct job *job)
{
	int64_t now = job_now_ms();

	return job->is_asking && now >= job->asked_at_ms &&
	    now - job->asked_at_ms < ANSWER_WAIT_MS;
}

void
job_keep_state(struct job *job)
{
	store_state(job);
}

void
job_keep_fire(struct job *job, int64_t done_s)
{
	if (job->state.last_fire_ms == done_s * 1000)
		return;
	job->state.last_fire_ms = done_s * 1000;
	job_keep_state(job);
}

static void
ask(struct job *job) ON_MAIN
{
	struct store_call *call;

	if (job->jobs->n_asking == ASKING_MAX) {
		ask_later(job);
		return;
	}
	job->asks_again = false;
	call = store_call_new(job->jobs->mailbox, on_state, job->jobs);
	job->is_asking = call != NULL;
	if (call == NULL)
		return;
	job->jobs->n_asking++;
	store_get_job(job->jobs->store, call, job->name);
}

/* Not at once, where it has failed; but when it is now or never. */
static bool
may_ask(const struct job *job) ON_MAIN
{
	int64_t in_ms = job->ask_at_ms - job_now_ms();

	return job->asks_again && job->jobs->store != NULL &&
	    (in_ms <= 0 || in_ms > STORE_RETRY_MS || job->jobs->is_stopping);
}

/* There is room for one more. */
static void
ask_next(struct jobs *jobs)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (may_ask(job)) {
			ask(job);
			return;
		}
}

void
job_recall(struct job *job)
{
	if (job->jobs->store == NULL || job->is_state_known ||
	    job->is_asking || job->asks_again)
		return;
	job->is_asking = true;
	job->asked_at_ms = job_now_ms();
	ask(job);
}

void
job_catch_up_with_store(struct job *job)
{
	if (job->jobs->store == NULL)
		return;
	if (may_ask(job))
		ask(job);
	if (job->is_unstored)
		store_state(job);
}

bool
job_waits_for_store(const struct job *job)
{
	return job->is_storing || (job->is_unstored &&
	    (job->is_asking || job->asks_again || job->is_state_known));
}

static void
on_added(struct store_call *call)
{
	if (call->error.code < 0)
		log_message(&messages[MSG_STATE], LOG_LEVEL_WARNING,
		    "job '%s': the run is not in the history: %s", call->job,
		    call->error.text);
}

/* What is told of the run, and what is too much to be told each time. */
static char *
make_report(const struct job *job, const struct run_result *result) ON_MAIN
{
	json_t *o = json_copy(job->last_run);
	char *text = NULL;

	(void)json_object_set_new(o, "destination",
	    json_string(job->destination_names));
	if (report_add_block_digests(o, result) == 0)
		text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(o);
	return text;
}

/* NULL: out of memory. */
static struct store_run *
make_entry(const struct job *job, const struct run_result *result) ON_MAIN
{
	struct store_run *run = store_run_new();

	if (run == NULL)
		return NULL;
	run->id = strdup(job->run_id);
	run->job = strdup(job->name);
	run->trigger = strdup(job->trigger);
	run->result = strdup(job->was_skipped ? JOB_SKIPPED :
	    run_outcome_name(result->outcome));
	run->report = make_report(job, result);
	run->started_at_ms = result->started_at_ms;
	run->finished_at_ms = result->finished_at_ms;
	run->bytes = result->progress.done_bytes;
	if (run->id != NULL && run->job != NULL && run->trigger != NULL &&
	    run->result != NULL)
		return run;
	store_run_free(run);
	return NULL;
}

static void
add_to_history(struct job *job, const struct run_result *result) ON_MAIN
{
	struct store_run *run = make_entry(job, result);
	struct store_call *call = store_call_new(job->jobs->mailbox, on_added,
	    NULL);

	if (run != NULL && call != NULL) {
		store_add_run(job->jobs->store, call, run);
		return;
	}
	store_run_free(run);
	store_call_free(call);
	job_say(job, MSG_STATE, LOG_LEVEL_WARNING,
	    "the run is not in the history: out of memory");
}

static void
count(struct job *job, const struct run_result *result) ON_MAIN
{
	job->state.last_attempt_ms = job->started_at_ms;
	if (job->was_skipped)
		return;
	job->counters[JOB_COUNT_RUNS]++;
	job->counters[JOB_COUNT_BYTES] += result->progress.done_bytes;
	switch (result->outcome) {
	case RUN_SUCCEEDED:
	case RUN_STOPPED:
	case RUN_REPAIRED:
		job->counters[JOB_COUNT_SUCCEEDED]++;
		if (!job_is_partial(job))
			job->state.last_success_ms = result->finished_at_ms;
		break;
	case RUN_CANCELLED:
		job->counters[JOB_COUNT_CANCELLED]++;
		break;
	case RUN_PARTIAL:
	case RUN_BAD_RANGES:
	case RUN_DIFFERENT:
	case RUN_FAILED:
		job->counters[JOB_COUNT_FAILED]++;
		break;
	}
}

void
job_remember(struct job *job, const struct run_result *result)
{
	count(job, result);
	if (job->jobs->store == NULL)
		return;
	add_to_history(job, result);
	store_state(job);
}

void
job_keep_pause(struct job *job)
{
	job->is_pause_known = true;
	job_keep_state(job);
}

json_t *
job_add_memory(const struct job *job, json_t *o)
{
	const struct store_job *s = &job->state;

	(void)json_object_set_new(o, "uuid", s->uuid[0] == '\0' ?
	    json_null() : json_string(s->uuid));
	(void)json_object_set_new(o, "counters", counters_to_json(job));
	return o;
}

void
jobs_set_store(struct jobs *jobs, struct store *store)
{
	struct job *job = NULL;

	jobs->store = store;
	while ((job = jobs_next(jobs, job)) != NULL)
		job_recall(job);
}

struct store *
jobs_store(const struct jobs *jobs)
{
	return jobs->store;
}

struct mailbox *
jobs_mailbox(const struct jobs *jobs)
{
	return jobs->mailbox;
}
