/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LANE_H
#define COPY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/ranges.h"
#include "copy/cursor.h"
#include "copy/kind.h"
#include "copy/ledger.h"
#include "copy/plan.h"
#include "copy/skip.h"
#include "copy/tuning.h"

/*
 * A lane's decisions: which request is sent next.  The owner sends it and
 * says how it ended:
 *
 *	while ((req = copy_lane_next(lane)) != NULL)
 *		send req->op at req->offset, req->length
 *	on completion: copy_lane_done(lane, req, error, message)
 *	until copy_lane_is_finished(lane)
 *
 * A lane claims a stretch of the plan's line, asks the source which parts of
 * it are zero (asking ahead while data moves), reads the rest into slots,
 * and writes each slot to all destinations as soon as it is read: straight
 * through.  Where its bytes lie meanwhile is the owner's business: until
 * copy_request_is_needed() says no.  A slot is one piece of the disk on its
 * way; since it serves the source and the destinations, the reads can never
 * use up what the writes need.  No byte is in two slots for one destination.
 *
 * A destination that is slower than others keeps slots, up to the plan's lag;
 * then what it has not been sent is taken away from it, and caught up with at
 * the end, by reading it again.  One that has failed is left out.
 *
 * When comparing, source and destinations are read side by side, and what
 * differs is written, or noted.
 *
 * What cannot be read or written is tried again, narrowed (copy/bad.h), and in
 * the end fails the disk or is skipped (copy/skip.h), by the plan's policy;
 * other destinations go on meanwhile.
 *
 * A lane flushes what it has had written: now and then, and when it has
 * nothing else to do (copy/epoch.h).  A connection that is lost may come back
 * where the plan says so; what was on its way there, and what no flush has
 * covered, is done again.
 *
 * One thread at a time.  Nothing is allocated after copy_lane_new(), but for
 * the list of stretches, and of differences.
 */

struct copy_lane;
struct copy_slot;

struct copy_request {
	enum copy_op op;
	enum copy_side side;
	unsigned target;	/* of COPY_DESTINATION */
	uint64_t offset;	/* bytes, on that disk */
	uint32_t length;
	unsigned index;		/* 0 to copy_lane_n_requests() - 1, for good */

	/*
	 * Of a READ that succeeded, the owner's: its bytes, as long as they
	 * are needed.  NULL: they are out of reach, and not all zero; only
	 * for the source, with one destination and COPY_MODE_COPY.
	 */
	unsigned char *buffer;

	/* WRITE: of which READ's bytes, from where on; NULL: zeroes. */
	const struct copy_request *bytes;
	uint32_t skip;

	/* The lane's. */
	struct copy_slot *slot;	/* NULL: the question for the map, a flush */
	struct list node;
	bool is_given_out;
	bool is_sent;
};

/*
 * What a lane asks before it begins a piece whose bytes are to move: one that
 * is read, or zeroes that are written as bytes.
 */
struct copy_gate {
	/*
	 * No more bytes at once than these; 0: none, for now.  The owner calls
	 * copy_lane_next() again in time.
	 */
	uint32_t (*room)(void *arg);
	/* So many go. */
	void (*pass)(void *arg, uint64_t bytes);
	void *arg;
};

/*
 * -ENOMEM.  The others outlive the lane.  How many requests there are, and
 * how large, follows tuning, also while the lane is at work.
 */
int copy_lane_new(const struct copy_plan *plan, struct copy_cursor *cursor,
    struct copy_ledger *ledger, const struct copy_tuning *tuning,
    struct copy_lane **ret_lane);
void copy_lane_free(struct copy_lane *lane);

/* Before the first copy_lane_next(), which is where it is called from. */
void copy_lane_set_gate(struct copy_lane *lane, const struct copy_gate *gate);

/* How many requests there are in all: their numbers are less. */
unsigned copy_lane_n_requests(const struct copy_lane *lane);

/*
 * The next request to send now, or NULL: wait for a completion.  It is the
 * caller's until copy_lane_done().
 */
struct copy_request *copy_lane_next(struct copy_lane *lane);

/*
 * For COPY_STATUS that succeeded, before copy_lane_done(): the extents in
 * order, from the request's offset on.  What reaches past it is cut.
 */
void copy_lane_add_extent(struct copy_lane *lane, struct copy_request *req,
    uint64_t length, enum copy_kind kind);

/*
 * A request ended: error is 0 or a negative errno, message the peer's words
 * or NULL.  A failed block status makes data of what it asked for; what is
 * refused for its size is tried again smaller, zeroes that cannot be had
 * otherwise are written, and holes that cannot be trimmed are left.  Any
 * other failure ends the work of the lane, or of all lanes on that
 * destination.
 */
