/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LANE_H
#define COPY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "copy/cursor.h"
#include "copy/ledger.h"
#include "copy/plan.h"
#include "copy/tuning.h"

/*
 * A lane's decisions: which request is sent next.  The owner sends it and
 * says how it ended:
 *
 *	while ((slot = copy_lane_next(lane)) != NULL)
 *		send slot->op at slot->offset, slot->length
 *	on completion: copy_lane_done(lane, slot, error, message)
 *	until copy_lane_is_finished(lane)
 *
 * A lane claims a stretch of the plan's line, asks the source which parts of
 * it are zero (asking ahead while data moves), reads the rest into slots,
 * and writes each slot as soon as it is read: straight through.  Where its
 * bytes lie meanwhile is the owner's business, from the READ's first byte to
 * the WRITE's last.  A slot is one request on its way, first
 * on the source and then on the destination; since one slot serves both, the
 * reads can never use up what the writes need.  No byte is in two slots.
 *
 * One thread at a time.  Nothing is allocated after copy_lane_new(), but for
 * the list of extents.
 */

struct copy_lane;

struct copy_slot {
	enum copy_op op;
	uint64_t offset;	/* bytes, on the disk that op is for */
	uint32_t length;
	unsigned char *buffer;	/* the owner's: of a READ that succeeded, its
				   bytes; NULL: they are out of reach, and
				   not all zero */
	bool is_real_zeroes;	/* a WRITE of zeroes that were not read */
	void *owner;		/* for the owner */
	unsigned index;		/* 0 to copy_lane_n_slots() - 1 */

	/* The lane's. */
	uint64_t from;
	uint64_t to;
	bool busy;		/* given out by copy_lane_next() */
	struct copy_slot *next;
};

/*
 * -ENOMEM.  The others outlive the lane.  How many requests there are, and
 * how large, follows tuning, also while the lane is at work.
 */
int copy_lane_new(const struct copy_plan *plan, struct copy_cursor *cursor,
    struct copy_ledger *ledger, const struct copy_tuning *tuning,
    struct copy_lane **ret_lane);
void copy_lane_free(struct copy_lane *lane);

/* Slots, and the one that asks for block status: indices run below this. */
unsigned copy_lane_n_slots(const struct copy_lane *lane);

/*
 * The next request to send now, or NULL: wait for a completion.  The slot is
 * the caller's until copy_lane_done().
 */
struct copy_slot *copy_lane_next(struct copy_lane *lane);

/*
 * For COPY_STATUS that succeeded, before copy_lane_done(): the extents in
 * order, from the slot's offset on.  What reaches past the request is cut.
 */
void copy_lane_add_extent(struct copy_lane *lane, uint64_t length, bool zero);

/*
 * A request ended: error is 0 or a negative errno, message the peer's words
 * or NULL.  A failed block status makes data of what it asked for; any other
 * failure ends the lane's work.
 */
void copy_lane_done(struct copy_lane *lane, struct copy_slot *slot, int error,
    const char *message);

/* Something other than a request failed: a connection.  Ends the work. */
void copy_lane_fail(struct copy_lane *lane, enum copy_side side, int error,
    const char *message);

/*
 * Nothing is in flight and nothing will be: all is claimed and done, or the
 * lane failed, or the ledger is stopped.
 */
bool copy_lane_is_finished(const struct copy_lane *lane);

/* Requests given out and not done yet. */
unsigned copy_lane_in_flight(const struct copy_lane *lane);

/* The first failure, error 0 if none, and how many there were. */
const struct copy_failure *copy_lane_failure(const struct copy_lane *lane,
    uint64_t *ret_n);

#endif
