/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/run.h"

/*
 * What a progress line says: rates, the time left, the bar, from snapshots
 * of a run and the times they were taken at.  No clock and no terminal in
 * here: see cli/bar.h.
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

struct progress_style {
	size_t columns;			/* of the terminal; 0: no limit, and
					   no bar */
	bool utf8;
};

#define PROGRESS_LINE_SIZE 512

/*
 * One line, at most columns - 1 columns wide (the last one makes terminals
 * wrap), no newline.  Returns buf.
 */
char *progress_line(const struct progress *p,
    const struct progress_style *style, char buf[PROGRESS_LINE_SIZE]);

/*
 * "4.0 GiB copied in 2.3 s (1.7 GiB/s), 3.0 GiB of it zeroes, flushed".
 * Returns buf.
 */
char *progress_summary(const struct run_progress *end,
    char buf[PROGRESS_LINE_SIZE]);

#endif
