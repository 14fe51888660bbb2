/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pausing: a job that is paused starts no run, whoever asks.
 *
 * A run under way ends early, in order; what it has left undone is begun
 * again when the job is resumed.  It may still be ending by then, and is
 * started when it has.
 */

#include <stdio.h>
#include <string.h>

#include "job/job-private.h"

void
job_pause(struct job *job, const char *reason, int64_t until_ms)
{
	if (reason == NULL)
		reason = "";
	if (!job->is_paused) {
		job->is_paused = true;
		job->paused_at_ms = job_now_ms();
		job_say(job, MSG_JOB_PAUSED, LOG_LEVEL_INFO, "paused");
	}
	(void)snprintf(job->pause_reason, sizeof job->pause_reason, "%s",
	    reason);
	job->pause_until_ms = until_ms;
	/* What has been cancelled already is not to come back. */
	if (job->run != NULL && !job->is_cancelled && !job->has_ended) {
		job->resume_starts = true;
		(void)job_end_run(job);
	}
	job_keep_pause(job);
	jobs_changed(job->jobs, job);
}

void
job_start_again(struct job *job)
{
	struct error e;

	if (!job->resume_starts || job->is_paused || job->run != NULL ||
	    job->late_hooks != NULL || !job->is_configured ||
	    job->jobs->is_stopping || job_hold_for_window(job))
		return;
	if (job_go_on(job, "resume", &e) < 0)
		job_say_refused(job, &e);
}

void
job_resume(struct job *job)
{
	if (!job->is_paused)
		return;
	job->is_paused = false;
	job_say(job, MSG_JOB_RESUMED, LOG_LEVEL_INFO, "resumed");
	job_keep_pause(job);
	jobs_changed(job->jobs, job);
	job_start_again(job);
}
