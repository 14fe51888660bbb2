/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the destination was last what it should be: at the end of a run that
 * has succeeded, and, of a mirror, which may go on for years, when the last
 * complete pass began.  What came after that is not there, however well the
 * mirror goes on, or is stopped.
 */

#include <string.h>

#include "job/job-private.h"

/* A mirror's passes may follow each other at once; the store is told so often,
   and when the run ends. */
#define KEEP_MS 60000

bool
job_is_success(enum run_outcome outcome)
{
	return outcome == RUN_SUCCEEDED || outcome == RUN_STOPPED ||
	    outcome == RUN_REPAIRED;
}

/* All of the destination was looked at, and is what it should be. */
static bool
is_verified(const struct job *job, const struct run_result *result)
{
	if (job_is_partial(job))
		return false;
	if (job->mode == RUN_VERIFY && result->outcome == RUN_REPAIRED)
		return true;
	return result->outcome == RUN_SUCCEEDED &&
	    (job->mode == RUN_VERIFY || result->progress.verified_bytes > 0);
}

static void
note(struct job *job, int64_t at_ms, const struct run_progress *p) ON_MAIN
{
	job->has_success = true;
	memcpy(job->success.run_id, job->run_id, sizeof job->run_id);
	job->success.finished_at_ms = at_ms;
	job->success.duration_ms = p->elapsed_ms;
	job->success.copied_bytes = p->earlier.written + p->written_bytes +
	    p->earlier.zeroed + p->zeroed_bytes;
}

void
job_note_success(struct job *job, const struct run_result *result)
{
	const struct run_progress *p = &result->progress;

	if (is_verified(job, result))
		job->verified_at_ms = result->finished_at_ms;
	if (p->mirror.is_mirror)
		job_look_at_mirror(job, p);
	else if (job_is_success(result->outcome) && !job_is_partial(job))
		note(job, result->finished_at_ms, p);
	else
		return;
	if (job->has_success)
		job->state.last_success_ms = job->success.finished_at_ms;
}

void
job_look_at_mirror(struct job *job, const struct run_progress *p)
{
	int64_t at_ms = p->mirror.consistent_at_ms;

	if (at_ms == 0 || (job->has_success &&
	    job->success.finished_at_ms == at_ms))
		return;
	note(job, at_ms, p);
	jobs_changed(job->jobs, job);
	job_look_at_rpo(job);
	if (at_ms - job->state.last_success_ms < KEEP_MS &&
	    at_ms >= job->state.last_success_ms)
		return;
	job->state.last_success_ms = at_ms;
	job_keep_state(job);
}
