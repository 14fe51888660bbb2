/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs that run by themselves.
 *
 * What is due is a calculation (schedule/schedule.h); here are the clock, the
 * timer, and what becomes of a run that is due: it starts, or it is skipped,
 * with a record, because the job runs still or is paused.  Nothing is queued,
 * and waits only for the hooks of a run that the daemon before us has ended in.
 *
 * The timer looks at least once a minute, so a clock that jumps is noticed.
 */

#include <stdio.h>
#include <string.h>

#include "job/job-private.h"
#include "transfer/report.h"

#define LOOK_MS	     60000
#define LOOK_SOON_MS 100

static int64_t
now_s(void)
{
	return job_now_ms() / 1000;
}

/* What is as good as having dealt with it before. */
static int64_t
first_done(const struct schedule *s)
{
	/* The first interval is over; a time of day is still to come. */
	return s->has_cron ? now_s() : now_s() - (int64_t)s->interval_s;
}

static void
set_done(struct job *job, int64_t done) ON_MAIN
{
	job->schedule_done = done;
	job->schedule_next = schedule_next(&job->schedule, done);
	job_keep_fire(job, done);
}

void
job_take_fire(struct job *job, int64_t done, uint64_t stored_id)
{
	bool is_changed = job->schedule.has_cron && stored_id != 0 &&
	    stored_id != schedule_id(&job->schedule);

	if (!schedule_is_set(&job->schedule)) {
		/* What it was before counts no more if it gets another. */
		job_keep_fire(job, 0);
	} else if (done > 0 && !is_changed) {
		job->schedule_done = done;
		job->schedule_next = schedule_next(&job->schedule, done);
	} else {
		job_keep_fire(job, job->schedule_done);
	}
}

void
job_set_schedule(struct job *job, const struct conf_job *cj)
{
	struct schedule s = {
		.has_cron = cj->schedule != NULL,
		.interval_s = cj->interval_ms / 1000,
		.jitter_s = cj->jitter_ms / 1000,
		.seed = schedule_seed(job->name),
		.catch_up = cj->catch_up,
	};
	bool had_schedule = schedule_is_set(&job->schedule);
	bool is_changed;

	/* Both texts have been checked with the configuration. */
	if (cj->schedule != NULL)
		(void)cron_parse(cj->schedule, &s.cron);
	if (cj->window != NULL)
		(void)schedule_window_parse(cj->window, &s.window);
	is_changed = had_schedule && s.has_cron &&
	    schedule_id(&job->schedule) != schedule_id(&s);
	job->schedule = s;
	if (!schedule_is_set(&s)) {
		job->schedule_done = 0;
		job->schedule_next = -1;
		if (job->is_state_known)
			job_keep_fire(job, 0);
		return;
	}
	/* Times of day that were not asked for then were not missed. */
	if (job->schedule_done == 0 || is_changed)
		job->schedule_done = first_done(&s);
	job->schedule_next = schedule_next(&s, job->schedule_done);
	if (is_changed && job->is_state_known)
		job_keep_fire(job, job->schedule_done);
}

static void
skip(struct job *job, const char *why) ON_MAIN
{
	job->n_skipped++;
	job->totals.skipped_runs++;
	job->skipped_at_ms = job_now_ms();
	job->skipped_why = why;
	job_say(job, MSG_RUN_SKIPPED, LOG_LEVEL_WARNING,
	    "a run that was due is skipped: %s",
	    why);
	jobs_changed(job->jobs, job);
}

void
job_make_due_again(struct job *job, int64_t done)
{
	job->is_due_again = true;
	set_done(job, done);
}

static void
start(struct job *job, const char *trigger, int64_t due_after) ON_MAIN
{
	struct error e;

	if (job->run == NULL)
		job->due_after = due_after;
	if (job->is_paused) {
		skip(job, "the job is paused");
	} else if (job->run != NULL) {
		skip(job, "the one before is still running");
	} else if (job_start(job, trigger, NULL, &e) < 0) {
		job_say_refused(job, &e);
		skip(job, "it could not be started");
	}
}

