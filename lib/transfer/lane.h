/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_LANE_H
#define TRANSFER_LANE_H

#include "copy/lane.h"
#include "endpoint/endpoint.h"
#include "runtime/mailbox.h"
#include "runtime/worker.h"
#include "transfer/budget.h"
#include "transfer/keeper.h"
#include "transfer/marks.h"

/*
 * A lane at work: one connection to the source and one to each destination on
 * one worker, driven by the decisions of copy/lane.h.
 *
 * The run's thread gives a lane one command at a time and gets one answer for
 * each, also when it failed or was stopped: lane_failure() tells.  After one
 * that failed for the source, or for all destinations, only lane_close() may
 * follow.
 *
 *	lane_connect()	connect disks		on_connected
 *	lane_probe()	look for zeroes		on_probed
 *	lane_copy()	copy, and flush		on_copied
 *	lane_close()	close the disks		on_closed
 *
 * Commands and answers are mails between the run's worker and the lane's.
 * lane_stop() may come at any time before lane_close() and makes the command
 * that is under way end soon; lane_abort() may follow, and makes it end at
 * once, whatever is in flight.
 */

struct lane;

/* On the run's worker. */
struct lane_events {
	void (*on_connected)(void *arg, struct lane *lane);
	void (*on_probed)(void *arg, struct lane *lane);
	void (*on_copied)(void *arg, struct lane *lane);
	void (*on_closed)(void *arg, struct lane *lane);
};

struct stats_counts;
struct run_loss;
struct connection_books;
struct zeroes;

struct lane_setup {
	unsigned number;		/* among the run's, from 1 */
	struct worker *worker;		/* where the lane lives */
	struct worker *home;		/* where the run lives */
	struct endpoint_limits limits;
	uint64_t reconnect_ms;		/* how long a lost connection may be
					   away */
	uint64_t straggler_ms;		/* if it is the last that is not
					   done; 0: as long */
	struct budget_share *share;	/* the run's; NULL: no limits */
	struct keeper *keeper;		/* the run's */
	struct marks *marks;		/* likewise */
	struct stats_counts *counts;	/* or NULL */
	struct run_loss *_Atomic *loss;	/* the run's */
	struct connection_books *books;	/* the run's, of this lane */
	struct zeroes *zeroes;		/* the run's */
	uint64_t epoch_ms;		/* it flushes that often */
	const struct lane_events *events;
	void *arg;
};

/* The memory of the budget that a lane of this plan needs to copy. */
uint64_t throttle_lane_bytes(const struct copy_plan *plan);

/* -ENOMEM. */
int lane_new(const struct lane_setup *setup, struct lane **ret_lane);
/* After on_closed, or before the first call. */
void lane_free(struct lane *lane);

/*
 * Connect the source, and the n destinations; but for those that are NULL.  A
 * lane may be asked twice, for one side each.
 */
void lane_connect(struct lane *lane, const struct endpoint *source,
    struct endpoint *const destinations[], unsigned n);
/*
 * Read samples of all destinations that have not failed: one that is not zero
 * there fails.
 */
void lane_probe(struct lane *lane, const struct copy_plan *plan,
    struct copy_ledger *ledger, uint64_t seed);
/* Also again, by another plan. */
void lane_copy(struct lane *lane, const struct copy_plan *plan,
    struct copy_cursor *cursor, struct copy_ledger *ledger,
    struct copy_tuning *tuning);
void lane_close(struct lane *lane);
void lane_stop(struct lane *lane);
void lane_abort(struct lane *lane);

/* After on_connected, on the run's worker: what the disks were then. */
const struct disk_shape *lane_shape(const struct lane *lane,
    enum copy_side side, unsigned target);
const char *lane_identity(const struct lane *lane, enum copy_side side,
    unsigned target);

/*
 * Between two commands: what failed of a disk in the last, first, and how
 * often.
 */
const struct copy_failure *lane_failure(const struct lane *lane,
    enum copy_side side, unsigned target, uint64_t *ret_n);

/* After lane_copy(): as copy_lane_skipped(). */
const struct copy_bad_range *lane_skipped(const struct lane *lane,
    size_t *ret_n);

/* After lane_copy(): as copy_lane_differences(). */
const struct copy_difference *lane_differences(const struct lane *lane,
    size_t *ret_n, bool *ret_is_cut);

#endif
