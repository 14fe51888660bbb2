/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LANE_PRIVATE_H
#define COPY_LANE_PRIVATE_H

#include "copy/bad.h"
#include "copy/digest.h"
#include "copy/epoch.h"
#include "copy/lane.h"
#include "copy/map.h"
#include "copy/skip.h"

/*
 * The inside of a lane: lane.c gives requests out, load.c fills slots, slot.c
 * empties them, behind.c has what slow destinations are behind with, lost.c
 * what lost connections undo; outcome.c says what follows when requests end,
 * bad.c tries again, skip.c notes what is given up, compare.c looks for
 * differences.
 */

/* So many slots a destination that is tried again has, beside others. */
#define COPY_RETRY_SLOTS 2

struct copy_slot {
	struct list node;		/* of the free, or of those that lag */
	struct list digest_node;	/* of those that wait for the digest,
					   or that it has taken */
	struct copy_stretch what;	/* targets: those that still need it */
	unsigned n_given_out;
	bool is_loaded;
	bool is_lagging;		/* some destination is done with it */
	uint32_t here;			/* bit i: the bytes of destination i */
	bool is_source_here;
	uint32_t again;			/* destinations for which it is to be
					   done again, when all is back */
	bool is_size_refused;		/* in smaller pieces, that is */
	uint32_t bad;			/* of those, after a failure */
	uint32_t skipped;		/* of those, for good */
	int source_error;		/* that failure, if of the source */
	int target_errors[COPY_MAX_TARGETS];	/* or else, by destination */
	struct copy_bads *trying;	/* that its piece is of; NULL: none */
	uint32_t alone;			/* bit i: it was loaded for destination
					   i and no other one; 0: it was not */
	uint32_t compared[COPY_MAX_TARGETS];	/* or written, up to there,
						   from 0 */
	uint32_t differed[COPY_MAX_TARGETS];	/* bytes, of those */
	uint32_t told[COPY_MAX_TARGETS];	/* its status, up to there */
	uint32_t sorted[COPY_MAX_TARGETS];	/* and this far is it in the
						   map */
	struct copy_request source;
	struct copy_request targets[COPY_MAX_TARGETS];
};

struct lane_failures {
	struct copy_failure first;
	uint64_t n;
};

/* What is to be loaded next. */
enum copy_order {
	COPY_ANY_ORDER,
	COPY_FIRST_IS_URGENT,	/* the first of the map, however much else is
				   under way: the digest waits for it */
	COPY_FIRST_IS_HELD,	/* likewise, but it is not to be had yet:
				   nothing takes the slot it will need */
};

/* A lane's part in the digests. */
struct copy_digester {
	struct list waiting;		/* slots, in the order of the line */
	struct list taken;		/* till copy_lane_take_digested() */
	bool is_disordered;		/* reads are done again: the map may
					   hold what comes before a slot */
	bool is_held;			/* the gate lets nothing through */
	bool is_whole_void;		/* something will never be read: the
					   whole takes nothing more */
	bool is_void;			/* nor does any block */
	struct digest *block;		/* of the block that is under way */
	uint64_t block_index;
	uint64_t block_left;		/* bytes */
};

struct copy_lane {
	const struct copy_plan *plan;
	struct copy_ledger *ledger;
	const struct copy_tuning *tuning;
	struct copy_gate gate;		/* room NULL: there is none */
	struct copy_map map;
	struct copy_map behind;		/* for the end; only put and taken */
	struct copy_request map_request;
	struct copy_request flushes[COPY_MAX_TARGETS];
	struct copy_request clears[COPY_MAX_TARGETS];
	uint32_t clearing;		/* destinations that the map awaits */
	uint32_t cleared;		/* those that are zeroed there */
	uint32_t zeroing;		/* those that zero something yet, and
					   are not waited for any more */
	struct copy_epoch epochs[COPY_MAX_TARGETS];
	uint32_t away;			/* bit i: destination i is lost, and
					   may come back */
	bool is_source_away;
	uint32_t dropped;		/* those that have failed, here or on
					   another lane, with nothing since */

	struct copy_bads bads;		/* of the source */
	struct copy_bads target_bads[COPY_MAX_TARGETS];
	struct copy_skips skips;
	uint32_t held;			/* destinations that are tried again */
	bool is_turn_of_new;		/* after a piece of theirs */

	struct copy_slot *slots;
	unsigned n_slots;
	struct list free_slots;
	struct list lagging;		/* the oldest first */
	unsigned n_loaded;		/* slots, not free */
	unsigned n_lagging;		/* of them */
	uint64_t lag_bytes;		/* in those */
	unsigned n_alone[COPY_MAX_TARGETS];	/* loaded for this one alone,
						   beside others */

