/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face: a connection and its operations on the caller's
 * event base.
 *
 * What happens before on_ready, and its failure, is the connection's
 * (event-link.c); from there on it is io.c's.
 *
 * Closing goes through the connection's on_closed, after which nothing points
 * at buffers any more: only then are requests that were under way told to
 * have ended.  Then a server of ours that nobody else has is ended, and
 * on_closed comes when that is over.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/disk.h"
#include "client/errors.h"
#include "client/event-link.h"

#define EVENT_MAX_REQUESTS 64		/* in flight at the same time */

struct nbdclient_event_disk {
	struct event_link link;
	struct io io;			/* once is_ready */
	bool is_ready;
	bool has_failed;		/* and that was told */
	bool is_closed;
	struct nbdclient_event_callbacks callbacks;
	void *arg;
	char name[DISK_NAME_SIZE];
};

static void
event_free(struct nbdclient_event_disk *d)
{
	io_done(&d->io);
	event_link_done(&d->link);
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
		(void)channel_failure(d->link.server, code, e, d->link.what,
		    &err);
	d->callbacks.on_failed(d->arg, &err);
}

static void
event_on_ready(void *arg)
{
	struct nbdclient_event_disk *d = arg;
	struct error e;

	if (io_init(&d->io, d->link.loop, d->link.conn, d->name,
	    EVENT_MAX_REQUESTS) < 0) {
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
event_tell_ended(struct nbdclient_event_disk *d, const struct error *e)
{
	struct nbdclient_error err;

	(void)channel_ended(e, d->link.what, &err);
	d->has_failed = true;
	d->callbacks.on_failed(d->arg, &err);
}

static void
event_on_look(void *arg, const struct error *ended)
{
	struct nbdclient_event_disk *d = arg;

	if (ended != NULL)
		event_tell_ended(d, ended);
	else
		event_tell_failure(d, d->link.failure_code, &d->link.failure);
}

static void
event_on_failed(void *arg, const struct error *e)
{
	struct nbdclient_event_disk *d = arg;
	const int code = link_failure_code(d->link.conn, e->code);

	if (d->is_ready)
		io_fail(&d->io, code, e);
	else if (event_link_looks(&d->link, code, e))
		return;
	event_tell_failure(d, code, e);
}

static const struct conn_events event_events = {
	.on_ready = event_on_ready,
	.on_completions = event_on_completions,
	.on_failed = event_on_failed,
};

static void
event_name(struct nbdclient_event_disk *d, const char *server,
    const char *export_name)
{
	char quoted[CHANNEL_QUOTED_SIZE];

	channel_quote_export(export_name, quoted);
	(void)snprintf(d->link.server, sizeof d->link.server, "%s", server);
	(void)snprintf(d->name, sizeof d->name, "%s of %s", quoted, server);
	(void)snprintf(d->link.what, sizeof d->link.what, "open %s", quoted);
}

int
nbdclient_event_negotiate(struct event_base *base,
    struct nbdclient_channel *channel, const char *export_name,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(channel,
	    NBD_GOAL_TRANSMISSION);
	struct nbdclient_event_disk *d;
	int code;

	d = calloc(1, sizeof *d);
	if (d == NULL ||
	    event_link_init(&d->link, base, event_on_look, d) < 0) {
		if (d != NULL)
			event_free(d);
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	}
	d->callbacks = *callbacks;
	d->arg = arg;
	export_name = channel_export_name(channel, export_name);
	event_name(d, channel->server, export_name);
	code = event_link_open(&d->link, channel, export_name, &o,
	    &event_events, d, err);
	if (code != 0)
		event_free(d);
	else
		*ret_disk = d;
	return code;
}

int
nbdclient_event_open(struct event_base *base, const char *uri,
    const struct nbdclient_options *options,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err)
{
	struct nbdclient_channel *channel;
	int code;

	code = nbdclient_connect(uri, options, &channel, err);
	if (code != 0)
		return code;
	code = nbdclient_event_negotiate(base, channel, NULL, callbacks, arg,
	    ret_disk, err);
	nbdclient_channel_free(channel);
	return code;
}

void
nbdclient_event_get_info(const struct nbdclient_event_disk *disk,
    struct nbdclient_info *ret_info)
{
	*ret_info = disk_info(disk->link.conn);
}

static void
event_finish(void *arg)
{
	struct nbdclient_event_disk *d = arg;
	void (*on_closed)(void *arg) = d->link.on_closed;
	void *close_arg = d->link.close_arg;

	event_free(d);
	if (on_closed != NULL)
		on_closed(close_arg);
}

static void
event_on_closed(void *arg)
{
	struct nbdclient_event_disk *d = arg;

	io_abandon(&d->io);
	event_link_release(&d->link, event_finish, d);
}

void
nbdclient_event_close(struct nbdclient_event_disk *disk,
    void (*on_closed)(void *arg), void *arg)
{
	disk->is_closed = true;
	disk->link.on_closed = on_closed;
	disk->link.close_arg = arg;
	io_close(&disk->io);
	event_link_close(&disk->link, event_on_closed, disk);
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

/* The commands of buffers and flags. */
static int
event_start_iov(struct nbdclient_event_disk *d, enum op_kind kind,
    uint64_t sector, const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = kind,
		.flags = flags,
		.sector = sector,
		.iov = iov,
		.n_iov = n_iov,
	};

	return event_start(d, &params, on_done, arg, err);
}

int
nbdclient_event_read(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	return event_start_iov(disk, OP_READ, sector, iov, n_iov, flags,
	    on_done, arg, err);
}

int
nbdclient_event_write(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	return event_start_iov(disk, OP_WRITE, sector, iov, n_iov, flags,
	    on_done, arg, err);
}

int
nbdclient_event_flush(struct nbdclient_event_disk *disk,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = { .kind = OP_FLUSH };

	return event_start(disk, &params, on_done, arg, err);
}

/* The commands of a range and flags. */
static int
event_start_range(struct nbdclient_event_disk *d, enum op_kind kind,
    uint64_t sector, uint64_t n_sectors, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = kind,
		.flags = flags,
		.sector = sector,
		.n_sectors = n_sectors,
	};

	return event_start(d, &params, on_done, arg, err);
}

int
nbdclient_event_write_zeroes(struct nbdclient_event_disk *disk,
    uint64_t sector, uint64_t n_sectors, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	return event_start_range(disk, OP_ZERO, sector, n_sectors, flags,
	    on_done, arg, err);
}

int
nbdclient_event_trim(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err)
{
	return event_start_range(disk, OP_TRIM, sector, n_sectors, flags,
	    on_done, arg, err);
}

int
nbdclient_event_cache(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err)
{
	return event_start_range(disk, OP_CACHE, sector, n_sectors, 0,
	    on_done, arg, err);
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
