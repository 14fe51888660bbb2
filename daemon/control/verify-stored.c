/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/jobs/{job}/verify with "stored": compare what the last run has
 * written with the digests that its report has kept.
 *
 * The history is gone through from its end, run by run: comparisons, and runs
 * that ended before they had written anything, have changed nothing since.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/start.h"
#include "transfer/report.h"

static void ask_for_run(struct ctl_request *req, const char *before) ON_MAIN;

static bool
is_word(const json_t *report, const char *key, const char *word)
{
	const char *text = json_string_value(json_object_get(report, key));

	return text != NULL && strcmp(text, word) == 0;
}

static bool
has_bytes(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key)) > 0;
}

/* Its daemon was killed in it: what it has written nobody knows. */
static bool
was_killed(const json_t *report)
{
	return is_word(report, "result", "failed") &&
	    json_integer_value(json_object_get(json_object_get(report,
		"failure"), "errno")) == EINTR;
}

static bool
has_bytes_written(const json_t *report)
{
	const json_t *list = json_object_get(json_object_get(report,
	    "progress"), "destinations");
	const json_t *d;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, d)
		if (has_bytes(d, "written_bytes") ||
		    has_bytes(d, "zeroed_bytes") ||
		    has_bytes(d, "trimmed_bytes"))
			return true;
	return false;
}

/* A run that came to nothing, before anything was written. */
static bool
has_written_nothing(const json_t *report)
{
	if (is_word(report, "result", JOB_SKIPPED))
		return true;
	if (is_word(report, "mode", "mirror") || was_killed(report) ||
	    (!is_word(report, "result", "failed") &&
		!is_word(report, "result", "cancelled")))
		return false;
	return !has_bytes_written(report);
}

static bool
has_changed_nothing(const json_t *report)
{
	return is_word(report, "mode", "verify") ?
	    !has_bytes(report, "repaired_bytes") &&
		!has_bytes_written(report) :
	    has_written_nothing(report);
}

/* Has the job the disks now that it had then? */
static bool
is_of_these(const struct job *job, const json_t *report) ON_MAIN
{
	struct job_view view;

	job_get_view(job, &view);
	return is_word(report, "destination", view.destination) &&
	    (json_object_get(report, "destinations_id") == NULL ||
	    is_word(report, "destinations_id", view.destinations_id));
}

static void
start_with(struct ctl_request *req, const char *id, const json_t *report)
    ON_MAIN
{
	CLEANUP(run_line_freep) struct run_line *line = NULL;
	const struct job *job = jobs_find(req->jobs, req->job);
	struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.has_repair = true };
	struct error e = { .code = 0 };

	(void)snprintf(wish.reason, sizeof wish.reason,
	    "with the digests of run %s", id);
	if (report_read_line(report, &line, &e) == 0 && job != NULL &&
	    !is_of_these(job, report))
		(void)error_set(&e, -ESTALE, "had other destinations than the "
		    "job has now");
	if (e.code != 0) {
		ctl_problem(req, CTL_NO_DIGESTS, "runs with verify = "
		    "\"after\" leave some", "run %s, the last that has "
		    "written anything, %s", id, e.text);
		return;
	}
	wish.line = line;
	ctl_start_run(req, &wish);
}

static void
on_report(struct store_call *call)
{
	struct ctl_request *req = call->arg;
	const struct store_run *run;
	json_t *report;

	on_main_entry();
	if (call->error.code < 0) {
		ctl_problem(req, CTL_NO_STATE, NULL, "%s", call->error.text);
		return;
	}
	run = call->runs[0];
	report = run->report == NULL ? NULL :
				       json_loads(run->report, 0, NULL);
	if (report != NULL && has_changed_nothing(report))
		ask_for_run(req, run->id);
	else
		start_with(req, run->id, report);
	json_decref(report);
}

static void
on_run(struct store_call *call)
{
	struct ctl_request *req = call->arg;
	struct store_call *next;

	on_main_entry();
	if (call->error.code < 0) {
		ctl_problem(req, CTL_NO_STATE, NULL, "%s", call->error.text);
	} else if (call->n_runs == 0) {
		ctl_problem(req, CTL_NO_DIGESTS, NULL, "job '%s' has no run "
		    "in the history that has written anything", req->job);
	} else {
		next = ctl_store_call(req, on_report);
		if (next != NULL)
			store_get_run(jobs_store(req->jobs), next,
			    call->runs[0]->id);
	}
}

/* The one before that one; NULL: the last. */
static void
ask_for_run(struct ctl_request *req, const char *before)
{
	struct store_call *call = ctl_store_call(req, on_run);

	if (call != NULL)
		store_list_runs(jobs_store(req->jobs), call, req->job, 1,
		    before);
}

void
ctl_verify_stored(struct ctl_request *req)
{
	if (jobs_find(req->jobs, req->job) == NULL)
		ctl_no_such_job(req);
	else
		ask_for_run(req, NULL);
}
