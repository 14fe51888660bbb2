/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Destinations that have refused a flush: what they read need not be on their
 * disk.  A job remembers its own until a run has written all once more, which
 * it notes as soon as it happens: the run may go on for long, and the daemon
 * be killed.  Those of other jobs count where the endpoint is the same: often
 * one job copies, and another one compares.
 */

#include <string.h>

#include "job/job-private.h"

/*
 * What was refused stays refused, till all is written once more.  That of
 * before a restart may have become known after the run had begun; and what
 * another job was refused is for that to settle.
 */
static bool
note(struct job *job, uint32_t distrusted) ON_MAIN
{
	uint32_t old = job->distrusted;

	distrusted &= ~job->others_distrusted;
	distrusted |= job->late_distrusted;
	if (job->mode == RUN_VERIFY || job_is_partial(job))
		distrusted |= old;
	job->distrusted = distrusted;
	return distrusted != old;
}

void
job_look_at_distrust(struct job *job, const struct run_progress *p)
{
	if (!job->has_ended && note(job, p->distrusted))
		job_keep_state(job);
}

void
job_note_distrust(struct job *job, uint32_t distrusted)
{
	(void)note(job, distrusted);
}

/* Those of its destinations that have refused a flush to this other job. */
static uint32_t
distrusted_by(const struct job *other, const char *const names[], unsigned n)
    ON_MAIN
{
	const struct conf_job *cj = conf_find_job(other->jobs->conf,
	    other->name);
	const char *theirs[RUN_MAX_DESTINATIONS];
	unsigned n_theirs = cj == NULL ? 0 : conf_job_destinations(cj, theirs);
	uint32_t distrusted = 0;

	for (unsigned i = 0; i < n_theirs; i++)
		for (unsigned k = 0; k < n; k++)
			if ((other->distrusted >> i & 1) != 0 &&
			    strcmp(theirs[i], names[k]) == 0)
				distrusted |= UINT32_C(1) << k;
	return distrusted;
}

uint32_t
job_distrusted_by_others(const struct job *job, const char *const names[],
    unsigned n)
{
	const struct job *other = NULL;
	uint32_t distrusted = 0;

	while ((other = jobs_next(job->jobs, other)) != NULL)
		if (other != job && other->distrusted != 0)
			distrusted |= distrusted_by(other, names, n);
	return distrusted & ~job->distrusted;
}
