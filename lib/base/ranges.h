/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A set of byte ranges, kept sorted and merged.  Used to know which bytes of
 * a request a peer has delivered, and which of a disk are done.
 */

struct range {
	uint64_t offset;
	uint64_t len;
};

struct ranges {
	struct range *v;
	size_t n;
	size_t room;
};

/* Empty, without allocation. */
void ranges_init(struct ranges *set);
/* Give the memory back; the set is empty again. */
void ranges_done(struct ranges *set);
void ranges_clear(struct ranges *set);

/*
 * Add [offset, offset+len).  0; -EEXIST if any byte of it is in the set
 * already (nothing is added); -ENOMEM; -EOVERFLOW if offset+len wraps;
 * -E2BIG if the set would have more than max_n disjoint ranges.
 */
int ranges_add_new(struct ranges *set, uint64_t offset, uint64_t len,
    size_t max_n);

/* Is every byte of [offset, offset+len) in the set? */
bool ranges_cover(const struct ranges *set, uint64_t offset, uint64_t len);

/*
 * Safe bounds check: does [offset, offset+len) lie within
 * [outer_offset, outer_offset+outer_len), without wrapping?
 */
static inline bool
range_is_within(uint64_t offset, uint64_t len, uint64_t outer_offset,
    uint64_t outer_len)
{
	return len <= outer_len && offset >= outer_offset &&
	    offset - outer_offset <= outer_len - len;
}

#endif
