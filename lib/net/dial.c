/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dialling: what all transports have in common.
 *
 * A transport's own file (dial-tcp.c, dial-unix.c, dial-vsock.c) makes a list
 * of addresses of what it is given, which a race turns into a connection.
 * Here is the frame around it, and the sentence for when none could be
 * reached.
 */
#include "net/dial-private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name's addresses are all told when there are no more than these. */
#define MAX_TOLD 4

struct net_dial *
dial_new(struct net_loop *loop, net_dial_cb *cb, void *arg)
{
	struct net_dial *d;

	d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->loop = loop;
	d->cb = cb;
	d->arg = arg;
	return d;
}

void
dial_free(struct net_dial *d)
{
	if (d->resolve != NULL)
		net_resolve_cancel(d->resolve);
	if (d->race != NULL)
		net_race_cancel(d->race);
	free(d->addresses);
	free(d);
}

void
dial_finish(struct net_dial *d, int fd, const struct error *e)
{
	net_dial_cb *cb = d->cb;
	void *arg = d->arg;
	struct error copy = *e;

	dial_free(d);
	cb(arg, fd, &copy);
}

static const char *
reason(const struct net_address *a)
{
	const char *why = NULL;

	if (a->addr.ss_family == AF_VSOCK)
		why = dial_vsock_reason(a->errnum);
	if (why == NULL)
		why = strerrordesc_np(a->errnum);
	return why == NULL ? "unknown error" : why;
}

struct text {
	char buf[ERROR_TEXT_SIZE];
	size_t len;
};

static void PRINTF(2, 3)
text_add(struct text *t, const char *fmt, ...)
{
	size_t room = sizeof t->buf - t->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

static bool
failed_alike(const struct net_dial *d)
{
	for (size_t i = 1; i < d->n_addresses; i++) {
		if (d->addresses[i].errnum != d->addresses[0].errnum)
			return false;
	}
	return true;
}

/* "::1, 127.0.0.1", or "::1: REASON; 127.0.0.1: REASON". */
static void
add_addresses(struct text *t, const struct net_dial *d, bool with_reasons)
{
	size_t n = d->n_addresses <= MAX_TOLD ? d->n_addresses : MAX_TOLD - 1;
	char digits[NET_ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct net_address *a = &d->addresses[i];

		if (i > 0)
			text_add(t, with_reasons ? "; " : ", ");
		text_add(t, "%s", net_address_format(a, digits));
		if (with_reasons)
			text_add(t, ": %s", reason(a));
	}
	if (n < d->n_addresses)
		text_add(t, "%s %zu more", with_reasons ? "; and" : " and",
		    d->n_addresses - n);
}

static void
describe_failure(const struct net_dial *d, int r, struct error *e)
{
	struct text t = { .len = 0 };

	text_add(&t, "cannot connect to %s", d->target);
	if (d->was_name && failed_alike(d)) {
		text_add(&t, " (");
		add_addresses(&t, d, false);
		text_add(&t, ")");
	}
	text_add(&t, ": ");
	if (failed_alike(d))
		text_add(&t, "%s", reason(&d->addresses[0]));
	else
		add_addresses(&t, d, true);
	(void)error_set(e, r, "%s", t.buf);
}

static void
dial_on_raced(void *arg, int fd)
{
	struct net_dial *d = arg;
	struct error e = { .code = 0 };

	d->race = NULL;
	if (fd < 0)
		describe_failure(d, fd, &e);
	dial_finish(d, fd < 0 ? -1 : fd, &e);
}

int
dial_start_race(struct net_dial *d)
{
	return net_race_start(d->loop, d->addresses, d->n_addresses,
	    dial_on_raced, d, &d->race);
}

int
dial_start_single(struct net_dial *d, const void *addr, socklen_t len)
{
	d->addresses = calloc(1, sizeof *d->addresses);
	if (d->addresses == NULL)
		return -ENOMEM;
	memcpy(&d->addresses[0].addr, addr, len);
	d->addresses[0].len = len;
	d->n_addresses = 1;
	return dial_start_race(d);
}

void
net_dial_cancel(struct net_dial *dial)
{
	dial_free(dial);
}

const char *
net_dial_target(const struct net_dial *dial)
{
	return dial->target;
}
