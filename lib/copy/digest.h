/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_DIGEST_H
#define COPY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/plan.h"
#include "digest/digest.h"

/*
 * The digests of what a run has read from the source: of the whole line, and
 * of each block of it.  A digest takes bytes in the order of the line only.
 * The whole is one lane's to take; of the blocks, each lane takes those that
 * it has claimed.
 */

#define COPY_BLOCK_SIZE	 (64U * 1024 * 1024)
#define COPY_BLOCK_VALUE 16		/* bytes: XXH3 */
#define COPY_MAX_BLOCKS	 (1U << 24)	/* that is 1 PiB */

/* Of the bytes of the line from i * plan->block_size on. */
struct copy_block_digest {
	unsigned char value[COPY_BLOCK_VALUE];
	bool is_known;		/* all of its bytes have been read */
	_Atomic uint32_t unlike;	/* bit i: destination i was sent bytes
				   of another read, or of an earlier run; set
				   by any lane */
};

struct copy_digests {
	struct digest *whole;		/* NULL: not wanted */
	uint64_t whole_bytes;		/* it has taken */
	struct copy_block_digest *blocks;	/* NULL: not wanted */
	size_t n_blocks;
	struct copy_block_digest zeroes;	/* of a whole block of them */
};

/* As the plan has them.  -ENOMEM. */
int copy_digests_init(struct copy_digests *d, const struct copy_plan *plan);
void copy_digests_done(struct copy_digests *d);

#endif
