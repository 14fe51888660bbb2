/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync reset: make the next run of a job a full one.
 */
#include <stdbool.h>
#include <stdio.h>

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

struct reset {
	struct control control;
	bool confirm;
	bool quiet;
	bool json;
};

static int
read_options(struct options *o, struct reset *reset)
{
	const char *value = NULL;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_CONFIRM)
			reset->confirm = true;
		else if (id == OPTION_QUIET)
			reset->quiet = true;
		else if (id == OPTION_JSON)
			reset->json = true;
		else
			reset->control.socket_path = value;
	}
	if (id == OPTIONS_END && !reset->confirm)
		return options_fail(o, "the next run of '%s' would be a full "
		    "one; say --confirm if that is meant", o->argv[0]);
	return id;
}

int
command_reset(const struct command *command, int argc, char **argv)
{
	struct reset reset = { .confirm = false };
	CLEANUP(cleanup_free) char *body = NULL;
	json_t *answer = NULL, *json;
	struct options o;
	int exit_code;

	control_init(&reset.control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &reset) < 0)
		return o.exit_code;
	json = json_pack("{s:s}", "confirm", o.argv[0]);
	body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	/* Without it the daemon does nothing but say so. */
	reset.control.body = body;
	exit_code = control_ask_job(&reset.control, "POST", o.argv[0],
	    "/reset", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (reset.json)
		return output_json(answer);
	if (!reset.quiet)
		(void)printf("the next run of job '%s' is a full one\n",
		    o.argv[0]);
	json_decref(answer);
	return CLI_OK;
}
