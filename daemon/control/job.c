/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs/{job}: one job.
 *
 * With ?since=REV the answer waits until the job's rev is above REV, for
 * ?wait=SECONDS at most: so a client learns of the end of a run without
 * asking again and again.
 */

#include "control/routes.h"

#define WAIT_MAX_S 60

/* There may be many: they are not in the list of all jobs. */
static json_t *
with_connections(const struct job *job) ON_MAIN
{
	json_t *o = job_to_json(job);

	if (o != NULL && json_object_set_new(o, "connections",
	    job_connections_to_json(job)) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
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
		ctl_reply(req, 200, with_connections(job));
}
