/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_ROUTES_H
#define CONTROL_ROUTES_H

#include "control/request.h"

/*
 * The commands of the control API, in one table.  Each has a file of its
 * own, named after it.
 */

struct ctl_route {
	enum ctl_method method;
	const char *pattern;		/* "/v1/jobs/{job}" */
	enum ctl_role role;		/* the least that is needed */
	void (*handle)(struct ctl_request *req);
	const char *doc;
};

extern const struct ctl_route ctl_routes[];
extern const size_t n_ctl_routes;

/*
 * Which route is meant.  job gets what stands for {job}, decoded, or "".
 * -ENOENT: no such path.  -EOPNOTSUPP: another method; *ret_allowed gets the
 * one that the path has.
 */
int ctl_routes_find(enum ctl_method method, const char *path,
    char job[CONF_NAME_SIZE], const struct ctl_route **ret_route,
    enum ctl_method *ret_allowed);

const char *ctl_method_name(enum ctl_method method);

/* The handlers. */
void ctl_version(struct ctl_request *req) ON_MAIN;
void ctl_health(struct ctl_request *req) ON_MAIN;
void ctl_jobs(struct ctl_request *req) ON_MAIN;
void ctl_job(struct ctl_request *req) ON_MAIN;
void ctl_start(struct ctl_request *req) ON_MAIN;
void ctl_cancel(struct ctl_request *req) ON_MAIN;

#endif
