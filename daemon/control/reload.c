/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/config/reload and /v1/config/check: read the configuration again,
 * and take it over, or only say what would change.
 *
 * A child process reads it first, so the request is held until that has
 * ended.
 */

#include "base/units.h"
#include "control/routes.h"
#include "reload/reload.h"

/* The check has its own limit, and another may be before it. */
#define WAIT_MS 30000

static void
answer(struct ctl_request *req) ON_MAIN
{
	const json_t *result = reload_result(req->reload, req->reload_number);
	json_t *problems = json_object_get(result, "problems");
	char mistakes[UNITS_TEXT_SIZE];

	if (problems == NULL)
		ctl_reply(req, 200, json_incref((json_t *)(uintptr_t)result));
	else
		ctl_problem_list(req, CTL_BAD_CONFIGURATION, problems,
		    "the configuration has %s; the old one stays in force",
		    units_format_count(json_array_size(problems), "mistake",
		    mistakes));
}

static void
reload(struct ctl_request *req, bool is_dry) ON_MAIN
{
	if (jobs_is_stopping(req->jobs))
		ctl_problem(req, CTL_STOPPING, NULL,
		    "the daemon is stopping");
	else if (req->reload_number == 0 && !ctl_is_last_call(req)) {
		req->reload_number = reload_start(req->reload, is_dry);
		ctl_hold(req, WAIT_MS);
	} else if (reload_is_done(req->reload, req->reload_number))
		answer(req);
	else if (ctl_is_last_call(req))
		ctl_problem(req, CTL_BUSY, "try again", "reading the "
		    "configuration takes too long");
	else
		ctl_hold(req, WAIT_MS);
}

void
ctl_reload(struct ctl_request *req)
{
	reload(req, false);
}

void
ctl_check(struct ctl_request *req)
{
	reload(req, true);
}
