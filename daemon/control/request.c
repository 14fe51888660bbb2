/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request, from evhttp to a handler and back.
 *
 * The way in: who is it (403), is there such a path (404) and method (405),
 * is the body a JSON object (400), then the handler.  The way out is
 * ctl_reply() or ctl_problem(), which free the request.  A held request sits
 * on a list with a timer, and watches for its client to hang up: evhttp does
 * not read while an answer is pending, so it would not notice.
 */

#include "control/request.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/keyvalq_struct.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "conf/nearest.h"
#include "control/problem.h"
#include "control/server-private.h"
#include "log/messages.h"
#include "transfer/report.h"

struct request {
	struct ctl_request base;	/* first: what handlers get */
	struct ctl_server *server;
	const struct ctl_tcp *tcp;	/* NULL: by the Unix socket */
	struct evhttp_request *http;
	enum ctl_method method;
	const struct ctl_route *route;	/* NULL: none found */
	struct evkeyvalq query;
	json_t *body;			/* base.body */
	struct list node;		/* of the server's held ones */
	bool was_held;
	bool is_last_call;
	bool waits_for_past;
	struct net_timer timer;
	struct event *hangup;
};

/* Less than the command waits for an answer. */
#define PAST_WAIT_MS 5000

static struct request *
from_base(const struct ctl_request *req)
{
	return (struct request *)(void *)(uintptr_t)req;
}

static int
peer_fd(const struct request *r)
{
	return bufferevent_getfd(evhttp_connection_get_bufferevent(
	    evhttp_request_get_connection(r->http)));
}

static void
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

/* Who did what, for those who ask later; looking is not doing. */
static void
log_audit(const struct request *r, int status)
{
	const char *uri = evhttp_request_get_uri(r->http);
	char printable[160];

	if (uri == NULL)
		uri = "";
	escape_text(uri, strlen(uri), printable, sizeof printable);
	if (r->method == CTL_GET)
		log_debug("control: uid %u (%s): GET %s: %d", r->base.uid,
		    ctl_role_name(r->base.role), printable, status);
	else
		log_write(&(const struct log_about){ LOG_HERE,
		    .message = &messages[MSG_CONTROL], .job = r->base.job },
		    LOG_LEVEL_INFO, "control: uid %u (%s): %s %s: %d",
		    r->base.uid, ctl_role_name(r->base.role),
		    ctl_method_name(r->method), printable, status);
}

static void
on_sent(struct evhttp_request *http, void *arg)
{
	on_main_entry();
	server_mark(arg, http, true);
	server_on_sent(arg);
}

static void
send_buffer(struct request *r, int status, const char *type,
    struct evbuffer *buf) ON_MAIN
{
	log_audit(r, status);
	counters_add_request(&r->server->counters, r->route, status);
	ctl_set_header(&r->base, "Content-Type", type);
	ctl_set_header(&r->base, "X-Content-Type-Options", "nosniff");
	ctl_set_header(&r->base, "Cache-Control", "no-store");
	evhttp_request_set_on_complete_cb(r->http, on_sent, r->server);
	evhttp_send_reply(r->http, status, NULL, buf);
	if (buf != NULL)
		evbuffer_free(buf);
	request_free(r);
}

/* There was none to make an answer.  buf, which may be NULL, is taken. */
static void
send_no_memory(struct request *r, struct evbuffer *buf) ON_MAIN
{
	const char *text = problem_no_memory();

	if (buf != NULL) {
		(void)evbuffer_drain(buf, evbuffer_get_length(buf));
		/* Where even that fails, there is the status. */
		(void)evbuffer_add_reference(buf, text, strlen(text), NULL,
		    NULL);
	}
	send_buffer(r, problem_status(CTL_NO_MEMORY),
	    "application/problem+json", buf);
}

/* The text goes out and the request is gone. */
static void
send_answer(struct request *r, int status, const char *type,
    const json_t *body) ON_MAIN
{
	CLEANUP(cleanup_free) char *text = report_text(body);
	struct evbuffer *buf = evbuffer_new();

	if (text != NULL && buf != NULL &&
	    evbuffer_add_printf(buf, "%s\n", text) >= 0)
		send_buffer(r, status, type, buf);
	else
		send_no_memory(r, buf);
}

void
ctl_reply_json(struct ctl_request *req, int status, const char *text)
{
	struct evbuffer *buf = evbuffer_new();

	if (text != NULL && buf != NULL &&
	    evbuffer_add(buf, text, strlen(text)) == 0 &&
	    evbuffer_add(buf, "\n", 1) == 0)
		send_buffer(from_base(req), status,
		    "application/json; charset=utf-8", buf);
	else
		send_no_memory(from_base(req), buf);
}

void
ctl_reply_text(struct ctl_request *req, int status, const char *type,
    const char *text, size_t len)
{
	struct evbuffer *buf = evbuffer_new();

	if (text != NULL && buf != NULL && evbuffer_add(buf, text, len) == 0)
		send_buffer(from_base(req), status, type, buf);
	else
		send_no_memory(from_base(req), buf);
}

