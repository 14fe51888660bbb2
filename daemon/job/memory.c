/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a job remembers over a restart of the daemon: its UUID, its pause and
 * the run that is to go on after it, its last success, its counters, and in the
 * history each run that has ended, of which it tells the last.
 *
 * It is asked for when the job is made, until the store answers, and written
 * when something of it has changed (keep.c); both by the store's thread, so
 * that nothing here waits.  Without a store jobs run as ever and forget.  What
 * was counted before the store had answered is added to what it then says.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

/* How long what is to be done waits for the store, unless somebody asks. */
#define ANSWER_WAIT_MS 30000
/* How many jobs ask it at once: an answer may have megabytes of a report. */
#define ASKING_MAX     8
/* Others need room in its queue, too. */
#define QUEUED_MAX     (STORE_QUEUE_MAX / 2)

static const char *const counter_names[JOB_COUNTERS] = {
	[JOB_COUNT_RUNS] = "runs",
	[JOB_COUNT_SUCCEEDED] = "succeeded",
	[JOB_COUNT_FAILED] = "failed",
	[JOB_COUNT_CANCELLED] = "cancelled",
	[JOB_COUNT_BYTES] = "bytes",
};

static void
put_counters(const struct job *job, json_t **o) ON_MAIN
{
	for (unsigned i = 0; i < JOB_COUNTERS; i++)
		report_put_number(o, counter_names[i], job->counters[i]);
}

/* wish: NULL, or stolen. */
static json_t *
pause_to_json(const struct job *job, bool starts, json_t *wish) ON_MAIN
{
	json_t *o = json_pack("{s:I, s:b}", "at_ms",
	    (json_int_t)job->paused_at_ms, "starts", starts);

	if (starts)
		report_put(&o, "wish", wish);
	return o;
}

/* Digests to compare with are the run's that has left them. */
static bool
can_be_stored(const struct job_wish *wish)
{
	return wish->line == NULL;
}

static void
put_pause(const struct job *job, json_t **o) ON_MAIN
{
	bool starts = job->resume_starts && can_be_stored(&job->wish);

	if (job->is_paused)
		report_put(o, "pause", pause_to_json(job, starts, starts ?
		    job_wish_to_json(job) : NULL));
}

static void
put_distrusted(const struct job *job, json_t **o) ON_MAIN
{
	if (job->distrusted == 0)
		return;
	report_put_number(o, "distrusted", job->distrusted);
	if (job->distrusted_for != NULL)
		report_put(o, "distrusted_for",
		    json_string(job->distrusted_for));
}

static void
put_outcome(const struct job *job, json_t **o) ON_MAIN
{
	if (job->has_last_run)
		report_put(o, "outcome",
		    json_string(run_outcome_name(job->last_outcome)));
	if (job->verified_at_ms != 0)
		report_put_number(o, "verified_ms",
		    (uint64_t)job->verified_at_ms);
	if (job->has_success)
		report_put(o, "success", json_pack("{s:s, s:I, s:I}", "run",
		    job->success.run_id, "duration_ms",
		    (json_int_t)job->success.duration_ms, "copied_bytes",
		    (json_int_t)job->success.copied_bytes));
}

/*
 * The counters, and what else has no column of its own.  All of it, or NULL:
 * what is not noted is forgotten.
 */
