/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One job and its runs.
 *
 * job_start() makes a run of the current configuration and lets it go; the
 * run works on the worker threads and its end arrives through the mailbox as
 * job_on_finished(), whether it succeeded, failed or was cancelled.  There
 * the result is logged, once, and kept as JSON; the run is freed.
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
#include "base/units.h"
#include "transfer/report.h"

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

#define AMOUNT_SIZE (4 * UNITS_TEXT_SIZE + 32)

/* "64.0 MiB in 2.1 s (30.5 MiB/s, 1.0 MiB of it zeroes)" */
static const char *
describe_amount(const struct run_progress *p, char buf[AMOUNT_SIZE])
{
	char done[UNITS_TEXT_SIZE], took[UNITS_TEXT_SIZE];
	char rate[UNITS_TEXT_SIZE], zeroed[UNITS_TEXT_SIZE];
	uint64_t ms = p->elapsed_ms == 0 ? 1 : p->elapsed_ms;

	(void)snprintf(buf, AMOUNT_SIZE, "%s in %s (%s/s, %s of it zeroes)",
	    units_format_size(p->done_bytes, done),
	    units_format_time_ms(p->elapsed_ms, took),
	    units_format_size((uint64_t)((double)p->done_bytes * 1000.0 /
	    (double)ms), rate), units_format_size(p->zeroed_bytes, zeroed));
	return buf;
}

static void
log_success(struct job *job, const struct run_progress *p) ON_MAIN
{
	char amount[AMOUNT_SIZE];

	job_say(job, MSG_RUN_SUCCEEDED, LOG_LEVEL_INFO, "succeeded: %s",
	    describe_amount(p, amount));
}

static void
log_not_copied(struct job *job, const struct run_result *result) ON_MAIN
{
	for (size_t i = 0; i < result->n_not_copied; i++) {
		const struct run_gap *g = &result->not_copied[i];

		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR,
		    "not copied to '%s': %" PRIu64
		    " bytes at offset %" PRIu64 " of the %s: %s",
		    job->destinations[g->destination], g->length, g->offset,
		    g->side, g->reason);
	}
}

/* What has failed has been said; here is which, in the line of the end. */
static void
log_partial(struct job *job, const struct run_result *result) ON_MAIN
{
	char failed[sizeof job->destination_names + 32] = "";
	char gaps[64] = "", amount[AMOUNT_SIZE];
	uint64_t bytes = 0;
	size_t used = 0;

	for (unsigned i = 0; i < job->n_destinations; i++)
		if (result->destination_failures[i] != NULL)
			used += (size_t)snprintf(failed + used,
			    sizeof failed - used, "%s'%s'", used == 0 ?
			    "; failed: " : ", ", job->destinations[i]);
	for (size_t i = 0; i < result->n_not_copied; i++)
		bytes += result->not_copied[i].length;
	if (bytes > 0)
		(void)snprintf(gaps, sizeof gaps, "; not copied: %" PRIu64
		    " bytes", bytes);
	job_say(job, MSG_RUN_WARNING, LOG_LEVEL_WARNING,
	    "succeeded with warnings: %s%s%s",
	    describe_amount(&result->progress, amount), failed, gaps);
}

/* Once each, however many destinations lack it; or what was filled of it. */
static uint64_t
count_bad(const struct run_result *result, bool filled, size_t *ret_n)
{
	CLEANUP(ranges_done) struct ranges bad = { .v = NULL };

	for (size_t i = 0; i < result->n_bad_ranges; i++) {
		const struct run_bad_range *b = &result->bad_ranges[i];

		if (!filled || b->is_filled)
			(void)ranges_add(&bad, b->offset, b->length);
	}
	*ret_n = bad.n;
	return ranges_total(&bad);
}

/* The first of them; the status has them all. */
static void
log_bad_ranges(struct job *job, const struct run_result *result) ON_MAIN
{
	size_t n;
	uint64_t bytes = count_bad(result, false, &n);

	if (result->n_bad_ranges == 0) {
		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR, "finished, but "
		    "for ranges for the list of which there was no memory");
		return;
	}
	job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR,
	    "finished, but for %" PRIu64 " bad bytes in %zu "
	    "range%s, the first at offset %" PRIu64 ": %s: %s",
	    bytes, n, n == 1 ? "" : "s", result->bad_ranges[0].offset,
	    result->bad_ranges[0].side,
	    strerror(-result->bad_ranges[0].errnum));
	bytes = count_bad(result, true, &n);
	if (bytes > 0)
		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_WARNING, "filled %"
		    PRIu64 " of these bytes", bytes);
}

/* With the place, for those who search the journal by it. */
static void
log_failure(struct job *job, const struct run_failure *f) ON_MAIN
{
	const char *endpoint = strcmp(f->side, "source") == 0 ? job->source :
	    f->is_request ? job->destinations[f->destination] : NULL;

	job_say_about(job, (struct log_about){ LOG_HERE,
	    .message = &messages[MSG_RUN_FAILED], .endpoint = endpoint,
	    .errnum = f->errnum < 0 ? -f->errnum : 0,
	    .offset = f->is_request ? f->offset : 0,
	    .length = f->is_request ? f->length : 0 }, LOG_LEVEL_ERROR,
	    "failed: %s", f->error.text);
}

