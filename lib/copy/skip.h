/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_SKIP_H
#define COPY_SKIP_H

#include <stddef.h>
#include <stdint.h>

#include "copy/ledger.h"

/*
 * Ranges that were skipped, since a disk could not be read, or written, there
 * however often it was tried (copy/bad.h).
 */

struct copy_bad_range {
	enum copy_side side;
	uint32_t targets;	/* bit i: destination i lacks it */
	uint64_t offset;	/* bytes, on the source */
	uint64_t to;		/* on the destinations */
	uint64_t length;
	int error;
};

/* Those of all disks. */
struct copy_skips {
	struct copy_bad_range *v;
	size_t n;
	size_t room;
};

#endif
