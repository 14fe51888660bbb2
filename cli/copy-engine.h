/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_ENGINE_H
#define CLI_COPY_ENGINE_H

#include "cli/bar.h"
#include "cli/commands.h"
#include "cli/mapfile.h"
#include "transfer/run.h"

/*
 * One run in this process, from its specification to an exit code.
 */
struct copy_engine_options {
	const struct command *command;	/* for messages */
	const struct run_spec *spec;
	enum bar_mode bar_mode;
	uint64_t bar_every_ms;
	const char *checkpoint;		/* file with the place to go on from;
					   NULL: none */
	struct mapfile *mapfile;	/* that is brought up to date in the
					   end; NULL: none */
	bool json;			/* the result on standard output */
	bool quiet;			/* no warnings */
};

int copy_engine_run(const struct copy_engine_options *options);

#endif
