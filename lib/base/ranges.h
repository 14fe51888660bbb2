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

/*
 * Add [offset, offset+len), parts of which may be in the set already.  0;
 * -ENOMEM and -EOVERFLOW as above, with the set unchanged.
 */
int ranges_add(struct ranges *set, uint64_t offset, uint64_t len);

/* Add all of other.  0; -ENOMEM: a part of it may have been added. */
int ranges_add_all(struct ranges *set, const struct ranges *other);

/* Take out what of [offset, offset+len) is in the set.  0; -ENOMEM, with the
   set unchanged; -EOVERFLOW. */
int ranges_remove(struct ranges *set, uint64_t offset, uint64_t len);

/* Bytes in the set. */
uint64_t ranges_total(const struct ranges *set);

/*
 * How many of the len bytes from offset on, which is at least 1, are alike:
 * all in the set (*ret_is_in), or all not.
 */
uint64_t ranges_run_at(const struct ranges *set, uint64_t offset, uint64_t len,
    bool *ret_is_in);

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
