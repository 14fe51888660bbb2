/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A command that is started for the run and spoken to over a Unix socket,
 * which it is given by socket activation: nbdkit and qemu-nbd then serve any
 * number of connections on it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/kind.h"
#include "net/child.h"

static void
child_on_exit(void *arg, const struct error *e)
{
	struct endpoint *ep = arg;

	ep->exited = *e;
}

/* The URI of the child's socket; exports by name are for URIs. */
static struct nbd_uri *
uri_of_socket(const char *path)
{
	struct nbd_uri *uri = calloc(1, sizeof *uri);

	if (uri == NULL)
		return NULL;
	uri->transport = NBD_TRANSPORT_UNIX;
	uri->socket = strdup(path);
	uri->export_name = strdup("");
	if (uri->socket == NULL || uri->export_name == NULL) {
		nbd_uri_free(uri);
		return NULL;
	}
	return uri;
}

static void
child_on_stopped(void *arg UNUSED)
{
}

int
endpoint_start_child(struct endpoint *ep, const char *const argv[],
    struct error *e)
{
	int r;

	r = net_child_start(ep->loop, argv, child_on_exit, ep, &ep->child, e);
	if (r < 0)
		return r;
	ep->uri = uri_of_socket(net_child_socket(ep->child));
	if (ep->uri == NULL) {
		net_child_stop(ep->child, 0, child_on_stopped, NULL);
		ep->child = NULL;
		return error_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

static int
command_open(struct endpoint *ep, struct error *e)
{
	return endpoint_start_child(ep, (const char *const *)ep->spec->argv,
	    e);
}

const struct endpoint_kind endpoint_kind_command = {
	.type = ENDPOINT_COMMAND,
	.open = command_open,
	.connect = endpoint_connect_nbd,
};
