/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync reload: have the daemon read its configuration again.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/annotate.h"
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

static int
set_option(struct options *o UNUSED, void *arg, int id UNUSED,
    const char *value UNUSED)
{
	bool *is_dry = arg;

	*is_dry = true;
	return 0;
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
	struct control control;
	struct options o;
	bool is_dry = false;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &is_dry) < 0)
		return o.exit_code;
	exit_code = control_ask(&control, "POST", is_dry ?
	    "/v1/config/check" : "/v1/config/reload", WAIT_S, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(json_incref(answer));
	if (!control.quiet)
		print_answer(answer);
	return CLI_OK;
}
