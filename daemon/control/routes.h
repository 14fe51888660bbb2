/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_ROUTES_H
#define CONTROL_ROUTES_H

#include "control/request.h"

/*
 * The commands of the control API, in one table.  Each has a file of its
 * own, named after it.
 */

/* A key that the body of a request, or the query of its URI, may have. */
struct ctl_key {
	const char *name;		/* NULL: ends a list */
	json_type type;			/* JSON_TRUE: true or false */
	const char *doc;
};

struct ctl_route {
	enum ctl_method method;
	const char *pattern;		/* "/v1/jobs/{job}" */
	enum ctl_role role;		/* the least that is needed */
	void (*handle)(struct ctl_request *req);
	const char *doc;
	const struct ctl_key *keys;	/* NULL: the body is empty */
	const struct ctl_key *query;	/* NULL: there is none */
	bool needs_past;		/* waits for what the store knows of
					   the job, such as its pause */
};

extern const struct ctl_route ctl_routes[];
extern const size_t n_ctl_routes;

/* What stands for the variables of a path, decoded, or "". */
struct ctl_path_names {
	char job[CONF_NAME_SIZE];	/* {job} */
	char name[CTL_NAME_SIZE];	/* another */
};

/*
 * Which route is meant.  -ENOENT: no such path.  -EOPNOTSUPP: another method;
 * *ret_allowed gets the one that the path has.
 */
int ctl_routes_find(enum ctl_method method, const char *path,
    struct ctl_path_names *ret_names, const struct ctl_route **ret_route,
    enum ctl_method *ret_allowed);

/*
 * May this be the body of a request for the route?  -EINVAL, with a sentence.
 */
int ctl_route_check_body(const struct ctl_route *route, const json_t *body,
    struct error *e);

/* May the query have this key?  -EINVAL, with a sentence. */
int ctl_route_check_query(const struct ctl_route *route, const char *name,
    struct error *e);

const char *ctl_method_name(enum ctl_method method);
/* As JSON Schema calls it: "string", ... */
const char *ctl_key_type_name(const struct ctl_key *key);

/* The handlers. */
void ctl_version(struct ctl_request *req) ON_MAIN;
void ctl_health(struct ctl_request *req) ON_MAIN;
void ctl_jobs(struct ctl_request *req) ON_MAIN;
void ctl_job(struct ctl_request *req) ON_MAIN;
void ctl_start(struct ctl_request *req) ON_MAIN;
void ctl_verify(struct ctl_request *req) ON_MAIN;
void ctl_cancel(struct ctl_request *req) ON_MAIN;
void ctl_limits(struct ctl_request *req) ON_MAIN;
void ctl_pause(struct ctl_request *req) ON_MAIN;
void ctl_resume(struct ctl_request *req) ON_MAIN;
void ctl_events(struct ctl_request *req) ON_MAIN;
void ctl_metrics(struct ctl_request *req) ON_MAIN;
void ctl_schema(struct ctl_request *req) ON_MAIN;
void ctl_map(struct ctl_request *req) ON_MAIN;
void ctl_page(struct ctl_request *req) ON_MAIN;
void ctl_reload(struct ctl_request *req) ON_MAIN;
void ctl_check(struct ctl_request *req) ON_MAIN;
void ctl_history(struct ctl_request *req) ON_MAIN;
void ctl_checkpoint(struct ctl_request *req) ON_MAIN;
void ctl_reset(struct ctl_request *req) ON_MAIN;
void ctl_runs(struct ctl_request *req) ON_MAIN;
void ctl_endpoints(struct ctl_request *req) ON_MAIN;
void ctl_probe(struct ctl_request *req) ON_MAIN;
void ctl_shutdown(struct ctl_request *req) ON_MAIN;
void ctl_log(struct ctl_request *req) ON_MAIN;
void ctl_run_log(struct ctl_request *req) ON_MAIN;
void ctl_log_level(struct ctl_request *req) ON_MAIN;
void ctl_run(struct ctl_request *req) ON_MAIN;

#endif
