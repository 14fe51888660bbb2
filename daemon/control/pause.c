/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/jobs/{job}/pause and resume: whether runs of a job may start.
 * Both may be asked for any number of times; the answer is the job.
 */

#include <errno.h>
#include <time.h>

#include "control/routes.h"

/* -EINVAL: that is no time to come. */
static int
read_until(const char *text, int64_t *ret_ms)
{
	struct tm tm = { .tm_sec = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest == NULL || rest[0] != 'Z' || rest[1] != '\0')
		return -EINVAL;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return *ret_ms > (int64_t)time(NULL) * 1000 ? 0 : -EINVAL;
}

void
ctl_pause(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	const char *until = ctl_body_text(req, "until");
	char reason[JOB_REASON_SIZE];
	int64_t until_ms = 0;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	if (until != NULL && read_until(until, &until_ms) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"until\" must be a "
		    "time to come, in UTC, such as 2026-11-24T06:00:00Z");
		return;
	}
	if (ctl_body_reason(req, reason) < 0)
		return;
	job_pause(job, reason, until_ms);
	ctl_reply_job(req, job);
}

void
ctl_resume(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	job_resume(job);
	ctl_reply_job(req, job);
}
