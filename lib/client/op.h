/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_OP_H
#define CLIENT_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "client/nbdclient.h"
#include "nbd/session.h"

/*
 * An operation: one call of the installed library, of either face.  It is
 * checked as a whole before anything is sent, and cut into pieces that the
 * server accepts.  io.h sends the pieces.
 */

enum op_kind {
	OP_READ,
	OP_WRITE,
	OP_FLUSH,
	OP_TRIM,
	OP_ZERO,
	OP_CACHE,
	OP_STATUS,
};

/* What is asked for; as the calls of <nbdclient.h> have it. */
struct op_params {
	enum op_kind kind;
	unsigned flags;			/* enum nbdclient_flag */
	uint64_t sector;
	uint64_t n_sectors;		/* of the kinds without buffers */
	const struct iovec *iov;	/* READ, WRITE */
	int n_iov;
	const char *context;		/* STATUS; NULL: all */
	nbdclient_extent_cb *on_extent;
	void *extent_arg;
};

/* err is NULL for a success, else the operation's. */
typedef void op_done_cb(void *arg, const struct nbdclient_error *err);

/* The extent of a context that is not told yet, since it may go on. */
struct op_telling {
	const char *context;		/* NULL: not asked for */
	uint64_t from;
	uint64_t length;
	uint64_t flags;
};

#define OP_FEW_CUTS 4

struct op {
	struct list all;		/* io's: not done yet */
	struct list queued;		/* io's: has pieces to be sent */
	op_done_cb *on_done;
	void *arg;

	const struct nbd_export *export;
	const char *name;		/* of the disk, for messages */
	enum op_kind kind;
	uint16_t flags;
	uint64_t offset;		/* of the next piece */
	uint64_t left;			/* bytes not yet in a piece */
	uint64_t piece_size;
	uint64_t piece_limit;		/* of it; whole blocks */
	uint64_t redo_from;		/* where a piece was too large for the
					   server; UINT64_MAX: none was */
	bool flush_is_due;		/* a FLUSH not yet sent */
	bool is_lost;			/* with the connection, whose failure
					   will be the reason */
	size_t n_in_flight;

	/* The caller's buffers, and their cuts for the pieces. */
	struct iovec *iov;
	size_t iov_done;		/* bytes of *iov in earlier pieces */
	struct iovec *cuts;
	size_t n_cuts;
	struct iovec few[OP_FEW_CUTS];
	struct iovec *many;		/* instead of few; NULL: none */

	/* STATUS: one of each for every context of the export. */
	size_t n_contexts;
	struct nbd_extents *extents;
	struct op_telling *tellings;
	nbdclient_extent_cb *on_extent;
	void *extent_arg;

	/* The failure at the lowest offset, if there is one. */
	int code;
	uint64_t error_offset;
	struct nbdclient_error error;
};

/*
 * Check what is asked for and make an operation of it.  Buffers stay the
 * caller's, the array of them is copied.  INVALID, READ_ONLY, UNIMPLEMENTED,
 * NO_MEMORY: err is filled, and there is no operation.
 */
int op_new(const struct nbd_export *export, const char *name,
    const struct op_params *params, struct op **ret_op,
    struct nbdclient_error *err);
void op_free(struct op *op);

/* "read", for messages. */
const char *op_verb(enum op_kind kind);

/* Is there a piece to be sent now?  Is the operation done? */
bool op_has_piece(const struct op *op);
bool op_is_over(const struct op *op);

/* Fill in the next piece; op_sent() when it has been submitted. */
void op_next_piece(struct op *op, struct nbd_request *req);
void op_sent(struct op *op, const struct nbd_request *req);

/* A piece was refused with the negative errno error and not sent. */
void op_refused(struct op *op, const struct nbd_request *req, int error);

/*
 * A piece has come back.  *stop is looked at after each call of on_extent:
 * true ends the telling.
 */
void op_completed(struct op *op, const struct nbd_request *req,
    const bool *stop);

/* All of it failed: a sentence without subject. */
void op_fail(struct op *op, int code, int errnum, const char *text);

#endif
