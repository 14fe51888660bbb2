/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request's way out: its answer, whole or in pieces, or a problem.  It is
 * noted who has asked for what, and the request is gone.
 */

#include "control/request-private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/nearest.h"
#include "control/problem.h"
#include "log/messages.h"
#include "transfer/report.h"

void
ctl_set_header(struct ctl_request *req, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(
	    request_of(req)->http), name, value);
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

/* What all answers have in common, before they are sent. */
static void
begin_answer(struct request *r, int status, const char *type) ON_MAIN
{
	log_audit(r, status);
	counters_add_request(&r->server->counters, r->route, status);
	ctl_set_header(&r->base, "Content-Type", type);
	ctl_set_header(&r->base, "X-Content-Type-Options", "nosniff");
	ctl_set_header(&r->base, "Cache-Control", "no-store");
	evhttp_request_set_on_complete_cb(r->http, on_sent, r->server);
}

static void
send_buffer(struct request *r, int status, const char *type,
    struct evbuffer *buf) ON_MAIN
{
	begin_answer(r, status, type);
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
		send_buffer(request_of(req), status,
		    "application/json; charset=utf-8", buf);
	else
		send_no_memory(request_of(req), buf);
}

void
ctl_reply_text(struct ctl_request *req, int status, const char *type,
    const char *text, size_t len)
{
	struct evbuffer *buf = evbuffer_new();

	if (text != NULL && buf != NULL && evbuffer_add(buf, text, len) == 0)
		send_buffer(request_of(req), status, type, buf);
	else
		send_no_memory(request_of(req), buf);
}

void
ctl_reply(struct ctl_request *req, int status, json_t *body)
{
	send_answer(request_of(req), status, "application/json; charset=utf-8",
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
	send_answer(request_of(req), problem_status(problem),
	    "application/problem+json", body);
	json_decref(body);
}

struct ctl_stream *
ctl_stream_start(struct ctl_request *req, const char *type,
    void (*on_gone)(void *arg), void *arg)
{
	struct request *r = request_of(req);
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
	begin_answer(r, 200, type);
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
	send_answer(request_of(req), problem_status(problem),
	    "application/problem+json", body);
	json_decref(body);
}

void
request_refuse(struct ctl_server *server, struct evhttp_request *http)
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
