/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

#include "base/error.h"
#include "net/loop.h"

/*
 * Host names to addresses without blocking the loop: getaddrinfo(3) runs on
 * a detached thread of its own, which may outlive the wish for its answer.
 */

struct net_resolve;

/*
 * The answer: addresses (never an empty list), the receiver's for
 * freeaddrinfo(); or NULL and a sentence in e.  The resolve is gone when the
 * callback is called, from the loop, exactly once.
 */
typedef void net_resolve_cb(void *arg, struct addrinfo *addresses,
    const struct error *e);

int net_resolve_start(struct net_loop *loop, const char *host, uint16_t port,
    net_resolve_cb *cb, void *arg, struct net_resolve **ret_resolve);

/* The callback will not come.  Never waits for the thread. */
void net_resolve_cancel(struct net_resolve *resolve);

/*
 * The address of a host written in digits.  *ret_addresses is the caller's.
 * -ENOENT: host is a name.
 */
int net_resolve_numeric(const char *host, uint16_t port,
    struct addrinfo **ret_addresses);

#endif
