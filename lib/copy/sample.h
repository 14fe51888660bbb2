/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_SAMPLE_H
#define COPY_SAMPLE_H

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

#endif