/* Whatever became of the others. */
static void
log_failed_destinations(struct job *job, const struct run_result *result)
    ON_MAIN
{
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (result->destination_failures[i] != NULL)
			job_say(job, MSG_RUN_NOTE, LOG_LEVEL_ERROR, "%s",
			    result->destination_failures[i]);
}

static void
log_result(struct job *job, const struct run_result *result) ON_MAIN
{
	for (size_t i = 0; i < result->n_gave_up; i++)
		job_say(job, MSG_RUN_NOTE, LOG_LEVEL_WARNING,
		    "%s", result->gave_up[i]);
	if (result->outcome != RUN_FAILED)
		log_failed_destinations(job, result);
	switch (result->outcome) {
	case RUN_SUCCEEDED:
		log_success(job, &result->progress);
		break;
	case RUN_PARTIAL:
		log_not_copied(job, result);
		log_partial(job, result);
		break;
	case RUN_DIFFERENT:
		job_say(job, MSG_RUN_DIFFERENT, LOG_LEVEL_WARNING, "%s",
		    job->wish.line != NULL ?
			"the destination is not what that run has written" :
		    job->mode == RUN_VERIFY ?
			"source and destination differ" :
			"what was read back is not what was written");
		if (result->n_bad_ranges > 0)
			log_bad_ranges(job, result);
		break;
	case RUN_BAD_RANGES:
		log_bad_ranges(job, result);
		break;
	case RUN_FAILED:
		log_failure(job, &result->failure);
		break;
	case RUN_STOPPED:
		job_say(job, MSG_RUN_SUCCEEDED, LOG_LEVEL_INFO,
		    "stopped, after %" PRIu64 " passes",
		    result->progress.mirror.n_complete);
		break;
	case RUN_REPAIRED:
		job_say(job, MSG_RUN_REPAIRED, LOG_LEVEL_WARNING, "%" PRIu64
		    " bytes that differed were repaired",
		    result->repaired_bytes);
		break;
	case RUN_CANCELLED:
		job_say(job, MSG_RUN_CANCELLED, LOG_LEVEL_INFO, "cancelled");
		break;
	}
}

/* { "id", "trigger", and what report_result() says } */
static json_t *
result_to_json(const struct job *job, const struct run_result *result)
{
	json_t *report = report_result(result);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "id",
	    job->run_id, "uuid", job->run_uuid, "trigger", job->trigger,
	    "mode", run_mode_name(job->mode), "partial", job_is_partial(job),
	    "reason", job->wish.reason);

	if (o == NULL || report == NULL || json_object_update(o, report) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(report);
	return o;
}

json_t *
job_describe_run(const struct job *job)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "job",
	    job->name, "run", job->run_id, "run_uuid", job->run_uuid,
	    "trigger", job->trigger, "source", job->source, "destination",
	    job->destination_names, "destinations");
	json_t *list = json_object_get(o, "destinations");

	for (unsigned i = 0; i < job->n_destinations; i++)
		(void)json_array_append_new(list,
		    json_string(job->destinations[i]));
	return o;
}

/* The same with the run's result. */
static json_t *
describe_result(const struct job *job) ON_MAIN
{
	json_t *o = job_describe_run(job);

	(void)json_object_set_new(o, "state", json_string("stopping"));
	(void)json_object_set(o, "bytes", json_object_get(json_object_get(
	    job->report, "progress"), "done_bytes"));
	(void)json_object_set(o, "result", json_object_get(job->report,
	    "result"));
	(void)json_object_set(o, "error", json_object_get(json_object_get(
	    job->report, "failure"), "message"));
	(void)json_object_set(o, "last_run", job->report);
	return o;
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
	    outcome == RUN_CANCELLED))
		return;
	job->last_outcome = outcome;
	if (job_is_success(outcome))
		job->is_other_copy = job->is_disturbed;
}

/* Keep what became of the run, and go on to the hooks after it. */
static void
keep_result(struct job *job, const struct run_result *result,
    bool is_skipped) ON_MAIN
{
	json_t *o;

	job->has_ended = true;
	/* It came to its end, though it was to be ended: nothing is left. */
	if (result->outcome != RUN_FAILED && result->outcome != RUN_CANCELLED &&
	    result->outcome != RUN_STOPPED) {
		job->resume_starts = false;
		job->waits_for_window = false;
	}
	o = result_to_json(job, result);
	if (is_skipped && o != NULL)
		(void)json_object_set_new(o, "result",
		    json_string(JOB_SKIPPED));
	job->report = o;
	job_tell_last_run(job, o);
	take_outcome(job, result->outcome, is_skipped);
	if (!is_skipped)
		job_count(job, result);
	job_remember(job, result);
	if (job->hooks == NULL) {
		end_run(job);
		return;
	}
	o = describe_result(job);
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
	log_result(job, series_result(run));
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
		log_result(job, &result);
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
	job->run = run;
	job->has_ended = false;
	job->is_cancelled = false;
	job->late_distrusted = 0;
	job->is_disturbed = false;
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
