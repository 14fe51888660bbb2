/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/progress.h"

/*
 * What a progress line says.  No clock and no terminal in here: see
 * cli/bar.h.
 */

struct progress_style {
	size_t columns;			/* of the terminal; 0: no limit, and
					   no bar */
	bool utf8;
};

#define PROGRESS_LINE_SIZE 640

/*
 * One line, at most columns - 1 columns wide (the last one makes terminals
 * wrap), no newline.  Returns buf.
 */
char *progress_line(const struct progress *p,
    const struct progress_style *style, char buf[PROGRESS_LINE_SIZE]);

/*
 * "4.0 GiB copied in 2.3 s (1.7 GiB/s), 3.0 GiB of it zeroes, flushed"; of
 * what was compared: "4.0 GiB compared in 2.3 s (1.7 GiB/s), equal", or "12.0
 * KiB of it written, flushed".  Returns buf.
 */
char *progress_summary(enum run_mode mode, const struct run_progress *end,
    char buf[PROGRESS_LINE_SIZE]);

#endif
