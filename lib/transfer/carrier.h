/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_CARRIER_H
#define TRANSFER_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/pipe.h"

/*
 * What carries the bytes of a slot from one connection to the next: memory,
 * or a pipe that they go through without being seen.
 *
 * A slot needs a carrier from the arrival of its data until they have been
 * sent on, which is a small part of its way: a few carriers serve many
 * requests in flight, and their memory stays in the processor's cache.  Where
 * those few are all on their way out, the source has to wait; that is what
 * keeps a slow destination from filling our memory.
 *
 * One thread at a time, the lane's.
 */

#define CARRIER_HEAD_SIZE 4096

struct carrier {
	unsigned char *buffer;
	size_t size;		/* of buffer */
	struct net_pipe pipe;
	size_t pipe_size;	/* 0: there is none */
	bool is_leaving;	/* filled, and being sent */
	struct carrier *next;
	struct iovec iov;
	unsigned char head[CARRIER_HEAD_SIZE];	/* of what is in the pipe */
};

struct carriers {
	struct carrier *free;
	unsigned n;		/* all there are */
	unsigned n_leaving;
	unsigned n_usual;	/* not more, while some are leaving */
	bool has_no_pipes;	/* the system gave none */
};

void carriers_init(struct carriers *cs, unsigned n_usual);
/* All of them have been given back. */
void carriers_done(struct carriers *cs);

/*
 * A carrier, the caller's until carriers_give_back().  NULL: one of those
 * that are leaving will be given back soon; or, with is_urgent, which never
 * waits, there is no memory.
 */
struct carrier *carriers_take(struct carriers *cs, bool is_urgent);
void carriers_give_back(struct carriers *cs, struct carrier *c);

/* It is filled: it will be given back when its bytes have been sent. */
void carriers_leave(struct carriers *cs, struct carrier *c);

/* Memory of at least len bytes; its first bytes are zero or a slot's. */
unsigned char *carrier_buffer(struct carrier *c, size_t len);

/* An empty pipe for len bytes; false: there is none to be had. */
bool carrier_pipe(struct carriers *cs, struct carrier *c, size_t len);

#endif
