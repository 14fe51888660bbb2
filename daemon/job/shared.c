/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs that share a disk.  What one of them writes there is not what another
 * has left there, or has read of it: a place to go on from is out of date
 * then, and its destination no copy any more.  Where the parts of the disk that
 * they are about have nothing in common, they do not concern each other.
 *
 * Jobs are told when a run begins to write, and before that, since the daemon
 * may be killed in it, and when it has ended: what was kept meanwhile is as
 * old.  Two may write at once, which is logged; neither leaves a copy then, nor
 * a place to go on from: that would have what one has written, and the other
 * one has written over since.  Nor does a comparison tell of a copy if another
 * job wrote there while it looked, nor anybody who has read what another one
 * wrote to meanwhile: that is of no one time.
 *
 * A job that is not configured is not told.  So each one notes when it last
 * began to write, for those that come back; where the daemon itself has seen
 * them come, nothing that they had counts.
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

/* A clock that was put back makes nothing newer that the job has kept. */
static void
outdate(struct job *job, int64_t now_ms) ON_MAIN
{
	if (job->ended_at_ms > now_ms)
		now_ms = job->ended_at_ms;
	job->resume_after_ms = now_ms;
	if (job->run != NULL) {
		job->is_outdated = true;
		series_outdate(job->run, now_ms);
		series_disturb(job->run);
	}
	job_keep_state_first(job);
}

bool
job_writes(const struct job *job)
{
	return job->mode != RUN_VERIFY || job->repairs;
}

static bool
is_running(const struct job *job)
{
	return job->run != NULL && !job->has_ended;
}

static bool
is_writing(const struct job *job)
{
	return is_running(job) && job_writes(job);
}

/*
 * What is there in the end, if another one writes, too.  Of two that write the
 * same, it is that.  Who only compares may have looked at what is not there any
 * more.
 */
static bool
disturbs(const struct job *writer, const struct job *other)
{
	return is_running(other) && shares_destination(writer, other) &&
	    !(job_writes(other) &&
		job_disks_are_same(&writer->disks, &other->disks));
}

/* Its run reads what changes. */
static bool
mixes(const struct job *writer, const struct job *other)
{
	return is_running(other) && is_written_by(writer, &other->disks.source);
}

static void
note_disturbed(struct job *writer, struct job *other, bool is_begin) ON_MAIN
{
	if (!disturbs(writer, other))
		return;
	other->is_disturbed = true;
	if (!job_writes(other))
		return;
	writer->is_disturbed = true;
	if (is_begin)
		job_say(writer, MSG_RUN_NOTE, LOG_LEVEL_WARNING, "job '%s' "
		    "writes to the same destination now: what is there in "
		    "the end may be of both", other->name);
}

/* Of its own destination another one now has something else. */
static void
note_other_copy(struct job *job) ON_MAIN
{
	job->is_other_copy = true;
	run_map_done(&job->last_map);
	ranges_clear(&job->differing);
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
		other->is_mixed = other->is_mixed || mixes(writer, other);
		was_other = other->is_other_copy;
		if (shares_destination(writer, other)) {
			if (is_copy && does_the_same(writer, other))
				other->is_other_copy = false;
			else
				note_other_copy(other);
			note_disturbed(writer, other, is_begin);
		}
		if (was_other != other->is_other_copy)
			jobs_changed(writer->jobs, other);
	}
}

void
job_tell_of_writing(struct job *job)
{
	if (!job_writes(job))
		return;
	job->written_at_ms = job_now_ms();
	tell_others(job, true, false);
}

void
job_tell_of_written(struct job *job, const struct run_result *result)
{
	if (job_writes(job) && result->has_begun)
		tell_others(job, false, job_is_success(result->outcome));
}

void
job_look_for_writers(struct job *job)
{
	const struct job *other = NULL;

	while ((other = jobs_next(job->jobs, other)) != NULL) {
		if (!is_writing(other) || !concerns(other, job))
			continue;
		job->is_outdated = true;
		series_disturb(job->run);
		job->is_disturbed = job->is_disturbed || disturbs(other, job);
		job->is_mixed = job->is_mixed || mixes(other, job);
	}
}

bool
job_is_written_by_others(const struct job *job)
{
	const struct job *other = NULL;

	while ((other = jobs_next(job->jobs, other)) != NULL)
		if (is_writing(other) && concerns(other, job))
			return true;
	return false;
}

bool
job_has_other_writer(const struct job *job)
{
	const struct job *other = NULL;

	while ((other = jobs_next(job->jobs, other)) != NULL)
		if (is_writing(other) && other != job &&
		    shares_destination(other, job))
			return true;
	return false;
}

int64_t
job_written_by_others_at_ms(const struct job *job)
{
	const struct job *other = NULL;
	int64_t at_ms = 0;

	while ((other = jobs_next(job->jobs, other)) != NULL) {
		if (!concerns(other, job))
			continue;
		if (job_is_unknown(other))
			return INT64_MAX;
		if (other->written_at_ms > at_ms)
			at_ms = other->written_at_ms;
	}
	return at_ms;
}
