/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_PACE_H
#define COPY_PACE_H

#include <stdint.h>

#include "base/list.h"

/*
 * How fast the runs of a process may go: each by a rate of its own, and all
 * together by the pool's, which is split evenly among those that want it.
 *
 * What may go is a number of bytes that grows with time.  A piece goes as
 * soon as that is above 0 and takes its length from it, so that a piece of
 * any length can go, and the next one waits for longer.  Not more than
 * COPY_PACE_BURST_MS worth is ever saved up, and copy_pace_size() keeps
 * pieces shorter than that: the bytes flow evenly, also when they are few.
 *
 * Of the pool's rate each run that has not saved up its part gets the same,
 * and what the others leave is split again among these (max-min fairness).
 *
 * Times are the caller's, in microseconds, and never fall.  One thread at a
 * time, for a pool and all that are in it.
 */

#define COPY_PACE_BURST_MS 50

struct copy_pace_pool {
	double rate;		/* bytes/s; 0: no limit */
	uint64_t filled_us;
	struct list members;	/* of struct copy_pace */
	unsigned n_members;
};

/* Of one run. */
struct copy_pace {
	struct copy_pace_pool *pool;
	struct list node;
	double rate;		/* bytes/s; 0: no limit */
	uint64_t filled_us;
	double own;		/* bytes that may go by that */
	double share;		/* and by the pool's rate */
};

void copy_pace_pool_init(struct copy_pace_pool *pool);
/* rate is bytes a second, for all that have joined; 0: no limit. */
void copy_pace_pool_set_rate(struct copy_pace_pool *pool, uint64_t rate,
    uint64_t now_us);

/* The pool outlives it, or it leaves before. */
void copy_pace_join(struct copy_pace *p, struct copy_pace_pool *pool,
    uint64_t rate, uint64_t now_us);
void copy_pace_leave(struct copy_pace *p);
void copy_pace_set_rate(struct copy_pace *p, uint64_t rate, uint64_t now_us);

/* May the next piece go?  0: yes; else ask again after so long. */
uint64_t copy_pace_wait_us(struct copy_pace *p, uint64_t now_us);

/* So many bytes go. */
void copy_pace_take(struct copy_pace *p, uint64_t bytes);

/* The longest piece that flows evenly, a power of two, 4096 at least. */
uint32_t copy_pace_size(const struct copy_pace *p);

#endif
