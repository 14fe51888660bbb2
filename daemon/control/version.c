/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/version: what the daemon is.  For anyone who can connect: it says
 * nothing about the jobs.
 */

#include <unistd.h>

#include "control/routes.h"
#include "transfer/report.h"

#define API_VERSION 1

void
ctl_version(struct ctl_request *req)
{
	ctl_reply(req, 200, json_pack("{s:s, s:s, s:i, s:s, s:i, s:o}",
	    "name", "nbdsyncd", "version", PACKAGE_VERSION, "api", API_VERSION,
	    "instance", req->facts->instance, "pid", (int)getpid(),
	    "started_at", report_time(req->facts->started_at_ms)));
}
