/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_DIAL_PRIVATE_H
#define NET_DIAL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"
#include "net/dial.h"
#include "net/race.h"
#include "net/resolve.h"

/*
 * The inside of a dial, for the files that implement a transport each.  They
 * make addresses; dial.c makes a connection of them.
 */
struct net_dial {
	struct net_loop *loop;
	net_dial_cb *cb;
	void *arg;
	struct net_resolve *resolve;	/* while a name is being looked up */
	struct net_race *race;		/* from when there are addresses */
	struct net_address *addresses;	/* the race's, until it is gone */
	size_t n_addresses;
	bool was_name;
	char target[256];		/* "unix socket '/x'", "host:port" */
};

/* NULL: out of memory.  To be given to dial_free() or dial_finish(). */
struct net_dial *dial_new(struct net_loop *loop, net_dial_cb *cb, void *arg);
void dial_free(struct net_dial *d);

/* Free the dial and call back; from the loop only. */
void dial_finish(struct net_dial *d, int fd, const struct error *e);

/* d->addresses and their number are set: connect.  -ENOMEM. */
int dial_start_race(struct net_dial *d);

/* The same for the one address of what is no name.  -ENOMEM. */
int dial_start_single(struct net_dial *d, const void *addr, socklen_t len);

/* What an error means where vsock is dialled; NULL: what it always means. */
const char *dial_vsock_reason(int errnum);

#endif
