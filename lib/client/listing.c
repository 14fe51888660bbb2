/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server has: its exports, and an export's metadata contexts.  Each
 * list is a connection of its own, which ends with the answer.
 */
#include "client/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/errors.h"

int
listing_copy(const struct conn *conn, struct nbdclient_listing **ret_listing,
    size_t *ret_n)
{
	const struct nbd_listed_export *from;
	struct nbdclient_listing *to;
	size_t n;
	size_t i;

	from = conn_list(conn, &n);
	to = calloc(n + 1, sizeof *to);
	if (to == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		to[i].name = strdup(from[i].name);
		to[i].description = strdup(from[i].description);
		if (to[i].name == NULL || to[i].description == NULL) {
			nbdclient_listing_free(to, i + 1);
			return -ENOMEM;
		}
	}
	*ret_listing = to;
	*ret_n = n;
	return 0;
}

void
listing_ask_exports(const struct nbdclient_channel *ch,
    struct listing_ask *ret_ask)
{
	ret_ask->options = channel_conn_options(ch, NBD_GOAL_LIST);
	ret_ask->export_name = "";
	(void)snprintf(ret_ask->what, sizeof ret_ask->what,
	    "list the exports");
}

int
listing_ask_contexts(const struct nbdclient_channel *ch,
    const char *export_name, const char *const *queries, size_t n_queries,
    struct listing_ask *ret_ask, struct nbdclient_error *err)
{
	char quoted[CHANNEL_QUOTED_SIZE];

	if (n_queries > NBD_MAX_CONTEXTS)
		return client_error_set(err, NBDCLIENT_INVALID, EINVAL,
		    "more than %u queries for contexts", NBD_MAX_CONTEXTS);
	ret_ask->options = channel_conn_options(ch, NBD_GOAL_LIST_CONTEXTS);
	ret_ask->options.contexts = queries;
	ret_ask->options.n_contexts = n_queries;
	ret_ask->export_name = channel_export_name(ch, export_name);
	channel_quote_export(ret_ask->export_name, quoted);
	(void)snprintf(ret_ask->what, sizeof ret_ask->what,
	    "list the contexts of %s", quoted);
	return 0;
}

static int
list(struct nbdclient_channel *ch, struct listing_ask *ask,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct link l = { .loop = NULL };
	int code;

	code = channel_open_link(ch, &ask->options, ask->export_name,
	    ask->what, &l, err);
	if (code == 0 && listing_copy(l.conn, ret_listing, ret_n) < 0)
		code = client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "%s: cannot %s: out of memory", ch->server, ask->what);
	link_close(&l);
	return code;
}

int
nbdclient_list(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct listing_ask ask;

	listing_ask_exports(channel, &ask);
	return list(channel, &ask, ret_listing, ret_n, err);
}

int
nbdclient_list_contexts(struct nbdclient_channel *channel,
    const char *export_name, const char *const *queries, size_t n_queries,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct listing_ask ask;
	int code;

	code = listing_ask_contexts(channel, export_name, queries, n_queries,
	    &ask, err);
	if (code != 0)
		return code;
	return list(channel, &ask, ret_listing, ret_n, err);
}

void
nbdclient_listing_free(struct nbdclient_listing *listing, size_t n)
{
	size_t i;

	if (listing == NULL)
		return;
	for (i = 0; i < n; i++) {
		free(listing[i].name);
		free(listing[i].description);
	}
	free(listing);
}
