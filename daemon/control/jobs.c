/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs: all jobs, each as GET /v1/jobs/{job} shows it, but for its
 * connections.
 */

#include "control/routes.h"

/* NULL: out of memory. */
static json_t *
list_all(const struct jobs *jobs) ON_MAIN
{
	json_t *list = json_array();
	struct job *job = NULL;

	while (list != NULL && (job = jobs_next(jobs, job)) != NULL) {
		job_look(job);
		if (json_array_append_new(list, job_to_json(job)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

void
ctl_jobs(struct ctl_request *req)
{
	ctl_reply(req, 200, json_pack("{s:o}", "jobs", list_all(req->jobs)));
}
