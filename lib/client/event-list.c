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
#include "client/event-link.h"
#include "client/listing.h"

struct nbdclient_event_list {
	struct event_link link;
	nbdclient_listed_cb *on_listed;	/* NULL once it was called */
	void *arg;
};

static void
list_free(struct nbdclient_event_list *l)
{
	event_link_done(&l->link);
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

	(void)channel_failure(l->link.server, code, e, l->link.what, &err);
	list_tell(l, NULL, 0, &err);
}

static void
list_on_ready(void *arg)
{
	struct nbdclient_event_list *l = arg;
	struct nbdclient_listing *listing;
	struct error e;
	size_t n;

	if (listing_copy(l->link.conn, &listing, &n) == 0) {
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
		list_fail(l, l->link.failure_code, &l->link.failure);
		return;
	}
	(void)channel_ended(ended, l->link.what, &err);
	list_tell(l, NULL, 0, &err);
}

/* After the answer nobody cares. */
static void
list_on_failed(void *arg, const struct error *e)
{
	struct nbdclient_event_list *l = arg;
	const int code = link_failure_code(l->link.conn, e->code);

	if (l->on_listed == NULL)
		return;
	if (!event_link_looks(&l->link, code, e))
		list_fail(l, code, e);
}

static const struct conn_events list_events = {
	.on_ready = list_on_ready,
	.on_failed = list_on_failed,
};

static int
list_start(struct event_base *base, struct nbdclient_channel *ch,
    struct listing_ask *ask, nbdclient_listed_cb *on_listed, void *arg,
    struct nbdclient_event_list **ret_list, struct nbdclient_error *err)
{
	struct nbdclient_event_list *l;
	int code;

	l = calloc(1, sizeof *l);
	if (l == NULL || event_link_init(&l->link, base, list_on_look, l) < 0) {
		if (l != NULL)
			list_free(l);
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	}
	l->on_listed = on_listed;
	l->arg = arg;
	(void)snprintf(l->link.server, sizeof l->link.server, "%s", ch->server);
	(void)snprintf(l->link.what, sizeof l->link.what, "%s", ask->what);
	code = event_link_open(&l->link, ch, ask->export_name, &ask->options,
	    &list_events, l, err);
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
	void (*on_closed)(void *arg) = l->link.on_closed;
	void *close_arg = l->link.close_arg;

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
		    "%s: cannot %s: it was closed before", l->link.server,
		    l->link.what);
		list_tell(l, NULL, 0, &err);
	}
	event_link_release(&l->link, list_finish, l);
}

void
nbdclient_event_list_close(struct nbdclient_event_list *list,
    void (*on_closed)(void *arg), void *arg)
{
	list->link.on_closed = on_closed;
	list->link.close_arg = arg;
	event_link_close(&list->link, list_on_conn_closed, list);
}
