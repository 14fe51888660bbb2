/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/differences.h"

#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const struct run_difference *x = a;
	const struct run_difference *y = b;

	if (x->destination != y->destination)
		return x->destination < y->destination ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Both overlap, or touch. */
static void
join(struct run_difference *to, const struct run_difference *from)
{
	uint64_t end = to->offset + to->length;

	if (from->offset + from->length > end)
		to->length = from->offset + from->length - to->offset;
	to->is_zero_at_source &= from->is_zero_at_source;
	to->is_zero_at_destination &= from->is_zero_at_destination;
}

size_t
differences_sort(struct run_difference *v, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(v, n, sizeof *v, compare);
	for (size_t i = 1; i < n; i++) {
		uint64_t end = v[kept].offset + v[kept].length;

		if (v[i].destination != v[kept].destination ||
		    v[i].offset > end)
			v[++kept] = v[i];
		else
			join(&v[kept], &v[i]);
	}
	return kept + 1;
}
