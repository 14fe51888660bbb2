/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "control/counters.h"

#include <time.h>

#include "control/routes.h"

const char *
counter_code_name(enum counter_code code)
{
	static const char *const names[] = {
		[COUNTER_2XX] = "2xx",
		[COUNTER_4XX] = "4xx",
		[COUNTER_5XX] = "5xx",
	};

	return names[code];
}

void
counters_add_request(struct ctl_counters *c, const struct ctl_route *route,
    int status)
{
	size_t row = route == NULL ? COUNTERS_ROUTES - 1 :
	    (size_t)(route - ctl_routes);
	enum counter_code code = status < 300 ? COUNTER_2XX :
	    status < 500 ? COUNTER_4XX : COUNTER_5XX;

	if (row >= COUNTERS_ROUTES)
		row = COUNTERS_ROUTES - 1;
	c->requests[row][code]++;
}

void
counters_set_reload(struct ctl_counters *c, bool is_good)
{
	c->reload_is_good = is_good;
	if (is_good)
		c->reload_at_s = (int64_t)time(NULL);
}
