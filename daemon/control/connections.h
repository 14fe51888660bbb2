/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_CONNECTIONS_H
#define CONTROL_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/annotate.h"
#include "net/loop.h"

/*
 * The connections of a listener of evhttp: how many there are, and how long
 * each may take to send a request.
 *
 * evhttp neither counts them nor tells when one ends.  So each connection's
 * bufferevent is given to it by us and kept with a reference of our own;
 * dropping that reference and finding it was the last says that evhttp is
 * through with it.  It closes its descriptor itself, then: evhttp would do so
 * while our reference has it still watched, and the next that is given the
 * same number would be read by it.  Until we look it reads what still comes,
 * up to a limit.
 *
 * At the limit we stop accepting and look again a little later: who connects
 * meanwhile waits in the kernel's queue.  The same pause follows when accept()
 * fails, or a full table of descriptors would make the loop spin.
 *
 * One user may have a quarter of them, but for root and the daemon's own, so
 * that others get in: the more are cut, once there is no answer to be given.
 *
 * evhttp has a limit of its own for time, but it begins anew with each byte.
 * The one for taking an answer does not.
 */

struct bufferevent;
struct event_base;
struct evconnlistener;
struct evhttp_request;

struct ctl_connections {
	struct net_loop *loop;
	struct net_timer timer;
	struct evconnlistener *listener;	/* NULL: none any more */
	struct ctl_connection {
		struct bufferevent *bev;
		bool asks;		/* a request is to come */
		bool is_known;		/* it has been counted as uid's */
		bool is_over;		/* that has too many */
		uid_t uid;
		uint64_t since_ms;
	} *v;
	size_t n;
	size_t max;
	uint64_t n_accepted;
};

/* -ENOMEM. */
int connections_init(struct ctl_connections *c, struct net_loop *loop,
    size_t max) ON_MAIN;
/* After evhttp_free(). */
void connections_done(struct ctl_connections *c) ON_MAIN;

/* For evhttp_set_bevcb(); the argument is a struct ctl_connections. */
struct bufferevent *connections_on_accepted(struct event_base *base,
    void *arg);

/* accept() has failed. */
void connections_pause(struct ctl_connections *c) ON_MAIN;

/*
 * The connection of http, if it is one of these: a request is to come there
 * now, or has come.
 */
void connections_mark(struct ctl_connections *c,
    const struct evhttp_request *http, bool asks) ON_MAIN;

/* Has the user who has sent http too many of these? */
bool connections_is_over(struct ctl_connections *c,
    const struct evhttp_request *http) ON_MAIN;

/* Is an answer still on its way to someone who is there? */
bool connections_have_unsent(struct ctl_connections *c) ON_MAIN;

#endif
