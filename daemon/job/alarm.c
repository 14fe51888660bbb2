/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks that tell of something that lasts, and is over one day: one at a time.
 * What has changed while one ran is told when it has ended, by another.
 */

#include "job/job-private.h"

static void run(struct job_alarm *alarm) ON_MAIN;

static void
on_hook_end(void *arg)
{
	struct job_alarm *alarm = arg;

	on_main_entry();
	hooks_free(alarm->hooks);
	alarm->hooks = NULL;
	if (alarm->kind->level(alarm->job) != alarm->told &&
	    (alarm->job->run != NULL || !alarm->kind->is_of_run))
		run(alarm);
}

/* One at a time, and none that could not come to its end. */
static void
run(struct job_alarm *alarm)
{
	struct job *job = alarm->job;
	const struct hooks_events events = { NULL, on_hook_end, alarm,
		job->totals.hooks };
	const struct conf *conf = job->jobs->conf;
	json_t *o;

	if (alarm->hooks != NULL || !job->is_configured ||
	    jobs_is_stopping(job->jobs) ||
	    hooks_new_alarm(job->jobs->loop, conf,
	    conf_find_job(conf, job->name), alarm->kind->hook, &events,
	    &alarm->hooks) < 0 || alarm->hooks == NULL)
		return;
	alarm->told = alarm->kind->level(job);
	o = alarm->kind->describe(job);
	hooks_alarm(alarm->hooks, o);
	json_decref(o);
}

void
job_alarm(struct job *job, struct job_alarm *alarm,
    const struct job_alarm_kind *kind)
{
	alarm->job = job;
	alarm->kind = kind;
	run(alarm);
}
