/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync reset: make the next run of a job a full one.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/output.h"

enum {
	OPTION_CONFIRM = OPTION_OWN,
};

const struct option_row options_reset[] = {
	{ "confirm", OPTION_CONFIRM, NULL, "it is meant" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static int
set_option(struct options *o UNUSED, void *arg, int id UNUSED,
    const char *value UNUSED)
{
	bool *is_meant = arg;

	*is_meant = true;
	return 0;
}

int
command_reset(const struct command *command, int argc, char **argv)
{
	struct control control;
	bool is_meant = false;
	CLEANUP(cleanup_free) char *body = NULL;
	json_t *answer = NULL, *json;
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &is_meant) < 0)
		return o.exit_code;
	if (!is_meant) {
		(void)options_fail(&o, "the next run of '%s' would be a full "
		    "one; say --confirm if that is meant", o.argv[0]);
		return o.exit_code;
	}
	json = json_pack("{s:s}", "confirm", o.argv[0]);
	body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	/* Without it the daemon does nothing but say so. */
	control.body = body;
	exit_code = control_ask_job(&control, "POST", o.argv[0],
	    "/reset", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(answer);
	if (!control.quiet)
		(void)printf("the next run of job '%s' is a full one\n",
		    o.argv[0]);
	json_decref(answer);
	return CLI_OK;
}
