/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The problems of the control API.  The type is for programs and never
 * changes its meaning; the rest is for people.
 */

#include "control/problem.h"

static const struct {
	int status;
	const char *type;
	const char *title;
} problems[CTL_PROBLEMS] = {
	[CTL_BAD_REQUEST] = { 400, "bad-request", "Bad request" },
	[CTL_FORBIDDEN] = { 403, "forbidden", "Not allowed" },
	[CTL_NOT_FOUND] = { 404, "not-found", "No such resource" },
	[CTL_NO_SUCH_JOB] = { 404, "no-such-job", "No such job" },
	[CTL_NO_SUCH_RUN] = { 404, "no-such-run", "No such run" },
	[CTL_NO_SUCH_ENDPOINT] = { 404, "no-such-endpoint",
	    "No such endpoint" },
	[CTL_NO_ANSWER] = { 502, "no-answer", "The endpoint does not answer" },
	[CTL_NO_DIGESTS] = { 409, "no-digests",
	    "No digests to compare with" },
	[CTL_NO_CHECKPOINT] = { 404, "no-checkpoint", "No checkpoint" },
	[CTL_METHOD_NOT_ALLOWED] = { 405, "method-not-allowed",
	    "Method not allowed" },
	[CTL_JOB_RUNNING] = { 409, "job-running", "Job is already running" },
	[CTL_JOB_IDLE] = { 409, "job-idle", "Job is not running" },
	[CTL_JOB_PAUSED] = { 423, "job-paused", "Job is paused" },
	[CTL_CANNOT_START] = { 500, "cannot-start", "Job cannot be started" },
	[CTL_BAD_CONFIGURATION] = { 422, "bad-configuration",
	    "The configuration is wrong" },
	[CTL_BUSY] = { 503, "busy", "Busy" },
	[CTL_STOPPING] = { 503, "stopping", "The daemon is stopping" },
	[CTL_NO_MEMORY] = { 500, "out-of-memory", "Out of memory" },
	[CTL_NOT_STARTED] = { 503, "not-started",
	    "The daemon does not start" },
	[CTL_NO_STATE] = { 503, "no-state", "State cannot be used" },
};

int
problem_status(enum ctl_problem problem)
{
	return problems[problem].status;
}

const char *
problem_type(enum ctl_problem problem)
{
	return problems[problem].type;
}

const char *
problem_no_memory(void)
{
	return "{\"type\":\"urn:nbdsync:out-of-memory\","
	    "\"title\":\"Out of memory\",\"status\":500,"
	    "\"detail\":\"the daemon has no memory for the answer\"}\n";
}

json_t *
problem_to_json(enum ctl_problem problem, const char *detail,
    const char *job, const char *hint)
{
	return json_pack("{s:o, s:s, s:i, s:s, s:s*, s:s*}", "type",
	    json_sprintf("urn:nbdsync:%s", problems[problem].type), "title",
	    problems[problem].title, "status", problems[problem].status,
	    "detail", detail, "job", job, "hint", hint);
}
