/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ranges.h"

/*
 * From where a run may go on.  Whoever makes one vouches for it: what it
 * calls durable was written and then flushed.  Text members are the
 * checkpoint's, made by malloc; NULL is written as "", and read so.
 */

#define STORE_MAX_DESTINATIONS 8
#define STORE_MAX_RECENT       64
#define STORE_TEXT_MAX	       65536	/* bytes of a text */

/* Bytes, as in a run's list of ranges. */
struct store_extent {
	uint64_t from;
	uint64_t length;
	uint64_t to;
};

/* One end, as it was found. */
struct store_side {
	uint64_t size;
	uint32_t min_block;
	uint32_t preferred_block;
	uint32_t max_block;
	uint32_t flags;			/* the server's transmission flags */
	bool is_read_only;
	char *identity;
};

struct store_destination {
	struct store_side side;
	struct ranges durable;		/* bytes of it */
};

struct store_checkpoint {
	char *job;
	uint64_t generation;		/* rises with every one of this job */
	char *mode;
	char *settings;			/* digest of those that matter */
	int64_t saved_at_ms;		/* real time since the epoch */
	struct store_extent *ranges;	/* none: the whole disk */
	size_t n_ranges;
	struct store_side source;
	struct store_destination destinations[STORE_MAX_DESTINATIONS];
	unsigned n_destinations;
	struct range recent[STORE_MAX_RECENT];	/* completed last, on
						   a destination */
	size_t n_recent;
};

/* Empty; NULL: out of memory. */
struct store_checkpoint *store_checkpoint_new(void);
/* With all that is in it. */
void store_checkpoint_free(struct store_checkpoint *checkpoint);

/*
 * As bytes, the same for the same checkpoint, and back.  -ENOMEM; -EINVAL:
 * it breaks a limit, a set is not sorted, ...; -EBADMSG: those are not the
 * bytes of a checkpoint.
 */
int store_checkpoint_encode(const struct store_checkpoint *checkpoint,
    uint8_t **ret_bytes, size_t *ret_len);
int store_checkpoint_decode(const uint8_t *bytes, size_t len,
    struct store_checkpoint **ret_checkpoint);

#endif
