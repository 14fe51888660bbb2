/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edit distance: insertions, deletions, replacements and swaps of
 * neighbours, each counting one.  Words are names and keys, so short rows on
 * the stack do.
 */

#include "conf/nearest.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_MAX 63

void
nearest_init(struct nearest *nearest, const char *word)
{
	size_t len = strlen(word);

	nearest->word = word;
	nearest->best = NULL;
	/* Beyond a third of the word it is another word, not a slip. */
	nearest->distance = (unsigned)(len < 3 ? 1 : len / 3) + 1;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][LENGTH_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *oldest = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(last[j] + 1, row[j - 1] + 1,
			    last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

void
nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word);
	size_t candidate_len = strlen(candidate);
	unsigned d;

	if (len > LENGTH_MAX || candidate_len > LENGTH_MAX)
		return;
	d = distance(nearest->word, len, candidate, candidate_len);
	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->best = candidate;
	}
}

char *
nearest_hint(const struct nearest *nearest, char buf[NEAREST_HINT_SIZE])
{
	buf[0] = '\0';
	if (nearest->best != NULL)
		(void)snprintf(buf, NEAREST_HINT_SIZE,
		    " (did you mean \"%s\"?)", nearest->best);
	return buf;
}
