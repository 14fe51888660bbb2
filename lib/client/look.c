/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's end, looked for a few times; see the header.
 */
#include "client/look.h"

#include <stddef.h>

static void
look_on_timer(void *arg)
{
	struct look *look = arg;
	struct error e;

	if (served_look(look->served, &e))
		look->cb(look->arg, &e);
	else if (++look->n < SERVED_LOOKS)
		net_timer_start(&look->timer, SERVED_LOOK_MS);
	else
		look->cb(look->arg, NULL);
}

int
look_init(struct look *look, struct net_loop *loop, look_cb *cb, void *arg)
{
	look->cb = cb;
	look->arg = arg;
	return net_timer_init(&look->timer, loop, look_on_timer, look);
}

void
look_done(struct look *look)
{
	net_timer_done(&look->timer);
}

void
look_start(struct look *look, struct served *served)
{
	look->served = served;
	look->n = 0;
	net_timer_start(&look->timer, SERVED_LOOK_MS);
}

void
look_stop(struct look *look)
{
	net_timer_stop(&look->timer);
}
