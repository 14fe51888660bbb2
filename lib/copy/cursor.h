/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_CURSOR_H
#define COPY_CURSOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who copies what: lanes claim stretches of the plan's line one after the
 * other, so that a fast lane does more and no byte is claimed twice.  Any
 * thread.
 */
struct copy_cursor {
	_Atomic uint64_t next;
	uint64_t end;
};

static inline void
copy_cursor_init(struct copy_cursor *c, uint64_t end)
{
	atomic_init(&c->next, 0);
	c->end = end;
}

/*
 * Claim [*ret_from, *ret_to), at most len bytes.  false: all is claimed.
 */
static inline bool
copy_cursor_claim(struct copy_cursor *c, uint64_t len, uint64_t *ret_from,
    uint64_t *ret_to)
{
	uint64_t from;
	uint64_t to;

	from = atomic_load_explicit(&c->next, memory_order_relaxed);
	do {
		if (from >= c->end)
			return false;
		to = c->end - from < len ? c->end : from + len;
	} while (!atomic_compare_exchange_weak_explicit(&c->next, &from, to,
	    memory_order_relaxed, memory_order_relaxed));
	*ret_from = from;
	*ret_to = to;
	return true;
}

/* All is claimed. */
static inline bool
copy_cursor_is_at_end(const struct copy_cursor *c)
{
	return atomic_load_explicit(&c->next, memory_order_relaxed) >= c->end;
}

#endif
