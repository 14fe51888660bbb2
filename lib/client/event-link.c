/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk and a list of the event-driven face have in common.
 *
 * A server that was started for the channel, and did not come up, is looked at
 * for a while before a failure is told: how it ended may be the better reason.
 * One that nobody else has any more is ended last.
 */
#include "client/event-link.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "client/errors.h"

int
event_link_init(struct event_link *l, struct event_base *base,
    look_cb *on_look, void *arg)
{
	int r;

	r = net_loop_new_on(base, &l->loop);
	if (r == 0)
		r = look_init(&l->look, l->loop, on_look, arg);
	return r;
}

void
event_link_done(struct event_link *l)
{
	look_done(&l->look);
	net_loop_free(l->loop);
}

int
event_link_open(struct event_link *l, struct nbdclient_channel *ch,
    const char *export_name, struct conn_options *o,
    const struct conn_events *events, void *arg, struct nbdclient_error *err)
{
	CLEANUP(cleanup_free) char *name = strdup(export_name);
	struct nbd_uri uri;
	struct error e;
	int code;
	int r;

	if (name == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	code = channel_aim(ch, name, o, &uri, err);
	if (code != 0)
		return code;
	r = conn_open(l->loop, o, events, arg, &l->conn, &e);
	if (r < 0)
		return channel_failure(l->server, r == -ENOMEM ?
		    NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID, &e, l->what, err);
	if (ch->served != NULL)
		l->served = served_ref(ch->served);
	return 0;
}

bool
event_link_looks(struct event_link *l, int code, const struct error *e)
{
	l->failure_code = code;
	l->failure = *e;
	if (!channel_may_have_ended(l->served, code))
		return false;
	look_start(&l->look, l->served);
	return true;
}

void
event_link_close(struct event_link *l, void (*on_conn_closed)(void *arg),
    void *arg)
{
	look_stop(&l->look);
	conn_close(l->conn, on_conn_closed, arg);
}

void
event_link_release(struct event_link *l, void (*finish)(void *arg), void *arg)
{
	if (!served_release(l->served, l->loop, finish, arg))
		finish(arg);
}
