/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_RACE_H
#define NET_RACE_H

#include <stddef.h>

#include "net/address.h"
#include "net/loop.h"

/*
 * Connecting to the first of several addresses that answers (RFC 8305,
 * "Happy Eyeballs", section 5).
 */

struct net_race;

/* After this time without an answer the next address gets its chance. */
#define NET_RACE_HEAD_START_MS 250

/*
 * The race is over and gone.  fd >= 0: a connected, non-blocking descriptor,
 * the receiver's; all other attempts are closed.  Else the negative errno of
 * the attempt that failed last; each address has its own in errnum.
 * From the loop, exactly once, never inside net_race_start().
 */
typedef void net_race_cb(void *arg, int fd);

/*
 * Start a race between n >= 1 addresses, in their order.  The array is the
 * caller's and must outlive the race.  There is no time limit: an attempt
 * ends when the kernel gives it up, and the race with net_race_cancel().
 * -ENOMEM.
 */
int net_race_start(struct net_loop *loop, struct net_address *addresses,
    size_t n, net_race_cb *cb, void *arg, struct net_race **ret_race);

/* Close all attempts; the callback never comes. */
void net_race_cancel(struct net_race *race);

#endif
