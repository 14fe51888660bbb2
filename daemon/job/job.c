/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One job and its runs.
 *
 * job_start() makes a run of the current configuration and lets it go; the
 * run works on the worker threads and its end arrives through the mailbox as
 * job_on_finished(), whether it succeeded, failed or was cancelled.  There
 * the result is logged, once, and kept as JSON (result.c); the run is freed.
 */

#include "job/job-private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/cleanup.h"

int64_t
job_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct job *
job_new(struct jobs *jobs, const char *name)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	list_init(&job->node);
	list_init(&job->keep_node);
	job->jobs = jobs;
	job->told_state = "idle";
	job->trigger = "";
	job->known_since_ms = job_now_ms();
	job->rpo_level = JOB_OK;
	(void)snprintf(job->name, sizeof job->name, "%s", name);
	return job;
}

void
job_free(struct job *job)
{
	assert(job->run == NULL);
	list_remove(&job->node);
	list_remove(&job->keep_node);
	hooks_free(job->late_hooks);
	hooks_free(job->rpo_alarm.hooks);
	hooks_free(job->stall_alarm.hooks);
	hooks_free(job->pass_alarm.hooks);
	json_decref(job->report);
	free(job->last_run_told);
	free(job->distrusted_for);
	run_map_done(&job->last_map);
	ranges_done(&job->differing);
	job_forget_wish(job);
	free(job);
}

void
job_say_about(struct job *job, struct log_about about,
    enum log_level level, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	about.job = job->name;
	about.job_uuid = job->state.uuid;
	about.run = job->run == NULL ? NULL : job->run_id;
	job->totals.log_messages[level]++;
	log_write(&about, level, "job '%s': %s", job->name, text);
}

void
job_say_refused(struct job *job, const struct error *e)
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_RUN_FAILED], .job = job->name,
		.job_uuid = job->state.uuid };

	job->totals.log_messages[LOG_LEVEL_ERROR]++;
	log_write(&about, LOG_LEVEL_ERROR, "%s", e->text);
}

/* Unique also over a restart within the same second, and sorts by time. */
static void
make_run_id(struct job *job)
{
	time_t seconds = (time_t)(job->started_at_ms / 1000);
	char date[20] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(date, sizeof date, "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(job->run_id, sizeof job->run_id, "%s%03d-%u", date,
	    (int)(job->started_at_ms % 1000), ++job->jobs->n_runs);
}

/* A random one, of version 4. */
static void
make_uuid(char uuid[JOB_UUID_SIZE])
{
	uint64_t n[2] = { 0, 0 };

	if (getrandom(n, sizeof n, GRND_NONBLOCK) < 0)
		n[0] = n[1] = (uint64_t)job_now_ms();
	(void)snprintf(uuid, JOB_UUID_SIZE, "%08x-%04x-4%03x-%04x-%012" PRIx64,
	    (unsigned)(n[0] >> 32), (unsigned)(n[0] >> 16 & 0xffff),
	    (unsigned)(n[0] & 0xfff), (unsigned)(n[1] >> 48 & 0x3fff) | 0x8000,
	    n[1] & UINT64_C(0xffffffffffff));
}

static void
end_run(void *arg)
{
	struct job *job = arg;

	on_main_entry();
	hooks_free(job->hooks);
	job->hooks = NULL;
	json_decref(job->report);
	job->report = NULL;
	series_free(job->run);
	job->run = NULL;
	if (!job->resume_starts) {
		job_forget_wish(job);
		job_apply_rate(job, job->jobs->conf);
	}
	jobs_on_job_idle(job->jobs, job);
}

/*
 * What the destination is in after the run.  That a part of it is right, or
 * was made so, does not make up for what was before, nor does a run that was
 * given up there; and one that a hook has skipped has done nothing.
 */
static void
take_outcome(struct job *job, enum run_outcome outcome, bool is_skipped) ON_MAIN
{
	job->ended_with = outcome;
	job->was_skipped = is_skipped;
	if (is_skipped)
		return;
	job->has_last_run = true;
	if (job_is_partial(job) && (outcome == RUN_SUCCEEDED ||
	    outcome == RUN_STOPPED || outcome == RUN_REPAIRED ||
	    outcome == RUN_CANCELLED)) {
		/* A part of it is of another time than the rest. */
		job->is_other_copy = job->is_other_copy ||
		    (job->repairs && outcome != RUN_SUCCEEDED);
		return;
	}
	job->last_outcome = outcome;
	if (job_is_success(outcome))
		job->is_other_copy = job->is_disturbed || job->is_mixed;
}

