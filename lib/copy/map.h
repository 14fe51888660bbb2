/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_MAP_H
#define COPY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/cursor.h"
#include "copy/kind.h"
#include "copy/ledger.h"
#include "copy/plan.h"

/*
 * The stretches of the disk that a lane has before it: claimed from the
 * plan's line, sorted into data, zeroes and holes by what the source tells,
 * and not yet worked on.  One thread at a time, the lane's.
 *
 * A server's map may have any shape.  Zero stretches are rounded inwards to
 * the plan's grain and data outwards, so requests stay aligned on all disks
 * and a map in single bytes costs no more than one in blocks.  Only what is
 * known to read as zeroes is not read ("NBD_STATE_ZERO"); a hole whose
 * content is unknown ("NBD_STATE_HOLE" alone) is data, unless the plan skips
 * holes: then it is rounded like zeroes.
 */

/* One more that may need a stretch, besides the destinations. */
#define COPY_FOR_DIGEST (1U << COPY_MAX_TARGETS)

struct copy_stretch {
	uint64_t from;		/* bytes on the source */
	uint64_t to;		/* bytes on the destinations */
	uint64_t position;	/* on the plan's line */
	uint64_t length;
	enum copy_kind kind;
	uint32_t targets;	/* bit i: destination i needs it; or the digest
				   does */
};

struct copy_map {
	const struct copy_plan *plan;
	struct copy_cursor *cursor;
	struct copy_ledger *ledger;
	bool has_no_memory;	/* a stretch was lost: the lane has failed */

	/* The claim [.., claim_end) of the line, mapped up to position. */
	uint64_t position;
	uint64_t claim_end;
	uint64_t claim_size;
	bool claim_has_data;
	bool exhausted;		/* nothing is left to claim */

	struct copy_stretch *v;	/* v[first..end) are waiting */
	size_t first;
	size_t end;
	size_t room;
	size_t held;		/* v[held..end) may be held back: the last
				   answer, and what was put behind it */
	bool is_held;		/* by who set it */
	uint64_t data_bytes;	/* waiting */
	uint64_t zero_bytes;	/* and bytes of holes */

	/* The block status answer that is coming in, as source offsets. */
	uint64_t answer_from;	/* first byte asked for */
	uint64_t answer_end;	/* and behind the last */
	uint64_t answer_to;	/* answer_from on the destinations */
	uint32_t answer_targets;	/* who is to get it */
	uint64_t answer_position;	/* and on the line */
	uint64_t answered;	/* up to here the server has told */
	enum copy_kind run_kind;	/* what it ended with so far */
	uint64_t run_from;
	uint64_t run_end;
	uint64_t sorted;	/* up to here it is in the map */
};

/* How what the source has there is dealt with for this destination. */
enum copy_kind copy_map_kind(const struct copy_plan *plan, unsigned target,
    enum copy_kind kind);

/* cursor NULL: stretches come by copy_map_put() alone.  All are borrowed. */
void copy_map_init(struct copy_map *m, const struct copy_plan *plan,
    struct copy_cursor *cursor, struct copy_ledger *ledger);
void copy_map_done(struct copy_map *m);

/*
 * Have about so many bytes of data, or of zeroes, waiting, if there are any.
 * True: first the source is to be asked for the status of *ret_length bytes
 * from *ret_offset on; tell the answer before the next call.
 */
bool copy_map_extend(struct copy_map *m, uint64_t data_ahead,
    uint64_t zeroes_ahead, uint64_t *ret_offset, uint32_t *ret_length);

/*
 * The extents of the answer in order, from the offset on; what reaches past
 * the length is cut.  Then whether it came at all: error is 0 or negative.
 */
void copy_map_add_extent(struct copy_map *m, uint64_t length,
    enum copy_kind kind);
void copy_map_answered(struct copy_map *m, int error);

/* It will not come: what it has told is kept, the rest asked for again. */
void copy_map_unanswered(struct copy_map *m);

/* The next stretch, whole; NULL: none is waiting, or it is held back. */
const struct copy_stretch *copy_map_peek(const struct copy_map *m);

/* Take length bytes off its front. */
void copy_map_take(struct copy_map *m, uint64_t length);
/* Or off its end. */
void copy_map_take_end(struct copy_map *m, uint64_t length);

/* One of the list, which is taken off it by the caller, waits no more. */
void copy_map_forget(struct copy_map *m, const struct copy_stretch *stretch);

/* One more, behind all others. */
void copy_map_put(struct copy_map *m, const struct copy_stretch *stretch);

/* One more, before all others, and never held back. */
void copy_map_put_first(struct copy_map *m,
    const struct copy_stretch *stretch);

/* Stretch v[i] before all others. */
void copy_map_bring_forward(struct copy_map *m, size_t i);

/* Nothing waits, and nothing more will come of itself. */
bool copy_map_is_empty(const struct copy_map *m);

/* Nothing that these need. */
bool copy_map_is_empty_for(const struct copy_map *m, uint32_t targets);

#endif
