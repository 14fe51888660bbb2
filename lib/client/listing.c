/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server has: its exports, and an export's metadata contexts.  Each
 * list is a connection of its own, which ends with the answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel.h"
#include "client/errors.h"

static int
copy_listing(const struct conn *conn, struct nbdclient_listing **ret_listing,
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

/* o is of channel_conn_options(). */
static int
list(struct nbdclient_channel *ch, struct conn_options *o,
    const char *export_name, const char *what,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct link l = { .loop = NULL };
	int code;

	code = channel_open_link(ch, o, export_name, what, &l, err);
	if (code == 0 && copy_listing(l.conn, ret_listing, ret_n) < 0)
		code = client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "%s: cannot %s: out of memory", ch->server, what);
	link_close(&l);
	return code;
}

int
nbdclient_list(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(channel, NBD_GOAL_LIST);

	return list(channel, &o, "", "list the exports", ret_listing, ret_n,
	    err);
}

int
nbdclient_list_contexts(struct nbdclient_channel *channel,
    const char *export_name, const char *const *queries, size_t n_queries,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(channel,
	    NBD_GOAL_LIST_CONTEXTS);
	char quoted[CHANNEL_QUOTED_SIZE];
	char what[CHANNEL_QUOTED_SIZE + 32];

	if (n_queries > NBD_MAX_CONTEXTS)
		return client_error_set(err, NBDCLIENT_INVALID, EINVAL,
		    "more than %u queries for contexts", NBD_MAX_CONTEXTS);
	o.contexts = queries;
	o.n_contexts = n_queries;
	export_name = channel_export_name(channel, export_name);
	channel_quote_export(export_name, quoted);
	(void)snprintf(what, sizeof what, "list the contexts of %s", quoted);
	return list(channel, &o, export_name, what, ret_listing, ret_n, err);
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
