/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync wait: the end of the run that is under way, whoever started it.
 */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/job-command.h"

const struct option_row options_wait[] = {
	{ "for", JOB_COMMAND_FOR, "WHAT",
	    "done (default); idle: whatever the result; in-sync: a mirror" },
	{ "timeout", OPTION_TIMEOUT, "TIME",
	    "stop waiting after TIME; the run goes on" },
	{ "progress", JOB_COMMAND_PROGRESS, "[=TIME]",
	    "without a terminal: a line every TIME (60s)" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the job when it has ended" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

int
command_wait(const struct command *command, int argc, char **argv)
{
	CLEANUP(job_command_done) struct job_command jc;
	bool is_over = false;
	int exit_code;

	exit_code = job_command_wait(&jc, command, argc, argv, &is_over);
	if (is_over)
		return exit_code;
	if (jc.status.has_last_run &&
	    (jc.wait_for == NULL || strcmp(jc.wait_for, "done") == 0))
		exit_code = job_command_tell_result(&jc);
	return job_command_print_json(&jc, exit_code);
}
