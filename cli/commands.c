/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of commands, and looking things up in it.
 */
#include "cli/commands.h"

#include <stddef.h>
#include <string.h>

#include "transfer/run.h"

const struct command commands[] = {
	{
	    "copy",
	    "[OPTIONS] SOURCE DESTINATION...",
	    "copy a disk, without a daemon",
	    "Copies SOURCE to DESTINATION and flushes it. Several "
	    "destinations are written\n"
	    "at once, and SOURCE is read once. Each of them is one of\n"
	    "\n"
	    "  nbd://HOST/EXPORT          an NBD URI (also nbd+unix://)\n"
	    "  [ COMMAND ARGS ]           a server to start for the copy, as "
	    "in\n"
	    "                             [ nbdkit file /srv/disk.img ]\n"
	    "  PATH                       a file or block device\n"
	    "  null:                      a destination that swallows all\n"
	    "\n"
	    "Sizes have units (64KiB, 1GiB, 5MB, 2048s sectors of 512 bytes), "
	    "and so\n"
	    "have times (250ms, 30s, 5m).",
	    options_copy,
	    2,
	    1 + RUN_MAX_DESTINATIONS,
	    command_copy,
	},
	{
	    "compare",
	    "[OPTIONS] DISK DISK...",
	    "say where disks differ",
	    "Compares the first disk with each of the others and prints the "
	    "ranges that\n"
	    "differ. Nothing is written. Disks are named as for 'nbdsync "
	    "copy'.\n"
	    "\n"
	    "The exit status is 0 if they are equal, 9 if they differ.",
	    options_compare,
	    2,
	    1 + RUN_MAX_DESTINATIONS,
	    command_compare,
	},
	{
	    "mirror",
	    "[OPTIONS] SOURCE DESTINATION...",
	    "copy a disk again and again, without a daemon",
	    "Copies SOURCE as 'nbdsync copy' does, and then, again and again, "
	    "what has\n"
	    "changed, until it is interrupted. A pass that fails is done "
	    "again.",
	    options_mirror,
	    2,
	    1 + RUN_MAX_DESTINATIONS,
	    command_mirror,
	},
	{
	    "list",
	    "[OPTIONS] URI | '[' COMMAND ... ']'",
	    "list the exports of an NBD server",
	    "Lists the names of the exports of the server at URI, with their\n"
	    "descriptions, or of a server that is started to be asked, as in\n"
	    "[ nbdkit file /srv/disk.img ].",
	    options_list,
	    1,
	    1,
	    command_list,
	},
	{
	    "info",
	    "[OPTIONS] URI | '[' COMMAND ... ']'",
	    "show what an NBD server tells of an export",
	    "Shows size, flags, block sizes, features and metadata contexts of "
	    "the export\n"
	    "that URI names, or of the default export of a server that is "
	    "started to be\n"
	    "asked, as in [ nbdkit file /srv/disk.img ]. With --map, shows "
	    "what is where:\n"
	    "a line for each extent, with offset, length, flags, and what "
	    "they mean.",
	    options_info,
	    1,
	    1,
	    command_info,
	},
	{
	    "status",
	    "[OPTIONS] [JOB]",
	    "show the jobs of the daemon",
	    "Shows all jobs of nbdsyncd in a table, or one job in detail.",
	    options_status,
	    0,
	    1,
	    command_status,
	},
	{
	    "start",
	    "[OPTIONS] JOB",
	    "start a job of the daemon",
	    "Starts a run of JOB. With --wait, shows its progress and exits "
	    "with its\n"
	    "result.",
	    options_start,
	    1,
	    1,
	    command_start,
	},
	{
	    "verify",
	    "[OPTIONS] JOB",
	    "compare the disks of a job",
	    "Starts a run of JOB that compares source and destination, and "
	    "writes nothing\n"
	    "without --repair.  With --wait, the exit status is 0 if they are "
	    "equal, or have\nbeen made so, and 9 if they differ.",
	    options_verify,
	    1,
	    1,
	    command_verify,
	},
	{
	    "diff",
	    "[OPTIONS] JOB",
	    "show where the disks of a job differ",
	    "Shows what the last comparison of JOB has found: each range that "
	    "differed, and\n"
	    "at which destination. The exit status is 0 if there was none, "
	    "and 9 if there was.",
	    options_diff,
	    1,
	    1,
	    command_diff,
	},
	{
	    "cancel",
	    "[OPTIONS] JOB",
	    "cancel the run of a job",
	    "Asks the run of JOB to end early. Requests under way are waited "
	    "for, but with\n"
	    "--force. One that would go on after a pause, or in its next "
	    "window, does not.\n"
	    "'nbdsync stop' is the same.",
	    options_cancel,
	    1,
	    1,
	    command_cancel,
	},
	{
	    "wait",
	    "[OPTIONS] JOB",
	    "wait for the end of a job's run",
	    "Waits for the end of the run of JOB, and exits with its result. "
	    "If none is under\n"
	    "way, the result of the last one counts.",
	    options_wait,
	    1,
	    1,
	    command_wait,
	},
	{
	    "pause",
	    "[OPTIONS] JOB | --all",
	    "start no run of a job until it is resumed",
	    "Pauses JOB: no run of it starts until it is resumed, whoever "
	    "asks. A run that\n"
	    "is under way ends early; when the job is resumed, it starts "
	    "again.",
	    options_pause,
	    0,
	    1,
	    command_pause,
	},
	{
	    "resume",
	    "[OPTIONS] JOB | --all",
	    "end the pause of a job",
	    "Lets runs of JOB start again. The run that the pause has ended "
	    "starts now.",
	    options_resume,
	    0,
	    1,
	    command_resume,
	},
	{
	    "events",
	    "[OPTIONS]",
	    "show what happens in the daemon",
	    "Shows the state of all jobs, then every change of it while it "
	    "happens.",
	    options_events,
	    0,
	    0,
	    command_events,
	},
	{
	    "map",
	    "[OPTIONS] JOB",
	    "show which parts of a job's disk are done",
	    "Shows the disk of JOB from its beginning to its end, and what of "
	    "it the run has\n"
	    "done; of a job that is idle, what the last run had done.",
	    options_map,
	    1,
	    1,
	    command_map,
	},
	{
	    "check",
	    "[OPTIONS] [JOB]",
	    "check the health of jobs, for Nagios",
	    "Prints a line with figures. The exit status is 0 (OK), 1 "
	    "(WARNING), 2 (CRITICAL)\n"
	    "or 3 (UNKNOWN), which holds for this command only.",
	    options_check,
	    0,
	    1,
	    command_check,
	},
	{
	    "rate",
	    "[OPTIONS] JOB RATE",
	    "how fast a job may go",
	    "Lets runs of JOB go no faster than RATE, such as 200MB/s, from "
	    "now on; 0 is no\n"
	    "limit, and 'default' is what is configured.",
	    options_rate,
	    2,
	    2,
	    command_rate,
	},
	{
	    "limits",
	    "[OPTIONS] [JOB]",
	    "show how fast jobs may go",
	    "Shows the limits of JOB, or of all jobs: the rate, whether it is "
	    "configured or\n"
	    "set by hand and until when, the connections, and what limits a "
	    "run that is\nunder way. Or sets the connections of JOB.",
	    options_limits,
	    0,
	    1,
	    command_limits,
	},
	{
	    "endpoints",
	    "[OPTIONS]",
	    "show the endpoints of the daemon",
	    "Shows the disks that the configuration of nbdsyncd names, and "
	    "which jobs use them.",
	    options_endpoints,
	    0,
	    0,
	    command_endpoints,
	},
	{
	    "probe",
	    "[OPTIONS] ENDPOINT|URI",
	    "ask the server of an endpoint, or of a URI",
	    "Has nbdsyncd connect to ENDPOINT, and shows what its server says "
	    "of the disk.\n"
	    "A URI is asked without the daemon.",
	    options_probe,
	    1,
	    1,
	    command_probe,
	},
	{
	    "reload",
	    "[OPTIONS]",
	    "have the daemon read its configuration again",
	    "Has nbdsyncd read its configuration again: all of it is taken "
	    "over, or, when\n"
	    "anything is wrong, nothing. Jobs that run go on as they were "
	    "started.",
	    options_reload,
	    0,
	    0,
	    command_reload,
	},
	{
	    "history",
	    "[OPTIONS] [JOB]",
	    "show the runs that have ended",
	    "Shows the runs of JOB, or of all jobs, that have ended, newest "
	    "first.",
	    options_history,
	    0,
	    1,
	    command_history,
	},
	{
	    "report",
	    "[OPTIONS] RUN",
	    "show what a run has done, and how",
	    "Shows the report of RUN, one of those that 'nbdsync history' "
	    "lists: what was\n"
	    "written to each destination, what went wrong and was done again, "
	    "what is missing,\nand the digests.",
	    options_report,
	    1,
	    1,
	    command_report,
	},
	{
	    "log",
	    "[OPTIONS] [JOB|RUN]",
	    "show what the daemon has logged",
	    "Shows the last messages of nbdsyncd, or those about JOB or of "
	    "RUN, oldest first.",
	    options_log,
	    0,
	    1,
	    command_log,
	},
	{
	    "loglevel",
	    "[OPTIONS] LEVEL",
	    "set how much the daemon logs",
	    "Has nbdsyncd log up to LEVEL (error, warning, info or debug), "
	    "until it is set\n"
	    "to 'default': as configured.",
	    options_loglevel,
	    1,
	    1,
	    command_loglevel,
	},
	{
	    "checkpoint",
	    "[OPTIONS] show JOB|FILE | discard FILE",
	    "show or drop what a copy would go on from",
	    "Shows, as JSON, from where JOB or the copy of FILE would go on; "
	    "or drops it\n"
	    "from FILE. FILE has a slash in its name, or exists.",
	    options_checkpoint,
	    2,
	    2,
	    command_checkpoint,
	},
	{
	    "reset",
	    "[OPTIONS] --confirm JOB",
	    "make the next run of a job a full one",
	    "Forgets from where JOB would go on, and what its source looked "
	    "like.",
	    options_reset,
	    1,
	    1,
	    command_reset,
	},
	{
	    "configcheck",
	    "[OPTIONS] [FILE]",
	    "check a configuration file of the daemon",
	    "Runs 'nbdsyncd --check FILE': tells everything that is wrong with "
	    "FILE, or\nwith the one that the daemon reads by default.",
	    options_configcheck,
	    0,
	    1,
	    command_configcheck,
	},
	{
	    "completion",
	    "[OPTIONS] bash",
	    "print a script that completes commands",
	    "Prints what bash needs to complete commands, options and names "
	    "of jobs:\n"
	    "eval \"$(nbdsync completion bash)\"",
	    options_completion,
	    1,
	    1,
	    command_completion,
	},
	{
	    "help",
	    "[OPTIONS] [COMMAND]",
	    "show help",
	    "Shows the commands, or the options of one of them.",
	    options_help,
	    0,
	    1,
	    command_help,
	},
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};

