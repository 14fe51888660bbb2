/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_EXIT_CODES_H
#define CLI_EXIT_CODES_H

/*
 * What `nbdsync` exits with.  Published in nbdsync(1): a number never gets
 * another meaning.
 */
enum cli_exit {
	CLI_OK = 0,
	CLI_ERROR = 1,
	CLI_USAGE = 2,
	CLI_WARNINGS = 3,
	CLI_RUN_FAILED = 4,
	CLI_CANCELLED = 5,
	CLI_NO_JOB = 6,
	CLI_CONFLICT = 7,
	CLI_TIMED_OUT = 8,
	CLI_DIFFERENT = 9,
	CLI_UNREACHABLE = 10,
	CLI_DENIED = 11,
	CLI_TRANSIENT = 12,
	CLI_BAD_RANGES = 13,
	CLI_CONFIGURATION = 78,
	CLI_INTERRUPTED = 130,
};

#endif
