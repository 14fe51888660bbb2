/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_STATS_H
#define TRANSFER_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "copy/ledger.h"

/*
 * Requests of all runs of this process, by side and kind: how many, how many
 * failed, how long they took.  Any thread.
 */

enum stats_error {
	STATS_IO,			/* "EIO" */
	STATS_NO_SPACE,			/* "ENOSPC" */
	STATS_NOT_PERMITTED,		/* "EPERM" */
	STATS_NOT_SUPPORTED,		/* "ENOTSUP" */
	STATS_LOST,			/* "ENOTCONN" */
	STATS_OTHER,			/* "other" */
	STATS_ERRORS,
};

#define STATS_BUCKETS 11		/* and one more for what is slower */

struct stats {
	const char *side;
	const char *command;
	uint64_t errors[STATS_ERRORS];
	uint64_t buckets[STATS_BUCKETS + 1];	/* not summed up */
	uint64_t sum_us;
};

/* In seconds, as text: what bucket i goes up to. */
const char *stats_limit(unsigned i);
const char *stats_error_name(enum stats_error error);

#define STATS_ROWS 14			/* what stats_get() takes */

/* The same of a job's runs, in short. */
struct stats_counts {
	_Atomic uint64_t ended[STATS_ROWS];	/* requests */
	_Atomic int64_t in_flight[2];		/* by enum copy_side */
};

/* One is on its way.  counts may be NULL. */
void stats_note_sent(struct stats_counts *counts, enum copy_side side);
/* It is no more.  error: 0, or a negative errno. */
void stats_note(struct stats_counts *counts, enum copy_side side,
    enum copy_op op, int error, uint64_t took_us);
/* Or nobody will know what became of it. */
void stats_note_lost(struct stats_counts *counts, enum copy_side side);

/* What a row is about. */
const char *stats_side(unsigned row);
const char *stats_command(unsigned row);

void stats_get(unsigned row, struct stats *ret);

#endif
