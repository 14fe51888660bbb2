/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <jansson.h>

#include "cli/bar.h"
#include "cli/control.h"

/*
 * Waiting for the end of a run of the daemon.
 */
struct wait {
	const struct control *control;	/* with an interrupt_fd */
	const char *job;
	const char *run_id;		/* NULL: any */
	uint64_t timeout_ms;		/* 0: none */
	enum bar_mode bar_mode;
	uint64_t bar_every_ms;		/* of BAR_LINES */
};

/*
 * CLI_OK: it has ended, and *ret_json, a new reference, is the job.  Else an
 * exit code; all is told.
 */
int wait_for_run(const struct wait *wait, json_t **ret_json);

/* The same until a mirror is in sync, whichever run does it. */
int wait_for_sync(const struct wait *wait, json_t **ret_json);

#endif
