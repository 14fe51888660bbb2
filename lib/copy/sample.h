/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_SAMPLE_H
#define COPY_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/plan.h"

/*
 * A few blocks of what a destination is to get: the first, the last, and some
 * at random.  They tell whether what is said of a whole disk is plainly wrong;
 * they cannot tell that it is right.
 */

#define COPY_SAMPLE_SIZE 4096	/* or a block of the servers, if larger */
#define COPY_MAX_SAMPLES 66

struct copy_sample {
	uint64_t offset;	/* bytes, on the destination */
	uint32_t length;
};

/* Returns how many.  The same seed gives the same ones. */
size_t copy_samples(const struct copy_plan *plan, unsigned target,
    uint64_t seed, struct copy_sample samples[COPY_MAX_SAMPLES]);

/*
 * A sample of a range: of each stretch of it a piece, somewhere in it, so that
 * all pieces are so many millionths of the range; but at least one.  They are
 * in order, and begin a multiple of COPY_SPOT_SIZE after the range.
 */
#define COPY_SPOT_SIZE (1024U * 1024)
#define COPY_MAX_SPOTS 8192	/* of a range; then they are larger */

struct copy_spots {
	struct copy_range range;
	uint64_t stretch;
	uint64_t piece;
	uint64_t at;		/* bytes of the range that are dealt with */
	uint64_t seed;
};

/* ppm from 1 to 1000000.  The same seed gives the same ones. */
void copy_spots_init(struct copy_spots *spots, const struct copy_range *range,
    uint32_t ppm, uint64_t seed);
/* false: there are no more. */
bool copy_spots_next(struct copy_spots *spots, struct copy_range *ret_spot);

#endif
