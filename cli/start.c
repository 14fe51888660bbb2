/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync start and nbdsync verify: a run of a job of the daemon.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/job-command.h"
#include "cli/message.h"

const struct option_row options_start[] = {
	{ "mode", JOB_COMMAND_MODE, "MODE",
	    "copy, sync, verify or mirror this time" },
	{ "rate", JOB_COMMAND_RATE, "RATE",
	    "let this run go no faster, such as 200MB/s; 0: no limit" },
	{ "reason", JOB_COMMAND_REASON, "TEXT",
	    "say why, for whoever looks" },
	{ "verify", JOB_COMMAND_VERIFY, NULL,
	    "read back what is written, and compare it" },
	{ "full", JOB_COMMAND_FULL, NULL,
	    "go on from nothing that an earlier run has done" },
	{ "wait", OPTION_WAIT, NULL,
	    "wait for the end of the run; exit with its result" },
	{ "timeout", OPTION_TIMEOUT, "TIME",
	    "with --wait: stop waiting after TIME; the run goes on" },
	{ "progress", JOB_COMMAND_PROGRESS, "[=TIME]",
	    "with --wait, without a terminal: a line every TIME (60s)" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

const struct option_row options_verify[] = {
	{ "range", JOB_COMMAND_RANGE, "RANGE",
	    "compare FROM:LENGTH of the source only; may be repeated" },
	{ "sample", JOB_COMMAND_SAMPLE, "SHARE",
	    "compare only so much of it, here and there, such as 1%" },
	{ "repair", JOB_COMMAND_REPAIR, NULL,
	    "write what differs, and compare that again" },
	{ "stored", JOB_COMMAND_STORED, NULL,
	    "with the digests of the last run, instead of the source" },
	{ "wait", OPTION_WAIT, NULL,
	    "wait for the end of the run; exit with its result" },
	{ "timeout", OPTION_TIMEOUT, "TIME",
	    "with --wait: stop waiting after TIME; the run goes on" },
	{ "progress", JOB_COMMAND_PROGRESS, "[=TIME]",
	    "with --wait, without a terminal: a line every TIME (60s)" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static int
start(const struct command *command, int argc, char **argv,
    const char *suffix)
{
	CLEANUP(job_command_done) struct job_command jc;
	bool is_over = false;
	int exit_code;

	exit_code = job_command_run(&jc, command, argc, argv, suffix,
	    &is_over);
	if (is_over)
		return exit_code;
	if (jc.wait)
		exit_code = job_command_tell_result(&jc);
	else if (!jc.control.json && !jc.control.quiet)
		(void)printf("run %s of job '%s' has started\n",
		    job_command_run_id(&jc), jc.job);
	return job_command_print_json(&jc, exit_code);
}

int
command_start(const struct command *command, int argc, char **argv)
{
	return start(command, argc, argv, "/start");
}

int
command_verify(const struct command *command, int argc, char **argv)
{
	return start(command, argc, argv, "/verify");
}
