/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PATCH /v1/jobs/{job}/limits: how fast a job may go, from now on.  The answer
 * is the job.
 */

#include "base/units.h"
#include "control/routes.h"

#include <string.h>

void
ctl_limits(struct ctl_request *req)
{
	struct job *job = jobs_find(req->jobs, req->job);
	const char *rate_text = ctl_body_text(req, "rate");
	uint64_t ttl_ms = 0;
	uint64_t rate = 0;

	if (job == NULL) {
		ctl_no_such_job(req);
	} else if (rate_text == NULL) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL,
		    "\"rate\" is missing");
	} else if (ctl_body_ttl(req, &ttl_ms) < 0) {
		return;
	} else if (strcmp(rate_text, "default") == 0) {
		job_reset_rate(job);
		ctl_reply(req, 200, job_to_json(job));
	} else if (units_parse_rate(rate_text, &rate) < 0) {
		ctl_refuse_text(req, "rate", rate_text, "a rate, such as "
		    "\"200MB/s\", \"0\" for none, or \"default\"");
	} else {
		job_set_rate(job, rate, ttl_ms == 0 ? 0 :
		    job_now_ms() + (int64_t)ttl_ms);
		ctl_reply(req, 200, job_to_json(job));
	}
}
