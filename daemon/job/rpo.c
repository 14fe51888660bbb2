/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recovery point objective: how old the last success of a job may be.
 *
 * The level is looked at when it may have changed, and told once each time it
 * has, and again while it is bad, if that is wished.  A job that has never
 * succeeded is as old as we have known it: a fresh one is nothing to worry
 * about.
 */

#include "base/units.h"
#include "job/job-private.h"

#include <string.h>

#define REPEAT_MIN_MS 1000

void
job_set_rpo(struct job *job, const struct conf_job *cj)
{
	job->rpo_warn_ms = cj->rpo_warn_ms;
	job->rpo_crit_ms = cj->rpo_crit_ms;
	job->rpo_repeat_ms = cj->rpo_repeat_ms;
}

static int64_t
since_ms(const struct job *job)
{
	return job->has_success ? job->success.finished_at_ms :
	    job->known_since_ms;
}

uint64_t
job_rpo_age_ms(const struct job *job)
{
	int64_t now = job_now_ms();

	return now > since_ms(job) ? (uint64_t)(now - since_ms(job)) : 0;
}

static enum job_health
level_of(const struct job *job)
{
	uint64_t age_ms = job_rpo_age_ms(job);

	if (job->rpo_crit_ms > 0 && age_ms >= job->rpo_crit_ms)
		return JOB_CRIT;
	return job->rpo_warn_ms > 0 && age_ms >= job->rpo_warn_ms ? JOB_WARN :
	    JOB_OK;
}

static void
say(struct job *job, enum job_health level) ON_MAIN
{
	char age[UNITS_TEXT_SIZE];

	(void)units_format_time_ms(job_rpo_age_ms(job), age);
	if (level == JOB_OK)
		job_say(job, MSG_RPO_OK, LOG_LEVEL_INFO,
		    "is within its RPO again");
	else if (job->has_success)
		job_say(job, MSG_RPO, level == JOB_CRIT ? LOG_LEVEL_ERROR :
		    LOG_LEVEL_WARNING, "RPO violated: the last success is %s "
		    "old", age);
	else
		job_say(job, MSG_RPO, level == JOB_CRIT ? LOG_LEVEL_ERROR :
		    LOG_LEVEL_WARNING, "RPO violated: no success for %s", age);
}

static const char *
event_of(enum job_health level)
{
	return level == JOB_CRIT ? "job.rpo-critical" :
	    level == JOB_WARN ? "job.rpo-warning" : "job.rpo-recovered";
}

static int
rpo_level(const struct job *job)
{
	return (int)job->rpo_level;
}

static json_t *
describe(const struct job *job) ON_MAIN
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "event",
	    event_of(job->rpo_level), "job", job->name, "state",
	    job->told_state, "source", job->source, "destination",
	    job->destination_names, "age_s",
	    (json_int_t)job_rpo_age_ms(job) / 1000);
}

static const struct job_alarm_kind rpo_alarm = { HOOK_RPO, false, rpo_level,
	describe };

/* In how long it is to be told again; UINT64_MAX: not. */
static uint64_t
repeat_in_ms(const struct job *job)
{
	int64_t ago_ms = job_now_ms() - job->rpo_told_at_ms;

	if (job->rpo_repeat_ms == 0 || job->rpo_level <= JOB_OK)
		return UINT64_MAX;
	if (ago_ms < 0)
		return job->rpo_repeat_ms;
	return (uint64_t)ago_ms >= job->rpo_repeat_ms ? 0 :
	    job->rpo_repeat_ms - (uint64_t)ago_ms;
}

void
job_look_at_rpo(struct job *job)
{
	enum job_health level = level_of(job);
	enum job_health old = job->rpo_level;

	/* A success of before a restart may not be known yet. */
	if (!job->is_configured || job_is_unknown(job) ||
	    (level == old && repeat_in_ms(job) > 0))
		return;
	job->rpo_level = level;
	job->rpo_told_at_ms = job_now_ms();
	say(job, level);
	jobs_tell_event(job->jobs, job, event_of(level));
	if (level != old)
		jobs_changed(job->jobs, job);
	job_alarm(job, &job->rpo_alarm, &rpo_alarm);
}

/* In how long the level changes by itself; UINT64_MAX: not. */
uint64_t
job_rpo_next_ms(const struct job *job)
{
	const uint64_t limits[] = { job->rpo_warn_ms, job->rpo_crit_ms };
	uint64_t age_ms = job_rpo_age_ms(job);
	uint64_t next_ms = repeat_in_ms(job);

	/* It may be that nothing can be told yet. */
	if (next_ms < REPEAT_MIN_MS)
		next_ms = REPEAT_MIN_MS;
	for (unsigned i = 0; i < 2; i++)
		if (limits[i] > age_ms && limits[i] - age_ms < next_ms)
			next_ms = limits[i] - age_ms;
	return next_ms;
}

json_t *
job_rpo_to_json(const struct job *job)
{
	enum job_health level = level_of(job);

	if (job->rpo_warn_ms == 0 && job->rpo_crit_ms == 0)
		return json_null();
	return json_pack("{s:I, s:o, s:o, s:s, s:b}", "age_s",
	    (json_int_t)(job_rpo_age_ms(job) / 1000), "warn_s",
	    job->rpo_warn_ms == 0 ? json_null() :
	    json_integer((json_int_t)(job->rpo_warn_ms / 1000)), "crit_s",
	    job->rpo_crit_ms == 0 ? json_null() :
	    json_integer((json_int_t)(job->rpo_crit_ms / 1000)), "level",
	    job_health_name(level), "violated", level > JOB_OK);
}
