/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending the pieces of operations, and telling their ends.
 *
 * A callback may start operations, and close the connection: after each one
 * nothing is assumed but what is looked at again.
 *
 * Requests that were lost with the connection come back before its owner
 * hears why.  Their operations wait for that, since it is the better reason.
 */
#include "client/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/errors.h"

/* The operation is gone afterwards. */
static void
io_finish(struct op *op)
{
	list_remove(&op->all);
	list_remove(&op->queued);
	op->on_done(op->arg, op->code != 0 ? &op->error : NULL);
	op_free(op);
}

static struct op *
io_find_over(const struct io *io)
{
	struct list *l;
	struct op *op;

	for (l = io->ops.next; l != &io->ops; l = l->next) {
		op = list_entry(l, struct op, all);
		if (op_is_over(op))
			return op;
	}
	return NULL;
}

static void
io_on_task(void *arg)
{
	struct io *io = arg;
	struct op *op;

	while (!io->is_closed && (op = io_find_over(io)) != NULL)
		io_finish(op);
}

static void
io_give_back(struct io *io, struct nbd_request *req)
{
	struct io_request *r = list_entry(req, struct io_request, req);

	r->next_idle = io->idle;
	io->idle = r;
}

/*
 * NULL: all that there may be are in flight.  Without memory for one more
 * there may be no more.
 */
static struct nbd_request *
io_take_request(struct io *io)
{
	struct io_request *r = io->idle;

	if (r != NULL) {
		io->idle = r->next_idle;
		return &r->req;
	}
	if (io->n_requests >= io->n_max)
		return NULL;
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		io->n_max = io->n_requests;
		return NULL;
	}
	io->n_requests++;
	r->next = io->more;
	io->more = r;
	return &r->req;
}

int
io_init(struct io *io, struct net_loop *loop, struct conn *conn,
    const char *name, size_t n_max)
{
	memset(io, 0, sizeof *io);
	list_init(&io->ops);
	list_init(&io->queue);
	io->conn = conn;
	io->export = conn_export(conn);
	io->name = name;
	io->n_max = n_max;
	io->n_requests = 1;
	io_give_back(io, &io->first.req);
	return net_task_init(&io->task, loop, io_on_task, io);
}

void
io_done(struct io *io)
{
	struct io_request *r;

	net_task_done(&io->task);
	while ((r = io->more) != NULL) {
		io->more = r->next;
		free(r);
	}
	memset(io, 0, sizeof *io);
}

static void
io_send_piece(struct io *io, struct op *op, struct nbd_request *req)
{
	int r;

	op_next_piece(op, req);
	r = conn_submit(io->conn, req);
	if (r == 0) {
		op_sent(op, req);
		return;
	}
	if (r == -ENOTCONN)
		op->is_lost = true;
	else
		op_refused(op, req, r);
	io_give_back(io, req);
}

static void
io_pump(struct io *io)
{
	struct nbd_request *req;
	struct op *op;

	while (!list_is_empty(&io->queue)) {
		op = list_entry(io->queue.next, struct op, queued);
		if (op_has_piece(op)) {
			req = io_take_request(io);
			if (req == NULL)
				return;
			io_send_piece(io, op, req);
		}
		if (op_has_piece(op))
			continue;
		list_remove(&op->queued);
		if (op_is_over(op))
			net_task_schedule(&io->task);
	}
}

static int
io_check_alive(const struct io *io, const char *verb,
    struct nbdclient_error *err)
{
	if (io->is_closed)
		return client_error_set(err, NBDCLIENT_DISCONNECTED, ENOTCONN,
		    "cannot %s %s: it was closed", verb, io->name);
	if (io->has_failed)
		return client_error_set(err, NBDCLIENT_DISCONNECTED, ENOTCONN,
		    "cannot %s %s: the connection was lost before: %s", verb,
		    io->name, io->error.text);
	return 0;
}

int
io_start(struct io *io, const struct op_params *params, op_done_cb *on_done,
    void *arg, struct nbdclient_error *err)
{
	struct op *op;
	int code;

	code = io_check_alive(io, op_verb(params->kind), err);
	if (code != 0)
		return code;
	code = op_new(io->export, io->name, params, &op, err);
	if (code != 0)
		return code;
	op->on_done = on_done;
	op->arg = arg;
	list_append(&io->ops, &op->all);
	list_append(&io->queue, &op->queued);
	io_pump(io);
	return 0;
}

void
io_on_completions(struct io *io)
{
	struct nbd_request *req;
	struct op *op;

	while (!io->is_closed && (req = conn_reap(io->conn)) != NULL) {
		op = req->owner;
		op_completed(op, req, &io->is_closed);
		io_give_back(io, req);
		if (io->is_closed)
			return;
		if (op_is_over(op))
			io_finish(op);
		else if (op_has_piece(op) && list_is_empty(&op->queued))
			list_append(&io->queue, &op->queued);
	}
	if (!io->is_closed)
		io_pump(io);
}

static void
io_fail_all(struct io *io, int code, int errnum, const char *text,
    const bool *stop)
{
	struct op *op;

	while (!*stop && !list_is_empty(&io->ops)) {
		op = list_entry(io->ops.next, struct op, all);
		op_fail(op, code, errnum, text);
		io_finish(op);
	}
}

void
io_fail(struct io *io, int code, const struct error *e)
{
	io->has_failed = true;
	io->error = *e;
	io_fail_all(io, code, -e->code, io->error.text, &io->is_closed);
}

void
io_close(struct io *io)
{
	io->is_closed = true;
}

void
io_abandon(struct io *io)
{
	const bool never = false;

	if (io->n_requests > 0)
		io_fail_all(io, NBDCLIENT_DISCONNECTED, ECANCELED,
		    "it was closed before", &never);
}
