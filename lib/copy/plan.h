/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_PLAN_H
#define COPY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ranges.h"
#include "copy/errors.h"
#include "copy/ledger.h"
#include "copy/shape.h"
#include "digest/digest.h"

/*
 * The plan of a run: which bytes go where, in requests of which size, over
 * how many lanes.  Made once from the shapes of all disks, before anything
 * is written, and never changed: all lanes read it.
 *
 * What is to be copied is seen as one line of bytes, the pieces one after
 * the other; lanes claim stretches of that line (copy/cursor.h).  Each piece
 * starts at a position that is a multiple of align, so that a stretch of
 * aligned length is aligned on all disks too.
 */

#define COPY_LENGTH_ALL UINT64_MAX

enum copy_mode {
	COPY_MODE_COPY,		/* write everything */
	COPY_MODE_SYNC,		/* compare, and write what differs */
	COPY_MODE_VERIFY,	/* compare, and write nothing */
};

#define COPY_SPARSE_OFF UINT32_MAX

/* A range as asked for, in bytes. */
struct copy_range {
	uint64_t from;
	uint64_t length;	/* COPY_LENGTH_ALL: to the end of the source */
	uint64_t to;
};

struct copy_wish {
	enum copy_mode mode;
	const struct copy_range *ranges;	/* none: the whole disk */
	size_t n_ranges;
	bool may_be_empty;	/* one may begin where the source ends */
	uint32_t sample_ppm;			/* of them only so many
						   millionths, here and there;
						   0: all */
	uint64_t sample_seed;			/* where that is */
	unsigned connections;			/* 0: chosen */
	unsigned queue_depth;			/* 0: chosen */
	uint32_t request_size;			/* 0: chosen */
	bool allow_no_flush;
	bool is_zero_before;	/* the destinations read as zeroes: zeroes need
				   not be written */
	bool skips_holes;	/* what the source has in holes that are not
				   known to be zero does not matter */
	bool is_allocated;	/* zeroes are written as data */
	uint32_t sparse_grain;	/* zeroes among data are found in pieces of
				   this size, a power of two; 0: chosen,
				   COPY_SPARSE_OFF: not */
	bool zero_rest;		/* what lies behind the copy on a larger
				   destination is zeroed; not with ranges */
	uint64_t max_lag;	/* bytes that a slow destination may be behind
				   the others, in memory; 0: chosen */
	bool reconnects;	/* a lost connection may come back */
	bool keeps;		/* another run may go on from here */
	enum copy_on_error on_error[2];		/* by enum copy_side */
	unsigned retries;	/* of the smallest pieces */
	bool waits_for_space;	/* on a destination that is full */
	uint64_t max_bad_bytes;		/* that may be skipped */
	uint64_t max_bad_ranges;
	enum digest_algorithm digest;	/* of the whole, or DIGEST_NONE */
	bool digests_blocks;	/* and of each block */
	uint32_t align;		/* not 0: the ranges are pieces of another
				   plan, of this align; they are to have the
				   same places on the line */
};

struct copy_piece {
	uint64_t from;		/* bytes on the source */
	uint64_t to;		/* bytes on the destinations */
	uint64_t length;
	uint64_t position;	/* of its first byte on the line */
	uint32_t targets;	/* bit i: destination i gets it */
	bool is_rest;		/* zeroes, which no source has; from is to */
};

/*
 * What cannot be copied, because a server takes whole blocks only, and the
 * disk or the range ends inside one.
 */
struct copy_gap {
	enum copy_side blocks;	/* whose they are */
	uint32_t block;		/* bytes of one */
	uint32_t targets;	/* bit i: of destination i */
	uint64_t offset;	/* bytes, on the source; behind its end: on the
				   destination, where zeroes were to be */
	uint64_t length;
};

#define COPY_MAX_GAVE_UP 8

/* What a server lacks, and what is done without it. */
struct copy_gave_up {
	const char *sentence;	/* static */
	uint32_t targets;	/* bit i: of destination i, which it begins
				   with; 0: of the source, or of all */
};

struct copy_target_plan {
	uint64_t total_bytes;	/* that it gets */
	struct ranges done;	/* bytes on it that need not be looked at */
	uint64_t done_bytes;	/* of total_bytes, in done */
	bool use_zero;		/* send zeroes as write-zeroes */
	bool use_fast_zero;	/* zero much at once, before data */
	bool lacks_fast_zero;	/* it would, but that is not offered */
	bool use_trim;		/* of holes that are skipped */
	bool use_status;	/* ask it what is zero, when comparing */
	bool use_flush;
};

