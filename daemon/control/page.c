/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /: the status page, one file that is built in.  It asks this API for
 * all it shows, loads nothing from elsewhere, and changes nothing.
 */

#include "control/routes.h"

static const char page[] = {
#include "control/status.html.inc"
};

void
ctl_page(struct ctl_request *req)
{
	ctl_set_header(req, "Content-Security-Policy", "default-src 'none'; "
	    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
	    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'");
	ctl_set_header(req, "Referrer-Policy", "no-referrer");
	ctl_reply_text(req, 200, "text/html; charset=utf-8", page,
	    sizeof page);
}
