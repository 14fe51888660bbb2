/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_PROGRESS_H
#define TRANSFER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/run.h"

/*
 * Rates and the time left, from snapshots of a run and the times they were
 * taken at: what the daemon tells and a bar shows are the same figures.  No
 * clock in here.
 */

/* An average that forgets: old values fade with the time constant. */
struct progress_average {
	double sum;
	double weight;
};

struct progress {
	struct run_progress last;
	uint64_t last_ms;		/* when it was taken */
	uint64_t first_ms;		/* of the first snapshot */
	uint64_t moved_ms;		/* when done_bytes last grew */
	bool has_last;
	struct progress_average shown;	/* 5 s: the rate that is shown */
	struct progress_average slow;	/* 60 s: for the time left */
};

void progress_init(struct progress *p);

/* A snapshot of the run, taken at now_ms (monotonic). */
void progress_update(struct progress *p, const struct run_progress *snapshot,
    uint64_t now_ms);

/*
 * Bytes that nothing is left to do for: done, or tried until they were given
 * up.  How far a run is goes by these.
 */
uint64_t progress_settled(const struct run_progress *snapshot);

/* 0 to 100; 100 only of a run that has finished. */
unsigned progress_percent(const struct run_progress *snapshot);

/* Bytes a second; 0 until two snapshots are known. */
uint64_t progress_rate(const struct progress *p);

/*
 * Milliseconds left, in steps that suit how far off they are.  false: too
 * early or too slow to say.
 */
bool progress_time_left(const struct progress *p, uint64_t *ret_ms);

/*
 * How long no byte was done, if that is worth telling while copying; else 0.
 */
uint64_t progress_stalled_ms(const struct progress *p);

/* Any guess would jump: the first 10 s, the first percent. */
bool progress_is_too_early(const struct progress *p);

#endif
