/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/endpoints: the disks that the configuration names.  What their URIs
 * may hold beyond a place, a user or a key, is nobody's business.
 */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "control/routes.h"

static const char *
kind_of(const struct conf_endpoint *ep)
{
	switch (ep->spec->type) {
	case ENDPOINT_NBD:
		return "nbd";
	case ENDPOINT_COMMAND:
		return "command";
	case ENDPOINT_PATH:
		return "path";
	case ENDPOINT_NULL:
	case ENDPOINT_FILL:
		break;
	}
	return "null";
}

static const char *
role_of(const struct conf_endpoint *ep)
{
	return ep->role == CONF_ROLE_SOURCE ? "source" :
	    ep->role == CONF_ROLE_DESTINATION ? "destination" : "any";
}

/* Bytes of a path may be no text. */
static json_t *
text_of(const char *path)
{
	CLEANUP(cleanup_free) char *text = strdup(path);

	if (text == NULL)
		return json_null();
	escape_keep_utf8(text);
	return json_string(text);
}

/* "nbds://user@host/disk?tls-..." is "nbds://host/disk". */
static json_t *
place_of(const struct conf_endpoint *ep)
{
	const char *uri = ep->spec->uri;
	const char *rest = uri == NULL ? NULL : strstr(uri, "://");
	size_t host_len;
	const char *at;

	if (rest == NULL)
		return ep->path == NULL ? json_null() : text_of(ep->path);
	rest += strlen("://");
	host_len = strcspn(rest, "/?");
	at = memrchr(rest, '@', host_len);
	return json_sprintf("%.*s%.*s", (int)(rest - uri), uri,
	    (int)strcspn(at == NULL ? rest : at + 1, "?"),
	    at == NULL ? rest : at + 1);
}

static bool
uses(const struct conf_job *job, const char *name)
{
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(job, names);

	if (strcmp(job->source, name) == 0)
		return true;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static json_t *
jobs_of(const struct conf *conf, const char *name)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->n_jobs; i++)
		if (uses(&conf->jobs[i], name))
			(void)json_array_append_new(list,
			    json_string(conf->jobs[i].name));
	return list;
}

void
ctl_endpoints(struct ctl_request *req)
{
	const struct conf *conf = req->conf;
	json_t *list = json_array();

	for (size_t i = 0; i < conf->n_endpoints; i++) {
		const struct conf_endpoint *ep = &conf->endpoints[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:s, s:o, s:s?, s:o}", "endpoint", ep->name,
		    "kind", kind_of(ep), "role", role_of(ep), "place",
		    place_of(ep), "tls", ep->tls, "jobs",
		    jobs_of(conf, ep->name)));
	}
	ctl_reply(req, 200, json_pack("{s:o}", "endpoints", list));
}
