/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync loglevel: how much the daemon logs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

enum {
	OPTION_FOR = OPTION_OWN,
	OPTION_JOB,
};

const struct option_row options_loglevel[] = {
	{ "job", OPTION_JOB, "JOB", "of what is about JOB only" },
	{ "for", OPTION_FOR, "TIME",
	    "after TIME, such as 1h, as configured again" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct request {
	const char *job;
	const char *ttl;
};

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct request *r = arg;
	uint64_t ms;

	if (id == OPTION_JOB) {
		r->job = value;
		return 0;
	}
	r->ttl = value;
	return options_time(o, "for", value, &ms);
}

int
command_loglevel(const struct command *command, int argc, char **argv)
{
	CLEANUP(cleanup_free) char *text = NULL;
	struct request r = { .job = NULL };
	struct control control;
	json_t *answer = NULL;
	struct options o;
	json_t *body;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &r) < 0)
		return o.exit_code;
	body = json_pack("{s:s, s:s*, s:s*}", "level", o.argv[0], "job", r.job,
	    "ttl", r.ttl);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (text == NULL)
		return message_usage(command, "a level, a time or a job is no "
		    "UTF-8");
	control.body = text;
	exit_code = control_ask(&control, "PUT", "/v1/log/level", 0,
	    &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(answer);
	json_decref(answer);
	if (!control.quiet)
		(void)printf("log level %s%s%s%s%s%s\n", o.argv[0],
		    r.job != NULL ? " of job '" : "", r.job != NULL ? r.job :
		    "", r.job != NULL ? "'" : "", r.ttl != NULL ? " for " :
		    "", r.ttl != NULL ? r.ttl : "");
	return CLI_OK;
}
