/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face's list of exports, or of contexts: a connection of its
 * own on the caller's event base, whose answer, or failure, is told once.  To
 * close before is to disconnect, which is told as that.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client/errors.h"
#include "client/listing.h"
#include "client/look.h"
#include "client/served.h"

struct nbdclient_event_list {
	struct net_loop *loop;
	struct served *served;		/* NULL: not started by us */
	struct conn *conn;
	nbdclient_listed_cb *on_listed;	/* NULL once it was called */
	void *arg;
	void (*on_closed)(void *arg);
	void *close_arg;
	struct look look;		/* for the end of served ... */
	int failure_code;		/* ... because of this failure */
	struct error failure;
	char server[CHANNEL_SERVER_SIZE];
	char what[LISTING_WHAT_SIZE];
};

static void
list_free(struct nbdclient_event_list *l)
{
	look_done(&l->look);
	net_loop_free(l->loop);
	free(l);
}

/* err is NULL for a success. */
static void
list_tell(struct nbdclient_event_list *l, struct nbdclient_listing *listing,
    size_t n, const struct nbdclient_error *err)
{
	nbdclient_listed_cb *on_listed = STEAL(l->on_listed);

	on_listed(l->arg, listing, n, err);
}

static void
list_fail(struct nbdclient_event_list *l, int code, const struct error *e)
{
	struct nbdclient_error err;

	(void)channel_failure(l->server, code, e, l->what, &err);
	list_tell(l, NULL, 0, &err);
}

static void
list_on_ready(void *arg)
{
	struct nbdclient_event_list *l = arg;
	struct nbdclient_listing *listing;
	struct error e;
	size_t n;

	if (listing_copy(l->conn, &listing, &n) == 0) {
		list_tell(l, listing, n, NULL);
		return;
	}
	(void)error_set(&e, -ENOMEM, "out of memory");
	list_fail(l, NBDCLIENT_NO_MEMORY, &e);
}

static void
list_on_look(void *arg, const struct error *ended)
{
	struct nbdclient_event_list *l = arg;
	struct nbdclient_error err;

	if (ended == NULL) {
		list_fail(l, l->failure_code, &l->failure);
		return;
	}
	(void)channel_ended(ended, l->what, &err);
	list_tell(l, NULL, 0, &err);
}

/* After the answer nobody cares. */
static void
list_on_failed(void *arg, const struct error *e)
{
	struct nbdclient_event_list *l = arg;
	const int code = link_failure_code(l->conn, e->code);

	if (l->on_listed == NULL)
		return;
	l->failure_code = code;
	l->failure = *e;
	if (channel_may_have_ended(l->served, code))
		look_start(&l->look, l->served);
	else
		list_fail(l, code, e);
}

static const struct conn_events list_events = {
	.on_ready = list_on_ready,
	.on_failed = list_on_failed,
};

static int
list_connect(struct nbdclient_event_list *l, struct nbdclient_channel *ch,
    struct listing_ask *ask, struct nbdclient_error *err)
{
	CLEANUP(cleanup_free) char *name = strdup(ask->export_name);
	struct nbd_uri uri;
	struct error e;
	int code;
	int r;

	if (name == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	code = channel_aim(ch, name, &ask->options, &uri, err);
	if (code != 0)
		return code;
	r = conn_open(l->loop, &ask->options, &list_events, l, &l->conn, &e);
	if (r < 0)
		return channel_failure(l->server, r == -ENOMEM ?
		    NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID, &e, l->what, err);
	if (ch->served != NULL)
		l->served = served_ref(ch->served);
	return 0;
}

static int
list_init_loop(struct nbdclient_event_list *l, struct event_base *base)
{
	int r;

	r = net_loop_new_on(base, &l->loop);
	if (r == 0)
		r = look_init(&l->look, l->loop, list_on_look, l);
	return r;
}

static int
list_start(struct event_base *base, struct nbdclient_channel *ch,
    struct listing_ask *ask, nbdclient_listed_cb *on_listed, void *arg,
    struct nbdclient_event_list **ret_list, struct nbdclient_error *err)
{
	struct nbdclient_event_list *l;
	int code;

	l = calloc(1, sizeof *l);
	if (l == NULL || list_init_loop(l, base) < 0) {
		if (l != NULL)
			list_free(l);
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	}
	l->on_listed = on_listed;
	l->arg = arg;
	(void)snprintf(l->server, sizeof l->server, "%s", ch->server);
	(void)snprintf(l->what, sizeof l->what, "%s", ask->what);
	code = list_connect(l, ch, ask, err);
	if (code != 0)
		list_free(l);
	else
		*ret_list = l;
	return code;
}

int
nbdclient_event_list(struct event_base *base,
    struct nbdclient_channel *channel, nbdclient_listed_cb *on_listed,
    void *arg, struct nbdclient_event_list **ret_list,
    struct nbdclient_error *err)
{
	struct listing_ask ask;

	listing_ask_exports(channel, &ask);
	return list_start(base, channel, &ask, on_listed, arg, ret_list, err);
}

int
nbdclient_event_list_contexts(struct event_base *base,
    struct nbdclient_channel *channel, const char *export_name,
    const char *const *queries, size_t n_queries,
    nbdclient_listed_cb *on_listed, void *arg,
    struct nbdclient_event_list **ret_list, struct nbdclient_error *err)
{
	struct listing_ask ask;
	int code;

	code = listing_ask_contexts(channel, export_name, queries, n_queries,
	    &ask, err);
	if (code != 0)
		return code;
	return list_start(base, channel, &ask, on_listed, arg, ret_list, err);
}

static void
list_finish(void *arg)
{
	struct nbdclient_event_list *l = arg;
	void (*on_closed)(void *arg) = l->on_closed;
	void *close_arg = l->close_arg;

	list_free(l);
	if (on_closed != NULL)
		on_closed(close_arg);
}

static void
list_on_conn_closed(void *arg)
{
	struct nbdclient_event_list *l = arg;
	struct nbdclient_error err;

	if (l->on_listed != NULL) {
		(void)client_error_set(&err, NBDCLIENT_DISCONNECTED, ECANCELED,
		    "%s: cannot %s: it was closed before", l->server,
		    l->what);
		list_tell(l, NULL, 0, &err);
	}
	if (!served_release(l->served, l->loop, list_finish, l))
		list_finish(l);
}

void
nbdclient_event_list_close(struct nbdclient_event_list *list,
    void (*on_closed)(void *arg), void *arg)
{
	list->on_closed = on_closed;
	list->close_arg = arg;
	look_stop(&list->look);
	conn_close(list->conn, list_on_conn_closed, list);
}
