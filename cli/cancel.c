/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync cancel: the end of a run of the daemon.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/job-command.h"
#include "cli/message.h"

const struct option_row options_cancel[] = {
	{ "force", JOB_COMMAND_FORCE, NULL,
	    "do not wait for what is in flight" },
	{ "wait", OPTION_WAIT, NULL, "wait for the end of the run" },
	{ "timeout", OPTION_TIMEOUT, "TIME",
	    "with --wait: stop waiting after TIME" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/* That it is cancelled is what was wanted; it may have been too late. */
static int
tell_end(const struct job_command *jc)
{
	const char *result = jc->status.has_last_run ?
	    jc->status.last_run.result : "";

	if (strcmp(result, run_outcome_name(RUN_FAILED)) == 0)
		return job_command_fail(jc);
	if (!jc->control.quiet &&
	    strcmp(result, run_outcome_name(RUN_SUCCEEDED)) == 0)
		message(jc->control.command,
		    "job '%s' had finished before it could be cancelled",
		    jc->job);
	return CLI_OK;
}

/* One that an earlier daemon has begun, and a pause has ended, has no name. */
static const char *
name_run(const struct job_command *jc, char *buf, size_t size)
{
	const char *id = job_command_run_id(jc);

	if (id[0] == '\0')
		return "the run";
	(void)snprintf(buf, size, "run %s", id);
	return buf;
}

int
command_cancel(const struct command *command, int argc, char **argv)
{
	CLEANUP(job_command_done) struct job_command jc;
	bool is_over = false;
	char text[128];
	int exit_code;

	exit_code = job_command_run(&jc, command, argc, argv, "/cancel",
	    &is_over);
	if (is_over)
		return exit_code;
	if (jc.wait)
		exit_code = tell_end(&jc);
	else if (!jc.control.json && !jc.control.quiet)
		(void)printf("%s of job '%s' is being cancelled\n",
		    name_run(&jc, text, sizeof text), jc.job);
	return job_command_print_json(&jc, exit_code);
}
