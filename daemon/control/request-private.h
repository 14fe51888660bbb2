/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_REQUEST_PRIVATE_H
#define CONTROL_REQUEST_PRIVATE_H

#include <event2/event.h>

#include "control/server-private.h"

/*
 * The inside of a request: request.c has its way in, held.c calls the handler,
 * now or later, answer.c has its way out; arguments.c reads what is asked.
 */

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

static inline struct request *
request_of(const struct ctl_request *req)
{
	return (struct request *)(void *)(uintptr_t)req;
}

int request_peer_fd(const struct request *r);
void request_free(struct request *r) ON_MAIN;

/* held.c: call the handler, at once if that may be. */
void request_handle(struct request *r) ON_MAIN;

/* answer.c: there is no memory, not even for the request. */
void request_refuse(struct ctl_server *server, struct evhttp_request *http)
    ON_MAIN;

#endif
