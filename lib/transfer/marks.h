/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_MARKS_H
#define TRANSFER_MARKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/plan.h"

/*
 * What the disks of a run hold in a few places, so that one whose server was
 * away is known again: of a disk that is read, what was read; of one that is
 * written, what was written and flushed since, which has to be there.  Zeroes
 * tell nothing: every new disk has them.
 */

#define MARK_SIZE 32	/* bytes, at most */
#define MAX_MARKS 32	/* of each disk; then old ones go */

struct mark {
	uint64_t offset;	/* bytes, on the disk */
	uint32_t n;		/* of the bytes; 0: there is no mark */
	unsigned char bytes[MARK_SIZE];
};

/* Of each disk: the source, and then the destinations. */
struct marks {
	pthread_mutex_t lock;	/* held for moments */
	struct mark v[1 + COPY_MAX_TARGETS][MAX_MARKS];
	size_t n[1 + COPY_MAX_TARGETS];	/* ever */
};

void marks_init(struct marks *m);
void marks_done(struct marks *m);
void marks_clear(struct marks *m);

/* Of n bytes at this offset, the first that are not zero, if any. */
void mark_take(struct mark *mark, uint64_t offset, const unsigned char *bytes,
    size_t n);

/* Any thread.  One that is none is not added. */
void marks_add(struct marks *m, unsigned disk, const struct mark *mark);
/* Any thread.  Returns how many there are. */
size_t marks_get(struct marks *m, unsigned disk, struct mark v[MAX_MARKS]);

#endif
