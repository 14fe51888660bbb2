/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_LISTING_H
#define CLIENT_LISTING_H

#include "client/channel.h"

/*
 * What both faces ask a server to list.
 */

struct listing_ask {
	struct conn_options options;
	const char *export_name;
	char what[CHANNEL_WHAT_SIZE];	/* for messages */
};

/* The exports. */
void listing_ask_exports(const struct nbdclient_channel *ch,
    struct listing_ask *ret_ask);
/* The contexts of an export; names are the caller's.  0 or INVALID. */
int listing_ask_contexts(const struct nbdclient_channel *ch,
    const char *export_name, const char *const *queries, size_t n_queries,
    struct listing_ask *ret_ask, struct nbdclient_error *err);

/* What a connection has been answered.  -ENOMEM. */
int listing_copy(const struct conn *conn,
    struct nbdclient_listing **ret_listing, size_t *ret_n);

#endif
