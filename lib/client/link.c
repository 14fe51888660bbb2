/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocking face's way of waiting: run the loop until a callback has set
 * what is waited for.
 */
#include "client/link.h"

#include <errno.h>
#include <string.h>

#include "client/failure.h"

static void
link_on_ready(void *arg)
{
	struct link *l = arg;

	l->is_ready = true;
	net_loop_stop(l->loop);
}

static void
link_on_completions(void *arg)
{
	struct link *l = arg;

	l->on_completions(l->arg);
}

int
link_failure_code(const struct conn *c, int error)
{
	int code = failure_client_code(conn_failure(c));

	if (code != 0)
		return code;
	if (error == -ENOMEM)
		return NBDCLIENT_NO_MEMORY;
	if (error == -ETIMEDOUT)
		return NBDCLIENT_TIMED_OUT;
	return conn_peer(c) == NULL ? NBDCLIENT_CANNOT_CONNECT :
	    NBDCLIENT_DISCONNECTED;
}

static void
link_on_failed(void *arg, const struct error *e)
{
	struct link *l = arg;

	l->has_failed = true;
	l->error = *e;
	l->client_code = link_failure_code(l->conn, e->code);
	net_loop_stop(l->loop);
}

static void
link_on_closed(void *arg)
{
	struct link *l = arg;

	l->is_closed = true;
	net_loop_stop(l->loop);
}

static const struct conn_events link_events = {
	.on_ready = link_on_ready,
	.on_completions = link_on_completions,
	.on_failed = link_on_failed,
};

/*
 * The loop itself cannot go on: nothing will come any more.  What is in flight
 * is the owner's again, who is about to give its buffers back.
 */
static void
link_fail(struct link *l, int r)
{
	conn_close(l->conn, link_on_closed, l);
	l->is_closing = true;
	l->has_failed = true;
	l->client_code = r == -ENOMEM ? NBDCLIENT_NO_MEMORY :
	    NBDCLIENT_DISCONNECTED;
	(void)error_set(&l->error, r, "the event loop failed: %s",
	    strerrordesc_np(-r));
}

int
link_open(struct link *l, const struct conn_options *options)
{
	int r;

	memset(l, 0, sizeof *l);
	r = net_loop_new(&l->loop);
	if (r < 0) {
		(void)error_set(&l->error, r, "out of memory");
		return NBDCLIENT_NO_MEMORY;
	}
	r = conn_open(l->loop, options, &link_events, l, &l->conn, &l->error);
	if (r < 0)
		return r == -ENOMEM ? NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID;
	link_wait(l);
	return l->has_failed ? l->client_code : 0;
}

void
link_wait(struct link *l)
{
	int r;

	if (l->has_failed)
		return;
	r = net_loop_run(l->loop);
	if (r < 0)
		link_fail(l, r);
}

void
link_wake(struct link *l)
{
	net_loop_stop(l->loop);
}

void
link_close(struct link *l)
{
	if (l->conn != NULL && !l->is_closing) {
		conn_close(l->conn, link_on_closed, l);
		while (!l->is_closed && net_loop_run(l->loop) == 0)
			continue;
	}
	if (l->conn != NULL && !l->is_closed)
		conn_drop(l->conn);
	net_loop_free(l->loop);
	memset(l, 0, sizeof *l);
}