static json_t *
notes_to_json(const struct job *job) ON_MAIN
{
	json_t *o = json_object();

	put_counters(job, &o);
	put_pause(job, &o);
	report_put_number(&o, "outdated_ms", (uint64_t)job->resume_after_ms);
	report_put_number(&o, "written_ms", (uint64_t)job->written_at_ms);
	put_distrusted(job, &o);
	report_put_number(&o, "known_since_ms",
	    (uint64_t)job->known_since_ms);
	if (schedule_is_set(&job->schedule))
		report_put_number(&o, "schedule", schedule_id(&job->schedule));
	put_outcome(job, &o);
	if (job->run != NULL && !job->has_ended)
		report_put(&o, "begun", job_begun_to_json(job));
	if (job->waits_for_window)
		report_put(&o, "held", json_true());
	if (job->last_map.size == 0)
		report_put(&o, "map_gone", json_true());
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
	char *text = report_text(o);

	if (text != NULL && strlen(text) >= sizeof job->state.counters) {
		free(text);
		report_put(&o, "pause", pause_to_json(job, false, NULL));
		text = report_text(o);
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
}

static bool
is_bad(enum run_outcome outcome)
{
	return outcome == RUN_PARTIAL || outcome == RUN_DIFFERENT ||
	    outcome == RUN_BAD_RANGES || outcome == RUN_FAILED;
}

/*
 * How the last run had ended that an earlier daemon knew of.  Another may
 * have begun after it, and been killed with the daemon: so one that was good
 * does not count as good any more.
 */
static void
take_outcome(struct job *job, const char *name) ON_MAIN
{
	if (job->has_last_run)
		return;
	job->last_outcome = RUN_CANCELLED;
	for (int i = 0; name != NULL && i < RUN_OUTCOMES; i++) {
		if (strcmp(run_outcome_name((enum run_outcome)i), name) != 0)
			continue;
		job->has_last_run = true;
		if (is_bad((enum run_outcome)i))
			job->last_outcome = (enum run_outcome)i;
	}
}

static void
take_pause(struct job *job, const json_t *o) ON_MAIN
{
	if (!job->state.is_paused || job->is_pause_known)
		return;
	job->is_paused = true;
	job->pause_until_ms = job->state.paused_until_ms;
	job->paused_at_ms = (int64_t)number(o, "at_ms");
	/* What has been started meanwhile has a wish of its own. */
	job->resume_starts = job->run == NULL &&
	    json_is_true(json_object_get(o, "starts")) &&
	    job_take_stored_wish(job, json_object_get(o, "wish")) == 0;
	(void)snprintf(job->pause_reason, sizeof job->pause_reason, "%.*s",
	    (int)sizeof job->pause_reason - 1, job->state.paused_reason);
	job_say(job, MSG_JOB_PAUSED, LOG_LEVEL_INFO, "is still paused");
}

/*
 * Up to when what was kept to go on from is out of date.  Who does not say it
 * has told at least of the last success.
 */
static void
take_outdated(struct job *job, const json_t *o) ON_MAIN
{
	int64_t at_ms = o == NULL ? job->state.last_success_ms :
				    (int64_t)json_integer_value(o);

	if (at_ms <= job->resume_after_ms)
		return;
	job->resume_after_ms = at_ms;
	if (job->run != NULL)
		series_outdate(job->run, at_ms);
}

static void
take_notes(struct job *job, uint64_t *ret_schedule_id) ON_MAIN
{
	json_t *o = json_loads(job->state.counters, 0, NULL);
	uint64_t since;

	*ret_schedule_id = number(o, "schedule");
	for (unsigned i = 0; i < JOB_COUNTERS; i++)
		job->counters[i] += number(o, counter_names[i]);
	job_take_distrusted(job, (uint32_t)number(o, "distrusted"),
	    json_string_value(json_object_get(o, "distrusted_for")));
	take_outdated(job, json_object_get(o, "outdated_ms"));
	job->is_map_gone = json_is_true(json_object_get(o, "map_gone"));
	if (job->written_at_ms == 0)
		job->written_at_ms = (int64_t)number(o, "written_ms");
	take_outcome(job, json_string_value(json_object_get(o, "outcome")));
	take_success(job, json_object_get(o, "success"));
	take_pause(job, json_object_get(o, "pause"));
	if (json_is_true(json_object_get(o, "held")) && job->run == NULL)
		job->waits_for_window = true;
	if (job->verified_at_ms == 0)
		job->verified_at_ms = (int64_t)number(o, "verified_ms");
	since = number(o, "known_since_ms");
	if (since != 0 && (int64_t)since < job->known_since_ms)
		job->known_since_ms = (int64_t)since;
	json_decref(o);
}

int
job_write_notes(struct job *job)
{
	CLEANUP(cleanup_free) char *notes = make_notes(job);

	if (notes == NULL)
		return -ENOMEM;
	(void)snprintf(job->state.counters, sizeof job->state.counters, "%s",
	    notes);
	job->state.is_paused = job->is_paused;
	job->state.paused_until_ms = job->pause_until_ms;
	(void)snprintf(job->state.paused_reason,
	    sizeof job->state.paused_reason, "%s", job->pause_reason);
	return 0;
}

static void
take_state(struct job *job, const struct store_call *call) ON_MAIN
{
	const struct store_job *stored = call->jobs;
	struct store_job mine = job->state;
	uint64_t schedule_id = 0;

	job->state = *stored;
	if (mine.last_success_ms > stored->last_success_ms)
		job->state.last_success_ms = mine.last_success_ms;
	if (mine.last_attempt_ms > stored->last_attempt_ms)
		job->state.last_attempt_ms = mine.last_attempt_ms;
	/* A run that was due may have been started without waiting for this. */
	if (mine.last_fire_ms > stored->last_fire_ms)
		job->state.last_fire_ms = mine.last_fire_ms;
	if (call->n_runs > 0 && job->ended_at_ms == 0)
		job->ended_at_ms = call->runs[0]->finished_at_ms;
	take_notes(job, &schedule_id);
	if (!job_take_begun(job, call))
		job_take_last_run(job, call);
	job->is_state_known = true;
	job_take_fire(job, job->state.last_fire_ms / 1000, schedule_id);
	if (stored->counters[0] == '\0')
		job->is_dirty = true;
	/* Also what has become of it before this was known. */
	job_keep_on(job);
	jobs_changed(job->jobs, job);
}

static void
ask_later(struct job *job) ON_MAIN
{
	job->asks_again = true;
	jobs_start_tick(job->jobs);
}

static void ask(struct job *job) ON_MAIN;

/*
 * States on their way to the store are no reason to ask less: the queue has
 * room for more of both than there can be.
 */
static bool
can_ask(const struct jobs *jobs) ON_MAIN
{
	return jobs->n_asking < ASKING_MAX && keep_has_room(jobs, QUEUED_MAX);
}

static void
ask_next(struct jobs *jobs) ON_MAIN
{
	struct job *job = NULL;

	while (can_ask(jobs) && (job = jobs_next(jobs, job)) != NULL)
		if (job->asks_again)
			ask(job);
}

static void
take_answer(struct job *job, const struct store_call *call) ON_MAIN
{
	int error = call->error.code;

	if (error != 0 && !job->is_state_known)
		ask_later(job);
	/* It has a moment's trouble: that is waited for. */
	if (job->asks_again && (error == -EAGAIN || error == -EBUSY))
		return;
	job->is_asking = false;
	if (error == 0 && !job->is_state_known)
		take_state(job, call);
	/* What has waited for this, may go on. */
	net_timer_start(&job->jobs->schedule_timer, 0);
	jobs_tell_watches(job->jobs);
}

/* The job may have gone meanwhile. */
static void
on_state(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct job *job;

	on_main_entry();
	jobs->n_asking--;
	if (call->error.code != 0) {
		keep_note_failure(jobs, call->error.code);
	} else {
		jobs->answered_at_ms = job_now_ms();
		keep_note_success(jobs);
	}
	job = jobs_find(jobs, call->job);
	if (job != NULL)
		take_answer(job, call);
	ask_next(jobs);
	keep_post(jobs);
}

/* Who stands in line waits no longer than the line stands still. */
bool
job_is_unknown(const struct job *job)
{
	int64_t now = job_now_ms();
	int64_t since = job->asked_at_ms;

	if (!job->has_asked && job->jobs->answered_at_ms > since)
		since = job->jobs->answered_at_ms;
	return job->is_asking && now >= since && now - since < ANSWER_WAIT_MS;
}

bool
jobs_have_unknown(const struct jobs *jobs)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (job_is_unknown(job))
			return true;
	return false;
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
ask(struct job *job)
{
	struct store_call *call;

	if (!can_ask(job->jobs)) {
		ask_later(job);
		return;
	}
	job->asks_again = false;
	call = store_call_new(job->jobs->mailbox, on_state, job->jobs);
	if (call == NULL) {
		ask_later(job);
		return;
	}
	job->is_asking = true;
	if (!job->has_asked)
		job->asked_at_ms = job_now_ms();
	job->has_asked = true;
	job->jobs->n_asking++;
	call->on_store = job_recall_on_store;
	store_get_job(job->jobs->store, call, job->name);
}

void
job_recall(struct job *job)
{
	if (job->jobs->store == NULL || job->is_state_known ||
	    job->is_asking || job->asks_again)
		return;
	job->is_asking = true;
	job->has_asked = false;
	job->asked_at_ms = job_now_ms();
	ask(job);
}

void
job_ask_again(struct job *job)
{
	if (job->asks_again && job->jobs->store != NULL)
		ask(job);
}

/* Made into text within a millisecond. */
#define SHORT_LISTS 16384

/* A run's report for the history, as far as it was made on the main thread. */
struct late_report {
	json_t *told;			/* with cut lists */
	struct report_lists *lists;	/* all of them */
};

static void
late_report_free(void *arg)
{
	struct late_report *late = arg;

	json_decref(late->told);
	report_lists_free(late->lists);
	free(late);
}

/* Any thread. */
static char *
late_report_make(void *arg)
{
	struct late_report *late = arg;

	return report_text_with_lists(late->told, late->lists);
}

/* What is told of the run, and what is too much to be told each time. */
static void
add_report(const struct job *job, const struct run_result *result,
    struct store_run *run) ON_MAIN
{
	struct late_report *late = calloc(1, sizeof *late);

	if (late == NULL)
		return;
	/* Nothing of it is another thread's as well. */
	late->told = json_deep_copy(job->report);
	late->lists = report_keep_lists(result);
	report_put(&late->told, "destination",
	    json_string(job->destination_names));
	report_put(&late->told, "destinations_id",
	    json_string(job->destinations_id));
	if (late->told == NULL || late->lists == NULL) {
		late_report_free(late);
		return;
	}
	(void)json_object_del(late->told, "lists_are_cut");
	/* As text it takes less room while it waits. */
	if (report_lists_bytes(late->lists) <= SHORT_LISTS) {
		run->report = late_report_make(late);
		late_report_free(late);
		return;
	}
	run->make_report = late_report_make;
	run->arg = late;
	run->free_arg = late_report_free;
	run->arg_bytes = report_lists_bytes(late->lists);
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
	add_report(job, result, run);
	run->map = job->last_map.size == 0 ? NULL : job_map_to_text(job);
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

	if (run != NULL)
		jobs_keep_run(job->jobs, run);
	else
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
	job_keep_state(job);
}

void
job_keep_pause(struct job *job)
{
	job->is_pause_known = true;
	job_keep_state_first(job);
}

json_t *
job_add_memory(const struct job *job, json_t *o)
{
	const struct store_job *s = &job->state;
	json_t *counters = json_object();

	put_counters(job, &counters);
	(void)json_object_set_new(o, "uuid", s->uuid[0] == '\0' ?
	    json_null() : json_string(s->uuid));
	(void)json_object_set_new(o, "counters", counters);
	return o;
}

void
jobs_set_store(struct jobs *jobs, struct store *store)
{
	struct job *job = NULL;

	jobs->store = store;
	while ((job = jobs_next(jobs, job)) != NULL)
		job_recall(job);
	keep_post(jobs);
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