void copy_lane_done(struct copy_lane *lane, struct copy_request *req,
    int error, const char *message);

/* The bytes of a WRITE have left; also told by its copy_lane_done(). */
void copy_request_sent(struct copy_request *req);

/* Are this READ's bytes still coming, or needed? */
bool copy_request_is_needed(const struct copy_lane *lane,
    const struct copy_request *read);

/* The requests of the same slot, req among them. */
unsigned copy_request_siblings(struct copy_lane *lane,
    struct copy_request *req, struct copy_request *siblings[]);
#define COPY_MAX_SIBLINGS (1 + COPY_MAX_TARGETS)

/*
 * The next READ whose bytes the digest has taken: they may not be needed any
 * more.  NULL: no other, since it was last asked.
 */
struct copy_request *copy_lane_take_digested(struct copy_lane *lane);

/*
 * There is no room for more bytes: give up what only slow destinations wait
 * for.  NULL: nothing can be.  Else the READ whose bytes are not needed any
 * more, but perhaps by the digest.
 */
struct copy_request *copy_lane_relieve(struct copy_lane *lane);

/*
 * A connection is lost, and may come back: for plans that reconnect, after
 * its requests have ended with -ENOTCONN.  Then either copy_lane_back(), when
 * there is a new one to the same disk, or copy_lane_gone().
 */
void copy_lane_lost(struct copy_lane *lane, enum copy_side side,
    unsigned target);
void copy_lane_back(struct copy_lane *lane, enum copy_side side,
    unsigned target);

/* Flush soon what has been written. */
void copy_lane_end_epoch(struct copy_lane *lane);

/*
 * What has become durable at a destination since it was last taken: bytes on
 * it, added to the set.  -ENOMEM.
 */
int copy_lane_take_durable(struct copy_lane *lane, unsigned target,
    struct ranges *set);

/*
 * Not 0: what failed on a disk is tried again after a pause of so many
 * milliseconds, or a destination is left behind then that zeroes much at once;
 * tell when it is over.  One that is over early, or for nothing, does no harm.
 */
uint64_t copy_lane_pause_ms(const struct copy_lane *lane,
    enum copy_side side, unsigned target);
void copy_lane_paused(struct copy_lane *lane, enum copy_side side,
    unsigned target);

/* What was skipped: *ret_n rows in no order, the lane's. */
const struct copy_bad_range *copy_lane_skipped(const struct copy_lane *lane,
    size_t *ret_n);

/* Something other than a request failed: there is no memory, or too much. */
void copy_lane_fail(struct copy_lane *lane, enum copy_side side,
    unsigned target, int error, const char *message);
/* The connection is lost for good. */
void copy_lane_gone(struct copy_lane *lane, enum copy_side side,
    unsigned target, int error, const char *message);

/*
 * Nothing is in flight and nothing will be: all is claimed, done and flushed,
 * or the source or all destinations failed, or the ledger is stopped.
 */
bool copy_lane_is_finished(const struct copy_lane *lane);

/* It starts nothing new, for one of those reasons. */
bool copy_lane_is_over(const struct copy_lane *lane);

/* Pieces that are on their way. */
unsigned copy_lane_n_loaded(const struct copy_lane *lane);

/*
 * Slots in progress: not those that only slow destinations keep, nor, of
 * several, those that one of them is tried again with, or catches up with.
 */
unsigned copy_lane_n_in_progress(const struct copy_lane *lane);

/* Slots whose bytes slow ones of several destinations may keep, at most. */
uint64_t copy_lane_n_kept(const struct copy_lane *lane);

/* The first failure of a disk, error 0 if none, and how many there were. */
const struct copy_failure *copy_lane_failure(const struct copy_lane *lane,
    enum copy_side side, unsigned target, uint64_t *ret_n);

struct copy_difference {
	unsigned target;
	uint64_t offset;	/* bytes, on the source */
	uint64_t length;
	unsigned zero_sides;	/* bit i: all of it is zero there, i being of
				   enum copy_side */
};

#define COPY_MAX_DIFFERENCES 4096

/*
 * COPY_MODE_VERIFY: what differs, *ret_n rows in no order, the lane's.
 * *ret_is_cut: there are more, which are only counted.
 */
const struct copy_difference *copy_lane_differences(
    const struct copy_lane *lane, size_t *ret_n, bool *ret_is_cut);

/* compare.c */
bool copy_is_all_zero(const unsigned char *p, size_t len);

#endif
