/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast a job's runs may go: as the configuration says, unless an operator
 * has said something else, which may end by itself.  It counts for the run
 * under way and for those that follow, until the daemon ends.  What was said
 * when the run was started counts for this run, until something else is said.
 */

#include "base/units.h"
#include "job/job-private.h"

static void
log_rate(struct job *job, const char *why) ON_MAIN
{
	char rate[UNITS_TEXT_SIZE];

	if (job->rate == 0)
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO,
		    "no rate limit%s", why);
	else
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO, "at most %s/s%s",
		    units_format_size(job->rate, rate), why);
}

static void
set(struct job *job, uint64_t rate)
{
	job->rate = rate;
	if (job->run != NULL)
		series_set_rate(job->run, rate);
}

/* As configured, at this time of the day. */
static uint64_t
configured_rate(const struct conf_job *cj)
{
	return cj->rate_table.n == 0 ? cj->rate :
	    schedule_rate_at(cj->rate_table.v, cj->rate_table.n,
	    job_now_ms() / 1000);
}

static bool
is_configured_rate(const struct job *job)
{
	return !job->wish.has_rate && !job->has_own_rate;
}

void
job_apply_rate(struct job *job, const struct conf *conf)
{
	const struct conf_job *cj = conf_find_job(conf, job->name);

	if (job->wish.has_rate)
		set(job, job->wish.rate);
	else if (job->has_own_rate)
		set(job, job->own_rate);
	else if (cj != NULL)
		set(job, configured_rate(cj));
}

void
jobs_apply_rate(struct jobs *jobs, const struct conf *conf)
{
	const struct conf_daemon *d = &conf->daemon;

	budget_set_rate(jobs->budget, d->rate_table.n == 0 ? d->rate_max :
	    schedule_rate_at(d->rate_table.v, d->rate_table.n,
	    job_now_ms() / 1000));
}

void
job_set_rate(struct job *job, uint64_t rate, int64_t until_ms)
{
	job->has_own_rate = true;
	job->own_rate = rate;
	job->own_rate_until_ms = until_ms;
	job->wish.has_rate = false;
	set(job, rate);
	log_rate(job, until_ms != 0 ? ", for a while" : "");
	jobs_changed(job->jobs, job);
}

void
job_reset_rate(struct job *job)
{
	if (is_configured_rate(job))
		return;
	job->has_own_rate = false;
	job->wish.has_rate = false;
	job->own_rate_until_ms = 0;
	job_apply_rate(job, job->jobs->conf);
	log_rate(job, ", as configured");
	jobs_changed(job->jobs, job);
}

void
job_set_connections(struct job *job, unsigned n, int64_t until_ms)
{
	job->own_connections = n;
	job->own_connections_until_ms = n == 0 ? 0 : until_ms;
	if (n == 0)
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO, "connections as "
		    "configured, from the next run on");
	else
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO, "%u connections "
		    "to each side, from the next run on%s", n,
		    until_ms != 0 ? ", for a while" : "");
	jobs_changed(job->jobs, job);
}

/* Its time is over; what is wished of the run still counts. */
static void
end_own_rate(struct job *job) ON_MAIN
{
	if (!job->wish.has_rate) {
		job_reset_rate(job);
		return;
	}
	job->has_own_rate = false;
	job->own_rate_until_ms = 0;
}

void
job_tick_rate(struct job *job)
{
	if (job->own_rate_until_ms != 0 &&
	    job_now_ms() >= job->own_rate_until_ms)
		end_own_rate(job);
	if (job->own_connections_until_ms != 0 &&
	    job_now_ms() >= job->own_connections_until_ms)
		job_set_connections(job, 0, 0);
	/* The time of the day may have changed it. */
	if (job->run != NULL && job->is_configured &&
	    is_configured_rate(job) &&
	    configured_rate(conf_find_job(job->jobs->conf, job->name)) !=
	    job->rate) {
		job_apply_rate(job, job->jobs->conf);
		log_rate(job, ", by its timetable");
		jobs_changed(job->jobs, job);
	}
}
