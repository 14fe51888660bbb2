/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync reload: have the daemon read its configuration again.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

enum { OPTION_DRY_RUN = OPTION_OWN };

/* How long the daemon is to hold an answer about a job; it allows 60. */
#define HOLD_S 30

/* What the daemon takes at most, and what may be before it. */
#define WAIT_S 30

const struct option_row options_reload[] = {
	{ "dry-run", OPTION_DRY_RUN, NULL, "only say what would change" },
	{ "wait", OPTION_WAIT, NULL,
	    "wait for the runs of jobs that are no longer configured" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static void
print_names(const json_t *answer, const char *key, const char *what)
{
	const json_t *names = json_object_get(answer, key);
	const json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	(void)printf("%s:", what);
	json_array_foreach(names, i, name)
		(void)printf(" %s", json_string_value(name));
	(void)printf("\n");
}

static void
print_answer(const json_t *answer)
{
	char unchanged[UNITS_TEXT_SIZE];

	print_names(answer, "added", "added");
	print_names(answer, "removed", "removed");
	print_names(answer, "changed", "changed");
	(void)printf("unchanged: %s\n", units_format_count(json_array_size(
	    json_object_get(answer, "unchanged")), "job", unchanged));
	print_names(answer, "after_restart", "counts after a restart");
}

struct wish {
	bool is_dry;
	bool waits;
};

static int
set_option(struct options *o UNUSED, void *arg, int id,
    const char *value UNUSED)
{
	struct wish *wish = arg;

	if (id == OPTION_WAIT)
		wish->waits = true;
	else
		wish->is_dry = true;
	return 0;
}

/* It goes when its run ends, unless it comes back. */
static int
wait_for_removed(const struct control *control, const char *job)
{
	char said[CONTROL_SAID_SIZE];
	struct control quiet = *control;
	bool is_running = true;
	int exit_code = CLI_OK;
	char suffix[64];
	json_int_t rev = 0;

	quiet.said = said;
	while (exit_code == CLI_OK && is_running) {
		json_t *answer = NULL;

		(void)snprintf(suffix, sizeof suffix, "?wait=%d&since=%"
		    JSON_INTEGER_FORMAT, rev == 0 ? 0 : HOLD_S, rev);
		exit_code = control_ask_job(&quiet, "GET", job, suffix, HOLD_S,
		    &answer);
		is_running = json_is_object(json_object_get(answer, "run"));
		rev = json_integer_value(json_object_get(answer, "rev"));
		json_decref(answer);
	}
	if (exit_code == CLI_NO_JOB)
		return CLI_OK;
	if (exit_code != CLI_OK)
		message(control->command, "%s", said);
	return exit_code;
}

static int
wait_for_all_removed(const struct control *control, const json_t *answer)
{
	int exit_code = CLI_OK;
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(answer, "removed"), i, name)
		if (exit_code == CLI_OK && json_is_string(name))
			exit_code = wait_for_removed(control,
			    json_string_value(name));
	return exit_code;
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
	struct wish wish = { .is_dry = false };
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &wish) < 0)
		return o.exit_code;
	exit_code = control_ask(&control, "POST", wish.is_dry ?
	    "/v1/config/check" : "/v1/config/reload", WAIT_S, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (wish.waits && !wish.is_dry)
		exit_code = wait_for_all_removed(&control, answer);
	if (control.json && output_json(json_incref(answer)) != CLI_OK &&
	    exit_code == CLI_OK)
		return CLI_ERROR;
	if (!control.json && !control.quiet)
		print_answer(answer);
	return exit_code;
}
