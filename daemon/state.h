/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STATE_H
#define STATE_H

#include "base/annotate.h"
#include "conf/conf.h"
#include "job/job.h"
#include "net/loop.h"
#include "store/store.h"

/*
 * The daemon's store: where it is, and what the log says of its health.
 */

#define STATE_CLOSE_MS 5000		/* for what waits at the end */

struct state {
	struct store *store;		/* NULL: not open */
	bool is_ill;			/* so the log has said */
	char set_aside[ERROR_TEXT_SIZE];	/* likewise */
	struct net_timer slow_timer;	/* until it is open */
	struct jobs *jobs;		/* what they know goes into a fresh
					   one */
	void (*on_closed)(void *arg);
	void *arg;
};

/*
 * Keep other daemons off the state directory, while ret_fd is open; -1: it
 * cannot be locked, as it is not there.  -EBUSY: another one has it, as the log
 * says.
 */
int state_lock(const struct conf *conf, int *ret_fd);

/* -ENOMEM, ...; that the database cannot be used is no failure. */
int state_open(struct state *state, const struct conf *conf,
    struct net_loop *loop, struct jobs *jobs) ON_MAIN;

/* on_closed comes from the loop when all is written, or cannot be. */
void state_close(struct state *state, struct mailbox *owner,
    void (*on_closed)(void *arg), void *arg) ON_MAIN;

/* Also what was never opened. */
void state_free(struct state *state) ON_MAIN;

#endif
