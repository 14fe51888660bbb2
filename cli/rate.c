/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync rate: how fast a job of the daemon may go.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/output.h"

enum {
	OPTION_FOR = OPTION_OWN,
};

const struct option_row options_rate[] = {
	{ "for", OPTION_FOR, "TIME",
	    "after TIME, such as 1h, as configured again" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the job as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static int
set_option(struct options *o, void *arg, int id UNUSED, const char *value)
{
	const char **ttl = arg;
	uint64_t ms;

	*ttl = value;
	return options_time(o, "for", value, &ms);
}

int
command_rate(const struct command *command, int argc, char **argv)
{
	CLEANUP(cleanup_free) char *text = NULL;
	const char *ttl = NULL;
	struct control control;
	json_t *answer = NULL;
	struct options o;
	json_t *body;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &ttl) < 0)
		return o.exit_code;
	body = json_pack("{s:s, s:s*}", "rate", o.argv[1], "ttl", ttl);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	control.body = text;
	exit_code = control_ask_job(&control, "PATCH", o.argv[0], "/limits",
	    0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(answer);
	json_decref(answer);
	if (!control.quiet)
		(void)printf("job '%s': rate %s%s%s\n", o.argv[0], o.argv[1],
		    ttl != NULL ? " for " : "", ttl != NULL ? ttl : "");
	return CLI_OK;
}