static const struct {
	const char *name;
	const char *command;
} other_names[] = {
	{ "stop", "cancel" },
};

const struct command *
commands_find(const char *name)
{
	const struct command *c;

	for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++)
		if (strcmp(other_names[i].name, name) == 0)
			name = other_names[i].command;
	for (c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

#define NAME_MAX_LENGTH 24

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters to insert, delete or replace; both names are short. */
static unsigned
edit_distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LENGTH + 1];
	unsigned n = (unsigned)strlen(b);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			    diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *
commands_find_nearest_option(const struct command *command, const char *name)
{
	const char *nearest = NULL;
	unsigned least_distance = 3;
	const struct option_row *row;

	if (strlen(name) > NAME_MAX_LENGTH)
		return NULL;
	for (row = command->options; row->name != NULL; row++) {
		unsigned distance;

		if (strlen(row->name) > NAME_MAX_LENGTH)
			continue;
		distance = edit_distance(name, row->name);
		if (distance < least_distance && distance < strlen(row->name)) {
			least_distance = distance;
			nearest = row->name;
		}
	}
	return nearest;
}

const struct command *
commands_find_nearest(const char *name)
{
	const struct command *nearest = NULL;
	unsigned least_distance = 3;
	const struct command *c;

	if (strlen(name) > NAME_MAX_LENGTH)
		return NULL;
	for (c = commands; c->name != NULL; c++) {
		unsigned distance = edit_distance(name, c->name);

		if (distance < least_distance && distance < strlen(c->name)) {
			least_distance = distance;
			nearest = c;
		}
	}
	return nearest;
}
