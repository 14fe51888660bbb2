/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RUNTIME_WORKER_H
#define RUNTIME_WORKER_H

#include "net/loop.h"
#include "runtime/mailbox.h"

/*
 * Worker threads, each with a loop and a mailbox of its own.  Whatever lives
 * on a worker's loop is touched by that worker alone.
 */

struct worker;
struct worker_pool;

/*
 * Start n_workers threads (0: one per processor, at most 8), all signals
 * blocked in them.  Negative errno; nothing is left running on failure.
 */
int worker_pool_start(unsigned n_workers, struct worker_pool **ret_pool);

/*
 * Stop and join all workers.  Nothing may live on them any more.
 */
void worker_pool_stop(struct worker_pool *pool);

/* How many there are.  Any thread. */
unsigned worker_pool_size(const struct worker_pool *pool);

/* Worker i modulo the size of the pool. */
struct worker *worker_pool_get(struct worker_pool *pool, unsigned i);

/* The next worker in turn, to spread runs over the pool.  Any thread. */
unsigned worker_pool_next(struct worker_pool *pool);

struct net_loop *worker_loop(struct worker *w);
/* For those who post by mailbox.  Any thread. */
struct mailbox *worker_mailbox(struct worker *w);
/* Any thread. */
void worker_post(struct worker *w, struct mail *mail);

#endif
