/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_CARRIER_H
#define TRANSFER_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/pipe.h"
#include "transfer/budget.h"

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
 * Their memory is counted in the budget of all runs.  The lane has been
 * granted enough for one carrier of any size; for more it asks, and where it
 * gets none it waits for one of those that are on their way.
 *
 * One thread at a time, the lane's.
 */

#define CARRIER_HEAD_SIZE 4096

struct carrier {
	unsigned char *buffer;
	size_t size;		/* of buffer */
	struct net_pipe pipe;
	size_t pipe_size;	/* 0: there is none */
	size_t room;		/* bytes that it may be for: counted */
	bool is_leaving;	/* filled, and being sent */
	bool is_certain;	/* it will be filled, whatever others do */
	struct carrier *next;
	struct iovec iov;
	unsigned char head[CARRIER_HEAD_SIZE];	/* of what is in the pipe */
};

struct carriers {
	struct carrier *free;
	unsigned n;		/* all there are */
	unsigned n_coming_back;	/* of those that are taken: sooner or later */
	unsigned n_leaving;
	uint64_t n_usual;	/* not more, while some are leaving */
	bool has_no_pipes;	/* the system gave none */
	struct budget_share *share;	/* NULL: nothing is counted */
	unsigned factor;	/* 2: each may be memory and a pipe */
	uint64_t base;		/* bytes that the lane had for them */
	uint64_t granted;	/* bytes of the budget that are ours */
	uint64_t counted;	/* bytes of all of them */
};

void carriers_init(struct carriers *cs, uint64_t n_usual);
/*
 * Count their memory, granted bytes of which the lane has got already; it
 * keeps those to the end.
 */
void carriers_count(struct carriers *cs, struct budget_share *share,
    uint64_t granted, bool with_pipes);
/* Free those that are free, and give back their memory. */
void carriers_done(struct carriers *cs);

enum carriers_need {
	CARRIERS_CERTAIN,	/* it will be filled without others' help */
	CARRIERS_MIXED,		/* its bytes come mixed with others' */
	CARRIERS_URGENT,	/* likewise, and never waits */
};

/*
 * A carrier for len bytes, the caller's until carriers_give_back().  NULL: one
 * of those that are taken will be given back soon; or, for one that does not
 * wait, there is no memory.
 */
struct carrier *carriers_take(struct carriers *cs, size_t len,
    enum carriers_need need);
void carriers_give_back(struct carriers *cs, struct carrier *c);

/* It is filled: it will be given back when its bytes have been sent. */
void carriers_leave(struct carriers *cs, struct carrier *c);

/* Memory of at least len bytes; its first bytes are zero or a slot's. */
unsigned char *carrier_buffer(struct carrier *c, size_t len);

/* An empty pipe for len bytes; false: there is none to be had. */
bool carrier_pipe(struct carriers *cs, struct carrier *c, size_t len);

#endif
