/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_EVENT_LINK_H
#define CLIENT_EVENT_LINK_H

#include <stdbool.h>

#include "client/channel.h"
#include "client/look.h"

/*
 * A connection of the event-driven face, on the caller's event base, and the
 * server that was started for its channel, if one was.
 */

struct event_base;

/* Born 0. */
struct event_link {
	struct net_loop *loop;
	struct served *served;		/* NULL: not started by us */
	struct conn *conn;
	struct look look;		/* for the end of served ... */
	int failure_code;		/* ... because of this failure */
	struct error failure;
	char server[CHANNEL_SERVER_SIZE];
	char what[CHANNEL_WHAT_SIZE];
	void (*on_closed)(void *arg);	/* the caller's, for the owner */
	void *close_arg;
};

/*
 * on_look, with arg, follows event_link_looks().  -ENOMEM; event_link_done()
 * is wanted also then.
 */
int event_link_init(struct event_link *l, struct event_base *base,
    look_cb *on_look, void *arg);
void event_link_done(struct event_link *l);

/*
 * Connect to the channel's server, to do what is said in l->what; o is of
 * channel_conn_options().  Returns 0 or a code, with *err.
 */
int event_link_open(struct event_link *l, struct nbdclient_channel *ch,
    const char *export_name, struct conn_options *o,
    const struct conn_events *events, void *arg, struct nbdclient_error *err);

/*
 * The connection has failed so: keep it, and look for a while whether that is
 * since the server has ended.  false: it cannot be, and on_look does not come.
 */
bool event_link_looks(struct event_link *l, int code, const struct error *e);

/* Begin to close: on_conn_closed, with arg, comes when nothing is under way. */
void event_link_close(struct event_link *l, void (*on_conn_closed)(void *arg),
    void *arg);

/*
 * After on_conn_closed: let go of the server; finish, with arg, comes when it
 * is gone, if it was the last to have it, perhaps at once.
 */
void event_link_release(struct event_link *l, void (*finish)(void *arg),
    void *arg);

#endif
