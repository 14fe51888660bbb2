/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From method and path to handler.  A new command is a new file with its
 * handler and a new row here.
 */

#include "control/routes.h"

#include <errno.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* clang-format off */
const struct ctl_route ctl_routes[] = {
	{ CTL_GET, "/v1/version", CTL_NOBODY, ctl_version,
	  "what the daemon is" },
	{ CTL_GET, "/v1/health", CTL_VIEWER, ctl_health,
	  "is all well" },
	{ CTL_GET, "/v1/jobs", CTL_VIEWER, ctl_jobs,
	  "all jobs" },
	{ CTL_GET, "/v1/jobs/{job}", CTL_VIEWER, ctl_job,
	  "one job" },
	{ CTL_POST, "/v1/jobs/{job}/start", CTL_OPERATOR, ctl_start,
	  "start a run" },
	{ CTL_POST, "/v1/jobs/{job}/cancel", CTL_OPERATOR, ctl_cancel,
	  "end the run" },
};
/* clang-format on */

const size_t n_ctl_routes = sizeof ctl_routes / sizeof ctl_routes[0];

const char *
ctl_method_name(enum ctl_method method)
{
	static const char *const names[] = {
		[CTL_GET] = "GET",
		[CTL_POST] = "POST",
		[CTL_OTHER] = "?",
	};

	return names[method];
}

/*
 * Decode a segment of the path.  What cannot be the name of a job becomes "",
 * which no job has.
 */
static void
decode_job(const char *segment, size_t len, char job[CONF_NAME_SIZE])
{
	CLEANUP(cleanup_free) char *raw = strndup(segment, len);
	CLEANUP(cleanup_free) char *name = NULL;
	size_t name_len = 0;

	job[0] = '\0';
	if (raw != NULL)
		name = evhttp_uridecode(raw, 0, &name_len);
	/* A %00 would make the name look shorter than it is. */
	if (name != NULL && strlen(name) == name_len &&
	    conf_name_is_valid(name))
		memcpy(job, name, name_len + 1);
}

static bool
matches(const char *pattern, const char *path, char job[CONF_NAME_SIZE])
{
	static const char variable[] = "{job}";

	job[0] = '\0';
	while (*pattern != '\0') {
		if (strncmp(pattern, variable, strlen(variable)) == 0) {
			size_t len = strcspn(path, "/");

			if (len == 0)
				return false;
			decode_job(path, len, job);
			pattern += strlen(variable);
			path += len;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

int
ctl_routes_find(enum ctl_method method, const char *path,
    char job[CONF_NAME_SIZE], const struct ctl_route **ret_route,
    enum ctl_method *ret_allowed)
{
	bool is_known = false;

	for (size_t i = 0; i < n_ctl_routes; i++) {
		if (!matches(ctl_routes[i].pattern, path, job))
			continue;
		if (ctl_routes[i].method == method) {
			*ret_route = &ctl_routes[i];
			return 0;
		}
		is_known = true;
		*ret_allowed = ctl_routes[i].method;
	}
	return is_known ? -EOPNOTSUPP : -ENOENT;
}
