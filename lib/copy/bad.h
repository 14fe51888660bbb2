/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_BAD_H
#define COPY_BAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/errors.h"
#include "copy/ledger.h"
#include "copy/map.h"

/*
 * Ranges of a disk that a lane could not read or write.  They are tried again
 * in passes, while nothing else is under way there: first in smaller and
 * smaller pieces down to single sectors, every other pass from the end; then
 * the sectors that are left a few times more, after pauses.  What still fails
 * fails the disk, or is listed and skipped, by policy.  What fails for want
 * of space, or memory, is not cut up, but waited for.
 *
 * While a destination is tried again it is held: it gets nothing new, and the
 * others go on without it.  It catches up in the end.  The source holds all.
 */

struct copy_bad {
	struct copy_stretch what;
	enum copy_side side;
	enum copy_error_class class;
	int error;
};

/* Of one disk. */
struct copy_bads {
	struct copy_bad *v;	/* that wait for the next pass */
	size_t n;
	size_t room;
	struct copy_map trying;	/* those of this pass; only put and taken */
	unsigned pass;		/* 0: nothing is being tried again */
	unsigned n_pauses;	/* since something went well */
	bool has_urgent;	/* one of them is not to wait */
	bool is_pausing;	/* the pass begins after a pause */
	bool is_counted;	/* in the ledger, as trying again */
	unsigned n_loaded;	/* slots with pieces of this pass */
	int skipped;		/* the error of what was skipped last; 0: all
				   of it has been counted */
};

#endif
