/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face: a connection and its operations on the caller's
 * event base.
 *
 * What happens before on_ready, and its failure, is the connection's; from
 * there on it is io.c's.  Closing goes through the connection's on_closed,
 * after which nothing points at buffers any more: only then are requests
 * that were under way told to have ended.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/disk.h"
#include "client/errors.h"

#define EVENT_MAX_REQUESTS 64		/* in flight at the same time */

struct nbdclient_event_disk {
	struct net_loop *loop;
	struct nbdclient_channel *channel;
	struct conn *conn;
	struct io io;			/* once is_ready */
	bool is_ready;
	bool has_failed;		/* and that was told */
	bool is_closed;
	struct nbdclient_event_callbacks callbacks;
	void *arg;
	void (*on_closed)(void *arg);
	void *close_arg;
	char what[CHANNEL_QUOTED_SIZE + 8];	/* "open export 'x'" */
	char name[DISK_NAME_SIZE];
};

static void
event_free(struct nbdclient_event_disk *d)
{
	io_done(&d->io);
	nbdclient_channel_free(d->channel);
	net_loop_free(d->loop);
	free(d);
}

static void
event_tell_failure(struct nbdclient_event_disk *d, int code,
    const struct error *e)
{
	struct nbdclient_error err;

	if (d->has_failed || d->is_closed)
		return;
	d->has_failed = true;
	if (d->is_ready)
		(void)client_error_set(&err, code, -e->code, "%s: %s",
		    d->name, e->text);
	else
		(void)channel_failure(d->channel, code, e, d->what, &err);
	d->callbacks.on_failed(d->arg, &err);
}

static void
event_on_ready(void *arg)
{
	struct nbdclient_event_disk *d = arg;
	struct error e;

	if (io_init(&d->io, d->loop, d->conn, d->name, EVENT_MAX_REQUESTS) <
	    0) {
		(void)error_set(&e, -ENOMEM, "out of memory");
		event_tell_failure(d, NBDCLIENT_NO_MEMORY, &e);
		return;
	}
	d->is_ready = true;
	d->callbacks.on_ready(d->arg);
}

static void
event_on_completions(void *arg)
{
	struct nbdclient_event_disk *d = arg;

	io_on_completions(&d->io);
}

static void
event_on_failed(void *arg, const struct error *e)
{
	struct nbdclient_event_disk *d = arg;
	const int code = link_failure_code(d->conn, e->code);
	const struct error copy = *e;

	if (d->is_ready)
		io_fail(&d->io, code, &copy);
	event_tell_failure(d, code, &copy);
}

static const struct conn_events event_events = {
	.on_ready = event_on_ready,
	.on_completions = event_on_completions,
	.on_failed = event_on_failed,
};

static int
event_connect(struct nbdclient_event_disk *d, struct event_base *base,
    struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(d->channel,
	    NBD_GOAL_TRANSMISSION);
	char quoted[CHANNEL_QUOTED_SIZE];
	struct error e;
	int r;

	channel_quote_export(d->channel->uri->export_name, quoted);
	(void)snprintf(d->name, sizeof d->name, "%s of %s", quoted,
	    d->channel->server);
	(void)snprintf(d->what, sizeof d->what, "open %s", quoted);
	r = net_loop_new_on(base, &d->loop);
	if (r < 0)
		(void)error_set(&e, r, "out of memory");
	else
		r = conn_open(d->loop, &o, &event_events, d, &d->conn, &e);
	if (r < 0)
		return channel_failure(d->channel, r == -ENOMEM ?
		    NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID, &e, d->what, err);
	return 0;
}

int
nbdclient_event_open(struct event_base *base, const char *uri,
    const struct nbdclient_options *options,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err)
{
	struct nbdclient_event_disk *d;
	int code;

	d = calloc(1, sizeof *d);
	if (d == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	d->callbacks = *callbacks;
	d->arg = arg;
	code = nbdclient_connect(uri, options, &d->channel, err);
	if (code == 0)
		code = event_connect(d, base, err);
	if (code != 0)
		event_free(d);
	else
		*ret_disk = d;
	return code;
}

void
nbdclient_event_get_info(const struct nbdclient_event_disk *disk,
    struct nbdclient_info *ret_info)
{
	*ret_info = disk_info(disk->conn);
}

static void
event_on_closed(void *arg)
{
	struct nbdclient_event_disk *d = arg;
	void (*on_closed)(void *arg) = d->on_closed;
	void *close_arg = d->close_arg;

	io_abandon(&d->io);
	event_free(d);
	if (on_closed != NULL)
		on_closed(close_arg);
}

void
nbdclient_event_close(struct nbdclient_event_disk *disk,
    void (*on_closed)(void *arg), void *arg)
{
	disk->is_closed = true;
	disk->on_closed = on_closed;
	disk->close_arg = arg;
	io_close(&disk->io);
	conn_close(disk->conn, event_on_closed, disk);
}

static int
event_start(struct nbdclient_event_disk *d, const struct op_params *params,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	if (!d->is_ready)
		return client_error_set(err, NBDCLIENT_DISCONNECTED, ENOTCONN,
		    "cannot %s %s: it is not open yet", op_verb(params->kind),
		    d->name);
	return io_start(&d->io, params, on_done, arg, err);
}

int
nbdclient_event_read(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, nbdclient_done_cb *on_done,
    void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_READ,
		.sector = sector,
		.iov = iov,
		.n_iov = n_iov,
	};

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_write(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_WRITE,
		.flags = flags,
		.sector = sector,
		.iov = iov,
		.n_iov = n_iov,
	};

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_flush(struct nbdclient_event_disk *disk,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = { .kind = OP_FLUSH };

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_write_zeroes(struct nbdclient_event_disk *disk,
    uint64_t sector, uint64_t n_sectors, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_ZERO,
		.flags = flags,
		.sector = sector,
		.n_sectors = n_sectors,
	};

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_trim(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_TRIM,
		.flags = flags,
		.sector = sector,
		.n_sectors = n_sectors,
	};

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_cache(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_CACHE,
		.sector = sector,
		.n_sectors = n_sectors,
	};

	return event_start(disk, &params, on_done, arg, err);
}

int
nbdclient_event_block_status(struct nbdclient_event_disk *disk,
    uint64_t sector, uint64_t n_sectors, const char *context,
    nbdclient_extent_cb *on_extent, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_STATUS,
		.sector = sector,
		.n_sectors = n_sectors,
		.context = context,
		.on_extent = on_extent,
		.extent_arg = arg,
	};

	return event_start(disk, &params, on_done, arg, err);
}
