/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"

/*
 * Progress on standard error: one line that is redrawn on a terminal, or a
 * line now and then elsewhere.
 */

enum bar_mode {
	BAR_OFF,
	BAR_TERMINAL,
	BAR_LINES,
};

#define BAR_REDRAW_MS 250		/* the least between two redraws */

struct bar {
	enum bar_mode mode;
	struct progress progress;
	uint64_t every_ms;		/* BAR_LINES */
	uint64_t next_ms;		/* when to draw or print again */
	size_t shown;			/* columns on the terminal */
	bool utf8;
};

/* every_ms: between two lines of BAR_LINES. */
void bar_init(struct bar *bar, enum bar_mode mode, uint64_t every_ms,
    uint64_t now_ms);

/* Is standard error a terminal? */
bool bar_has_terminal(void);

/* A snapshot of the run; shown if it is time. */
void bar_update(struct bar *bar, const struct run_progress *snapshot,
    uint64_t now_ms);

void bar_clear(struct bar *bar);

/* Clear the bar that is on the terminal, if any: a message comes. */
void bar_make_way(void);

/* One line with what is known now, in every mode. */
void bar_print_line(struct bar *bar);

/* The run has succeeded: before and the summary, unless the bar is off. */
void bar_finish(struct bar *bar, const char *before, enum run_mode mode,
    const struct run_progress *end);

/* Monotonic milliseconds. */
uint64_t bar_now_ms(void);

#endif
