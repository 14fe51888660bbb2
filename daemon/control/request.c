/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request's way from evhttp to its handler: who is it (403), is there such a
 * path (404) and method (405), is the body a JSON object (400).
 */

#include "control/request-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>

#include "base/escape.h"

int
request_peer_fd(const struct request *r)
{
	return bufferevent_getfd(evhttp_connection_get_bufferevent(
	    evhttp_request_get_connection(r->http)));
}

void
request_free(struct request *r)
{
	list_remove(&r->node);
	net_timer_done(&r->timer);
	if (r->hangup != NULL)
		event_free(r->hangup);
	evhttp_clear_headers(&r->query);
	json_decref(r->body);
	free(r);
}

/* What it says of where it was may have anything in it. */
static void
refuse_body(struct request *r, const json_error_t *error) ON_MAIN
{
	char why[2 * JSON_ERROR_TEXT_LENGTH];

	escape_text(error->text, strlen(error->text), why, sizeof why);
	ctl_problem(&r->base, CTL_BAD_REQUEST, NULL, "the body must be a JSON "
	    "object, or empty%s%s", r->body == NULL ? ": " : "",
	    r->body == NULL ? why : "");
}

/* The body is empty, or an object with keys that the route knows. */
static int
take_body(struct request *r) ON_MAIN
{
	struct evbuffer *buf = evhttp_request_get_input_buffer(r->http);
	size_t len = evbuffer_get_length(buf);
	json_error_t error;
	struct error e;

	if (len == 0)
		return 0;
	r->body = json_loadb((const char *)evbuffer_pullup(buf, -1), len,
	    JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(r->body)) {
		refuse_body(r, &error);
		return -EINVAL;
	}
	if (ctl_route_check_body(r->route, r->body, &e) < 0) {
		ctl_problem(&r->base, CTL_BAD_REQUEST, NULL, "%s", e.text);
		return -EINVAL;
	}
	r->base.body = r->body;
	return 0;
}

/*
 * What is misspelt would be ignored.  Pages and metrics are asked for by
 * programs that add what they like.
 */
static int
check_query(struct request *r) ON_MAIN
{
	const struct evkeyval *pair;
	struct error e;

	if (strncmp(r->route->pattern, "/v1/", 4) != 0)
		return 0;
	TAILQ_FOREACH(pair, &r->query, next)
		if (ctl_route_check_query(r->route, pair->key, &e) < 0) {
			ctl_problem(&r->base, CTL_BAD_REQUEST, NULL, "%s",
			    e.text);
			return -EINVAL;
		}
	return 0;
}

/* Who is asking?  Never wrong in favour of the peer. */
static void
identify(struct request *r)
{
	struct auth_peer peer = { .uid = (uid_t)-1 };

	r->base.role = CTL_NOBODY;
	r->base.uid = peer.uid;
	if (auth_peer_init(&peer, request_peer_fd(r)) < 0)
		return;
	r->base.uid = peer.uid;
	r->base.role = auth_role(&r->server->conf->control, &peer, geteuid());
	auth_peer_done(&peer);
}

static void
no_route(struct request *r, int why, const char *path,
    enum ctl_method allowed) ON_MAIN
{
	char printable[128];

	escape_text(path, strlen(path), printable, sizeof printable);
	if (why == -ENOENT) {
		ctl_problem(&r->base, CTL_NOT_FOUND, NULL, "there is nothing "
		    "at '%s'", printable);
		return;
	}
	ctl_set_header(&r->base, "Allow", ctl_method_name(allowed));
	ctl_problem(&r->base, CTL_METHOD_NOT_ALLOWED, NULL, "'%s' can only be "
	    "asked for with %s", printable, ctl_method_name(allowed));
}

static void
dispatch(struct request *r) ON_MAIN
{
	const struct evhttp_uri *uri =
	    evhttp_request_get_evhttp_uri(r->http);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	const char *query = uri == NULL ? NULL : evhttp_uri_get_query(uri);
	enum ctl_method allowed = CTL_OTHER;
	struct ctl_path_names names;
	int why;

	if (path == NULL)
		path = "";
	why = ctl_routes_find(r->method, path, &names, &r->route, &allowed);
	memcpy(r->base.job, names.job, sizeof names.job);
	memcpy(r->base.name, names.name, sizeof names.name);
	if (why < 0) {
		no_route(r, why, path, allowed);
		return;
	}
	if (r->tcp != NULL && !tcp_has_route(r->tcp, r->route)) {
		no_route(r, -ENOENT, path, allowed);
		return;
	}
	if (r->base.role < r->route->role) {
		ctl_problem(&r->base, CTL_FORBIDDEN, "see \"control\" in "
		    "nbdsync.conf(5)", "this needs the role '%s', and uid %u "
		    "has '%s'", ctl_role_name(r->route->role), r->base.uid,
		    ctl_role_name(r->base.role));
		return;
	}
	if (query != NULL && evhttp_parse_query_str(query, &r->query) < 0) {
		ctl_problem(&r->base, CTL_BAD_REQUEST, NULL,
		    "the query of the URI cannot be read");
		return;
	}
	if (check_query(r) == 0 && take_body(r) == 0)
		request_handle(r);
}

static enum ctl_method
method_of(struct evhttp_request *http)
{
	enum evhttp_cmd_type command = evhttp_request_get_command(http);

	if (command == EVHTTP_REQ_GET)
		return CTL_GET;
	if (command == EVHTTP_REQ_POST)
		return CTL_POST;
	if (command == EVHTTP_REQ_PATCH)
		return CTL_PATCH;
	return command == EVHTTP_REQ_PUT ? CTL_PUT : CTL_OTHER;
}

/* Whoever it is may look; but it is to be meant for us. */
static int
identify_tcp(struct request *r) ON_MAIN
{
	struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(r->http);

	r->base.uid = (uid_t)-1;
	r->base.role = CTL_VIEWER;
	if (tcp_is_for_us(evhttp_find_header(headers, "Host"),
	    evhttp_find_header(headers, "Origin")))
		return 0;
	ctl_problem(&r->base, CTL_FORBIDDEN, "ask for an address or "
	    "localhost", "the request is meant for another host, or comes from "
	    "another page");
	return -EPERM;
}

void
request_take(struct ctl_server *server, const struct ctl_tcp *tcp,
    struct evhttp_request *http)
{
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL) {
		request_refuse(server, http);
		return;
	}
	r->server = server;
	r->http = http;
	r->tcp = tcp;
	r->method = method_of(http);
	r->base.jobs = server->jobs;
	r->base.reload = server->reload;
	r->base.facts = &server->facts;
	r->base.conf = server->conf;
	r->base.shutdown = &server->shutdown;
	r->base.expiry = &server->expiry;
	r->base.probes = &server->probes;
	r->base.events = server->events;
	r->base.tails = server->tails;
	r->base.counters = &server->counters;
	server->counters.n_connections = server->connections.n;
	server->counters.n_accepted = server->connections.n_accepted;
	server_mark(server, http, false);
	list_init(&r->node);
	TAILQ_INIT(&r->query);
	if (tcp == NULL)
		identify(r);
	if (connections_is_over(&server->connections, http))
		ctl_problem(&r->base, CTL_BUSY, NULL, "uid %u has too many "
		    "connections", r->base.uid);
	else if (tcp == NULL || identify_tcp(r) == 0)
		dispatch(r);
}

void
request_on_arrival(struct evhttp_request *http, void *arg)
{
	on_main_entry();
	request_take(arg, NULL, http);
}
