/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs: all jobs, each as GET /v1/jobs/{job} shows it, but for its
 * connections.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "control/routes.h"

/* false: out of memory. */
static bool
write_all(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const char *before = "{\"jobs\":[";
	struct job *job = NULL;

	if (jobs_next(jobs, NULL) == NULL)
		(void)fputs(before, f);
	for (; (job = jobs_next(jobs, job)) != NULL; before = ",") {
		CLEANUP(cleanup_free) char *text = NULL;

		job_look(job);
		text = job_to_text(job, NULL);
		if (text == NULL)
			return false;
		(void)fprintf(f, "%s%s", before, text);
	}
	(void)fputs("]}", f);
	return ferror(f) == 0;
}

void
ctl_jobs(struct ctl_request *req)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool is_good = f != NULL && write_all(f, req->jobs);

	if (f != NULL)
		is_good = fclose(f) == 0 && is_good;
	ctl_reply_json(req, 200, is_good ? text : NULL);
}
