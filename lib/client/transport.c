/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ways to a server, and what they are called in messages.
 */
#include "client/transport.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

#define SHOWN_SIZE 120

/* The schemes with TLS are "nbds" and so on. */
static const char *
tls_letter(const struct nbd_uri *uri)
{
	return uri->tls ? "s" : "";
}

static int
dial_tcp(const struct nbd_uri *uri, struct net_loop *loop, net_dial_cb *cb,
    void *arg, struct net_dial **ret_dial, struct error *e)
{
	return net_dial_tcp(loop, uri->host, (uint16_t)uri->port, cb, arg,
	    ret_dial, e);
}

static void
describe_tcp(const struct nbd_uri *uri, char *buf, size_t size)
{
	bool has_colon = strchr(uri->host, ':') != NULL;
	char shown[SHOWN_SIZE];

	(void)snprintf(buf, size,
	    has_colon ? "nbd%s://[%s]:%u" : "nbd%s://%s:%u", tls_letter(uri),
	    escape_text(uri->host, strlen(uri->host), shown, sizeof shown),
	    (unsigned)uri->port);
}

static int
dial_unix(const struct nbd_uri *uri, struct net_loop *loop, net_dial_cb *cb,
    void *arg, struct net_dial **ret_dial, struct error *e)
{
	if (uri->socket_is_abstract)
		return net_dial_unix_abstract(loop, uri->socket, cb, arg,
		    ret_dial, e);
	return net_dial_unix(loop, uri->socket, cb, arg, ret_dial, e);
}

static void
describe_unix(const struct nbd_uri *uri, char *buf, size_t size)
{
	char shown[SHOWN_SIZE];

	(void)snprintf(buf, size, "nbd%s+unix:///?socket=%s%s",
	    tls_letter(uri),
	    uri->socket_is_abstract ? "%00" : "",
	    escape_text(uri->socket, strlen(uri->socket), shown,
	    sizeof shown));
}

static int
dial_vsock(const struct nbd_uri *uri, struct net_loop *loop, net_dial_cb *cb,
    void *arg, struct net_dial **ret_dial, struct error *e)
{
	return net_dial_vsock(loop, uri->cid, uri->port, cb, arg, ret_dial, e);
}

static void
describe_vsock(const struct nbd_uri *uri, char *buf, size_t size)
{
	(void)snprintf(buf, size, "nbd%s+vsock://%u:%u", tls_letter(uri),
	    (unsigned)uri->cid, (unsigned)uri->port);
}

static const struct transport {
	int (*dial)(const struct nbd_uri *uri, struct net_loop *loop,
	    net_dial_cb *cb, void *arg, struct net_dial **ret_dial,
	    struct error *e);
	void (*describe)(const struct nbd_uri *uri, char *buf, size_t size);
} transports[] = {
	[NBD_TRANSPORT_TCP] = { dial_tcp, describe_tcp },
	[NBD_TRANSPORT_UNIX] = { dial_unix, describe_unix },
	[NBD_TRANSPORT_VSOCK] = { dial_vsock, describe_vsock },
};

int
transport_dial(const struct nbd_uri *uri, struct net_loop *loop,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e)
{
	return transports[uri->transport].dial(uri, loop, cb, arg, ret_dial, e);
}

const char *
transport_describe(const struct nbd_uri *uri, char *buf, size_t size)
{
	transports[uri->transport].describe(uri, buf, size);
	return buf;
}
