/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_LOOK_H
#define CLIENT_LOOK_H

#include "base/error.h"
#include "client/served.h"
#include "net/loop.h"

/*
 * Looking for a while, on a loop, whether a server that was started for a
 * channel has ended: what it ended with may be a better reason than that of
 * the connection that it cut.
 */

/* ended is NULL if the server lives. */
typedef void look_cb(void *arg, const struct error *ended);

struct look {
	struct net_timer timer;
	struct served *served;
	int n;
	look_cb *cb;
	void *arg;
};

/* -ENOMEM.  look_done() copes with one that is all zero. */
int look_init(struct look *look, struct net_loop *loop, look_cb *cb,
    void *arg);
void look_done(struct look *look);

/* Once: cb comes from the loop, unless it is stopped before. */
void look_start(struct look *look, struct served *served);
void look_stop(struct look *look);

#endif
