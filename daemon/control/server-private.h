/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_SERVER_PRIVATE_H
#define CONTROL_SERVER_PRIVATE_H

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "base/list.h"
#include "control/connections.h"
#include "control/counters.h"
#include "control/events.h"
#include "control/probe.h"
#include "control/request.h"
#include "control/routes.h"
#include "control/server.h"
#include "control/socket.h"
#include "control/tail.h"
#include "control/tcp.h"

/*
 * What server.c (listening) and requests (request-private.h) share.
 */

struct evconnlistener;

struct ctl_server {
	struct net_loop *loop;
	struct jobs *jobs;
	const struct conf *conf;
	struct reload *reload;
	struct ctl_facts facts;
	struct jobs_watch watch;
	struct ctl_shutdown_call shutdown;
	struct ctl_expiry_call expiry;
	struct ctl_probes probes;
	struct ctl_events *events;
	struct ctl_tails *tails;
	struct ctl_counters counters;

	struct control_socket socket;
	struct evhttp *http;
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener;	/* bound's */
	struct ctl_connections connections;
	size_t n_streams;		/* of them */

	struct ctl_tcp *metrics;	/* NULL: not configured */
	struct ctl_tcp *web;

	struct list held;		/* of struct request */
	bool is_closing;
	bool is_closed;
	struct net_timer close_timer;
	struct net_task closed_task;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

/* The same of one that came by TCP; tcp NULL: by the Unix socket. */
void request_take(struct ctl_server *server, const struct ctl_tcp *tcp,
    struct evhttp_request *http) ON_MAIN;

/* evhttp has read a request: find its handler and call it. */
void request_on_arrival(struct evhttp_request *http, void *arg);

/* held.c: call the handlers of all held requests again. */
void request_resume_held(struct ctl_server *server, bool is_last_call) ON_MAIN;

/* stream.c: make the answer to http a stream.  NULL: no memory. */
struct ctl_stream *stream_new(struct ctl_server *server,
    struct evhttp_request *http, void (*on_gone)(void *arg), void *arg) ON_MAIN;

/* As connections_mark(), wherever http has come from. */
void server_mark(struct ctl_server *server, const struct evhttp_request *http,
    bool asks) ON_MAIN;

/* An answer has been sent. */
void server_on_sent(struct ctl_server *server) ON_MAIN;

#endif
