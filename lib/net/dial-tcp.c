/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dialling a host over TCP.
 *
 * A name is looked up first, in both families with one question; RFC 8305's
 * advice on what to do when only one of two answers has come is not for
 * those who ask getaddrinfo(3).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "net/dial-private.h"

/* Frees the list. */
static int
dial_addresses(struct net_dial *d, struct addrinfo *list)
{
	int r;

	r = net_addresses_from_list(list, &d->addresses, &d->n_addresses);
	freeaddrinfo(list);
	return r < 0 ? r : dial_start_race(d);
}

static void
dial_on_resolved(void *arg, struct addrinfo *list, const struct error *e)
{
	struct net_dial *d = arg;
	struct error failure;
	int r;

	d->resolve = NULL;
	if (list == NULL) {
		dial_finish(d, -1, e);
		return;
	}
	r = dial_addresses(d, list);
	if (r < 0) {
		(void)error_set(&failure, r, "cannot connect to %s: %s",
		    d->target, strerrordesc_np(-r));
		dial_finish(d, -1, &failure);
	}
}

/* Digits need no thread; their error, too, comes from the loop. */
static int
dial_begin(struct net_dial *d, const char *host, uint16_t port)
{
	struct addrinfo *list;
	int r;

	r = net_resolve_numeric(host, port, &list);
	if (r == 0)
		return dial_addresses(d, list);
	if (r != -ENOENT)
		return r;
	d->was_name = true;
	return net_resolve_start(d->loop, host, port, dial_on_resolved, d,
	    &d->resolve);
}

int
net_dial_tcp(struct net_loop *loop, const char *host, uint16_t port,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e)
{
	struct net_dial *d;
	char shown[200];
	bool has_colon = strchr(host, ':') != NULL;
	int r;

	(void)escape_text(host, strlen(host), shown, sizeof shown);
	d = dial_new(loop, cb, arg);
	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	(void)snprintf(d->target, sizeof d->target,
	    has_colon ? "[%s]:%u" : "%s:%u", shown, (unsigned)port);
	r = dial_begin(d, host, port);
	if (r < 0) {
		(void)error_set(e, r, "cannot resolve host '%s': %s", shown,
		    strerrordesc_np(-r));
		dial_free(d);
		return r;
	}
	*ret_dial = d;
	return 0;
}
