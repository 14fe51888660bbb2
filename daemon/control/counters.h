/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_COUNTERS_H
#define CONTROL_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the control server counts about itself, for GET /metrics.
 */

struct ctl_route;

#define COUNTERS_ROUTES 64		/* rows of routes.c, and one more */

enum counter_code {
	COUNTER_2XX,
	COUNTER_4XX,
	COUNTER_5XX,
	COUNTER_CODES,
};

struct ctl_counters {
	/* By row; the last is for what is no route. */
	uint64_t requests[COUNTERS_ROUTES][COUNTER_CODES];
	uint64_t n_accepted;
	size_t n_connections;		/* set when asked for */
	bool reload_is_good;
	int64_t reload_at_s;		/* the last good one */
};

const char *counter_code_name(enum counter_code code);

/* route NULL: there was none. */
void counters_add_request(struct ctl_counters *c,
    const struct ctl_route *route, int status);
void counters_set_reload(struct ctl_counters *c, bool is_good);

#endif
