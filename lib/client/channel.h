/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "client/conn.h"
#include "client/link.h"
#include "client/nbdclient.h"
#include "client/security.h"
#include "client/served.h"
#include "nbd/protocol.h"
#include "nbd/uri.h"

/*
 * The inside of a channel, for both faces.
 */

#define CHANNEL_SERVER_SIZE 160
#define CHANNEL_QUOTED_SIZE 144
#define CHANNEL_WHAT_SIZE   (CHANNEL_QUOTED_SIZE + 32)	/* "open export 'x'" */

struct nbdclient_channel {
	struct nbd_uri *uri;		/* NULL: a socket */
	int fd;				/* the socket, until it is used */
	struct served *served;		/* NULL: not started by us */
	uint64_t connect_timeout_ms;
	uint64_t tls_timeout_ms;
	uint64_t option_timeout_ms;
	uint64_t io_timeout_ms;
	uint64_t request_timeout_ms;
	char *contexts[NBD_MAX_CONTEXTS];
	size_t n_contexts;
	struct security *security;	/* not NULL: TLS is required */
	char server[CHANNEL_SERVER_SIZE]; /* for messages */
};

/* The options of a connection to the channel's URI. */
struct conn_options channel_conn_options(const struct nbdclient_channel *ch,
    enum nbd_goal goal);

/*
 * Complete the options of the function above: the socket, if the channel is
 * one, which is o's then, and uri, which is to have o's and the name's life.
 * INVALID: the socket has been used.
 */
int channel_aim(struct nbdclient_channel *ch, char *export_name,
    struct conn_options *o, struct nbd_uri *uri, struct nbdclient_error *err);

/*
 * Connect and negotiate for the blocking face: o is of the first function
 * above.  what is for messages.  Returns 0 or a code; link_close() is wanted
 * in any case.
 */
int channel_open_link(struct nbdclient_channel *ch, struct conn_options *o,
    const char *export_name, const char *what, struct link *l,
    struct nbdclient_error *err);

/* The channel's own if name is NULL. */
const char *channel_export_name(const struct nbdclient_channel *ch,
    const char *name);

/* "export 'name'", printable. */
void channel_quote_export(const char *export_name,
    char quoted[CHANNEL_QUOTED_SIZE]);

/*
 * The connection that was to do what, "open export 'x'", has failed; server
 * is a channel's.  Returns code.
 */
int channel_failure(const char *server, int code, const struct error *e,
    const char *what, struct nbdclient_error *err);

/* May a server that we started have failed so because it has ended? */
bool channel_may_have_ended(const struct served *served, int code);
/* It has, as e says.  Returns the code. */
int channel_ended(const struct error *e, const char *what,
    struct nbdclient_error *err);

#endif
