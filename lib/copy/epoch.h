/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_EPOCH_H
#define COPY_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "copy/kind.h"

/*
 * What one destination has acknowledged to one lane, until a flush has
 * covered it.  An acknowledged write may be lost with the server that holds
 * it; it counts once a flush that was sent after it has succeeded on the same
 * connection ("Ordering of messages and writes", NBD_CMD_FLUSH).  When the
 * connection is lost before that, all of it is to be done again.
 *
 * Ranges are bytes on the destination, where no byte belongs to two pieces
 * of a plan.  One thread at a time, the lane's.
 */

struct copy_epoch {
	/* By what the source's map calls it there. */
	struct ranges open[COPY_SOURCE_KINDS];	/* acknowledged, and not yet
						   flushed */
	struct ranges closing[COPY_SOURCE_KINDS];	/* likewise, before the
							   flush that is on its
							   way was sent */
	struct ranges durable;		/* covered, until taken */
	uint64_t open_bytes;
	bool is_due;			/* to be flushed soon */
	bool is_flushing;
	unsigned n_shutdowns;	/* flushes in a row that the server has
				   answered by shutting down */
	bool is_fenced;		/* nothing is written before a flush: what was
				   in flight on a lost connection could come
				   later than what is written now */
};

void copy_epoch_init(struct copy_epoch *e);
void copy_epoch_done(struct copy_epoch *e);

/* length bytes from to on were acknowledged.  -ENOMEM. */
int copy_epoch_add(struct copy_epoch *e, uint64_t to, uint64_t length,
    enum copy_kind kind);

/* A flush is sent, for what is open. */
void copy_epoch_flush(struct copy_epoch *e);

/*
 * It has succeeded: *ret_bytes are durable that were not.  -ENOMEM: they are
 * not known to be.
 */
int copy_epoch_flushed(struct copy_epoch *e, uint64_t *ret_bytes);

/*
 * The connection is lost, or a flush has failed: all that is not durable is
 * to be done again, which again() is told range by range.
 */
void copy_epoch_lose(struct copy_epoch *e,
    void (*again)(void *arg, uint64_t to, uint64_t length,
	enum copy_kind kind),
    void *arg);

/* The destination has failed for good: only what is durable counts. */
void copy_epoch_forget(struct copy_epoch *e);

/* Is there nothing that no flush has covered? */
bool copy_epoch_is_clean(const struct copy_epoch *e);

#endif
