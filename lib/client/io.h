/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_IO_H
#define CLIENT_IO_H

#include "base/error.h"
#include "client/conn.h"
#include "client/op.h"

/*
 * The operations of one connection that is ready: their pieces are sent in
 * the order of submission, as many at a time as there are requests, and each
 * operation is told to be done exactly once, from the loop.
 *
 * The owner passes on the connection's events, and is told nothing by it.
 */
struct io_request {
	struct nbd_request req;
	struct io_request *next;	/* of all but the first */
	struct io_request *next_idle;
};

struct io {
	struct conn *conn;
	const struct nbd_export *export;
	const char *name;		/* of the disk, for messages */
	struct io_request first;	/* there always is one; */
	struct io_request *more;	/* others are made when needed */
	size_t n_requests;
	size_t n_max;
	struct io_request *idle;
	struct list ops;		/* all that are not done */
	struct list queue;		/* those with pieces to be sent */
	struct net_task task;		/* some may be over without a reply */
	bool is_closed;
	bool has_failed;
	struct error error;		/* once has_failed */
};

/*
 * n_max requests may be in flight at a time.  name is the caller's and has to
 * last.  -ENOMEM.  io_done() copes with an io that is all zero.
 */
int io_init(struct io *io, struct net_loop *loop, struct conn *conn,
    const char *name, size_t n_max);
/* All operations must be done. */
void io_done(struct io *io);

/*
 * Start an operation.  0: on_done comes once, from the loop, never from
 * inside this call.  Else it was refused as op_new() says, or with
 * DISCONNECTED; nothing was sent, err is filled and on_done does not come.
 */
int io_start(struct io *io, const struct op_params *params,
    op_done_cb *on_done, void *arg, struct nbdclient_error *err);

/* For the connection's on_completions. */
void io_on_completions(struct io *io);

/* For its on_failed: all operations are done, with this reason. */
void io_fail(struct io *io, int code, const struct error *e);

/*
 * Before conn_close(): no operation is started or told to be done from here
 * on.  After it: those that were left are.
 */
void io_close(struct io *io);
void io_abandon(struct io *io);

#endif
