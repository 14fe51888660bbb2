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
	bool can_trim;
	bool can_multi_conn;		/* a flush covers all connections */
	bool can_status;		/* block status of base:allocation */
	bool can_pipe;			/* its data can go through a pipe */
};

/*
 * Is it the same disk, as far as can be said, on another connection?  All
 * that was planned by holds for both, then.
 */
static inline bool
disk_shape_is_same(const struct disk_shape *a, const struct disk_shape *b)
{
	return a->size == b->size && a->block_minimum == b->block_minimum &&
	    a->block_maximum == b->block_maximum &&
	    a->read_only == b->read_only && a->can_flush == b->can_flush &&
	    a->can_zero == b->can_zero &&
	    a->can_multi_conn == b->can_multi_conn &&
	    a->can_status == b->can_status;
}

#endif
