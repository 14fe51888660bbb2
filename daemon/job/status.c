/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job as others see it: its state in one word, its health, figures.
 *
 * Twice a second the run is looked at, for rates, and because its phase
 * changes on another thread: who waits for a change is told then.
 */

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

#define GOOD_AFTER_MS 60000

const char *const job_states[] = { "idle", "held", "paused", "preparing",
	"connecting", "copying", "mirroring", "verifying", "waiting",
	"reconnecting", "stalled", "flushing", "stopping", NULL };

const char *
job_health_name(enum job_health health)
{
	static const char *const names[] = {
		[JOB_UNKNOWN] = "unknown",
		[JOB_OK] = "ok",
		[JOB_WARN] = "warn",
		[JOB_CRIT] = "crit",
	};

	return names[health];
}

/*
 * A run that has finished on its worker is still stopping for us, until its
 * mail arrives.
 */
static const char *
run_state(const struct job *job, enum run_phase phase)
{
	if (job->is_cancelled || job->has_ended || phase == RUN_FINISHED)
		phase = RUN_STOPPING;
	if (phase == RUN_COPYING && job->mode == RUN_VERIFY)
		return "verifying";
	return run_phase_name(phase);
}

static const char *
job_state(const struct job *job, const struct run_progress *p)
{
	if (job->is_preparing && !job->is_cancelled)
		return "preparing";
	if (job->run != NULL)
		return run_state(job, p->phase);
	if (job->late_hooks != NULL)
		return run_phase_name(RUN_STOPPING);
	return job->is_paused ? "paused" : job->waits_for_window ? "held" :
	    "idle";
}

static enum job_health
job_health(const struct job *job, const struct job_view *view)
{
	if (job->rpo_level == JOB_CRIT)
		return JOB_CRIT;
	if (view->stalled_ms > 0 || job->rpo_level == JOB_WARN ||
	    job_has_failing_passes(job))
		return JOB_WARN;
	if (!job->has_last_run)
		return JOB_UNKNOWN;
	switch (job->last_outcome) {
	case RUN_SUCCEEDED:
	case RUN_STOPPED:
	case RUN_REPAIRED:
	case RUN_CANCELLED:
		return JOB_OK;
	case RUN_PARTIAL:
	case RUN_DIFFERENT:
	case RUN_BAD_RANGES:
	case RUN_FAILED:
		break;
	}
	return JOB_WARN;
}

/* A run that writes, or has ended badly, leaves a mixture. */
static bool
is_consistent(const struct job *job)
{
	return job->has_success && job_is_success(job->last_outcome) &&
	    !job->is_other_copy && !job_has_other_writer(job) &&
	    (job->run == NULL || !job_writes(job));
}

static void
add_progress(struct job_totals *totals, const struct run_progress *p,
    enum run_mode mode)
{
	totals->verified_bytes += p->verified_bytes;
	if (mode == RUN_VERIFY)
		totals->verified_bytes += p->earlier.equal + p->equal_bytes +
		    p->earlier.differing + p->differing_bytes;
	totals->read_bytes += p->earlier.read + p->read_bytes;
	totals->written_bytes += p->earlier.written + p->written_bytes;
	totals->zeroed_bytes += p->earlier.zeroed + p->zeroed_bytes;
	totals->trimmed_bytes += p->earlier.trimmed + p->trimmed_bytes;
	totals->equal_bytes += p->earlier.equal + p->equal_bytes;
	totals->differing_bytes += p->earlier.differing + p->differing_bytes;
	totals->reconnects += p->n_reconnects;
	totals->retries += p->n_retries;
	totals->checkpoint_failures += p->n_checkpoint_failures;
	totals->failed_bytes += p->earlier.failed;
	totals->resumed_bytes += p->earlier.resumed;
	for (unsigned i = 0; i < p->n_destinations; i++) {
		totals->failed_bytes += p->destinations[i].failed_bytes;
		totals->resumed_bytes += p->destinations[i].resumed_bytes;
	}
}

/* What a comparison has seen says nothing of what is durable. */
static void
keep_map(struct job *job) ON_MAIN
{
	struct run_map map;

	if (job->run == NULL || (job->mode == RUN_VERIFY &&
	    job->last_map.size > 0) || series_get_map(job->run, &map) < 0 ||
	    map.size == 0)
		return;
	run_map_done(&job->last_map);
	/* Of what others have written there, too, nothing is known. */
	if (job->is_disturbed) {
		run_map_done(&map);
		return;
	}
	job->last_map = map;
	run_map_fit(&job->last_map);
}

void
job_count(struct job *job, const struct run_result *result)
{
	const struct run_progress *p = &result->progress;

	job->totals.runs[result->outcome]++;
	keep_map(job);
	job_note_differing(job, result);
	add_progress(&job->totals, p, job->mode);
	job->totals.repaired_bytes += result->repaired_bytes;
	job_note_success(job, result);
}