static void
look(struct job *job, int64_t now) ON_MAIN
{
	int64_t before = job->schedule_done;
	int64_t done = before;
	enum schedule_verdict verdict;
	bool is_again = job->is_due_again;

	if (!job->is_configured || !schedule_is_set(&job->schedule) ||
	    job->late_hooks != NULL)
		return;
	/* A clock that went back may have been wrong before. */
	if (job->schedule_next > now && done <= now)
		return;
	verdict = schedule_look(&job->schedule, now, &done);
	if (done != job->schedule_done)
		set_done(job, done);
	if (verdict != SCHEDULE_WAIT)
		job->is_due_again = false;
	if (verdict == SCHEDULE_RUN && !is_again)
		start(job, "schedule", before);
	else if (verdict == SCHEDULE_RUN || verdict == SCHEDULE_CATCH_UP)
		start(job, "catch-up", before);
	else if (verdict == SCHEDULE_MISSED)
		skip(job, "its time had passed");
}

void
jobs_look_at_schedules(struct jobs *jobs, int64_t now)
{
	struct job *job = NULL;

	/* What one has met with may be what another is to know. */
	if (jobs->is_stopping || jobs_have_unknown(jobs))
		return;
	while ((job = jobs_next(jobs, job)) != NULL)
		look(job, now);
}

/* Only what has begun by itself waits for its window, as a start by it. */
bool
job_hold_for_window(struct job *job)
{
	if (!job->is_own ||
	    schedule_window_has(&job->schedule.window, now_s()))
		return false;
	job->resume_starts = false;
	job->waits_for_window = true;
	job_say(job, MSG_RUN_HELD, LOG_LEVEL_INFO,
	    "its window is closed; the run goes on when it opens");
	job_forget_wish(job);
	job_keep_state(job);
	jobs_changed(job->jobs, job);
	return true;
}

/* Only that ends with it, too. */
void
job_look_at_window(struct job *job)
{
	const struct schedule_window *window = &job->schedule.window;
	bool is_open = schedule_window_has(window, now_s());
	struct error e;

	if (job->run != NULL && job->is_own && !is_open &&
	    job->is_configured && !job->is_cancelled && !job->has_ended) {
		job->waits_for_window = true;
		job_say(job, MSG_RUN_HELD, LOG_LEVEL_INFO,
		    "its window has closed; the run goes on when it opens");
		(void)job_end_run(job);
		job_keep_state(job);
		return;
	}
	if (!job->waits_for_window || !is_open || job->run != NULL ||
	    job->late_hooks != NULL || job->is_paused || !job->is_configured ||
	    job->jobs->is_stopping || jobs_have_unknown(job->jobs))
		return;
	job->waits_for_window = false;
	if (job_start(job, "window", NULL, &e) < 0)
		job_say_refused(job, &e);
	job_keep_state(job);
}

/* Look again when the next one is due, but within a minute. */
static void
start_timer(struct jobs *jobs) ON_MAIN
{
	int64_t now_ms = job_now_ms();
	uint64_t delay_ms = LOOK_MS;
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL) {
		int64_t in_ms = job->schedule_next * 1000 - now_ms;
		uint64_t rpo_ms = job_rpo_next_ms(job);

		if (rpo_ms < delay_ms)
			delay_ms = rpo_ms + 1;
		if (!schedule_is_set(&job->schedule) || !job->is_configured ||
		    job->late_hooks != NULL)
			continue;
		/* It waits for its window. */
		if (in_ms < 0)
			in_ms = schedule_next_run(&job->schedule,
			    job->schedule_next, now_ms / 1000) * 1000 - now_ms;
		if (in_ms < LOOK_SOON_MS)
			in_ms = LOOK_SOON_MS;
		if ((uint64_t)in_ms < delay_ms)
			delay_ms = (uint64_t)in_ms + 1;
	}
	net_timer_start(&jobs->schedule_timer, delay_ms);
}

void
jobs_on_schedule_timer(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job = NULL;

	on_main_entry();
	jobs_look_at_schedules(jobs, now_s());
	while ((job = jobs_next(jobs, job)) != NULL)
		job_look_at_rpo(job);
	if (!jobs->is_stopping)
		start_timer(jobs);
}

static json_t *
skip_to_json(const struct job *job)
{
	if (job->n_skipped == 0)
		return json_null();
	return json_pack("{s:o, s:s}", "at", report_time(job->skipped_at_ms),
	    "reason", job->skipped_why);
}

int64_t
job_next_run(const struct job *job)
{
	return schedule_next_run(&job->schedule, job->schedule_next, now_s());
}

json_t *
job_schedule_to_json(const struct job *job)
{
	int64_t next = job_next_run(job);

	if (!schedule_is_set(&job->schedule))
		return json_null();
	return json_pack("{s:o, s:I, s:o}", "next_run_at", next < 0 ?
	    json_null() : report_time(next * 1000), "skipped",
	    (json_int_t)job->n_skipped, "last_skip", skip_to_json(job));
}
