/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An export of an NBD server: the disk is a connection of the client
 * library, and the shape is what the server said in the handshake.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "client/conn.h"
#include "endpoint/kind.h"

struct disk_nbd {
	struct disk disk;
	struct conn *conn;
	struct disk_events events;
	void *arg;
	char *fixed_identity;
};

static struct disk_nbd *
nbd_of(struct disk *disk)
{
	return (struct disk_nbd *)(void *)disk;
}

static void
learn_shape(struct disk_shape *shape, const struct nbd_export *x)
{
	shape->size = x->size;
	shape->block_minimum = x->block_minimum;
	shape->block_preferred = x->block_preferred;
	shape->block_maximum = x->block_maximum;
	shape->read_only = x->flags & NBD_FLAG_READ_ONLY;
	shape->can_flush = x->flags & NBD_FLAG_SEND_FLUSH;
	shape->can_zero = (x->flags & NBD_FLAG_SEND_WRITE_ZEROES) &&
	    !(x->flags & NBD_FLAG_READ_ONLY);
	shape->can_fast_zero = shape->can_zero &&
	    (x->flags & NBD_FLAG_SEND_FAST_ZERO);
	shape->can_trim = (x->flags & NBD_FLAG_SEND_TRIM) &&
	    !(x->flags & NBD_FLAG_READ_ONLY);
	shape->can_multi_conn = x->flags & NBD_FLAG_CAN_MULTI_CONN;
	shape->can_status = x->n_contexts > 0 && x->contexts[0] != NULL;
}

static void
disk_on_ready(void *arg)
{
	struct disk_nbd *d = arg;
	const struct nbd_export *x = conn_export(d->conn);
	char name[256];

	learn_shape(&d->disk.shape, x);
	d->disk.shape.can_pipe = conn_can_pipe(d->conn);
	(void)conn_tls(d->conn, &d->disk.tls_version, &d->disk.tls_cipher);
	if (d->fixed_identity[0] != '\0')
		(void)snprintf(d->disk.identity, sizeof d->disk.identity, "%s",
		    d->fixed_identity);
	else
		(void)snprintf(d->disk.identity, sizeof d->disk.identity,
		    "%s/%zu:%s", conn_peer(d->conn), strlen(x->name),
		    escape_text(x->name, strlen(x->name), name, sizeof name));
	d->events.on_ready(d->arg);
}

static void
disk_on_completions(void *arg)
{
	struct disk_nbd *d = arg;

	d->events.on_completions(d->arg);
}

static void
disk_on_failed(void *arg, const struct error *e)
{
	struct disk_nbd *d = arg;

	d->events.on_failed(d->arg, e);
}

static bool
disk_find_place(void *arg, const struct nbd_arrival *arrival)
{
	struct disk_nbd *d = arg;

	return d->events.find_place(d->arg, arrival);
}

static int
disk_leave_pipe(void *arg, struct nbd_request *req)
{
	struct disk_nbd *d = arg;

	return d->events.leave_pipe(d->arg, req);
}

static void
disk_on_sent(void *arg)
{
	struct disk_nbd *d = arg;

	d->events.on_sent(d->arg);
}

static const struct conn_events conn_events = {
	.on_ready = disk_on_ready,
	.on_completions = disk_on_completions,
	.on_failed = disk_on_failed,
	.find_place = disk_find_place,
	.leave_pipe = disk_leave_pipe,
	.on_sent = disk_on_sent,
};

static int
nbd_submit(struct disk *disk, struct nbd_request *req)
{
	return conn_submit(nbd_of(disk)->conn, req);
}

static struct nbd_request *
nbd_reap(struct disk *disk)
{
	return conn_reap(nbd_of(disk)->conn);
}

static struct nbd_request *
nbd_reap_sent(struct disk *disk)
{
	return conn_reap_sent(nbd_of(disk)->conn);
}

static void
nbd_place_found(struct disk *disk)
{
	conn_place_found(nbd_of(disk)->conn);
}

static bool
nbd_can_pipe(const struct disk *disk)
{
	const struct disk_nbd *nbd = (const void *)disk;

	return conn_can_pipe(nbd->conn);
}

static void
nbd_load(const struct disk *disk, uint64_t *ret_network_us,
    uint64_t *ret_tls_us)
{
	conn_load(((const struct disk_nbd *)(const void *)disk)->conn,
	    ret_network_us, ret_tls_us);
}

static void
nbd_close(struct disk *disk, void (*on_closed)(void *arg), void *arg)
{
	struct disk_nbd *d = nbd_of(disk);
	struct conn *conn = d->conn;

	/* The connection calls nobody but on_closed from here on. */
	free(d->fixed_identity);
	free(d);
	conn_close(conn, on_closed, arg);
}

static const struct disk_ops nbd_ops = {
	.submit = nbd_submit,
	.reap = nbd_reap,
	.reap_sent = nbd_reap_sent,
	.place_found = nbd_place_found,
	.can_pipe = nbd_can_pipe,
	.load = nbd_load,
	.close = nbd_close,
};

int
endpoint_connect_nbd(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits, const struct disk_events *events,
    void *arg, struct disk **ret_disk, struct error *e)
{
	static const char *const contexts[] = { "base:allocation" };
	const struct conn_options options = {
		.uri = ep->uri,
		.fd = -1,
		.goal = NBD_GOAL_TRANSMISSION,
		.contexts = contexts,
		.n_contexts = ep->role == ENDPOINT_SOURCE ||
			limits->wants_status ? 1 : 0,
		.connect_timeout_ms = limits->connect_timeout_ms,
		.io_timeout_ms = limits->io_timeout_ms,
		.tls = ep->spec->tls,
	};
	struct disk_nbd *d = calloc(1, sizeof *d);
	int r;

	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	d->disk.ops = &nbd_ops;
	d->events = *events;
	d->arg = arg;
	d->fixed_identity = strdup(ep->identity);
	if (d->fixed_identity == NULL)
		r = error_set(e, -ENOMEM, "out of memory");
	else
		r = conn_open(loop, &options, &conn_events, d, &d->conn, e);
	if (r < 0) {
		free(d->fixed_identity);
		free(d);
		return r;
	}
	*ret_disk = &d->disk;
	return 0;
}

static int
nbd_open(struct endpoint *ep, struct error *e)
{
	return nbd_uri_parse(ep->spec->uri, &ep->uri, e);
}

const struct endpoint_kind endpoint_kind_nbd = {
	.type = ENDPOINT_NBD,
	.open = nbd_open,
	.connect = endpoint_connect_nbd,
};
