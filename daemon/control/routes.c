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
#include "base/escape.h"
#include "conf/nearest.h"

static const struct ctl_key pause_keys[] = {
	{ "until", JSON_STRING, "when it resumes by itself: a time as "
	  "2026-11-24T06:00:00Z" },
	{ "reason", JSON_STRING, "a few words for whoever looks" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key limits_keys[] = {
	{ "rate", JSON_STRING, "as \"200MB/s\"; \"0\": no limit; "
	  "\"default\": as configured" },
	{ "connections", JSON_INTEGER, "to each side, from the next run on; 0: "
	  "as configured" },
	{ "ttl", JSON_STRING, "how long, as \"1h\"; then as configured" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key reset_keys[] = {
	{ "confirm", JSON_STRING, "the name of the job, once more" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key start_keys[] = {
	{ "mode", JSON_STRING, "copy, sync, verify or mirror; else as "
	  "configured" },
	{ "rate", JSON_STRING, "of this run, as \"200MB/s\"; \"0\": no "
	  "limit" },
	{ "reason", JSON_STRING, "a few words for whoever looks" },
	{ "verify", JSON_TRUE, "read back what is written, and compare it" },
	{ "full", JSON_TRUE, "go on from nothing that an earlier run has "
	  "done" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key verify_keys[] = {
	{ "ranges", JSON_ARRAY, "only this of the source: objects with "
	  "\"from\" and \"length\", in bytes; without a length to its "
	  "end" },
	{ "sample", JSON_STRING, "only so much of it, here and there, as "
	  "\"1%\"" },
	{ "repair", JSON_TRUE, "write what differs, and compare it again" },
	{ "stored", JSON_TRUE, "compare what the last run has written with "
	  "the digests in its report, without the source; alone" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key cancel_keys[] = {
	{ "force", JSON_TRUE, "do not wait for what is in flight" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key shutdown_keys[] = {
	{ "confirm", JSON_STRING, "\"nbdsyncd\": it is meant" },
	{ "grace", JSON_STRING, "how long runs may take to end, as \"60s\"" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key level_keys[] = {
	{ "level", JSON_STRING, "error, warning, info or debug; "
	  "\"default\": as configured" },
	{ "job", JSON_STRING, "of this job only" },
	{ "ttl", JSON_STRING, "how long, as \"1h\"; then as configured" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key job_query[] = {
	{ "since", JSON_INTEGER, "answer when the job's \"rev\" is above "
	  "this" },
	{ "wait", JSON_INTEGER, "after so many seconds at the latest; up to "
	  "60" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key map_query[] = {
	{ "cells", JSON_INTEGER, "how many parts; 1024, up to 65536" },
	{ "exact", JSON_INTEGER, "1: stretches to the byte instead" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key events_query[] = {
	{ "since", JSON_STRING, "what came after the event of this number, or "
	  "a time as 2026-11-24T06:00:00Z" },
	{ "job", JSON_STRING, "of this job only" },
	{ NULL, JSON_NULL, NULL },
};

static const struct ctl_key runs_query[] = {
	{ "limit", JSON_INTEGER, "how many at most; 20, up to 1000" },
	{ "before", JSON_STRING, "only such as are older than this run" },
	{ NULL, JSON_NULL, NULL },
};

/* Of a run it is the same but for the job. */
static const struct ctl_key log_query[] = {
	{ "job", JSON_STRING, "about this job only" },
	{ "level", JSON_STRING, "up to error, warning, info or debug" },
	{ "limit", JSON_INTEGER, "how many at most; 1000, up to 4096" },
	{ "since", JSON_INTEGER, "after the message of this \"seq\"" },
	{ "follow", JSON_INTEGER, "1: go on with what is logged then" },
	{ NULL, JSON_NULL, NULL },
};

/* clang-format off */
const struct ctl_route ctl_routes[] = {
	{ CTL_GET, "/", CTL_VIEWER, ctl_page,
	  "the status page", NULL, NULL, false },
	{ CTL_GET, "/v1/version", CTL_NOBODY, ctl_version,
	  "what the daemon is", NULL, NULL, false },
	{ CTL_GET, "/v1/health", CTL_VIEWER, ctl_health,
	  "is all well", NULL, NULL, false },
	{ CTL_GET, "/v1/schema", CTL_NOBODY, ctl_schema,
	  "what this API is made of", NULL, NULL, false },
	{ CTL_GET, "/v1/events", CTL_VIEWER, ctl_events,
	  "what happens, while it happens", NULL, events_query, false },
	{ CTL_GET, "/metrics", CTL_VIEWER, ctl_metrics,
	  "figures for Prometheus", NULL, NULL, false },
	{ CTL_GET, "/v1/jobs", CTL_VIEWER, ctl_jobs,
	  "all jobs", NULL, NULL, false },
	{ CTL_GET, "/v1/jobs/{job}", CTL_VIEWER, ctl_job,
	  "one job", NULL, job_query, false },
	{ CTL_GET, "/v1/jobs/{job}/map", CTL_VIEWER, ctl_map,
	  "what of the disk is done", NULL, map_query, false },
	{ CTL_POST, "/v1/jobs/{job}/start", CTL_OPERATOR, ctl_start,
	  "start a run", start_keys, NULL, true },
	{ CTL_POST, "/v1/jobs/{job}/verify", CTL_OPERATOR, ctl_verify,
	  "start a run that compares", verify_keys, NULL, true },
	{ CTL_POST, "/v1/jobs/{job}/cancel", CTL_OPERATOR, ctl_cancel,
	  "end the run", cancel_keys, NULL, true },
	{ CTL_POST, "/v1/jobs/{job}/stop", CTL_OPERATOR, ctl_cancel,
	  "the same", cancel_keys, NULL, true },
	{ CTL_POST, "/v1/jobs/{job}/pause", CTL_OPERATOR, ctl_pause,
	  "end the run, and start none until resumed", pause_keys, NULL, true },
	{ CTL_POST, "/v1/jobs/{job}/resume", CTL_OPERATOR, ctl_resume,
	  "runs may start again", NULL, NULL, true },
	{ CTL_PATCH, "/v1/jobs/{job}/limits", CTL_OPERATOR, ctl_limits,
	  "how fast it may go", limits_keys, NULL, false },
	{ CTL_POST, "/v1/config/reload", CTL_ADMIN, ctl_reload,
	  "read the configuration again", NULL, NULL, false },
	{ CTL_POST, "/v1/config/check", CTL_OPERATOR, ctl_check,
	  "say what that would change", NULL, NULL, false },
	{ CTL_GET, "/v1/jobs/{job}/history", CTL_VIEWER, ctl_history,
	  "the runs of one job that have ended", NULL, runs_query, false },
	{ CTL_GET, "/v1/jobs/{job}/checkpoint", CTL_VIEWER, ctl_checkpoint,
	  "where the job would go on", NULL, NULL, false },
	{ CTL_POST, "/v1/jobs/{job}/reset", CTL_ADMIN, ctl_reset,
	  "forget where the job would go on", reset_keys, NULL, false },
	{ CTL_GET, "/v1/runs", CTL_VIEWER, ctl_runs,
	  "the runs of all jobs that have ended", NULL, runs_query, false },
	{ CTL_GET, "/v1/runs/{run}", CTL_VIEWER, ctl_run,
	  "one run that has ended", NULL, NULL, false },
	{ CTL_GET, "/v1/runs/{run}/log", CTL_VIEWER, ctl_run_log,
	  "what was logged of one run", NULL, &log_query[1], false },
	{ CTL_GET, "/v1/log", CTL_VIEWER, ctl_log,
	  "what was logged last", NULL, log_query, false },
	{ CTL_PUT, "/v1/log/level", CTL_ADMIN, ctl_log_level,
	  "how much is logged", level_keys, NULL, false },
	{ CTL_GET, "/v1/endpoints", CTL_VIEWER, ctl_endpoints,
	  "all endpoints", NULL, NULL, false },
	{ CTL_POST, "/v1/endpoints/{endpoint}/probe", CTL_OPERATOR, ctl_probe,
	  "what the server of one says", NULL, NULL, false },
	{ CTL_POST, "/v1/shutdown", CTL_ADMIN, ctl_shutdown,
	  "end the daemon", shutdown_keys, NULL, false },
};
/* clang-format on */

const size_t n_ctl_routes = sizeof ctl_routes / sizeof ctl_routes[0];

const char *
ctl_method_name(enum ctl_method method)
{
	static const char *const names[] = {
		[CTL_GET] = "GET",
		[CTL_POST] = "POST",
		[CTL_PATCH] = "PATCH",
		[CTL_PUT] = "PUT",
		[CTL_OTHER] = "?",
	};

	return names[method];
}

/*
 * Decode a segment of the path.  What cannot be the name of anything becomes
 * "", which nothing is called.
 */
static void
decode_name(const char *segment, size_t len, char ret_name[CONF_NAME_SIZE])
{
	CLEANUP(cleanup_free) char *raw = strndup(segment, len);
	CLEANUP(cleanup_free) char *name = NULL;
	size_t name_len = 0;

	ret_name[0] = '\0';
	if (raw != NULL)
		name = evhttp_uridecode(raw, 0, &name_len);
	/* A %00 would make the name look shorter than it is. */
	if (name != NULL && strlen(name) == name_len &&
	    conf_name_is_valid(name))
		memcpy(ret_name, name, name_len + 1);
}

_Static_assert(CTL_NAME_SIZE == CONF_NAME_SIZE, "one rule for all names");

static bool
matches(const char *pattern, const char *path, struct ctl_path_names *names)
{
	static const char job[] = "{job}";

	memset(names, 0, sizeof *names);
	while (*pattern != '\0') {
		if (*pattern == '{') {
			size_t len = strcspn(path, "/");

			if (len == 0)
				return false;
			decode_name(path, len,
			    strncmp(pattern, job, strlen(job)) == 0 ?
			    names->job : names->name);
			pattern += strcspn(pattern, "}") + 1;
			path += len;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

int
ctl_routes_find(enum ctl_method method, const char *path,
    struct ctl_path_names *ret_names, const struct ctl_route **ret_route,
    enum ctl_method *ret_allowed)
{
	bool is_known = false;

	for (size_t i = 0; i < n_ctl_routes; i++) {
		if (!matches(ctl_routes[i].pattern, path, ret_names))
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

static const struct ctl_key *
find_key(const struct ctl_key *key, const char *name)
{
	while (key != NULL && key->name != NULL && strcmp(key->name, name) != 0)
		key++;
	return key == NULL || key->name == NULL ? NULL : key;
}

/* where: "in the body" */
static int
refuse_key(const struct ctl_key *key, const char *where, const char *name,
    struct error *e)
{
	char printable[64];
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (; key != NULL && key->name != NULL; key++)
		nearest_offer(&nearest, key->name);
	escape_text(name, strlen(name), printable, sizeof printable);
	if (nearest.best != NULL)
		return error_set(e, -EINVAL, "unknown key \"%s\" %s; did you "
		    "mean \"%s\"?", printable, where, nearest.best);
	return error_set(e, -EINVAL, "unknown key \"%s\" %s", printable,
	    where);
}

const char *
ctl_key_type_name(const struct ctl_key *key)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",
		[JSON_ARRAY] = "array",
		[JSON_STRING] = "string",
		[JSON_INTEGER] = "integer",
		[JSON_REAL] = "number",
		[JSON_TRUE] = "boolean",
	};

	return names[key->type];
}

int
ctl_route_check_body(const struct ctl_route *route, const json_t *body,
    struct error *e)
{
	const struct ctl_key *key;
	const char *name;
	json_t *value;
	json_type type;

	/* Looping over it does not change it. */
	json_object_foreach((json_t *)(uintptr_t)body, name, value) {
		key = find_key(route->keys, name);
		if (key == NULL)
			return refuse_key(route->keys, "in the body", name, e);
		type = json_is_false(value) ? JSON_TRUE : json_typeof(value);
		if (type != key->type)
			return error_set(e, -EINVAL, "\"%s\" in the body must "
			    "be of type %s", key->name,
			    ctl_key_type_name(key));
	}
	return 0;
}

int
ctl_route_check_query(const struct ctl_route *route, const char *name,
    struct error *e)
{
	if (find_key(route->query, name) != NULL)
		return 0;
	return refuse_key(route->query, "in the query of the URI", name, e);
}
