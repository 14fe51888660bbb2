/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run that stands still: the log says so when it begins, and when it is
 * over; hooks are told if it lasts.  A run that ends instead is told of as
 * all that end.
 */

#include <string.h>

#include "base/units.h"
#include "job/job-private.h"

void
job_set_stalled(struct job *job, const struct conf_job *cj)
{
	job->stalled_after_ms = cj->stalled_after_ms;
}

void
job_reset_stall(struct job *job)
{
	job->is_stall_logged = false;
	job->is_stall_told = false;
	job->stall_alarm.told = false;
}

static void
say(struct job *job, const struct run_progress *p) ON_MAIN
{
	char text[UNITS_TEXT_SIZE];
	bool is_stalled = p->phase == RUN_STALLED;

	if (is_stalled == job->is_stall_logged)
		return;
	job->is_stall_logged = is_stalled;
	if (is_stalled)
		job_say(job, MSG_STALLED, LOG_LEVEL_WARNING,
		    "stands still: nothing has moved for %s%s%s",
		    units_format_time_ms(p->stalled_ms, text),
		    p->trying_again[0] != '\0' ? "; " : "", p->trying_again);
	else
		job_say(job, MSG_STALL_OVER, LOG_LEVEL_INFO, "goes on again");
}

static int
stall_level(const struct job *job)
{
	return job->is_stall_told;
}

static json_t *
describe(const struct job *job) ON_MAIN
{
	json_t *o = job_describe_run(job);

	(void)json_object_set_new(o, "state", json_string(job->told_state));
	(void)json_object_set_new(o, "event", json_string(
	    job->is_stall_told ? "job.stalled" : "job.recovered"));
	(void)json_object_set_new(o, "stalled_s", json_integer(
	    (json_int_t)progress_stalled_ms(&job->meter) / 1000));
	return o;
}

static const struct job_alarm_kind stall_alarm = { HOOK_STALLED, true,
	stall_level, describe };

void
job_look_at_stall(struct job *job, const struct run_progress *p)
{
	bool is_long = p->phase == RUN_STALLED &&
	    p->stalled_ms >= job->stalled_after_ms;

	say(job, p);
	/* It is over once something moves, not when the limit is raised. */
	if (job->is_stall_told && p->phase == RUN_STALLED)
		is_long = true;
	if (is_long == job->is_stall_told)
		return;
	job->is_stall_told = is_long;
	job_alarm(job, &job->stall_alarm, &stall_alarm);
}