	struct list queues[1 + COPY_MAX_TARGETS];	/* the source's last */
	unsigned n_busy[1 + COPY_MAX_TARGETS];
	unsigned in_flight;

	struct copy_digester digester;

	struct lane_failures source_failures;
	struct lane_failures target_failures[COPY_MAX_TARGETS];

	struct copy_difference *differences;
	size_t n_differences;
	bool differences_are_cut;
};

/* So many of the last bad ranges may have a neighbour in what comes next. */
#define COPY_RECENT 64

static inline struct copy_bads *
copy_lane_bads(struct copy_lane *lane, enum copy_side side, unsigned target)
{
	return side == COPY_SOURCE ? &lane->bads : &lane->target_bads[target];
}

static inline uint32_t
copy_bit(unsigned target)
{
	return (uint32_t)1 << target;
}

/* lane.c */
/* Queue a request that has been described. */
void copy_lane_queue(struct copy_lane *lane, struct copy_request *req);
/* How many slots may be in progress. */
unsigned copy_lane_depth(const struct copy_lane *lane);
/* May one more be? */
bool copy_lane_has_depth(const struct copy_lane *lane);
/* Will zeroes of this length be taken as such? */
bool copy_lane_can_zero(const struct copy_lane *lane, unsigned target,
    uint32_t length);
/* And holes be trimmed? */
bool copy_lane_can_trim(const struct copy_lane *lane, unsigned target);

/* The largest request; what a server has refused for its size is none. */
uint32_t copy_lane_request_size(const struct copy_lane *lane);
/* The list of n, with room for one more; NULL: no memory, which is noted. */
void *copy_lane_make_room(struct copy_lane *lane, void *list, size_t n,
    size_t *room, size_t size);
/* Destinations that have failed need nothing, nor does a digest that has. */
uint32_t copy_lane_live_targets(const struct copy_lane *lane,
    uint32_t targets);

/* slot.c */
/* This destination needs the slot no more; the slot may be free then. */
void copy_slot_finish(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target);
/* See whether it is free. */
void copy_slot_settle(struct copy_lane *lane, struct copy_slot *slot);
/* What is to be done again is put back, as far as none of it is on its way. */
void copy_slot_again(struct copy_lane *lane, struct copy_slot *slot);

/* load.c */
/* Have a slot do what comes next; false: there is nothing now, or no slot. */
bool copy_lane_load(struct copy_lane *lane);

/* behind.c */
/* Requests that one of several destinations may have, sent or not. */
unsigned copy_lane_share_of_one(const struct copy_lane *lane);
/*
 * Before others, the first stretch that may be begun; false: there is none.
 * What one destination alone needs may be no more than its share.
 */
bool copy_lane_find_room(struct copy_lane *lane);
/* Count a slot that one destination alone needs, till it is free. */
void copy_slot_begin_alone(struct copy_lane *lane, struct copy_slot *slot);
void copy_slot_end_alone(struct copy_lane *lane, struct copy_slot *slot);
/*
 * One destination is done with the slot and others are not: from now on it
 * does not count as work in progress, but as what the slow ones keep.
 */
void copy_slot_begin_lagging(struct copy_lane *lane, struct copy_slot *slot);
void copy_slot_end_lagging(struct copy_lane *lane, struct copy_slot *slot);
/* To be done at the end, for these destinations. */
void copy_lane_put_behind(struct copy_lane *lane,
    const struct copy_stretch *stretch, uint32_t targets);
/*
 * A destination that would be left behind with too many pieces is not given
 * new ones.  Those that it has lag.
 */
void copy_lane_leave_out(struct copy_lane *lane, struct copy_stretch *s);
/* Those that cannot take it now are not waited for by the others. */
void copy_lane_leave_absent(struct copy_lane *lane, struct copy_stretch *s,
    const struct copy_bads *trying);
/* Is there no destination that anything new can be done for now? */
bool copy_lane_all_are_absent(const struct copy_lane *lane);
/*
 * At the end, what was left behind is done like anything else; but for
 * destinations that cannot take it now.
 */
void copy_lane_catch_up(struct copy_lane *lane);

/* outcome.c */
/* Its disk fails with it, for another reason than the server's answer. */
void copy_lane_fail_request(struct copy_lane *lane,
    const struct copy_request *req, int error, const char *message);
/* Destinations that have failed on another lane keep nothing here. */
void copy_lane_drop_failed(struct copy_lane *lane);
/*
 * length bytes of the slot, from `from` on, need no more attention of this
 * destination than a flush.
 */
void copy_slot_note_done(struct copy_lane *lane, const struct copy_slot *slot,
    unsigned target, uint32_t from, uint64_t length);

