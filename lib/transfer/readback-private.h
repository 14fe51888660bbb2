/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_READBACK_PRIVATE_H
#define TRANSFER_READBACK_PRIVATE_H

#include "copy/plan.h"
#include "transfer/series-private.h"

/* What readback.c, the passes, and readback-blocks.c share. */

/* What a pass does. */
enum readback_stage {
	STAGE_READ,		/* all of a destination */
	STAGE_AGAIN,		/* what has differed */
	STAGE_COMPARE,		/* with the source */
};

/* Blocks of the line, in order. */
struct blocks {
	uint64_t *v;
	size_t n;
};

struct readback {
	struct run_spec spec;		/* of the copy */
	struct endpoint_spec *nowhere;	/* where what is read back goes */
	struct run *copied;		/* the copy, which has ended; NULL: */
	struct run_line *stored;	/* an earlier one */
	struct copy_plan stored_plan;	/* of that; its pieces only */
	const struct copy_plan *plan;	/* of one of them */
	const struct run_block_digest *was;	/* likewise */
	size_t n_was;
	struct run_result result;	/* its own, and what is added to it */
	unsigned target;		/* the destination that is read */
	enum readback_stage stage;
	struct blocks suspects;		/* whose digests differ */
	struct blocks unknowns;		/* without a digest */
	uint64_t verified_bytes;
	uint64_t again_bytes;		/* right when they were read again */
	uint64_t compared_bytes;
	uint64_t unverified_bytes;
	uint64_t unverified_from;	/* the first, on the destination */
	bool has_no_memory;
	struct run_difference *differences;
	size_t n_differences;
	bool differences_are_cut;
	struct run_range *ranges;	/* of the pass */
	size_t n_ranges;
	struct error errors[RUN_MAX_DESTINATIONS];
	const char **gave_up;
	char again_note[192];
	char compared_note[192];
	char unverified_note[192];
	char narrow_note[ERROR_TEXT_SIZE];
};

/* Was the piece written to the destination that is read? */
bool readback_was_written(const struct readback *b,
    const struct copy_piece *p);
/* So much of the line lies in a block. */
uint64_t readback_bytes_of(const struct readback *b, uint64_t index);

/* To those of the next pass. */
void readback_add_range(struct readback *b, const struct run_range *range);
/* The same for all that lies in these blocks. */
void readback_take_blocks(struct readback *b, const struct blocks *blocks);

/* Neighbours are one. */
void readback_add_difference(struct readback *b, uint64_t offset,
    uint64_t length);
/* All of the suspects does; there are none then. */
void readback_suspects_differ(struct readback *b);

/*
 * A destination has been read: each block is the same, or a suspect, or there
 * is no digest to tell.
 */
void readback_judge_blocks(struct series *s);
/*
 * The suspects have been read again, block after block: all of them but the
 * last are whole, since a destination was read as it was written.
 */
void readback_judge_again(struct series *s);
/*
 * A comparison with the source has told where in the suspects the differences
 * are; those of which it tells nothing stay.
 */
void readback_narrow(struct readback *b, const struct run_result *r);

#endif
