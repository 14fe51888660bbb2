/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "nbd/session.h"

/*
 * A fuzz target is LLVMFuzzerTestOneInput() and a name; main() is libFuzzer's
 * ("make fuzz") or that of replay.c ("make check").
 */
extern const char fuzz_target[];
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input: else the run ends as a find. */
#define FUZZ_CHECK(condition)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

/* At the owner of a READ that has no iov. */
struct fuzz_place {
	uint8_t *buffer;	/* for all of its data */
	bool pipes;		/* they go past the session ... */
	bool leaves;		/* ... but not all of them */
	size_t n_here;		/* for feed.c, as is this: */
	struct iovec iov;
};

/*
 * Give the session size bytes from its peer, or as many as it takes, and let
 * it send all it wants; returns how many it took.  cut decides how the stream
 * is cut into receives: 0: not at all, else into pieces of 1 to cut bytes.
 */
size_t fuzz_feed(struct nbd_session *s, const uint8_t *data, size_t size,
    uint8_t cut);
/* Let the session send all it wants. */
void fuzz_drain(struct nbd_session *s);

#endif
