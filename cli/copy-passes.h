/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_PASSES_H
#define CLI_COPY_PASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/bar.h"
#include "cli/commands.h"
#include "transfer/run.h"

/* Born 0, but for the first three. */
struct copy_passes {
	const struct command *command;	/* for messages */
	struct bar *bar;		/* makes way for them */
	bool is_quiet;			/* what has gone well is not said */
	uint64_t n_complete;		/* as told */
	uint64_t n_failed;
	uint64_t shrunk_from;
	char failure[ERROR_TEXT_SIZE];	/* "": the last was none */
};

/*
 * Tell what is new.  is_ending: the mirror is asked to end, and what fails
 * then does so for that.
 */
void copy_passes_tell(struct copy_passes *passes, const struct run_mirror *m,
    bool is_ending);

#endif
