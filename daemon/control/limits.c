/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PATCH /v1/jobs/{job}/limits: how fast a job may go, from now on, and over
 * how many connections, from its next run on.  The answer is the job.
 */

#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "control/routes.h"

struct limits {
	const char *rate_text;		/* NULL: as it is */
	uint64_t rate;
	const json_t *connections_json;	/* NULL: as it is */
	unsigned connections;
	uint64_t ttl_ms;
};

/* -EINVAL: it is answered. */
static int
read_limits(struct ctl_request *req, struct limits *l) ON_MAIN
{
	json_int_t n;

	l->rate_text = ctl_body_text(req, "rate");
	l->connections_json = json_object_get(req->body, "connections");
	n = json_integer_value(l->connections_json);
	if (l->rate_text == NULL && l->connections_json == NULL) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL,
		    "\"rate\" is missing, or \"connections\"");
		return -EINVAL;
	}
	if (n < 0 || n > RUN_MAX_CONNECTIONS) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"connections\" must "
		    "be a number from 1 to %d, or 0 for what is configured",
		    RUN_MAX_CONNECTIONS);
		return -EINVAL;
	}
	l->connections = (unsigned)n;
	if (l->rate_text != NULL && strcmp(l->rate_text, "default") != 0 &&
	    units_parse_rate(l->rate_text, &l->rate) < 0) {
		ctl_refuse_text(req, "rate", l->rate_text, "a rate, such as "
		    "\"200MB/s\", \"0\" for none, or \"default\"");
		return -EINVAL;
	}
	return ctl_body_ttl(req, &l->ttl_ms);
}

void
ctl_limits(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	struct limits l = { .rate = 0 };
	int64_t until_ms;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	if (read_limits(req, &l) < 0)
		return;
	until_ms = l.ttl_ms == 0 ? 0 : job_now_ms() + (int64_t)l.ttl_ms;
	if (l.rate_text != NULL && strcmp(l.rate_text, "default") == 0)
		job_reset_rate(job);
	else if (l.rate_text != NULL)
		job_set_rate(job, l.rate, until_ms);
	if (l.connections_json != NULL)
		job_set_connections(job, l.connections, until_ms);
	ctl_reply_job(req, job);
}
