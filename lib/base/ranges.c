/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of byte ranges: a sorted array in which no two ranges touch.  Adding
 * in ascending order, the common case, is an append or a merge at the end.
 */
#include "base/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
range_end(const struct range *r)
{
	return r->offset + r->len;
}

/* The index of the first range that ends after offset. */
static size_t
find_end_after(const struct ranges *set, uint64_t offset)
{
	size_t low = 0;
	size_t high = set->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (range_end(&set->v[mid]) > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static int
make_room(struct ranges *set)
{
	size_t room = set->room == 0 ? 8 : set->room * 2;
	struct range *v;

	if (set->n < set->room)
		return 0;
	v = reallocarray(set->v, room, sizeof *v);
	if (v == NULL)
		return -ENOMEM;
	set->v = v;
	set->room = room;
	return 0;
}

static void
close_gaps(struct ranges *set, size_t i, size_t n)
{
	memmove(&set->v[i], &set->v[i + n],
	    (set->n - i - n) * sizeof set->v[0]);
	set->n -= n;
}

static int
insert(struct ranges *set, size_t i, uint64_t offset, uint64_t len,
    size_t max_n)
{
	int r;

	if (set->n >= max_n)
		return -E2BIG;
	r = make_room(set);
	if (r < 0)
		return r;
	memmove(&set->v[i + 1], &set->v[i], (set->n - i) * sizeof set->v[0]);
	set->v[i] = (struct range){ .offset = offset, .len = len };
	set->n++;
	return 0;
}

void
ranges_init(struct ranges *set)
{
	*set = (struct ranges){ .v = NULL };
}

void
ranges_done(struct ranges *set)
{
	free(set->v);
	ranges_init(set);
}

void
ranges_clear(struct ranges *set)
{
	set->n = 0;
}

int
ranges_add_new(struct ranges *set, uint64_t offset, uint64_t len, size_t max_n)
{
	uint64_t end;
	size_t i;
	bool touches_left;
	bool touches_right;

	if (__builtin_add_overflow(offset, len, &end))
		return -EOVERFLOW;
	if (len == 0)
		return 0;
	i = find_end_after(set, offset);
	if (i < set->n && set->v[i].offset < end)
		return -EEXIST;
	touches_left = i > 0 && range_end(&set->v[i - 1]) == offset;
	touches_right = i < set->n && set->v[i].offset == end;
	if (!touches_left && !touches_right)
		return insert(set, i, offset, len, max_n);
	if (touches_right) {
		set->v[i].offset = offset;
		set->v[i].len += len;
	}
	if (touches_left) {
		set->v[i - 1].len += touches_right ? set->v[i].len : len;
		if (touches_right)
			close_gaps(set, i, 1);
	}
	return 0;
}

bool
ranges_cover(const struct ranges *set, uint64_t offset, uint64_t len)
{
	size_t i;

	if (len == 0)
		return true;
	i = find_end_after(set, offset);
	return i < set->n && range_is_within(offset, len, set->v[i].offset,
	    set->v[i].len);
}

/* How many ranges, from i on, begin at or before end. */
static size_t
count_until(const struct ranges *set, size_t i, uint64_t end)
{
	size_t n = 0;

	while (i + n < set->n && set->v[i + n].offset <= end)
		n++;
	return n;
}

int
ranges_add(struct ranges *set, uint64_t offset, uint64_t len)
{
	uint64_t end;
	uint64_t last_end;
	size_t i;
	size_t n;

	if (__builtin_add_overflow(offset, len, &end))
		return -EOVERFLOW;
	if (len == 0)
		return 0;
	/* The first that touches from the left, or lies behind. */
	i = find_end_after(set, offset > 0 ? offset - 1 : 0);
	n = count_until(set, i, end);
	if (n == 0)
		return insert(set, i, offset, len, SIZE_MAX);
	if (set->v[i].offset < offset)
		offset = set->v[i].offset;
	last_end = range_end(&set->v[i + n - 1]);
	if (last_end > end)
		end = last_end;
	set->v[i] = (struct range){ .offset = offset, .len = end - offset };
	close_gaps(set, i + 1, n - 1);
	return 0;
}

int
ranges_add_all(struct ranges *set, const struct ranges *other)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < other->n; i++)
		r = ranges_add(set, other->v[i].offset, other->v[i].len);
	return r;
}

int
ranges_remove(struct ranges *set, uint64_t offset, uint64_t len)
{
	uint64_t end;
	uint64_t old_end;
	size_t i;
	int r;

	if (__builtin_add_overflow(offset, len, &end))
		return -EOVERFLOW;
	i = find_end_after(set, offset);
	if (len == 0 || i == set->n || set->v[i].offset >= end)
		return 0;
	old_end = range_end(&set->v[i]);
	if (set->v[i].offset < offset) {
		if (old_end > end) {
			r = insert(set, i + 1, end, old_end - end, SIZE_MAX);
			if (r < 0)
				return r;
		}
		set->v[i].len = offset - set->v[i].offset;
		i++;
	}
	while (i < set->n && range_end(&set->v[i]) <= end)
		close_gaps(set, i, 1);
	if (i < set->n && set->v[i].offset < end) {
		set->v[i].len = range_end(&set->v[i]) - end;
		set->v[i].offset = end;
	}
	return 0;
}

uint64_t
ranges_total(const struct ranges *set)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < set->n; i++)
		total += set->v[i].len;
	return total;
}

uint64_t
ranges_run_at(const struct ranges *set, uint64_t offset, uint64_t len,
    bool *ret_is_in)
{
	size_t i = find_end_after(set, offset);
	uint64_t left;

	*ret_is_in = i < set->n && set->v[i].offset <= offset;
	if (i == set->n)
		return len;
	left = *ret_is_in ? range_end(&set->v[i]) - offset :
			    set->v[i].offset - offset;
	return left < len ? left : len;
}
