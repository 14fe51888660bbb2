/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_JOB_COMMAND_H
#define CLI_JOB_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/control.h"
#include "cli/job-status.h"

/* Options of some of them; each puts something into the request. */
enum {
	JOB_COMMAND_FULL = OPTION_OWN,
	JOB_COMMAND_MODE,
	JOB_COMMAND_RATE,
	JOB_COMMAND_REASON,
	JOB_COMMAND_RANGE,
	JOB_COMMAND_SAMPLE,
	JOB_COMMAND_FORCE,
	JOB_COMMAND_REPAIR,
	JOB_COMMAND_STORED,
	JOB_COMMAND_VERIFY,
	JOB_COMMAND_FOR,
	JOB_COMMAND_PROGRESS,
};

/*
 * What the commands that do something to a job have in common: their
 * options, asking the daemon to do it, waiting for the end of the run.
 */
struct job_command {
	struct control control;
	const char *job;
	bool wait;
	const char *run_id;		/* the run that is spoken of */
	const char *wait_for;		/* of wait; NULL: "done" */
	uint64_t timeout_ms;
	uint64_t progress_ms;		/* between lines; 0: none */
	json_t *body;			/* of the request; NULL: empty */
	json_t *answer;			/* of the daemon; ours */
	json_t *end;			/* the job when the run has ended */
	struct job_status status;	/* of the same */
};

/*
 * POST /v1/jobs/JOB with suffix, then wait for the end if --wait was given.
 * Returns an exit code; CLI_OK with jc->wait: jc->end and jc->status, whose
 * last_run is the run, are filled in.  *ret_is_over: the command is to end
 * with that code.
 */
int job_command_run(struct job_command *jc, const struct command *command,
    int argc, char **argv, const char *suffix, bool *ret_is_over);
/*
 * The same for a run that is under way.  Without one, jc->status is the job
 * as it is.  With --for=in-sync, until a mirror is that.
 */
int job_command_wait(struct job_command *jc, const struct command *command,
    int argc, char **argv, bool *ret_is_over);
void job_command_done(struct job_command *jc);

/* The run that was spoken of. */
const char *job_command_run_id(const struct job_command *jc);

/*
 * Tell how the run has ended (jc->status.last_run).  Returns the exit code
 * that says so.
 */
int job_command_tell_result(const struct job_command *jc);

/* Tell that the run has failed, and why.  Returns CLI_RUN_FAILED. */
int job_command_fail(const struct job_command *jc);

/*
 * With --json: what the daemon said last, on standard output.  Returns
 * exit_code, or CLI_ERROR.
 */
int job_command_print_json(struct job_command *jc, int exit_code);

#endif
