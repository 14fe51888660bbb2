/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passes of a mirror that fail, while its run goes on: the log, the events and
 * hooks say so when they begin to, and when one is complete again; the log also
 * when the cause is another, and not each time.  A failure that ends the run
 * is said as such.  Also that the source has become smaller.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "job/job-private.h"

bool
job_has_failing_passes(const struct job *job)
{
	return job->run != NULL && !job->has_ended &&
	    job->pass_failure[0] != '\0';
}

void
job_reset_passes(struct job *job)
{
	job->pass_failure[0] = '\0';
	job->n_failed_passes = 0;
	job->shrunk_from = 0;
	job->pass_alarm.told = false;
}

static int
pass_level(const struct job *job)
{
	return job->pass_failure[0] != '\0';
}

static const char *
event_of(const struct job *job)
{
	return pass_level(job) ? "job.mirror-failing" : "job.mirror-recovered";
}

static json_t *
describe(const struct job *job) ON_MAIN
{
	json_t *o = job_describe_run(job);

	(void)json_object_set_new(o, "state", json_string(job->told_state));
	(void)json_object_set_new(o, "event", json_string(event_of(job)));
	if (pass_level(job))
		(void)json_object_set_new(o, "error",
		    json_string(job->pass_failure));
	return o;
}

static const struct job_alarm_kind pass_alarm = { HOOK_MIRROR_FAILING, true,
	pass_level, describe };

static void
tell(struct job *job) ON_MAIN
{
	jobs_tell_event(job->jobs, job, event_of(job));
	jobs_changed(job->jobs, job);
	job_alarm(job, &job->pass_alarm, &pass_alarm);
}

static void
note_failing(struct job *job, const struct run_mirror *m) ON_MAIN
{
	bool is_new = job->pass_failure[0] == '\0';

	job->n_failed_passes = m->n_failed;
	if (!is_new && series_is_same_failure(job->pass_failure, m->failure))
		return;
	(void)snprintf(job->pass_failure, sizeof job->pass_failure, "%s",
	    m->failure[0] != '\0' ? m->failure : "for no known reason");
	job_say(job, MSG_PASS_FAILED, LOG_LEVEL_WARNING,
	    "pass %u has failed, and is tried again: %s",
	    m->next_pass_at_ms != 0 ? m->pass : m->pass - 1,
	    job->pass_failure);
	if (is_new)
		tell(job);
}

static void
note_complete(struct job *job) ON_MAIN
{
	job_say(job, MSG_PASS_COMPLETE, LOG_LEVEL_INFO, "a pass is complete "
	    "again, after %" PRIu64 " that failed", job->n_failed_passes);
	job->pass_failure[0] = '\0';
	job->n_failed_passes = 0;
	tell(job);
}

static void
look_at_size(struct job *job, const struct run_progress *p) ON_MAIN
{
	char text[SERIES_SENTENCE_SIZE];

	if (job->shrunk_from == p->mirror.shrunk_from)
		return;
	job->shrunk_from = p->mirror.shrunk_from;
	if (job->shrunk_from != 0)
		job_say(job, MSG_RUN_NOTE, LOG_LEVEL_WARNING, "%s",
		    series_say_shrunk(&p->mirror, text));
}

void
job_look_at_passes(struct job *job, const struct run_progress *p)
{
	const struct run_mirror *m = &p->mirror;

	/* What is being ended has not failed. */
	if (job->has_ended || job->is_cancelled)
		return;
	look_at_size(job, p);
	if (m->n_failed > 0)
		note_failing(job, m);
	else if (job->pass_failure[0] != '\0')
		note_complete(job);
}
