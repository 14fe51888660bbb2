/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync rate: how fast a job of the daemon may go.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

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

struct request {
	struct control control;
	const char *ttl;
	bool json;
	bool quiet;
};

static int
read_options(struct options *o, struct request *r)
{
	const char *value = NULL;
	uint64_t ms;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_FOR)
			r->ttl = value;
		else if (id == OPTION_JSON)
			r->json = true;
		else if (id == OPTION_QUIET)
			r->quiet = true;
		else
			r->control.socket_path = value;
		if (id == OPTION_FOR &&
		    options_time(o, "for", value, &ms) == OPTIONS_STOP)
			return OPTIONS_STOP;
	}
	return id;
}

int
command_rate(const struct command *command, int argc, char **argv)
{
	CLEANUP(cleanup_free) char *text = NULL;
	struct request r = { .quiet = false };
	json_t *answer = NULL;
	struct options o;
	json_t *body;
	int exit_code;

	control_init(&r.control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &r) < 0)
		return o.exit_code;
	body = json_pack("{s:s, s:s*}", "rate", o.argv[1], "ttl", r.ttl);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	r.control.body = text;
	exit_code = control_ask_job(&r.control, "PATCH", o.argv[0], "/limits",
	    0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (r.json)
		return output_json(answer);
	json_decref(answer);
	if (!r.quiet)
		(void)printf("job '%s': rate %s%s%s\n", o.argv[0], o.argv[1],
		    r.ttl != NULL ? " for " : "", r.ttl != NULL ? r.ttl : "");
	return CLI_OK;
}
