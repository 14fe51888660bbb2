/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs/{job}: one job.
 *
 * With ?since=REV the answer waits until the job's rev is above REV, for
 * ?wait=SECONDS at most: so a client learns of the end of a run without
 * asking again and again.
 */

#include <stdlib.h>

#include "base/cleanup.h"
#include "control/routes.h"

#define WAIT_MAX_S 60

void
ctl_reply_job(struct ctl_request *req, const struct job *job)
{
	CLEANUP(cleanup_free) char *text = job_to_text(job, NULL);

	ctl_reply_json(req, 200, text);
}

/* There may be many connections: they are not in the list of all jobs. */
static void
reply_all(struct ctl_request *req, const struct job *job) ON_MAIN
{
	json_t *more = json_pack("{s:o}", "connections",
	    job_connections_to_json(job));
	CLEANUP(cleanup_free) char *text = more == NULL ? NULL :
	    job_to_text(job, more);

	ctl_reply_json(req, 200, text);
}

void
ctl_job(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	struct job_view view;
	uint64_t wait_s = 0, since = 0;

	if (ctl_query_number(req, "wait", &wait_s) < 0 || wait_s > WAIT_MAX_S) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"wait\" must be a "
		    "number of seconds from 0 to %d", WAIT_MAX_S);
		return;
	}
	if (ctl_query_number(req, "since", &since) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"since\" must be "
		    "the \"rev\" of an earlier answer");
		return;
	}
	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	job_look(job);
	job_get_view(job, &view);
	if (view.rev <= since && wait_s > 0 && !ctl_is_last_call(req))
		ctl_hold(req, wait_s * 1000);
	else
		reply_all(req, job);
}