/* It was ended by the end of the daemon, before its own. */
static void
look_at_stopping(struct job *job, enum run_outcome outcome) ON_MAIN
{
	if (jobs_is_stopping(job->jobs) && job->is_configured &&
	    job->due_after > 0 && !job->resume_starts &&
	    !job->waits_for_window &&
	    (outcome == RUN_CANCELLED || outcome == RUN_STOPPED))
		job_make_due_again(job, job->due_after);
}

/* Keep what became of the run, and go on to the hooks after it. */
static void
keep_result(struct job *job, const struct run_result *result,
    bool is_skipped) ON_MAIN
{
	json_t *o;

	job->has_ended = true;
	job->ended_at_ms = result->finished_at_ms;
	/* It came to its end, though it was to be ended: nothing is left. */
	if (result->outcome != RUN_FAILED && result->outcome != RUN_CANCELLED &&
	    result->outcome != RUN_STOPPED) {
		job->resume_starts = false;
		job->waits_for_window = false;
	}
	o = job_result_to_json(job, result);
	if (is_skipped && o != NULL)
		(void)json_object_set_new(o, "result",
		    json_string(JOB_SKIPPED));
	job->report = o;
	job_tell_last_run(job, o);
	take_outcome(job, result->outcome, is_skipped);
	if (!is_skipped) {
		job_count(job, result);
		look_at_stopping(job, result->outcome);
	}
	job_remember(job, result);
	if (job->hooks == NULL) {
		end_run(job);
		return;
	}
	o = job_describe_result(job, job->report, result);
	hooks_after(job->hooks, o, result->outcome != RUN_SUCCEEDED &&
	    result->outcome != RUN_STOPPED &&
	    result->outcome != RUN_REPAIRED &&
	    result->outcome != RUN_CANCELLED);
	json_decref(o);
	jobs_changed(job->jobs, job);
}

/*
 * A run that has begun anew, or come to its end, has removed what was kept
 * for going on.  If the store could not do it, it counts for nothing all the
 * same, and is removed when the store can.
 */
static void
outdate_checkpoint(struct job *job, const struct run_result *result) ON_MAIN
{
	bool is_complete = result->outcome != RUN_FAILED &&
	    result->outcome != RUN_CANCELLED;

	/* Nor is anything kept of what others have written to meanwhile. */
	if (job->is_outdated) {
		job->resume_after_ms = result->finished_at_ms;
		job->has_stale = true;
		return;
	}
	/* It may have repaired something. */
	if (job->mode == RUN_VERIFY && !result->leaves_outdated)
		return;
	if (is_complete || result->leaves_outdated)
		job->resume_after_ms = result->finished_at_ms;
	else if (result->not_resumed.code != 0)
		job->resume_after_ms = result->started_at_ms;
	/* What was removed may be there again, from this run. */
	if (result->leaves_outdated)
		job->has_stale = true;
	else if (result->is_resumed || result->not_resumed.code != 0)
		job->has_stale = false;
}

static void
job_on_finished(struct series *run, void *arg)
{
	struct job *job = arg;

	on_main_entry();
	/* One that goes on after a pause goes on from what it has done. */
	if (series_result(run)->has_begun)
		job->wish.is_full = false;
	job_log_result(job, series_result(run));
	outdate_checkpoint(job, series_result(run));
	job_note_distrust(job, series_result(run));
	job_tell_of_written(job, series_result(run));
	keep_result(job, series_result(run), false);
}

/* The hooks before the run have been run, and it may begin, or not. */
static void
on_hooks_before(void *arg, enum hooks_verdict verdict, const struct error *e)
{
	struct job *job = arg;
	struct run_result result = {
		.outcome = verdict == HOOKS_FAIL ? RUN_FAILED : RUN_CANCELLED,
		.started_at_ms = job->started_at_ms,
		.finished_at_ms = job_now_ms(),
		.progress = { .phase = RUN_FINISHED, .limited_by = "none" },
	};

	on_main_entry();
	job->is_preparing = false;
	if (verdict == HOOKS_SKIP)
		job->totals.skipped_runs++;
	if (verdict == HOOKS_GO) {
		job_tell_of_writing(job);
		job_keep_state(job);
		series_start(job->run);
		jobs_changed(job->jobs, job);
		return;
	}
	if (verdict == HOOKS_FAIL) {
		result.failure.errnum = e->code;
		result.failure.error = *e;
	}
	if (verdict == HOOKS_SKIP)
		job_say(job, MSG_RUN_SKIPPED, LOG_LEVEL_INFO,
		    "skipped: %s", e->text);
	else
		job_log_result(job, &result);
	keep_result(job, &result, verdict == HOOKS_SKIP);
}

