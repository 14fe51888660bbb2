/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CRASH_VFS_H
#define CRASH_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A file system for SQLite, in memory, that keeps a log of what was done to
 * it, can be cut off at any point of that log as a power cut would, and fails
 * at the n-th call.  One at a time, under the name "crash".  Any thread, but
 * only one at once.
 */

#define CRASH_VFS "crash"

/* Empty files, an empty log, no fault. */
void crash_reset(void);

/* Changes so far: writes, truncations, syncs, deletions. */
size_t crash_n_changes(void);

enum crash_kind {
	CRASH_ALL,		/* what was not synced survives */
	CRASH_NONE,		/* it is lost */
	CRASH_TORN,		/* half of the last write is */
	CRASH_RANDOM,		/* any sector of any write may be */
	CRASH_LYING,		/* the same, and no sync has meant anything */
	CRASH_KINDS,
};

const char *crash_kind_name(enum crash_kind kind);

/*
 * The files as they are when the power fails after n changes.  The log stays:
 * this may be done again, with other arguments.
 */
void crash_cut(size_t n, enum crash_kind kind, uint64_t seed);

/* From now on nothing is logged. */
void crash_stop_logging(void);

enum crash_fault {
	CRASH_EIO,
	CRASH_ENOSPC,		/* of what writes; the rest goes on */
};

/*
 * The nth call from now, counted from 1, fails; if stays, all later ones do.
 * 0: none.
 */
void crash_fail_at(unsigned n, enum crash_fault fault, bool stays);
/* Has it happened? */
bool crash_has_failed(void);

#endif