static void
view_run(const struct job *job, struct job_view *view) ON_MAIN
{
	if (job->is_preparing)
		view->progress.limited_by = "none";
	else
		series_get_progress(job->run, &view->progress);
	view->is_running = true;
	view->run_uuid = job->run_uuid;
	view->trigger = job->trigger;
	view->started_at_ms = job->started_at_ms;
	view->rate = progress_rate(&job->meter);
	view->has_time_left = progress_time_left(&job->meter,
	    &view->time_left_ms);
	view->is_time_left_good = job->meter.last_ms - job->meter.first_ms >=
	    GOOD_AFTER_MS;
	view->stalled_ms = progress_stalled_ms(&job->meter);
	/* Else it is among those that have ended. */
	if (!job->has_ended)
		add_progress(&view->totals, &view->progress, job->mode);
}

/* An earlier daemon may have started it. */
static int64_t
last_started_at_ms(const struct job *job)
{
	return job->started_at_ms != 0 ? job->started_at_ms :
	    job->state.last_attempt_ms;
}

void
job_get_view(const struct job *job, struct job_view *ret_view)
{
	struct job_view view = {
		.name = job->name,
		.source = job->source,
		.destination = job->destination_names,
		.destinations_id = job->destinations_id,
		.rev = job->rev,
		.has_last_run = job->has_last_run,
		.last_outcome = job->last_outcome,
		.ended_with = job->ended_with,
		.was_skipped = job->was_skipped,
		.last_run = job->last_run_told,
		.last_run_id = job->last_run_id,
		.last_run_mode = job->last_run_mode,
		.success = job->has_success ? &job->success : NULL,
		.mode = job->mode,
		.is_consistent = is_consistent(job),
		.run_id = job->run_id,
		.is_paused = job->is_paused,
		.goes_on = job->resume_starts,
		.pause_reason = job->pause_reason,
		.paused_at_ms = job->paused_at_ms,
		.pause_until_ms = job->pause_until_ms,
		.totals = job->totals,
		.rate_limit = job->rate,
		.reason = job->wish.reason,
		.is_partial = job_is_partial(job),
		.uuid = job->state.uuid,
		.limits = &job->limits,
		.counts = &job->counts,
		.last_started_at_ms = last_started_at_ms(job),
		.verified_at_ms = job->verified_at_ms,
		.rpo_age_ms = job_rpo_age_ms(job),
		.rpo_warn_ms = job->rpo_warn_ms,
		.rpo_crit_ms = job->rpo_crit_ms,
		.next_run_at_s = job_next_run(job),
	};

	if (job->run != NULL)
		view_run(job, &view);
	view.state = job_state(job, &view.progress);
	view.health = job_health(job, &view);
	*ret_view = view;
}

void
job_remember_state(struct job *job)
{
	struct run_progress p = { .phase = RUN_CONNECTING };

	if (job->run != NULL && !job->is_preparing)
		series_get_progress(job->run, &p);
	job->told_state = job_state(job, &p);
}

int
job_get_map(const struct job *job, struct run_map *ret_map)
{
	if (job->run != NULL)
		return series_get_map(job->run, ret_map);
	return job_mark_differing(job, &job->last_map, ret_map);
}

bool
job_needs_tick(const struct job *job)
{
	return job->run != NULL || job->waits_for_window ||
	    job->asks_again || job->own_rate_until_ms != 0 ||
	    job->own_connections_until_ms != 0 ||
	    (job->is_paused && job->pause_until_ms != 0);
}

/* The time since the last look goes to what limits it now. */
static void
count_limit(struct job *job, const struct run_progress *p) ON_MAIN
{
	uint64_t before_ms = job->limited_at_ms;
	unsigned i = 0;

	job->limited_at_ms = p->elapsed_ms;
	/* Another run. */
	if (before_ms > p->elapsed_ms)
		before_ms = 0;
	while (i < JOB_LIMITS && job->limits.v[i].name != NULL &&
	    strcmp(job->limits.v[i].name, p->limited_by) != 0)
		i++;
	if (i == JOB_LIMITS)
		return;
	job->limits.v[i].name = p->limited_by;
	job->limits.v[i].ms += p->elapsed_ms - before_ms;
}

void
job_tick(struct job *job)
{
	struct run_progress p = { .phase = RUN_CONNECTING };

	if (job->is_paused && job->pause_until_ms != 0 &&
	    job_now_ms() >= job->pause_until_ms)
		job_resume(job);
	job_ask_again(job);
	job_tick_rate(job);
	job_look_at_window(job);
	if (job->run == NULL || job->is_preparing)
		return;
	series_get_progress(job->run, &p);
	progress_update(&job->meter, &p, p.elapsed_ms);
	count_limit(job, &p);
	job_look_at_losses(job, &p);
	job_look_at_stall(job, &p);
	job_look_at_passes(job, &p);
	job_look_at_distrust(job, &p);
	if (strcmp(job->told_state, job_state(job, &p)) != 0)
		jobs_changed(job->jobs, job);
	job_look_at_mirror(job, &p);
}

void
job_look(struct job *job)
{
	if (job->run != NULL)
		job_tick(job);
}