static int
make_hooks(struct job *job, struct error *e) ON_MAIN
{
	const struct hooks_events events = { on_hooks_before, end_run, job,
		job->totals.hooks };
	const struct conf *conf = job->jobs->conf;

	if (hooks_new(job->jobs->loop, conf, conf_find_job(conf, job->name),
	    &events, &job->hooks) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	return 0;
}

static void
begin_run(struct job *job) ON_MAIN
{
	json_t *o;

	if (job->hooks == NULL) {
		job_tell_of_writing(job);
		series_start(job->run);
		return;
	}
	job->is_preparing = true;
	o = job_describe_run(job);
	(void)json_object_set_new(o, "state", json_string("preparing"));
	hooks_before(job->hooks, o);
	json_decref(o);
}

static int
make_run(struct job *job, struct series **ret_run, struct error *e) ON_MAIN
{
	const struct conf *conf = job->jobs->conf;
	const struct conf_job *cj = conf_find_job(conf, job->name);
	const struct endpoint_spec *destinations[RUN_MAX_DESTINATIONS];
	CLEANUP(cleanup_free) struct run_range *ranges = NULL;
	const char *names[RUN_MAX_DESTINATIONS];
	struct run_spec spec;
	int r;

	job_make_spec(job, cj, &spec);
	if (job->wish.n_ranges > 0) {
		r = job_cut_ranges(&job->wish, cj, &ranges, &spec.n_ranges, e);
		if (r < 0)
			return r;
		spec.ranges = ranges;
	}
	if (job_is_partial(job)) {
		spec.zero_rest = false;
		spec.digest = DIGEST_NONE;
	}
	spec.destinations = destinations;
	spec.n_destinations = conf_job_destinations(cj, names);
	for (unsigned i = 0; i < spec.n_destinations; i++)
		destinations[i] = conf_find_endpoint(conf, names[i])->spec;
	r = job_get_distrusted(job, names, spec.n_destinations,
	    &spec.distrusted);
	if (r < 0)
		return error_set(e, r, "out of memory");
	return series_new(&spec, job->jobs->pool, job->jobs->mailbox,
	    job->jobs->loop, job_on_finished, job, ret_run, e);
}

static int
check_may_start(const struct job *job, struct error *e) ON_MAIN
{
	if (job->run != NULL)
		return error_set(e, -EBUSY, "job '%s' is running", job->name);
	if (job->late_hooks != NULL)
		return error_set(e, -EBUSY, "job '%s' still runs the hooks "
		    "after a run that the daemon has ended in", job->name);
	if (job->is_paused)
		return error_set(e, -ECANCELED, "job '%s' is paused%s%s",
		    job->name, job->pause_reason[0] != '\0' ? ": " : "",
		    job->pause_reason);
	if (job->jobs->is_stopping)
		return error_set(e, -ESHUTDOWN, "the daemon is stopping");
	if (!job->is_configured)
		return error_set(e, -ENOENT, "job '%s' is no longer "
		    "configured", job->name);
	return 0;
}

/* The run, and the hooks around it, as is wished. */
static int
prepare(struct job *job, struct series **ret_run, struct error *e) ON_MAIN
{
	const struct conf *conf = job->jobs->conf;
	struct series *run = NULL;
	int r;

	jobs_apply_rate(job->jobs, conf);
	job_apply_rate(job, conf);
	job->mode = job->wish.has_mode ? job->wish.mode :
	    conf_find_job(conf, job->name)->mode;
	job->repairs = job->wish.has_repair ? job->wish.repair :
	    conf_find_job(conf, job->name)->repair;
	r = make_run(job, &run, e);
	if (r < 0)
		return error_prefix(e, "job '%s'", job->name);
	r = make_hooks(job, e);
	if (r < 0)
		series_free(run);
	else
		*ret_run = run;
	return r;
}

static void
let_go(struct job *job, const char *trigger, struct series *run) ON_MAIN
{
	const char *reason = job->wish.reason;

	/* What goes on after a pause or a window is what was begun before. */
	job->is_own = strcmp(trigger, "schedule") == 0 ||
	    strcmp(trigger, "catch-up") == 0 ||
	    strcmp(trigger, "window") == 0 ||
	    (strcmp(trigger, "resume") == 0 && job->is_own);
	if (!job->is_own)
		job->due_after = 0;
	job->run = run;
	job->has_ended = false;
	job->is_cancelled = false;
	job->late_distrusted = 0;
	job->is_disturbed = false;
	job->is_mixed = false;
	job->is_outdated = false;
	job->resume_starts = false;
	job->waits_for_window = false;
	progress_init(&job->meter);
	job_reset_stall(job);
	job_reset_passes(job);
	job->has_lost = false;
	job->trigger = trigger;
	job->started_at_ms = job_now_ms();
	make_run_id(job);
	make_uuid(job->run_uuid);
	job->jobs->n_running++;
	job_say(job, MSG_RUN_STARTED, LOG_LEVEL_INFO,
	    "run %s started: '%s' to '%s'%s%s", job->run_id, job->source,
	    job->destination_names, reason[0] != '\0' ? ": " : "", reason);
	job_look_for_writers(job);
	begin_run(job);
	job_keep_state(job);
	jobs_changed(job->jobs, job);
}

/* Nothing runs, so nothing is wished of it. */
static void
settle(struct job *job) ON_MAIN
{
	job_forget_wish(job);
	job_apply_rate(job, job->jobs->conf);
	job_refresh(job, job->jobs->conf);
	/* Without its wish it would be another run. */
	if (job->resume_starts) {
		job->resume_starts = false;
		job_keep_state(job);
	}
}

int
job_go_on(struct job *job, const char *trigger, struct error *e)
{
	struct series *run = NULL;
	int r;

	r = check_may_start(job, e);
	if (r < 0)
		return r;
	r = prepare(job, &run, e);
	if (r < 0)
		settle(job);
	else
		let_go(job, trigger, run);
	return r;
}

int
job_start(struct job *job, const char *trigger, const struct job_wish *wish,
    struct error *e)
{
	static const struct job_wish nothing;
	int r;

	r = check_may_start(job, e);
	if (r < 0)
		return r;
	if (job_take_wish(job, wish != NULL ? wish : &nothing) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	return job_go_on(job, trigger, e);
}

int
job_end_run(struct job *job)
{
	if (job->run == NULL)
		return -ESRCH;
	/* It may even have never begun. */
	if (job->has_ended)
		return 0;
	if (job->is_preparing)
		hooks_stop(job->hooks);
	else
		series_cancel(job->run);
	if (job->is_cancelled)
		return 0;
	job->is_cancelled = true;
	job_say(job, MSG_RUN_CANCELLED, LOG_LEVEL_INFO,
	    "run %s is being cancelled",
	    job->run_id);
	jobs_changed(job->jobs, job);
	return 0;
}

/*
 * What a pause, or the end of the window, has ended is not to go on.  false:
 * nothing is.
 */
static bool
give_up_rest(struct job *job) ON_MAIN
{
	if (!job->resume_starts && !job->waits_for_window)
		return false;
	job->resume_starts = false;
	job->waits_for_window = false;
	job_keep_state(job);
	if (job->run != NULL)
		return true;
	job_forget_wish(job);
	job_apply_rate(job, job->jobs->conf);
	job_say(job, MSG_RUN_CANCELLED, LOG_LEVEL_INFO,
	    "what is left of run %s is cancelled", job->run_id);
	jobs_changed(job->jobs, job);
	return true;
}

int
job_cancel(struct job *job)
{
	bool had_rest = give_up_rest(job);
	int r = job_end_run(job);

	job->due_after = 0;
	return had_rest ? 0 : r;
}

int
job_abort(struct job *job)
{
	int r = job_cancel(job);

	if (r < 0 || job->run == NULL || job->is_preparing || job->has_ended)
		return r;
	job_say(job, MSG_RUN_CANCELLED, LOG_LEVEL_WARNING,
	    "run %s is ended without waiting for what is in flight",
	    job->run_id);
	series_abort(job->run);
	return 0;
}
