/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From where a job would go on.
 *
 *	GET /v1/jobs/{job}/checkpoint	shows it
 *	POST /v1/jobs/{job}/reset	forgets it, and the digests of the
 *					source: the next run is a full one.
 *					"confirm" must be the job once more
 */

#include <errno.h>
#include <string.h>

#include "control/routes.h"
#include "transfer/report.h"

static void
on_checkpoint(struct store_call *call)
{
	struct ctl_request *req = call->arg;

	on_main_entry();
	if (call->error.code < 0)
		ctl_problem(req, CTL_NO_STATE, NULL, "%s", call->error.text);
	else if (call->checkpoint == NULL)
		ctl_problem(req, CTL_NO_CHECKPOINT, NULL, "job '%s' has no "
		    "checkpoint", req->job);
	else
		ctl_reply(req, 200, report_checkpoint(call->checkpoint));
}

void
ctl_checkpoint(struct ctl_request *req)
{
	struct store_call *call;

	if (jobs_find(req->jobs, req->job) == NULL) {
		ctl_no_such_job(req);
		return;
	}
	call = ctl_store_call(req, on_checkpoint);
	if (call != NULL)
		store_load_checkpoint(jobs_store(req->jobs), call, req->job);
}

static void
on_reset(struct store_call *call)
{
	struct ctl_request *req = call->arg;

	on_main_entry();
	if (call->error.code < 0)
		ctl_problem(req, CTL_NO_STATE, NULL, "%s", call->error.text);
	else
		ctl_reply(req, 200, json_pack("{s:s, s:b}", "job", req->job,
		    "reset", 1));
}

void
ctl_reset(struct ctl_request *req)
{
	const struct job *job = jobs_find(req->jobs, req->job);
	const char *confirm = ctl_body_text(req, "confirm");
	struct store_call *call;
	struct job_view view;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	if (confirm == NULL || strcmp(confirm, req->job) != 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "the next run of job "
		    "'%s' would be a full one: say so with \"confirm\": "
		    "\"%s\" if that is meant", req->job, req->job);
		return;
	}
	job_get_view(job, &view);
	if (view.is_running) {
		ctl_problem(req, CTL_JOB_RUNNING, NULL, "job '%s' is running",
		    req->job);
		return;
	}
	call = ctl_store_call(req, on_reset);
	if (call != NULL)
		store_discard_checkpoint(jobs_store(req->jobs), call,
		    req->job);
}
