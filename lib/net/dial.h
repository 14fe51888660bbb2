/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/loop.h"

/*
 * Making a stream connection without blocking the loop: a Unix socket, vsock,
 * or TCP to a host name (resolved on a short-lived thread of its own, its
 * addresses tried as RFC 8305 says: the next one a quarter of a second after
 * the one before, or when that fails; the first to answer is taken).  TCP
 * gets NODELAY and keepalive.
 *
 * The deadline is the caller's: net_dial_cancel() at any time before the
 * callback, which then never comes.  The callback comes exactly once, never
 * inside net_dial_*(), with a connected, non-blocking descriptor that is the
 * receiver's (fd >= 0), or fd == -1 and a sentence in e.  The dial is gone
 * when the callback is called.
 */

struct net_dial;

typedef void net_dial_cb(void *arg, int fd, const struct error *e);

int net_dial_unix(struct net_loop *loop, const char *path, net_dial_cb *cb,
    void *arg, struct net_dial **ret_dial, struct error *e);
/* By a name, without the zero byte, in Linux's abstract namespace. */
int net_dial_unix_abstract(struct net_loop *loop, const char *name,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e);
/* A port of another virtual machine, or of the host (vsock(7)). */
int net_dial_vsock(struct net_loop *loop, uint32_t cid, uint32_t port,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e);
int net_dial_tcp(struct net_loop *loop, const char *host, uint16_t port,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e);
void net_dial_cancel(struct net_dial *dial);

/*
 * What is being dialled, for messages: "unix socket '/x'", "unix socket '@x'",
 * "host:port", "vsock 2:10809".
 */
const char *net_dial_target(const struct net_dial *dial);

/*
 * Who is at the other end, as a text that is equal for equal peers:
 * "unix:DEVICE:INODE" of the socket's path, "unix:@NAME" of an abstract one,
 * "vsock:CID:PORT", or "tcp:ADDRESS:PORT".  -errno when it cannot be told.
 */
#define NET_PEER_SIZE 448		/* a name of 107 escaped bytes fits */
int net_peer_identity(int fd, char buf[NET_PEER_SIZE]);

/* Is there no network between? */
bool net_peer_is_local(int fd);

#endif
