/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/health: "ok"; "warn" when the last run of a job failed; "crit",
 * with status 503, when the daemon is stopping.
 */

#include "control/routes.h"

static bool
has_failed(const struct job_view *view)
{
	return view->has_last_run && view->last_outcome == RUN_FAILED;
}

/* NULL: out of memory. */
static json_t *
list_failed(const struct jobs *jobs) ON_MAIN
{
	json_t *list = json_array();
	struct job *job = NULL;
	struct job_view view;

	while (list != NULL && (job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		if (has_failed(&view) && json_array_append_new(list,
		    json_string(view.name)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

void
ctl_health(struct ctl_request *req)
{
	const struct budget *budget = jobs_budget(req->jobs);
	bool is_stopping = jobs_is_stopping(req->jobs);
	json_t *failed = list_failed(req->jobs);
	const char *health = is_stopping ? "crit" :
	    json_array_size(failed) > 0 ? "warn" : "ok";

	ctl_reply(req, is_stopping ? 503 : 200, json_pack(
	    "{s:s, s:b, s:i, s:i, s:o, s:I, s:I, s:I}", "health", health, "stopping",
	    is_stopping, "jobs", (int)jobs_count(req->jobs), "running",
	    (int)jobs_count_running(req->jobs), "failed_jobs", failed,
	    "memory_bytes", (json_int_t)budget_memory_used(budget),
	    "memory_peak_bytes", (json_int_t)budget_memory_peak(budget),
	    "memory_max_bytes", (json_int_t)budget_memory_max(budget)));
}
