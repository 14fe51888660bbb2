/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_SERIES_H
#define TRANSFER_SERIES_H

#include "net/loop.h"
#include "transfer/run-map.h"
#include "transfer/run.h"

/*
 * What jobs and commands start: a run, or several in turn, its passes.
 *
 *	copy, sync	one pass; with verify_after what it has written is
 *			read back then, one pass for each destination, and
 *			another where that does not tell
 *			in either, what was skipped is filled before that,
 *			one pass for each destination
 *	verify		one, and if there are differences: after recheck_ms
 *			another of the ranges that differ, of which only
 *			those count that differ again; with repair, a sync of
 *			what is left and another comparison, as proof
 *			or, with a line that another run has left, one pass
 *			for each destination, and one of what differs in it
 *	mirror		a copy (a sync, if syncs_first), then sync after sync,
 *			until it is cancelled
 *
 * A mirror's first pass has to succeed for one destination at least.  A later
 * one that fails is done again, after pauses that grow; but for what cannot
 * become better by itself.
 * Cancelled between two passes, of which the last was complete, a mirror is
 * RUN_STOPPED, and in the middle of one RUN_CANCELLED.
 *
 * All calls and the callback are on the owner's thread, that of its loop.
 */

struct series;

/* As run_new(). */
int series_new(const struct run_spec *spec, struct worker_pool *pool,
    struct mailbox *owner, struct net_loop *loop,
    void (*on_finished)(struct series *series, void *arg), void *arg,
    struct series **ret_series, struct error *e);

void series_start(struct series *s);
/* Nothing, once on_finished has been called. */
void series_cancel(struct series *s);
/* The same, as run_abort(). */
void series_abort(struct series *s);
/* As run_set_rate(); for this pass and those that follow. */
void series_set_rate(struct series *s, uint64_t rate);
/* As run_outdate(). */
void series_outdate(struct series *s, int64_t resume_after_ms);
/* As run_disturb(), of the pass. */
void series_disturb(struct series *s);
/* As run_take_loss(), of the pass; sides are those of the series. */
struct run_loss *series_take_loss(struct series *s);
/* As run_get_connections(), of the pass; likewise. */
size_t series_get_connections(const struct series *s,
    struct run_connection *ret, size_t room);
void series_get_progress(const struct series *s, struct run_progress *ret);
/* Of the pass. */
int series_get_map(const struct series *s, struct run_map *ret_map);

/*
 * Do two failures of passes, as of struct run_mirror, say the same, at
 * whatever places?  Any thread.
 */
bool series_is_same_failure(const char *a, const char *b);

/*
 * A sentence for that the source has become smaller, m->shrunk_from being set.
 * Returns text.  Any thread.
 */
#define SERIES_SENTENCE_SIZE 160
const char *series_say_shrunk(const struct run_mirror *m,
    char text[SERIES_SENTENCE_SIZE]);

/* After on_finished.  The series'. */
const struct run_result *series_result(const struct series *s);

/* Before series_start() or after on_finished. */
void series_free(struct series *s);

#endif
