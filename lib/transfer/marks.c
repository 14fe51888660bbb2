/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/marks.h"

#include <string.h>

/* So far is looked for something that is not zero. */
#define LOOK_SIZE 4096

void
marks_init(struct marks *m)
{
	memset(m, 0, sizeof *m);
	(void)pthread_mutex_init(&m->lock, NULL);
}

void
marks_done(struct marks *m)
{
	(void)pthread_mutex_destroy(&m->lock);
}

void
marks_clear(struct marks *m)
{
	(void)pthread_mutex_lock(&m->lock);
	memset(m->n, 0, sizeof m->n);
	(void)pthread_mutex_unlock(&m->lock);
}

void
mark_take(struct mark *mark, uint64_t offset, const unsigned char *bytes,
    size_t n)
{
	size_t end = n < LOOK_SIZE ? n : LOOK_SIZE;
	size_t i = 0;

	while (i < end && bytes[i] == 0)
		i++;
	mark->offset = offset + i;
	mark->n = i == end ? 0 :
	    n - i < MARK_SIZE ? (uint32_t)(n - i) :
				MARK_SIZE;
	memcpy(mark->bytes, bytes + i, mark->n);
}

void
marks_add(struct marks *m, unsigned disk, const struct mark *mark)
{
	if (mark->n == 0)
		return;
	(void)pthread_mutex_lock(&m->lock);
	m->v[disk][m->n[disk]++ % MAX_MARKS] = *mark;
	(void)pthread_mutex_unlock(&m->lock);
}

size_t
marks_get(struct marks *m, unsigned disk, struct mark v[MAX_MARKS])
{
	size_t n;

	(void)pthread_mutex_lock(&m->lock);
	n = m->n[disk] < MAX_MARKS ? m->n[disk] : MAX_MARKS;
	memcpy(v, m->v[disk], n * sizeof *v);
	(void)pthread_mutex_unlock(&m->lock);
	return n;
}
