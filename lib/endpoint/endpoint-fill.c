/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A source that was never written: what takes the place of data that could
 * not be read.  Either zeroes, or lines of 64 bytes that say so, and where
 * they are, so that files that have lost something can be told by a search.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/kind.h"

#define LINE_SIZE 64

struct disk_fill {
	struct disk disk;
	bool is_pattern;
	struct net_task ready_task;	/* on_ready is still to come */
	struct net_task read_task;	/* requests are to be answered */
	struct net_task closed_task;
	struct list asked;
	struct list done;
	struct disk_events events;
	void *arg;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static struct disk_fill *
fill_of(struct disk *disk)
{
	return (struct disk_fill *)(void *)disk;
}

/* The bytes from offset on, of which some line has the first. */
static void
write_lines(unsigned char *to, uint64_t offset, size_t length)
{
	char line[LINE_SIZE + 1];
	size_t skip;
	size_t n;

	for (; length > 0; to += n, offset += n, length -= n) {
		skip = offset % LINE_SIZE;
		n = LINE_SIZE - skip < length ? LINE_SIZE - skip : length;
		(void)snprintf(line, sizeof line, "nbdsync: not read from the "
		    "source, at offset 0x%016" PRIx64 "\n", offset - skip);
		memcpy(to, line + skip, n);
	}
}

static void
answer(const struct disk_fill *d, struct nbd_request *req)
{
	uint64_t offset = req->offset;

	for (int i = 0; i < req->n_iov; i++) {
		if (d->is_pattern)
			write_lines(req->iov[i].iov_base, offset,
			    req->iov[i].iov_len);
		else
			memset(req->iov[i].iov_base, 0, req->iov[i].iov_len);
		offset += req->iov[i].iov_len;
	}
	req->error = 0;
	req->message[0] = '\0';
}

/* All that there is a place for. */
static void
fill_on_read(void *arg)
{
	struct disk_fill *d = arg;
	struct nbd_arrival arrival = { 0 };
	struct list *node;

	while (!list_is_empty(&d->asked)) {
		arrival.req = list_entry(d->asked.next, struct nbd_request,
		    node);
		if (arrival.req->iov == NULL &&
		    !d->events.find_place(d->arg, &arrival))
			break;
		node = list_take_first(&d->asked);
		answer(d, arrival.req);
		list_append(&d->done, node);
	}
	if (!list_is_empty(&d->done))
		d->events.on_completions(d->arg);
}

static int
fill_submit(struct disk *disk, struct nbd_request *req)
{
	struct disk_fill *d = fill_of(disk);

	if (req->command != NBD_CMD_READ)
		return -EOPNOTSUPP;
	list_append(&d->asked, &req->node);
	net_task_schedule(&d->read_task);
	return 0;
}

static void
fill_place_found(struct disk *disk)
{
	net_task_schedule(&fill_of(disk)->read_task);
}

static struct nbd_request *
fill_reap(struct disk *disk)
{
	struct list *node = list_take_first(&fill_of(disk)->done);

	return node == NULL ? NULL :
			      list_entry(node, struct nbd_request, node);
}

static void
fill_free(struct disk_fill *d)
{
	net_task_done(&d->ready_task);
	net_task_done(&d->read_task);
	net_task_done(&d->closed_task);
	free(d);
}

static void
fill_on_ready(void *arg)
{
	struct disk_fill *d = arg;

	d->events.on_ready(d->arg);
}

static void
fill_on_closed(void *arg)
{
	struct disk_fill *d = arg;
	void (*on_closed)(void *) = d->on_closed;
	void *on_closed_arg = d->on_closed_arg;

	fill_free(d);
	if (on_closed != NULL)
		on_closed(on_closed_arg);
}

static void
fill_close(struct disk *disk, void (*on_closed)(void *arg), void *arg)
{
	struct disk_fill *d = fill_of(disk);

	net_task_done(&d->ready_task);
	net_task_done(&d->read_task);
	d->on_closed = on_closed;
	d->on_closed_arg = arg;
	net_task_schedule(&d->closed_task);
}

static const struct disk_ops fill_ops = {
	.submit = fill_submit,
	.reap = fill_reap,
	.place_found = fill_place_found,
	.close = fill_close,
};

static int
fill_connect(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits UNUSED,
    const struct disk_events *events, void *arg, struct disk **ret_disk,
    struct error *e)
{
	struct disk_fill *d = calloc(1, sizeof *d);

	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	d->disk.ops = &fill_ops;
	d->disk.shape = (struct disk_shape){
		.size = ep->spec->fill_size,
		.block_minimum = 1,
		.block_preferred = 4096,
		.block_maximum = NBD_DEFAULT_MAX_PAYLOAD,
		.read_only = true,
		.can_multi_conn = true,
	};
	d->is_pattern = ep->spec->is_pattern;
	d->events = *events;
	d->arg = arg;
	list_init(&d->asked);
	list_init(&d->done);
	if (net_task_init(&d->ready_task, loop, fill_on_ready, d) < 0 ||
	    net_task_init(&d->read_task, loop, fill_on_read, d) < 0 ||
	    net_task_init(&d->closed_task, loop, fill_on_closed, d) < 0) {
		fill_free(d);
		return error_set(e, -ENOMEM, "out of memory");
	}
	net_task_schedule(&d->ready_task);
	*ret_disk = &d->disk;
	return 0;
}

static int
fill_open(struct endpoint *ep, struct error *e)
{
	if (ep->role != ENDPOINT_SOURCE)
		return error_set(e, -EINVAL, "cannot be written");
	return 0;
}

const struct endpoint_kind endpoint_kind_fill = {
	.type = ENDPOINT_FILL,
	.open = fill_open,
	.connect = fill_connect,
};
