/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync reload: have the daemon read its configuration again.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/output.h"

enum { OPTION_DRY_RUN = OPTION_OWN };

/* What the daemon takes at most, and what may be before it. */
#define WAIT_S 30

const struct option_row options_reload[] = {
	{ "dry-run", OPTION_DRY_RUN, NULL, "only say what would change" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static void
print_jobs(const json_t *answer, const char *key)
{
	const json_t *names = json_object_get(answer, key);
	const json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	(void)printf("%s:", key);
	json_array_foreach(names, i, name)
		(void)printf(" %s", json_string_value(name));
	(void)printf("\n");
}

static void
print_answer(const json_t *answer)
{
	print_jobs(answer, "added");
	print_jobs(answer, "removed");
	print_jobs(answer, "changed");
	(void)printf("unchanged: %zu jobs\n",
	    json_array_size(json_object_get(answer, "unchanged")));
}

static void
cleanup_json(json_t **json)
{
	json_decref(*json);
}

int
command_reload(const struct command *command, int argc, char **argv)
{
	CLEANUP(cleanup_json) json_t *answer = NULL;
	const char *value = NULL;
	struct control control;
	struct options o;
	bool json = false, quiet = false, is_dry = false;
	int exit_code;
	int id;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	while ((id = options_next(&o, &value)) > OPTIONS_END) {
		json = json || id == OPTION_JSON;
		quiet = quiet || id == OPTION_QUIET;
		is_dry = is_dry || id == OPTION_DRY_RUN;
		if (id == OPTION_SOCKET)
			control.socket_path = value;
	}
	if (id == OPTIONS_STOP)
		return o.exit_code;
	exit_code = control_ask(&control, "POST", is_dry ?
	    "/v1/config/check" : "/v1/config/reload", WAIT_S, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (json)
		return output_json(json_incref(answer));
	if (!quiet)
		print_answer(answer);
	return CLI_OK;
}
