/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/jobs/{job}/start: start a run.  The answer is 202: the run has
 * begun; GET the job to see how it goes.  POST /v1/jobs/{job}/verify: the same
 * for a run that compares only.
 */

#include <errno.h>
#include <stdio.h>

#include "control/routes.h"

static void
refuse(struct ctl_request *req, int r, const struct error *e) ON_MAIN
{
	char hint[CONF_NAME_SIZE + 32];

	switch (r) {
	case -EBUSY:
		(void)snprintf(hint, sizeof hint, "nbdsync status %s",
		    req->job);
		ctl_problem(req, CTL_JOB_RUNNING, hint, "%s", e->text);
		break;
	case -ECANCELED:
		(void)snprintf(hint, sizeof hint, "nbdsync resume %s",
		    req->job);
		ctl_problem(req, CTL_JOB_PAUSED, hint, "%s", e->text);
		break;
	case -ESHUTDOWN:
		ctl_problem(req, CTL_STOPPING, NULL, "%s", e->text);
		break;
	case -ENOENT:
		ctl_no_such_job(req);
		break;
	default:
		ctl_problem(req, CTL_CANNOT_START, NULL, "%s", e->text);
		break;
	}
}

static void
start(struct ctl_request *req, int (*start_run)(struct job *job,
    const char *trigger, struct error *e)) ON_MAIN
{
	struct job *job = jobs_find(req->jobs, req->job);
	struct job_view view;
	char location[CONF_NAME_SIZE + 32];
	struct error e;
	int r;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	r = start_run(job, "control", &e);
	if (r < 0) {
		refuse(req, r, &e);
		return;
	}
	job_get_view(job, &view);
	(void)snprintf(location, sizeof location, "/v1/jobs/%s", req->job);
	ctl_set_header(req, "Location", location);
	ctl_reply(req, 202, json_pack("{s:s, s:s, s:I}", "job", view.name,
	    "run", view.run_id, "rev", (json_int_t)view.rev));
}

void
ctl_start(struct ctl_request *req)
{
	start(req, ctl_body_bool(req, "full", false) ? job_start_full :
	    job_start);
}

void
ctl_verify(struct ctl_request *req)
{
	start(req, job_verify);
}
