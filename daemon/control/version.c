/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/version: what the daemon is.  For anyone who can connect: it says
 * nothing about the jobs.
 */

#include <event2/event.h>
#include <unistd.h>

#include "control/routes.h"
#include "net/tls.h"
#include "transfer/report.h"

#define API_VERSION 1

/* What not every daemon of this API has had from the first. */
static json_t *
list_features(void)
{
	return json_pack("[s, s, s, s, s, s, s, s]", "start-mode",
	    "start-rate", "start-reason", "start-verify", "verify-ranges",
	    "verify-sample", "cancel-force", "run-log-follow");
}

void
ctl_version(struct ctl_request *req)
{
	ctl_reply(req, 200, json_pack("{s:s, s:s, s:i, s:{s:s, s:s}, s:o, "
	    "s:s, s:s, s:i, s:o}",
	    "name", "nbdsyncd", "version", PACKAGE_VERSION, "api", API_VERSION,
	    "build", "libevent", event_get_version(), "openssl",
	    tls_library_version(), "features", list_features(),
	    "config_sha256", req->conf->sha256,
	    "instance", req->facts->instance, "pid", (int)getpid(),
	    "started_at", report_time(req->facts->started_at_ms)));
}
