/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_SHAPE_H
#define COPY_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A disk as the engine sees it: what it has said of itself.
 */
struct disk_shape {
	uint64_t size;			/* bytes */
	uint32_t block_minimum;		/* power of two; 1: any byte */
	uint32_t block_preferred;	/* power of two, >= block_minimum */
	uint32_t block_maximum;		/* largest read or write, bytes */
	bool read_only;
	bool can_flush;
	bool can_zero;			/* write-zeroes */
	bool can_fast_zero;		/* and it fails at once where slow */
	bool can_multi_conn;		/* a flush covers all connections */
	bool can_status;		/* block status of base:allocation */
};

#endif
