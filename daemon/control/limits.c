/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PATCH /v1/jobs/{job}/limits: how fast a job may go, from now on.  The answer
 * is the job.
 */

#include "base/escape.h"
#include "base/units.h"
#include "control/routes.h"

#include <string.h>

#define MAX_TTL_MS (UINT64_C(366) * 24 * 3600 * 1000)

static void
refuse(struct ctl_request *req, const char *key, const char *text,
    const char *must_be) ON_MAIN
{
	char printable[64];

	ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"%s\" is \"%s\", but must "
	    "be %s", key, escape_text(text, strlen(text), printable,
	    sizeof printable), must_be);
}

void
ctl_limits(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	const char *rate_text = ctl_body_text(req, "rate");
	const char *ttl_text = ctl_body_text(req, "ttl");
	uint64_t ttl_ms = 0;
	uint64_t rate = 0;

	if (job == NULL) {
		ctl_no_such_job(req);
	} else if (rate_text == NULL) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL,
		    "\"rate\" is missing");
	} else if (ttl_text != NULL &&
	    (units_parse_time_ms(ttl_text, &ttl_ms) < 0 || ttl_ms == 0 ||
		ttl_ms > MAX_TTL_MS)) {
		refuse(req, "ttl", ttl_text, "a time, such as \"1h\"");
	} else if (strcmp(rate_text, "default") == 0) {
		job_reset_rate(job);
		ctl_reply(req, 200, job_to_json(job));
	} else if (units_parse_rate(rate_text, &rate) < 0) {
		refuse(req, "rate", rate_text, "a rate, such as \"200MB/s\", "
		    "\"0\" for none, or \"default\"");
	} else {
		job_set_rate(job, rate, ttl_ms == 0 ? 0 :
		    job_now_ms() + (int64_t)ttl_ms);
		ctl_reply(req, 200, job_to_json(job));
	}
}
