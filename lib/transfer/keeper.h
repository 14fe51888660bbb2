/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_KEEPER_H
#define TRANSFER_KEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "copy/lane.h"
#include "store/store.h"

/*
 * What a run has made durable on each destination: bytes that were written
 * and that a flush has covered since.  Lanes add to it, whenever a flush has
 * succeeded; the run puts it into the store now and then, as the place to go
 * on from.  It is never ahead of what is durable, and the copy never waits
 * for it.
 */

struct keeper {
	/* Any thread, with the lock, which is held for moments. */
	pthread_mutex_t lock;
	struct ranges durable[COPY_MAX_TARGETS];
	_Atomic uint32_t distrusted;		/* bit i: destination i; to be
						   looked at without */
	struct range recent[STORE_MAX_RECENT];	/* what became so last */
	size_t n_recent;			/* ever */
	bool has_news;				/* since it was last saved */

	/* The run's worker. */
	struct store *store;		/* NULL: nothing is kept */
	char job[STORE_NAME_SIZE];
	struct store_side sides[1 + COPY_MAX_TARGETS];	/* the disks as they
							   were found; the
							   source first */
	uint64_t interval_ms;
	uint64_t max_age_ms;		/* 0: any */
	bool is_full;			/* not to go on, */
	const char *full_because;
	bool is_stale;			/* what the store has is not to be
					   gone on from: to be removed */
	bool is_forgotten;		/* that was so as others write */
	uint64_t generation;
	uint64_t saved_at_ms;		/* monotonic; of the last try */
	struct store_call *call;	/* to save or remove one; NULL: no
					   answer is awaited */
	struct error trouble;		/* code not 0: the last save failed */

	/* Any thread. */
	_Atomic bool is_disturbed;	/* others write to the disks, too:
					   nothing is kept any more */
	_Atomic int64_t resume_after_ms;
	_Atomic uint64_t kept_at_ms;	/* monotonic; of the last save that
					   succeeded; 0: none */
	_Atomic uint64_t n_failures;
};

void keeper_init(struct keeper *k);
void keeper_done(struct keeper *k);

/* A lane's worker: a flush of this target has succeeded.  -ENOMEM. */
int keeper_take(struct keeper *k, struct copy_lane *lane, unsigned target);

/*
 * A lane's worker: a flush of this target has failed.  A server may tell that
 * once, and to one connection, whosever writes are lost, and call the next
 * flush a success (as Linux does with fsync): nothing there counts any more,
 * neither what other lanes have made durable nor what they will.
 */
void keeper_distrust(struct keeper *k, unsigned target);

/* Any thread: what was taken as saved is not. */
void keeper_has_news(struct keeper *k);

/* Any thread: there is nothing to go on from. */
bool keeper_is_empty(struct keeper *k);

#endif
