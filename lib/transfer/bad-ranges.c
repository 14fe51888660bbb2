/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists of what was skipped, as lanes and passes have told it.
 */

#include "transfer/bad-ranges.h"

#include <stdbool.h>
#include <stdlib.h>

/* Of two with the same beginning the longer one comes first. */
static int
compare(const void *a, const void *b)
{
	const struct run_bad_range *x = a;
	const struct run_bad_range *y = b;

	if (x->destination != y->destination)
		return x->destination < y->destination ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->length > y->length ? -1 : x->length < y->length;
}

static bool
is_same_trouble(const struct run_bad_range *a, const struct run_bad_range *b)
{
	return a->destination == b->destination && a->side == b->side &&
	    a->errnum == b->errnum && a->offset + a->length == b->offset &&
	    a->to + a->length == b->to;
}

/* Was it told before? */
static bool
lies_in(const struct run_bad_range *a, const struct run_bad_range *b)
{
	return a->destination == b->destination && b->offset >= a->offset &&
	    b->offset + b->length <= a->offset + a->length &&
	    b->to - b->offset == a->to - a->offset;
}

size_t
bad_ranges_sort(struct run_bad_range *v, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(v, n, sizeof *v, compare);
	for (size_t i = 1; i < n; i++) {
		if (is_same_trouble(&v[kept], &v[i]))
			v[kept].length += v[i].length;
		else if (!lies_in(&v[kept], &v[i]))
			v[++kept] = v[i];
	}
	return kept + 1;
}
