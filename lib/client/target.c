/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a connection is for, kept for the case that it takes two attempts.
 */
#include "client/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/transport.h"

/* Longer deadlines than a year are cut: sums with them must not overflow. */
#define MAX_TIMEOUT_MS (366ULL * 24 * 3600 * 1000)

static int
copy_string(const char *text, char **ret_copy)
{
	if (text == NULL)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy == NULL ? -ENOMEM : 0;
}

static int
copy_uri(const struct nbd_uri *from, struct nbd_uri *to)
{
	int r;

	to->transport = from->transport;
	to->port = from->port;
	to->cid = from->cid;
	to->socket_is_abstract = from->socket_is_abstract;
	r = copy_string(from->host, &to->host);
	if (r == 0)
		r = copy_string(from->socket, &to->socket);
	if (r == 0)
		r = copy_string(from->export_name, &to->export_name);
	return r;
}

static int
copy_contexts(struct target *t, const char *const *contexts, size_t n)
{
	size_t i;
	int r = 0;

	if (n == 0)
		return 0;
	t->contexts = calloc(n, sizeof *t->contexts);
	if (t->contexts == NULL)
		return -ENOMEM;
	t->n_contexts = n;
	for (i = 0; r == 0 && i < n; i++)
		r = copy_string(contexts[i], &t->contexts[i]);
	return r;
}

static uint64_t
timeout_or_default(uint64_t timeout_ms, uint64_t default_ms)
{
	if (timeout_ms == 0)
		return default_ms;
	return timeout_ms < MAX_TIMEOUT_MS ? timeout_ms : MAX_TIMEOUT_MS;
}

static void
set_timeouts(struct target *t, const struct conn_options *o)
{
	t->connect_timeout_ms = timeout_or_default(o->connect_timeout_ms,
	    CONN_CONNECT_TIMEOUT_MS);
	t->tls_timeout_ms = timeout_or_default(o->tls_timeout_ms,
	    t->connect_timeout_ms);
	t->option_timeout_ms = timeout_or_default(o->option_timeout_ms,
	    t->connect_timeout_ms);
	t->io_timeout_ms = timeout_or_default(o->io_timeout_ms,
	    CONN_IO_TIMEOUT_MS);
	t->request_timeout_ms = timeout_or_default(o->request_timeout_ms,
	    CONN_REQUEST_IO_TIMEOUTS * t->io_timeout_ms);
}

int
target_init(struct target *t, const struct conn_options *options)
{
	int r;

	memset(t, 0, sizeof *t);
	t->goal = options->goal;
	t->wants_tls = options->uri->tls || options->tls != NULL;
	set_timeouts(t, options);
	r = copy_uri(options->uri, &t->uri);
	if (r < 0)
		return r;
	return copy_contexts(t, options->contexts, options->n_contexts);
}

void
target_done(struct target *t)
{
	size_t i;

	for (i = 0; i < t->n_contexts; i++)
		free(t->contexts[i]);
	free(t->contexts);
	free(t->uri.host);
	free(t->uri.socket);
	free(t->uri.export_name);
	memset(t, 0, sizeof *t);
}

int
target_new_session(const struct target *t, bool export_name_only,
    struct nbd_session **ret_s)
{
	struct nbd_session_options options = {
		.goal = t->goal,
		.export_name = t->uri.export_name,
		.contexts = (const char *const *)t->contexts,
		.n_contexts = t->n_contexts,
		.export_name_only = export_name_only,
		.tls_required = t->wants_tls,
	};

	return nbd_session_new(&options, ret_s);
}

int
target_dial(const struct target *t, struct net_loop *loop,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e)
{
	return transport_dial(&t->uri, loop, cb, arg, ret_dial, e);
}
