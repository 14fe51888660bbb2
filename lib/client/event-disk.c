/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face: a connection and its operations on the caller's
 * event base.
 *
 * What happens before on_ready, and its failure, is the connection's; from
 * there on it is io.c's.  A server that was started for the channel, and did
 * not come up, is looked at for a while before the failure is told: how it
 * ended may be the better reason.
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

#include "base/cleanup.h"
#include "client/channel.h"
#include "client/disk.h"
#include "client/errors.h"
#include "client/look.h"
#include "client/served.h"

#define EVENT_MAX_REQUESTS 64		/* in flight at the same time */

struct nbdclient_event_disk {
	struct net_loop *loop;
	struct served *served;		/* NULL: not started by us */
	struct conn *conn;
	struct io io;			/* once is_ready */
	bool is_ready;
	bool has_failed;		/* and that was told */
	bool is_closed;
	struct nbdclient_event_callbacks callbacks;
	void *arg;
	void (*on_closed)(void *arg);
	void *close_arg;
	struct look look;		/* for the end of served ... */
	int failure_code;		/* ... because of this failure */
	struct error failure;
	char server[CHANNEL_SERVER_SIZE];
	char what[CHANNEL_QUOTED_SIZE + 8];	/* "open export 'x'" */
	char name[DISK_NAME_SIZE];
};

static void
event_free(struct nbdclient_event_disk *d)
{
	io_done(&d->io);
	look_done(&d->look);
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
		(void)channel_failure(d->server, code, e, d->what, &err);
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
event_tell_ended(struct nbdclient_event_disk *d, const struct error *e)
{
	struct nbdclient_error err;

	(void)channel_ended(e, d->what, &err);
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
		event_tell_failure(d, d->failure_code, &d->failure);
}

static void
event_on_failed(void *arg, const struct error *e)
{
	struct nbdclient_event_disk *d = arg;
	const int code = link_failure_code(d->conn, e->code);

	d->failure_code = code;
	d->failure = *e;
	if (d->is_ready)
		io_fail(&d->io, code, &d->failure);
	else if (channel_may_have_ended(d->served, code)) {
		look_start(&d->look, d->served);
		return;
	}
	event_tell_failure(d, code, &d->failure);
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
	(void)snprintf(d->server, sizeof d->server, "%s", server);
	(void)snprintf(d->name, sizeof d->name, "%s of %s", quoted, server);
	(void)snprintf(d->what, sizeof d->what, "open %s", quoted);
}

static int
event_connect(struct nbdclient_event_disk *d, struct nbdclient_channel *ch,
    const char *export_name, struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(ch,
	    NBD_GOAL_TRANSMISSION);
	CLEANUP(cleanup_free) char *name = strdup(export_name);
	struct nbd_uri uri;
	struct error e;
	int code;
	int r;

	if (name == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	code = channel_aim(ch, name, &o, &uri, err);
	if (code != 0)
		return code;
	r = conn_open(d->loop, &o, &event_events, d, &d->conn, &e);
	if (r < 0)
		return channel_failure(d->server, r == -ENOMEM ?
		    NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID, &e, d->what, err);
	if (ch->served != NULL)
		d->served = served_ref(ch->served);
	return 0;
}

static int
event_init_loop(struct nbdclient_event_disk *d, struct event_base *base)
{
	int r;

	r = net_loop_new_on(base, &d->loop);
	if (r == 0)
		r = look_init(&d->look, d->loop, event_on_look, d);
	return r;
}

int
nbdclient_event_negotiate(struct event_base *base,
    struct nbdclient_channel *channel, const char *export_name,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err)
{
	struct nbdclient_event_disk *d;
	int code;

	d = calloc(1, sizeof *d);
	if (d == NULL || event_init_loop(d, base) < 0) {
		if (d != NULL)
			event_free(d);
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	}
	d->callbacks = *callbacks;
	d->arg = arg;
	export_name = channel_export_name(channel, export_name);
	event_name(d, channel->server, export_name);
	code = event_connect(d, channel, export_name, err);
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
	*ret_info = disk_info(disk->conn);
}

static void
event_finish(void *arg)
{
	struct nbdclient_event_disk *d = arg;
	void (*on_closed)(void *arg) = d->on_closed;
	void *close_arg = d->close_arg;

	event_free(d);
	if (on_closed != NULL)
		on_closed(close_arg);
}

static void
event_on_closed(void *arg)
{
	struct nbdclient_event_disk *d = arg;

	io_abandon(&d->io);
	if (!served_release(d->served, d->loop, event_finish, d))
		event_finish(d);
}

void
nbdclient_event_close(struct nbdclient_event_disk *disk,
    void (*on_closed)(void *arg), void *arg)
{
	disk->is_closed = true;
	disk->on_closed = on_closed;
	disk->close_arg = arg;
	look_stop(&disk->look);
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
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_READ,
		.flags = flags,
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
