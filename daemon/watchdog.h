/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include "net/loop.h"
#include "runtime/worker.h"

struct watchdog;

/*
 * On the main thread; pool is used from now on.  *ret_dog is NULL if the
 * service manager wants no signs of life.  Negative errno.
 */
int watchdog_start(struct net_loop *loop, struct worker_pool *pool,
    struct watchdog **ret_dog);

/* After the workers have been stopped; also of NULL. */
void watchdog_free(struct watchdog *dog);

#endif
