/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the store knows of the past.  Each of these asks it, and answers when
 * it has answered; a daemon that is stopping no longer asks.
 *
 *	GET /v1/jobs/{job}/history	the runs of a job that have ended
 *	GET /v1/runs			those of all jobs
 *	GET /v1/runs/{run}		one, with its report
 *
 * Lists begin with the newest; ?limit= of them, older than run ?before=.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/routes.h"
#include "transfer/report.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX     1000

/* All but its report. */
static json_t *
run_to_json(const struct store_run *run)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:s*}",
	    "id", run->id, "job", run->job, "trigger", run->trigger,
	    "started_at", report_time(run->started_at_ms), "finished_at",
	    report_time(run->finished_at_ms), "result", run->result, "bytes",
	    (json_int_t)run->bytes, "digest", run->digest);
}

static json_t *
runs_to_json(const struct store_call *call)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < call->n_runs; i++)
		if (json_array_append_new(list,
		    run_to_json(call->runs[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static void
on_runs(struct store_call *call)
{
	struct ctl_request *req = call->arg;

	on_main_entry();
	if (call->error.code == -ENOENT)
		ctl_problem(req, CTL_NO_SUCH_RUN, NULL, "there is no run "
		    "'%s'", call->id);
	else if (call->error.code == -EINVAL)
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"before\" must be "
		    "the id of a run");
	else if (call->error.code < 0)
		ctl_problem(req, CTL_NO_STATE, NULL, "%s", call->error.text);
	else if (call->n_runs == 0 && req->job[0] != '\0' &&
	    jobs_find(req->jobs, req->job) == NULL)
		ctl_no_such_job(req);
	else
		ctl_reply(req, 200, json_pack("{s:o}", "runs",
		    runs_to_json(call)));
}

static void
ask_list(struct ctl_request *req, const char *job) ON_MAIN
{
	uint64_t limit = LIMIT_DEFAULT;
	struct store_call *call;

	if (ctl_query_number(req, "limit", &limit) < 0 || limit < 1 ||
	    limit > LIMIT_MAX) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"limit\" must be a "
		    "number from 1 to %d", LIMIT_MAX);
		return;
	}
	call = ctl_store_call(req, on_runs);
	if (call != NULL)
		store_list_runs(jobs_store(req->jobs), call, job,
		    (size_t)limit, ctl_query(req, "before"));
}

void
ctl_history(struct ctl_request *req)
{
	if (req->job[0] == '\0')
		ctl_no_such_job(req);
	else
		ask_list(req, req->job);
}

void
ctl_runs(struct ctl_request *req)
{
	ask_list(req, NULL);
}

/* It is known, but not to the history. */
static void
not_yet(struct ctl_request *req, const struct job *job) ON_MAIN
{
	char hint[CONF_NAME_SIZE + 32];
	struct job_view view;

	job_get_view(job, &view);
	(void)snprintf(hint, sizeof hint, "nbdsync status %s", view.name);
	ctl_problem(req, CTL_NO_SUCH_RUN, hint, "run '%s' of job '%s' has "
	    "not ended yet", req->name, view.name);
}

/*
 * Its report may have a hundred thousand bad ranges, and is JSON already: as
 * values of jansson's it would keep everybody waiting for half a second.
 */
static void
reply_run(struct ctl_request *req, const struct store_run *run) ON_MAIN
{
	json_t *o = run_to_json(run);
	CLEANUP(cleanup_free) char *head = report_text(o);
	CLEANUP(cleanup_free) char *text = NULL;

	json_decref(o);
	/* Instead of the brace at its end. */
	if (head != NULL && run->report != NULL &&
	    asprintf(&text, "%.*s,\"report\":%s}", (int)strlen(head) - 1,
	    head, run->report) < 0)
		text = NULL;
	ctl_reply_json(req, 200, run->report == NULL ? head : text);
}

static void
on_run(struct store_call *call)
{
	struct ctl_request *req = call->arg;
	const struct job *job;

	on_main_entry();
	job = jobs_find_run(req->jobs, req->name);
	if (call->error.code == 0)
		reply_run(req, call->runs[0]);
	else if (call->error.code == -ENOENT && job != NULL)
		not_yet(req, job);
	else
		on_runs(call);
}

void
ctl_run(struct ctl_request *req)
{
	struct store_call *call;

	if (req->name[0] == '\0') {
		ctl_problem(req, CTL_NO_SUCH_RUN, NULL, "no run can have "
		    "that name");
		return;
	}
	call = ctl_store_call(req, on_run);
	if (call != NULL)
		store_get_run(jobs_store(req->jobs), call, req->name);
}
