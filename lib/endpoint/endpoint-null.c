/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The disk that is not there: as a destination it has the size of the source
 * and swallows everything, which measures what reading costs.  As a source
 * it would have no size, so it is none.
 */

#include <errno.h>
#include <stdlib.h>

#include "endpoint/kind.h"

struct disk_null {
	struct disk disk;
	struct net_task ready_task;	/* on_ready is still to come */
	struct net_task done_task;	/* requests are to be given back */
	struct net_task closed_task;
	struct list done;
	struct disk_events events;
	void *arg;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static struct disk_null *
null_of(struct disk *disk)
{
	return (struct disk_null *)(void *)disk;
}

static int
null_submit(struct disk *disk, struct nbd_request *req)
{
	struct disk_null *d = null_of(disk);

	/* What was written is gone: there is nothing to compare with. */
	if (req->command == NBD_CMD_READ)
		return -EOPNOTSUPP;
	req->error = 0;
	req->message[0] = '\0';
	list_append(&d->done, &req->node);
	net_task_schedule(&d->done_task);
	return 0;
}

static struct nbd_request *
null_reap(struct disk *disk)
{
	struct list *node = list_take_first(&null_of(disk)->done);

	return node == NULL ? NULL :
			      list_entry(node, struct nbd_request, node);
}

static void
null_free(struct disk_null *d)
{
	net_task_done(&d->ready_task);
	net_task_done(&d->done_task);
	net_task_done(&d->closed_task);
	free(d);
}

static void
null_on_ready(void *arg)
{
	struct disk_null *d = arg;

	d->events.on_ready(d->arg);
}

static void
null_on_done(void *arg)
{
	struct disk_null *d = arg;

	if (!list_is_empty(&d->done))
		d->events.on_completions(d->arg);
}

static void
null_on_closed(void *arg)
{
	struct disk_null *d = arg;
	void (*on_closed)(void *) = d->on_closed;
	void *on_closed_arg = d->on_closed_arg;

	null_free(d);
	if (on_closed != NULL)
		on_closed(on_closed_arg);
}

static void
null_close(struct disk *disk, void (*on_closed)(void *arg), void *arg)
{
	struct disk_null *d = null_of(disk);

	net_task_done(&d->ready_task);
	net_task_done(&d->done_task);
	d->on_closed = on_closed;
	d->on_closed_arg = arg;
	net_task_schedule(&d->closed_task);
}

static const struct disk_ops null_ops = {
	.submit = null_submit,
	.reap = null_reap,
	.close = null_close,
};

static int
null_connect(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits UNUSED,
    const struct disk_events *events, void *arg, struct disk **ret_disk,
    struct error *e)
{
	struct disk_null *d = calloc(1, sizeof *d);

	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	d->disk.ops = &null_ops;
	d->disk.shape = (struct disk_shape){
		.size = ep->create_size,
		.block_minimum = 1,
		.block_preferred = 4096,
		.block_maximum = NBD_DEFAULT_MAX_PAYLOAD,
		.can_flush = true,
		.can_zero = true,
		.can_trim = true,
		.can_multi_conn = true,
	};
	d->events = *events;
	d->arg = arg;
	list_init(&d->done);
	if (net_task_init(&d->ready_task, loop, null_on_ready, d) < 0 ||
	    net_task_init(&d->done_task, loop, null_on_done, d) < 0 ||
	    net_task_init(&d->closed_task, loop, null_on_closed, d) < 0) {
		null_free(d);
		return error_set(e, -ENOMEM, "out of memory");
	}
	net_task_schedule(&d->ready_task);
	*ret_disk = &d->disk;
	return 0;
}

static int
null_open(struct endpoint *ep, struct error *e)
{
	if (ep->role == ENDPOINT_SOURCE)
		return error_set(e, -EINVAL,
		    "null: has no size and cannot be a source");
	return 0;
}

const struct endpoint_kind endpoint_kind_null = {
	.type = ENDPOINT_NULL,
	.open = null_open,
	.connect = null_connect,
};