void
ctl_reply(struct ctl_request *req, int status, json_t *body)
{
	send_answer(from_base(req), status, "application/json; charset=utf-8",
	    body);
	json_decref(body);
}

void
ctl_problem(struct ctl_request *req, enum ctl_problem problem,
    const char *hint, const char *fmt, ...)
{
	const char *job = req->job[0] == '\0' ? NULL : req->job;
	char detail[512];
	json_t *body;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	body = problem_to_json(problem, detail, job, hint);
	send_answer(from_base(req), problem_status(problem),
	    "application/problem+json", body);
	json_decref(body);
}

struct ctl_stream *
ctl_stream_start(struct ctl_request *req, const char *type,
    void (*on_gone)(void *arg), void *arg)
{
	struct request *r = from_base(req);
	struct ctl_stream *stream;

	if (evhttp_request_get_connection(r->http) == NULL) {
		/* It was waited for, and the client has gone. */
		send_buffer(r, 200, type, NULL);
		return NULL;
	}
	if (r->server->n_streams >= CTL_STREAMS_MAX) {
		ctl_problem(req, CTL_BUSY, NULL, "%d clients are listening "
		    "already", CTL_STREAMS_MAX);
		return NULL;
	}
	stream = stream_new(r->server, r->http, on_gone, arg);
	if (stream == NULL) {
		send_no_memory(r, evbuffer_new());
		return NULL;
	}
	log_audit(r, 200);
	counters_add_request(&r->server->counters, r->route, 200);
	ctl_set_header(req, "Content-Type", type);
	ctl_set_header(req, "X-Content-Type-Options", "nosniff");
	ctl_set_header(req, "Cache-Control", "no-store");
	evhttp_request_set_on_complete_cb(r->http, on_sent, r->server);
	evhttp_send_reply_start(r->http, 200, NULL);
	request_free(r);
	return stream;
}

void
ctl_problem_list(struct ctl_request *req, enum ctl_problem problem,
    json_t *sentences, const char *fmt, ...)
{
	char detail[512];
	json_t *body;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	body = problem_to_json(problem, detail, NULL, NULL);
	(void)json_object_set(body, "problems", sentences);
	send_answer(from_base(req), problem_status(problem),
	    "application/problem+json", body);
	json_decref(body);
}

void
ctl_no_such_job(struct ctl_request *req)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];
	struct job *job = NULL;

	if (req->job[0] == '\0') {
		ctl_problem(req, CTL_NO_SUCH_JOB, NULL,
		    "no job can have that name");
		return;
	}
	nearest_init(&nearest, req->job);
	while ((job = jobs_next(req->jobs, job)) != NULL) {
		struct job_view view;

		job_get_view(job, &view);
		nearest_offer(&nearest, view.name);
	}
	if (nearest.best != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean '%s'?",
		    nearest.best);
	ctl_problem(req, CTL_NO_SUCH_JOB, nearest.best == NULL ? NULL : hint,
	    "there is no job '%s'", req->job);
}

int
ctl_find_job(struct ctl_request *req, const char *name)
{
	if (name == NULL || jobs_find(req->jobs, name) != NULL)
		return 0;
	req->job[0] = '\0';
	if (conf_name_is_valid(name))
		memcpy(req->job, name, strlen(name) + 1);
	ctl_no_such_job(req);
	return -ENOENT;
}

const char *
ctl_query(const struct ctl_request *req, const char *name)
{
	return evhttp_find_header(&from_base(req)->query, name);
}

const char *
ctl_body_text(const struct ctl_request *req, const char *key)
{
	return json_string_value(json_object_get(req->body, key));
}

bool
ctl_body_bool(const struct ctl_request *req, const char *key, bool fallback)
{
	const json_t *value = json_object_get(req->body, key);

	return value == NULL ? fallback : json_is_true(value);
}

#define MAX_TTL_MS (UINT64_C(366) * 24 * 3600 * 1000)

void
ctl_refuse_text(struct ctl_request *req, const char *key, const char *text,
    const char *must_be)
{
	char printable[64];

	ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"%s\" is \"%s\", but must "
	    "be %s", key, escape_text(text, strlen(text), printable,
	    sizeof printable), must_be);
}

int
ctl_body_ttl(struct ctl_request *req, uint64_t *ret_ms)
{
	const char *text = ctl_body_text(req, "ttl");
	uint64_t ms = 0;

	if (text == NULL)
		return 0;
	if (units_parse_time_ms(text, &ms) < 0 || ms == 0 ||
	    ms > MAX_TTL_MS) {
		ctl_refuse_text(req, "ttl", text, "a time, such as \"1h\"");
		return -EINVAL;
	}
	*ret_ms = ms;
	return 0;
}

int
ctl_body_reason(struct ctl_request *req, char ret_reason[JOB_REASON_SIZE])
{
	const char *text = ctl_body_text(req, "reason");

	ret_reason[0] = '\0';
	if (text == NULL)
		return 0;
	/* It is never cut, which could leave half a character. */
	if (strlen(text) >= JOB_REASON_SIZE) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"reason\" must have "
		    "at most %d bytes", JOB_REASON_SIZE - 1);
		return -EINVAL;
	}
	memcpy(ret_reason, text, strlen(text) + 1);
	return 0;
}

