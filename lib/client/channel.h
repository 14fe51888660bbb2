/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "client/conn.h"
#include "client/nbdclient.h"
#include "client/served.h"
#include "nbd/protocol.h"
#include "nbd/uri.h"

/*
 * The inside of a channel, for both faces.
 */

#define CHANNEL_SERVER_SIZE 160
#define CHANNEL_QUOTED_SIZE 144

struct nbdclient_channel {
	struct nbd_uri *uri;		/* NULL: a socket */
	int fd;				/* the socket, until it is used */
	struct served *served;		/* NULL: not started by us */
	uint64_t connect_timeout_ms;
	uint64_t io_timeout_ms;
	char *contexts[NBD_MAX_CONTEXTS];
	size_t n_contexts;
	char server[CHANNEL_SERVER_SIZE]; /* for messages */
};

/* The options of a connection to the channel's URI. */
struct conn_options channel_conn_options(const struct nbdclient_channel *ch,
    enum nbd_goal goal);

/* "export 'name'", printable. */
void channel_quote_export(const char *export_name,
    char quoted[CHANNEL_QUOTED_SIZE]);

/* The failure of a connection that was to do what.  Returns code. */
int channel_failure(const struct nbdclient_channel *ch, int code,
    const struct error *e, const char *what, struct nbdclient_error *err);

#endif