/* clear.c */
/* The map has got an answer: is it to be zeroed at once? */
void copy_clear_begin(struct copy_lane *lane);
/* What is to be sent for that, if anything. */
struct copy_request *copy_clear_next(struct copy_lane *lane);
/* It has ended, well or not. */
void copy_clear_ended(struct copy_lane *lane, unsigned target,
    bool is_cleared);
/* How long the others wait for this one's; 0: they do not. */
uint64_t copy_clear_patience_ms(const struct copy_lane *lane,
    unsigned target);
/* They have waited long enough, if they still do. */
void copy_clear_leave(struct copy_lane *lane, unsigned target);
/* What was zeroed may be gone with the connection. */
void copy_clear_lost(struct copy_lane *lane, unsigned target);

/* sparse.c */
/*
 * A slot's bytes are all known, or do not matter: write what comes next, as
 * data or zeroes, trim it, or be done with it for this destination.
 */
void copy_slot_write(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target);
/* The part that was being written is. */
void copy_slot_written(struct copy_lane *lane, struct copy_request *req);
/* Does another part follow the one that is being written? */
bool copy_slot_has_more(const struct copy_slot *slot, unsigned target);

/* bad.c */
void copy_bads_init(struct copy_lane *lane);
void copy_bads_done(struct copy_lane *lane);
/*
 * A request has failed: is it tried again, or left out?  Then its slot knows.
 * false: its disk has failed.
 */
bool copy_bads_take(struct copy_lane *lane, struct copy_request *req,
    int error);
/* Put away what has failed of a slot; the targets for which nothing has. */
uint32_t copy_bads_put(struct copy_lane *lane, const struct copy_slot *slot,
    uint32_t targets);
/* Nothing of this destination is tried again any more. */
void copy_bads_forget(struct copy_lane *lane, unsigned target);
/*
 * What is to be tried again now, in a pass that may begin here.  NULL: there
 * is nothing now; *ret_is_due: nor may anything new be begun.
 */
struct copy_bads *copy_bads_next(struct copy_lane *lane, bool *ret_is_due);
/* Is what the source has failed at being tried again, or to be first? */
bool copy_bads_go_first(const struct copy_lane *lane);
/* The largest request of this pass. */
uint32_t copy_bads_request_size(const struct copy_lane *lane,
    const struct copy_bads *b);
/* And from the end of each stretch on? */
bool copy_bads_go_back(const struct copy_bads *b);
/* Nothing waits to be tried again, on any disk. */
bool copy_bads_are_empty(const struct copy_lane *lane);
/* Something that was to be tried again is lost. */
bool copy_bads_lack_memory(const struct copy_lane *lane);

/* skip.c */
/*
 * May the slot's bytes be skipped on the disk that has failed with this
 * request?  They are counted.  false: they are too many, and it has failed.
 */
bool copy_skips_allow(struct copy_lane *lane, const struct copy_request *req,
    int error);
/* What the slot was to skip on destinations is tried again, after all. */
void copy_skips_take_back(struct copy_lane *lane, struct copy_slot *slot);
/* It is skipped; target: the destination, if it is one that has failed. */
void copy_skips_add(struct copy_lane *lane, const struct copy_bad *bad,
    unsigned target);
/* When slots are settled: more ranges than may be skipped fail the disk. */
void copy_skips_check(struct copy_lane *lane);
void copy_skips_done(struct copy_lane *lane);

/* digest.c */
int copy_digester_init(struct copy_lane *lane);
void copy_digester_done(struct copy_lane *lane);
/* A slot has been loaded that the digest needs. */
void copy_slot_await_digest(struct copy_lane *lane, struct copy_slot *slot);
/* One has been loaded: is what its destinations get what the digest takes? */
void copy_slot_note_unlike(struct copy_lane *lane,
    const struct copy_slot *slot);
/* Its read is done again: the digest waits for that. */
void copy_slot_leave_digest(struct copy_lane *lane, struct copy_slot *slot);
/* Something is given up for good: there is no digest of the whole. */
void copy_lane_leave_out_of_digest(struct copy_lane *lane);
/* Something has failed so, and is tried again: is there a digest that waits? */
bool copy_lane_digest_awaits(const struct copy_lane *lane,
    enum copy_error_class class);
/* Let the digest have what it can take now. */
void copy_lane_digest(struct copy_lane *lane);
/* Where the order is lost: have what the digest waits for first in the map. */
enum copy_order copy_lane_order_for_digest(struct copy_lane *lane);

/* compare.c */
/* The bytes of both are here: go on behind what is compared. */
void copy_slot_compare(struct copy_lane *lane, struct copy_slot *slot,
    unsigned target);

#endif