struct store_call *
ctl_store_call(struct ctl_request *req,
    void (*on_done)(struct store_call *call))
{
	struct store_call *call = NULL;

	/* Its last answers come before the server is closed. */
	if (jobs_is_stopping(req->jobs) || jobs_store(req->jobs) == NULL)
		ctl_problem(req, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
	else if ((call = store_call_new(jobs_mailbox(req->jobs), on_done,
	    req)) == NULL)
		ctl_problem(req, CTL_NO_STATE, NULL, "out of memory");
	return call;
}

void
ctl_set_header(struct ctl_request *req, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(
	    from_base(req)->http), name, value);
}

bool
ctl_is_last_call(const struct ctl_request *req)
{
	return from_base(req)->is_last_call;
}

int
ctl_query_number(const struct ctl_request *req, const char *name,
    uint64_t *ret_value)
{
	const char *text = ctl_query(req, name);
	char *rest;
	unsigned long long value;

	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoull(text, &rest, 10);
	if (*text < '0' || *text > '9' || *rest != '\0' || errno != 0)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/*
 * The store has not said yet what an earlier daemon knew of the job: paused,
 * it would be started all the same.
 */
static void
wait_for_past(struct request *r) ON_MAIN
{
	r->waits_for_past = true;
	if (!r->is_last_call)
		ctl_hold(&r->base, PAST_WAIT_MS);
	else if (r->server->is_closing)
		ctl_problem(&r->base, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
	else
		ctl_problem(&r->base, CTL_NO_STATE, "try again", "whether job "
		    "'%s' is paused is not known yet, and nothing was done: "
		    "the state directory is slow", r->base.job);
}

/* As on_hangup() will be told, though others may be called before it. */
static bool
has_gone(const struct request *r)
{
	struct pollfd at = { .fd = peer_fd(r), .events = POLLRDHUP };

	return poll(&at, 1, 0) == 1;
}

static void
handle(struct request *r) ON_MAIN
{
	const struct job *job = r->route->needs_past ?
	    jobs_find(r->server->jobs, r->base.job) : NULL;

	/* Its client has gone, or we are: it may not be what is wanted. */
	if (r->waits_for_past && !r->is_last_call && has_gone(r))
		r->is_last_call = true;
	if (job != NULL && ((r->waits_for_past && r->is_last_call) ||
	    job_is_unknown(job)))
		wait_for_past(r);
	else
		r->route->handle(&r->base);
}

static void
resume(struct request *r, bool is_last_call) ON_MAIN
{
	list_remove(&r->node);
	if (is_last_call)
		r->is_last_call = true;
	handle(r);
}

static void
on_wait_over(void *arg)
{
	on_main_entry();
	resume(arg, true);
}

/* The answer will not arrive, but evhttp wants one. */
static void
on_hangup(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	on_main_entry();
	resume(arg, true);
}

/* Once, with the first ctl_hold(). */
static int
prepare_hold(struct request *r, uint64_t wait_ms)
{
	if (net_timer_init(&r->timer, r->server->loop, on_wait_over, r) < 0)
		return -ENOMEM;
	r->hangup = event_new(net_loop_base(r->server->loop), peer_fd(r),
	    EV_CLOSED, on_hangup, r);
	if (r->hangup == NULL || event_add(r->hangup, NULL) < 0)
		return -ENOMEM;
	net_timer_start(&r->timer, wait_ms);
	r->was_held = true;
	return 0;
}

void
ctl_hold(struct ctl_request *req, uint64_t wait_ms)
{
	struct request *r = from_base(req);

	if (!r->was_held && (r->server->is_closing ||
	    prepare_hold(r, wait_ms) < 0))
		resume(r, true);
	else
		list_append(&r->server->held, &r->node);
}

void
request_resume_held(struct ctl_server *server, bool is_last_call)
{
	struct list waiting;
	struct list *node;

	/* A request that is held again goes to the server's list, not here. */
	list_init(&waiting);
	while ((node = list_take_first(&server->held)) != NULL)
		list_append(&waiting, node);
	while ((node = list_take_first(&waiting)) != NULL)
		resume(list_entry(node, struct request, node), is_last_call);
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
	if (auth_peer_init(&peer, peer_fd(r)) < 0)
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
		handle(r);
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

/* Not even for the request. */
static void
refuse(struct ctl_server *server, struct evhttp_request *http) ON_MAIN
{
	const char *text = problem_no_memory();

	(void)evhttp_add_header(evhttp_request_get_output_headers(http),
	    "Content-Type", "application/problem+json");
	(void)evbuffer_add_reference(evhttp_request_get_output_buffer(http),
	    text, strlen(text), NULL, NULL);
	evhttp_request_set_on_complete_cb(http, on_sent, server);
	evhttp_send_reply(http, problem_status(CTL_NO_MEMORY), NULL, NULL);
}

void
request_take(struct ctl_server *server, const struct ctl_tcp *tcp,
    struct evhttp_request *http)
{
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL) {
		refuse(server, http);
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
