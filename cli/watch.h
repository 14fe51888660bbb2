/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/control.h"

/*
 * `nbdsync status --watch`: the screen on a terminal, until somebody leaves.
 */
struct watch {
	struct control *control;
	const char *job;		/* this one alone; NULL: all */
	uint64_t every_ms;		/* between two looks */
	bool ascii;
};

/* Are there a terminal to draw on and keys to read? */
bool watch_has_terminal(void);

/* Returns an exit code. */
int watch_run(const struct watch *watch);

#endif
