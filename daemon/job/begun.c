/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The run that a daemon was killed in.  The notes of a job say which has
 * begun, until it has ended; one that is still there when the next daemon
 * reads them, and is not in the history, has failed.  The hooks after it run
 * then: a snapshot is not left behind, and whoever is to be told is.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

json_t *
job_begun_to_json(const struct job *job)
{
	/* Once: a run that ends the daemon is not to do it again and again. */
	bool is_due_again = job->is_own &&
	    strcmp(job->trigger, "catch-up") != 0;

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I}", "id",
	    job->run_id,
	    "uuid", job->run_uuid, "trigger", job->trigger, "mode",
	    run_mode_name(job->mode), "partial", job_is_partial(job),
	    "started_ms", (json_int_t)job->started_at_ms, "due_after_s",
	    (json_int_t)(is_due_again ? job->due_after : 0));
}

/* As of one that has ended; NULL: out of memory. */
static json_t *
describe(json_t *begun, const struct run_result *result) ON_MAIN
{
	json_t *o = json_copy(begun);
	json_t *report = report_result_cut(result, JOB_LIST_MAX);

	(void)json_object_del(o, "started_ms");
	(void)json_object_del(o, "due_after_s");
	(void)json_object_set_new(o, "reason", json_string(""));
	if (report == NULL || json_object_update(o, report) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(report);
	return o;
}

/* It has written nothing but, perhaps, what its source has. */
static bool
is_of_comparing(const json_t *begun)
{
	const char *mode = json_string_value(json_object_get(begun, "mode"));

	return mode != NULL && strcmp(mode, run_mode_name(RUN_VERIFY)) == 0;
}

/* So that nobody takes the one before it for the last. */
static void
add_to_history(struct job *job, const json_t *o,
    const struct run_result *result) ON_MAIN
{
	struct store_run *run = store_run_new();

	if (run == NULL)
		return;
	run->id = strdup(json_string_value(json_object_get(o, "id")));
	run->job = strdup(job->name);
	run->trigger = strdup(json_string_value(json_object_get(o,
	    "trigger")));
	run->result = strdup(run_outcome_name(result->outcome));
	run->report = report_text(o);
	run->started_at_ms = result->started_at_ms;
	run->finished_at_ms = result->finished_at_ms;
	/* What it has left of the destination nobody knows. */
	if (job->last_map.size == 0)
		run->map = strdup("");
	if (run->id != NULL && run->job != NULL && run->trigger != NULL &&
	    run->result != NULL)
		jobs_keep_run(job->jobs, run);
	else
		store_run_free(run);
}

/* It is due again, as far as what is missed is caught up with. */
static void
note_due(struct job *job, const json_t *begun) ON_MAIN
{
	json_int_t due_after = json_integer_value(json_object_get(begun,
	    "due_after_s"));

	if (due_after <= 0 || job->run != NULL)
		return;
	job->is_due_again = true;
	/* Which is taken over when we are through. */
	job->state.last_fire_ms = (int64_t)due_after * 1000;
}

static void
on_hooks_end(void *arg)
{
	struct job *job = arg;
	struct jobs *jobs = job->jobs;

	on_main_entry();
	hooks_free(job->late_hooks);
	job->late_hooks = NULL;
	/* What was due has waited. */
	if (!jobs->is_stopping)
		net_timer_start(&jobs->schedule_timer, 0);
	jobs_on_job_idle(jobs, job);
}

/* Nothing is told by those of a run that has begun since. */
static void
run_hooks(struct job *job, const json_t *report,
    const struct run_result *result) ON_MAIN
{
	const struct hooks_events events = { NULL, on_hooks_end, job,
		job->totals.hooks };
	const struct conf *conf = job->jobs->conf;
	json_t *o;

	if (job->run != NULL || !job->is_configured ||
	    job->jobs->is_stopping ||
	    hooks_new(job->jobs->loop, conf, conf_find_job(conf, job->name),
	    &events, &job->late_hooks) < 0 || job->late_hooks == NULL)
		return;
	job->jobs->n_running++;
	o = job_describe_result(job, report, result);
	hooks_after(job->late_hooks, o, true);
	json_decref(o);
}

static void
take(struct job *job, json_t *begun, const struct store_call *call) ON_MAIN
{
	struct run_result result = {
		.outcome = RUN_FAILED,
		.started_at_ms = (int64_t)json_integer_value(
		    json_object_get(begun, "started_ms")),
		/* It did earlier, but nobody knows when. */
		.finished_at_ms = job_now_ms(),
		.progress = { .phase = RUN_FINISHED, .limited_by = "none" },
	};
	json_t *o;

	result.failure.errnum = error_set(&result.failure.error, -EINTR,
	    "the daemon ended while it ran");
	o = describe(begun, &result);
	if (o == NULL)
		return;
	job_say(job, MSG_RUN_FAILED, LOG_LEVEL_WARNING,
	    "run %s failed: the daemon ended while it ran",
	    json_string_value(json_object_get(o, "id")));
	job_tell_last_run(job, o);
	if (is_of_comparing(begun))
		job_take_last_map(job, call);
	job->has_last_run = true;
	job->last_outcome = RUN_FAILED;
	job->ended_at_ms = result.finished_at_ms;
	/* The clock was put back: what it has kept may seem newer than that. */
	job->has_stale = job->has_stale ||
	    result.finished_at_ms < result.started_at_ms;
	if (result.started_at_ms > job->state.last_attempt_ms)
		job->state.last_attempt_ms = result.started_at_ms;
	job->counters[JOB_COUNT_RUNS]++;
	job->counters[JOB_COUNT_FAILED]++;
	job->is_dirty = true;
	add_to_history(job, o, &result);
	note_due(job, begun);
	run_hooks(job, o, &result);
	json_decref(o);
}

bool
job_take_begun(struct job *job, const struct store_call *call)
{
	const char *newest = call->n_runs > 0 ? call->runs[0]->id : "";
	json_t *o, *begun;
	const char *id;

	/* One has ended since. */
	if (job->last_run_told != NULL)
		return false;
	o = json_loads(job->state.counters, 0, NULL);
	begun = json_object_get(o, "begun");
	id = json_string_value(json_object_get(begun, "id"));
	if (id != NULL && strcmp(id, newest) != 0 &&
	    json_is_string(json_object_get(begun, "trigger")))
		take(job, begun, call);
	json_decref(o);
	return job->last_run_told != NULL;
}
