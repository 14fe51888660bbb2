/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/shutdown: end the daemon, as SIGTERM does.  The answer is 202: runs
 * have been asked to end.
 */

#include <string.h>

#include "base/units.h"
#include "control/routes.h"

#define CONFIRM "nbdsyncd"

void
ctl_shutdown(struct ctl_request *req)
{
	const char *confirm = ctl_body_text(req, "confirm");
	const char *text = ctl_body_text(req, "grace");
	const struct ctl_shutdown_call *call = req->shutdown;
	size_t n_running = jobs_count_running(req->jobs);
	uint64_t grace_ms = req->conf->daemon.shutdown_grace_ms;

	if (confirm == NULL || strcmp(confirm, CONFIRM) != 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "the daemon would "
		    "end; \"confirm\" must be \"" CONFIRM "\" if that is "
		    "meant");
		return;
	}
	if (text != NULL && units_parse_time_ms(text, &grace_ms) < 0) {
		ctl_refuse_text(req, "grace", text, "a time, such as \"60s\"");
		return;
	}
	if (jobs_is_stopping(req->jobs)) {
		ctl_problem(req, CTL_STOPPING, NULL, "the daemon is stopping "
		    "already");
		return;
	}
	ctl_reply(req, 202, json_pack("{s:b, s:I}", "stopping", 1, "running",
	    (json_int_t)n_running));
	call->stop(call->arg, grace_ms);
}
