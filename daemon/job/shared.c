/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs that share a disk.  What one of them writes there is not what another
 * has left there, or has read of it: a place to go on from is out of date
 * then, and its destination no copy any more.  Where the parts of the disk that
 * they are about have nothing in common, they do not concern each other.
 *
 * Jobs are told when a run begins to write, and before that, since the daemon
 * may be killed in it, and when it has ended: what was kept meanwhile is as
 * old.  Two may write at once, which is logged; neither leaves a copy then.
 */

#include "job/job-private.h"

/* Nothing is kept, or read back, of null:, which has no id. */
static bool
overlaps(const struct job_disk *a, const struct job_disk *b)
{
	return a->id != 0 && a->id == b->id && a->from < b->end &&
	    b->from < a->end;
}

/* Is the disk one that this job writes? */
static bool
is_written_by(const struct job *job, const struct job_disk *disk)
{
	for (unsigned i = 0; i < job->n_destinations; i++)
		if (overlaps(&job->disks.destinations[i], disk))
			return true;
	return false;
}

static bool
shares_destination(const struct job *writer, const struct job *other)
{
	for (unsigned i = 0; i < other->n_destinations; i++)
		if (is_written_by(writer, &other->disks.destinations[i]))
			return true;
	return false;
}

static bool
concerns(const struct job *writer, const struct job *other)
{
	return other != writer && (shares_destination(writer, other) ||
	    is_written_by(writer, &other->disks.source));
}

/* Is what it has written all that the other one would have, too? */
static bool
does_the_same(const struct job *writer, const struct job *other)
{
	return !job_is_partial(writer) &&
	    job_disks_are_same(&writer->disks, &other->disks);
}

static void
outdate(struct job *job, int64_t now_ms) ON_MAIN
{
	job->resume_after_ms = now_ms;
	if (job->run != NULL)
		series_outdate(job->run, now_ms);
	job_keep_state_first(job);
}

static bool
writes(const struct job *job)
{
	return job->mode != RUN_VERIFY || job->repairs;
}

static bool
is_writing(const struct job *job)
{
	return job->run != NULL && !job->has_ended && writes(job);
}

/* Two that write at once, and not the same: what is there is of both. */
static void
note_disturbed(struct job *writer, struct job *other, bool is_begin) ON_MAIN
{
	if (!is_writing(other) ||
	    job_disks_are_same(&writer->disks, &other->disks))
		return;
	writer->is_disturbed = other->is_disturbed = true;
	if (is_begin)
		job_say(writer, MSG_RUN_NOTE, LOG_LEVEL_WARNING, "job '%s' "
		    "writes to the same destination now: what is there in "
		    "the end may be of both", other->name);
}

static void
tell_others(struct job *writer, bool is_begin, bool is_copy) ON_MAIN
{
	int64_t now_ms = job_now_ms();
	struct job *other = NULL;
	bool was_other;

	while ((other = jobs_next(writer->jobs, other)) != NULL) {
		if (!concerns(writer, other))
			continue;
		outdate(other, now_ms);
		was_other = other->is_other_copy;
		if (shares_destination(writer, other)) {
			other->is_other_copy = !(is_copy &&
			    does_the_same(writer, other));
			note_disturbed(writer, other, is_begin);
		}
		if (was_other != other->is_other_copy)
			jobs_changed(writer->jobs, other);
	}
}

void
job_tell_of_writing(struct job *job)
{
	if (writes(job))
		tell_others(job, true, false);
}

void
job_tell_of_written(struct job *job, const struct run_result *result)
{
	if (writes(job) && result->has_begun)
		tell_others(job, false, job_is_success(result->outcome));
}

bool
job_is_written_by_others(const struct job *job)
{
	const struct job *other = NULL;

	while ((other = jobs_next(job->jobs, other)) != NULL)
		if (other->run != NULL && !other->has_ended &&
		    writes(other) && concerns(other, job))
			return true;
	return false;
}