/* Of milliseconds since the epoch; null for 0. */
static json_t *
time_or_null(int64_t at_ms)
{
	return at_ms == 0 ? json_null() : report_time(at_ms);
}

static json_t *
progress_to_json(const struct job_view *view)
{
	json_t *o = report_progress(&view->progress);
	json_t *more = json_pack("{s:I, s:o, s:s}",
	    "rate_bytes_per_s", (json_int_t)view->rate,
	    "eta_s", view->has_time_left ? json_integer(
	    (json_int_t)(view->time_left_ms + 999) / 1000) : json_null(),
	    "eta_confidence", !view->has_time_left ? "none" :
	    view->is_time_left_good ? "good" : "low");

	if (o == NULL || more == NULL || json_object_update(o, more) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(more);
	return o;
}

static json_t *
run_to_json(const struct job_view *view)
{
	if (!view->is_running)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o}", "id",
	    view->run_id, "uuid", view->run_uuid, "trigger", view->trigger,
	    "mode", run_mode_name(view->mode), "partial", view->is_partial,
	    "reason", view->reason, "started_at",
	    report_time(view->started_at_ms), "progress",
	    progress_to_json(view));
}

static json_t *
success_to_json(const struct job_success *s)
{
	if (s == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:f, s:I}", "run", s->run_id,
	    "finished_at", report_time(s->finished_at_ms), "duration_s",
	    (double)s->duration_ms / 1000.0, "bytes_copied",
	    (json_int_t)s->copied_bytes);
}

static json_t *
pause_to_json(const struct job_view *view)
{
	if (!view->is_paused)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:b}", "reason", view->pause_reason,
	    "since", report_time(view->paused_at_ms), "until",
	    time_or_null(view->pause_until_ms), "run_goes_on", view->goes_on);
}

/* One object for each, in the configuration's order. */
static json_t *
destinations_to_json(const struct job *job) ON_MAIN
{
	json_t *list = json_array();

	for (unsigned i = 0; list != NULL && i < job->n_destinations; i++)
		if (json_array_append_new(list, json_pack("{s:s}", "endpoint",
		    job->destinations[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* What holds for the run under way, and for the next. */
static json_t *
limits_to_json(const struct job *job) ON_MAIN
{
	const struct conf_job *cj = conf_find_job(job->jobs->conf, job->name);
	unsigned connections = job->own_connections != 0 || cj == NULL ?
	    job->own_connections : (unsigned)cj->connections;

	return json_pack("{s:I, s:b, s:o, s:i, s:b, s:o}", "rate_bytes_per_s",
	    (json_int_t)job->rate, "as_configured", !job->has_own_rate &&
	    !job->wish.has_rate,
	    "until", time_or_null(job->own_rate_until_ms),
	    "connections", (int)connections, "connections_as_configured",
	    job->own_connections == 0, "connections_until",
	    time_or_null(job->own_connections_until_ms));
}

/* All but the last run. */
static json_t *
to_json(const struct job *job) ON_MAIN
{
	struct job_view view;

	job_get_view(job, &view);
	return job_add_memory(job, json_pack(
	    "{s:s, s:I, s:o, s:s, s:s?, s:s, s:b, s:o, s:b, s:b, s:o, s:o, "
	    "s:o, s:o, s:s, s:o, s:{s:s}, s:{s:s}, s:o, s:o, s:o, s:o}",
	    "job", view.name, "rev", (json_int_t)view.rev, "generated_at",
	    report_time(job_now_ms()), "state", view.state, "phase",
	    view.is_running ? run_phase_name(view.progress.phase) : NULL,
	    "health", job_health_name(view.health),
	    "paused", view.is_paused, "pause", pause_to_json(&view),
	    "consistent", view.is_consistent, "in_sync", false,
	    "last_consistent_at",
	    time_or_null(view.success == NULL ? 0 :
	    view.success->finished_at_ms),
	    "last_success", success_to_json(view.success),
	    "rpo", job_rpo_to_json(job),
	    "next_run_at", view.next_run_at_s < 0 ? json_null() :
	    report_time(view.next_run_at_s * 1000),
	    "mode", run_mode_name(view.mode),
	    "schedule", job_schedule_to_json(job),
	    "source", "endpoint", view.source,
	    "destination", "endpoint", job->destinations[0],
	    "destinations", destinations_to_json(job),
	    "limits", limits_to_json(job),
	    "last_started_at", time_or_null(view.last_started_at_ms),
	    "run", run_to_json(&view)));
}

char *
job_to_text(const struct job *job, json_t *more)
{
	json_t *o = to_json(job);
	const char *last = job->last_run_told;
	CLEANUP(cleanup_free) char *rest = NULL;
	char *text = NULL;

	if (o != NULL && (more == NULL || json_object_update(o, more) == 0))
		rest = report_text(o);
	json_decref(o);
	json_decref(more);
	/* Instead of the brace at its end. */
	if (rest == NULL || asprintf(&text, "%.*s,\"last_run\":%s}",
	    (int)strlen(rest) - 1, rest, last == NULL ? "null" : last) < 0)
		return NULL;
	return text;
}
