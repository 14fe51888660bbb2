/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include <stddef.h>

#include "nbd/uri.h"
#include "net/dial.h"

/* What differs between the transports of a URI; one row each. */

/* Dial the server of a URI: as the net_dial_*() of its transport. */
int transport_dial(const struct nbd_uri *uri, struct net_loop *loop,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e);

/*
 * The server of a URI as a URI for messages: printable, and built from the
 * parts that matter, whatever else was written.  Returns buf.
 */
const char *transport_describe(const struct nbd_uri *uri, char *buf,
    size_t size);

#endif
