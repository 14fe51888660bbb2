/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/health: that of the job that is worst; "warn" also when the state
 * cannot be stored, "crit", with status 503, when the daemon is stopping.
 */

#include <errno.h>

#include "control/routes.h"
#include "transfer/report.h"

static bool
has_failed(const struct job_view *view)
{
	return view->has_last_run && view->last_outcome == RUN_FAILED;
}

/* {"JOB": "ok", ...}, and the worst of them. */
static json_t *
list_health(const struct jobs *jobs, enum job_health *ret_worst) ON_MAIN
{
	json_t *o = json_object();
	struct job *job = NULL;
	struct job_view view;

	*ret_worst = JOB_UNKNOWN;
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		(void)json_object_set_new(o, view.name,
		    json_string(job_health_name(view.health)));
		if (view.health > *ret_worst)
			*ret_worst = view.health;
	}
	return o;
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

/* What the store says of itself, and whether that is all right. */
static json_t *
state_to_json(const struct jobs *jobs, bool *ret_is_ok) ON_MAIN
{
	const struct store *store = jobs_store(jobs);
	struct store_health health = { .state = STORE_UNAVAILABLE };
	json_t *o;

	if (store != NULL)
		store_get_health(store, &health);
	/* While it is being opened, nothing is wrong yet. */
	*ret_is_ok = health.state == STORE_OK ||
	    health.error.code == -EINPROGRESS;
	o = json_pack("{s:s, s:o}", "state", store_state_name(health.state),
	    "since", health.since_ms == 0 ? json_null() :
	    report_time(health.since_ms));
	if (health.error.text[0] != '\0')
		(void)json_object_set_new(o, "detail",
		    json_string(health.error.text));
	if (health.set_aside[0] != '\0')
		(void)json_object_set_new(o, "set_aside",
		    json_string(health.set_aside));
	return o;
}

void
ctl_health(struct ctl_request *req)
{
	const struct budget *budget = jobs_budget(req->jobs);
	bool is_stopping = jobs_is_stopping(req->jobs);
	json_t *failed = list_failed(req->jobs);
	bool is_stored = false;
	json_t *state = state_to_json(req->jobs, &is_stored);
	enum job_health worst;
	json_t *of_jobs = list_health(req->jobs, &worst);
	bool is_crit = is_stopping || worst == JOB_CRIT;
	const char *health = is_crit ? "crit" :
	    worst == JOB_WARN || !is_stored ? "warn" : "ok";

	ctl_reply(req, is_crit ? 503 : 200, json_pack(
	    "{s:s, s:o, s:b, s:i, s:i, s:o, s:o, s:I, s:I, s:I}", "health",
	    health, "job_health", of_jobs,
	    "stopping", is_stopping, "jobs", (int)jobs_count(req->jobs),
	    "running", (int)jobs_count_running(req->jobs),
	    "failed_jobs", failed,
	    "store", state,
	    "memory_bytes", (json_int_t)budget_memory_used(budget),
	    "memory_peak_bytes", (json_int_t)budget_memory_peak(budget),
	    "memory_max_bytes", (json_int_t)budget_memory_max(budget)));
}
