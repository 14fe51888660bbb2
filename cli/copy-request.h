/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_REQUEST_H
#define CLI_COPY_REQUEST_H

#include "cli/options.h"
#include "transfer/run.h"

/*
 * What copy and compare have in common: their options and operands, made into
 * the specification of a run, and that run.
 */

enum {
	OPT_RANGE = OPTION_OWN,
	OPT_CONNECTIONS,
	OPT_QUEUE_DEPTH,
	OPT_REQUEST_SIZE,
	OPT_IO_TIMEOUT,
	OPT_RECONNECT,
	OPT_ON_READ_ERROR,
	OPT_ON_WRITE_ERROR,
	OPT_RETRIES,
	OPT_RETRY_TIME,
	OPT_MAX_BAD,
	OPT_MAX_BAD_RANGES,
	OPT_FILL,
	OPT_WAIT_FOR_SPACE,
	OPT_CHECKPOINT,
	OPT_CHECKPOINT_INTERVAL,
	OPT_FULL,
	OPT_CONNECT_TIMEOUT,
	OPT_ALLOW_NO_FLUSH,
	OPT_PROGRESS,
	OPT_NO_PROGRESS,
	OPT_SYNC,
	OPT_DIRTY,
	OPT_MAPFILE,
	OPT_DESTINATION_IS_ZERO,
	OPT_ALLOCATED,
	OPT_TRIM,
	OPT_MAX_LAG,
	OPT_DIGEST,
	OPT_INTERVAL,
	OPT_SYNC_FIRST,
	OPT_RECHECK,
	OPT_REPAIR,
	OPT_ZERO_REST,
	OPT_RATE,
	OPT_MEMORY_MAX,
	OPT_REQUIRE_ALL,
	OPT_VERIFY,
	OPT_SPARSE = 'S',	/* as qemu-img and nbdcopy have it */
};

/* Run what the arguments say in this mode.  Returns an exit code. */
int copy_request_run(const struct command *command, enum run_mode mode,
    int argc, char **argv);

#endif
