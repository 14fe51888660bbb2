/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/jobs/{job}/cancel: end the run.  The answer is 202: the run has
 * been asked to end; what is in flight is waited for, unless by force.  One
 * that would go on after a pause, or in the next window, does not.
 */

#include "control/routes.h"

void
ctl_cancel(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	int (*end)(struct job *job) = ctl_body_bool(req, "force",
	    false) ? job_abort : job_cancel;
	struct job_view view;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	if (end(job) < 0) {
		ctl_problem(req, CTL_JOB_IDLE, NULL, "job '%s' is not running",
		    req->job);
		return;
	}
	job_get_view(job, &view);
	/* Of one that another daemon has run the name is not known. */
	ctl_reply(req, 202, json_pack("{s:s, s:s?, s:I}", "job", view.name,
	    "run", view.run_id[0] != '\0' ? view.run_id : NULL, "rev",
	    (json_int_t)view.rev));
}