struct copy_plan {
	enum copy_mode mode;
	unsigned n_targets;
	struct copy_target_plan targets[COPY_MAX_TARGETS];
	struct copy_piece *pieces;
	size_t n_pieces;
	struct copy_gap *gaps;
	size_t n_gaps;
	uint64_t line_length;	/* the end of the line */
	uint64_t total_bytes;	/* to be copied to who gets most */
	uint32_t align;		/* of offsets and lengths on all disks */
	uint32_t grain;		/* a zero stretch is no finer than this, nor
				   what is written where disks differ */
	uint32_t sparse_grain;	/* zeroes among data are no finer; 0: they
				   are not looked for */
	bool sees_all;		/* all data are to be looked at */
	bool can_pipe;		/* data need not be seen, and can go through a
				   pipe */
	uint32_t sector;	/* differences are told in these */
	uint32_t request_size;	/* bytes of a read or write, to begin with */
	uint32_t max_request_size;	/* and at most */
	uint32_t zero_size;	/* most bytes of one write-zeroes */
	unsigned min_holes;	/* so many are zeroed at once, if they can */
	uint64_t claim_size;	/* what a lane takes from the line at first */
	unsigned queue_depth;	/* requests of a lane on their way at once, to
				   begin with */
	unsigned min_queue_depth;
	unsigned max_queue_depth;
	unsigned lanes;		/* to begin with */
	unsigned max_lanes;
	unsigned lag_slots;	/* more, for those that wait for a slow
				   destination only */
	uint64_t lag_bytes;	/* in them, of all lanes */
	bool use_status;	/* ask the source what is zero */
	bool skip_zeroes;	/* they are there already */
	bool skip_holes;	/* nothing is copied of what is not known to be
				   zero in them */
	bool reconnects;	/* what is lost with a connection is done
				   again, once it is back */
	enum copy_on_error on_error[2];		/* and so on: as wished */
	unsigned retries;
	bool waits_for_space;
	uint64_t max_bad_bytes;
	uint64_t max_bad_ranges;
	bool keeps;		/* what is durable counts, also if the run is
				   ended */
	enum digest_algorithm digest;	/* of the whole line */
	bool digests_blocks;	/* one for each block_size bytes of it */
	uint64_t block_size;
	uint64_t epoch_bytes;	/* a lane flushes after so many at the latest */
	struct copy_gave_up gave_up[COPY_MAX_GAVE_UP];
	size_t n_gave_up;
};

/*
 * Check and plan.  0, or why it must not be done, as a sentence that begins
 * with the side it is about: -EROFS read-only destination, -ENOSPC too
 * small, -ERANGE a range beyond the source, -EINVAL ranges that overlap or
 * do not lie on whole sectors, -EOPNOTSUPP a destination without flush.
 * -ENOMEM.  *ret_target: which destination, if it is about one.
 *
 * A tail that is no whole block of both servers is no reason to refuse the
 * rest: it becomes a gap.  It is not padded, since what lies behind it at the
 * destination is not ours to change, nor read, merged and written back, which
 * could undo what somebody else writes to that block meanwhile.
 */
int copy_plan_make(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[], unsigned n_destinations,
    const struct copy_wish *wish, unsigned *ret_target, struct error *e);
void copy_plan_done(struct copy_plan *plan);
/* Largest requests of half the size; false: they are small already. */
bool copy_plan_halve_requests(struct copy_plan *plan);

/*
 * Leave out what is right and durable already: of each destination, a set of
 * bytes on it.  Before the plan is used.  -ENOMEM: then it is left as it was.
 */
int copy_plan_resume(struct copy_plan *plan, const struct ranges done[]);

/*
 * The piece for one of these destinations that byte `to` of it lies in; there
 * is one.
 */
const struct copy_piece *copy_plan_piece_to(const struct copy_plan *plan,
    uint32_t targets, uint64_t to);

/* Does the source's content go into a digest? */
static inline bool
copy_plan_digests(const struct copy_plan *plan)
{
	return plan->digest != DIGEST_NONE || plan->digests_blocks;
}

/* How many bytes of the source there are in [from, to) of the line. */
uint64_t copy_plan_bytes_in(const struct copy_plan *plan, uint64_t from,
    uint64_t to);

/* The piece that position, which is less than line_length, lies in. */
const struct copy_piece *copy_plan_piece_at(const struct copy_plan *plan,
    uint64_t position);

#endif
