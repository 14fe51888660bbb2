/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "control/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/log.h"

#define PAUSE_MS 100
#define LOOK_MS	 1000
/* What a request may take. */
#define ASK_MS	 30000
/* Bytes of a connection that nobody has taken: more than headers and body. */
#define READ_AHEAD_MAX (128 * 1024)

static void
forget_ended(struct ctl_connections *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct bufferevent *bev = c->v[i].bev;

		if (bufferevent_decref(bev) != 0)
			continue;
		bufferevent_incref(bev);
		c->v[n++] = c->v[i];
	}
	c->n = n;
}

static void
identify(struct ctl_connections *c, struct ctl_connection *one)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof peer;
	size_t n = 0;

	one->is_known = true;
	one->uid = (uid_t)-1;
	if (getsockopt(bufferevent_getfd(one->bev), SOL_SOCKET, SO_PEERCRED,
	    &peer, &len) == 0)
		one->uid = peer.uid;
	if (one->uid == (uid_t)-1 || one->uid == 0 || one->uid == geteuid())
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].is_known && !c->v[i].is_over &&
		    c->v[i].uid == one->uid)
			n++;
	one->is_over = n > c->max / 4;
}

/* evhttp gives each its descriptor after we have given it. */
static void
cut_surplus(struct ctl_connections *c) ON_MAIN
{
	for (size_t i = 0; i < c->n; i++) {
		struct ctl_connection *one = &c->v[i];
		int fd = bufferevent_getfd(one->bev);

		if (fd >= 0 && !one->is_known)
			identify(c, one);
		if (fd >= 0 && one->is_over && one->asks)
			(void)shutdown(fd, SHUT_RDWR);
	}
}

/* evhttp sees that the other end is gone, and does the rest. */
static void
cut_slow(struct ctl_connections *c) ON_MAIN
{
	uint64_t now = net_loop_now_ms(c->loop);

	for (size_t i = 0; i < c->n; i++) {
		if (!c->v[i].asks || now - c->v[i].since_ms < ASK_MS)
			continue;
		log_debug("control: a client has not sent a request for %d s",
		    ASK_MS / 1000);
		(void)shutdown(bufferevent_getfd(c->v[i].bev), SHUT_RDWR);
	}
}

static void
connections_on_look(void *arg)
{
	struct ctl_connections *c = arg;

	on_main_entry();
	forget_ended(c);
	cut_slow(c);
	cut_surplus(c);
	if (c->listener != NULL && c->n < c->max)
		(void)evconnlistener_enable(c->listener);
	if (c->n > 0)
		net_timer_start(&c->timer, c->n < c->max ? LOOK_MS :
							   PAUSE_MS);
}

int
connections_init(struct ctl_connections *c, struct net_loop *loop, size_t max)
{
	*c = (struct ctl_connections){ .loop = loop, .max = max };
	c->v = calloc(max, sizeof *c->v);
	if (c->v == NULL || net_timer_init(&c->timer, loop,
	    connections_on_look, c) < 0) {
		free(c->v);
		c->v = NULL;
		return -ENOMEM;
	}
	return 0;
}

void
connections_done(struct ctl_connections *c)
{
	for (size_t i = 0; i < c->n; i++)
		(void)bufferevent_decref(c->v[i].bev);
	free(c->v);
	net_timer_done(&c->timer);
}

void
connections_pause(struct ctl_connections *c)
{
	if (c->listener != NULL)
		(void)evconnlistener_disable(c->listener);
	net_timer_start(&c->timer, PAUSE_MS);
}

struct bufferevent *
connections_on_accepted(struct event_base *base, void *arg)
{
	struct ctl_connections *c = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1,
	    BEV_OPT_CLOSE_ON_FREE);

	on_main_entry();
	if (bev == NULL)
		return NULL;
	c->n_accepted++;
	forget_ended(c);
	cut_surplus(c);
	if (c->n == c->max) {
		bufferevent_free(bev);
		return NULL;
	}
	bufferevent_setwatermark(bev, EV_READ, 0, READ_AHEAD_MAX);
	bufferevent_incref(bev);
	if (c->n == 0)
		net_timer_start(&c->timer, LOOK_MS);
	c->v[c->n++] = (struct ctl_connection){ .bev = bev, .asks = true,
		.since_ms = net_loop_now_ms(c->loop) };
	if (c->n == c->max) {
		log_debug("control: %zu connections, no more for now", c->n);
		connections_pause(c);
	}
	return bev;
}

static struct ctl_connection *
find(const struct ctl_connections *c, const struct evhttp_request *http)
{
	struct evhttp_connection *connection =
	    evhttp_request_get_connection((struct evhttp_request *)
		(uintptr_t)http);
	const struct bufferevent *bev = connection == NULL ? NULL :
	    evhttp_connection_get_bufferevent(connection);

	for (size_t i = 0; bev != NULL && i < c->n; i++)
		if (c->v[i].bev == bev)
			return &c->v[i];
	return NULL;
}

void
connections_mark(struct ctl_connections *c, const struct evhttp_request *http,
    bool asks)
{
	struct ctl_connection *one = find(c, http);

	if (one == NULL)
		return;
	one->asks = asks;
	one->since_ms = net_loop_now_ms(c->loop);
}

bool
connections_is_over(struct ctl_connections *c,
    const struct evhttp_request *http)
{
	struct ctl_connection *one = find(c, http);

	if (one != NULL && !one->is_known)
		identify(c, one);
	return one != NULL && one->is_over;
}

bool
connections_have_unsent(struct ctl_connections *c)
{
	forget_ended(c);
	for (size_t i = 0; i < c->n; i++)
		if (evbuffer_get_length(bufferevent_get_output(
		    c->v[i].bev)) > 0)
			return true;
	return false;
}
