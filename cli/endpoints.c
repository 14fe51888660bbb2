/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync endpoints: the disks that the daemon knows.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"

#define N_COLUMNS     4

const struct option_row options_endpoints[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char *const heading[N_COLUMNS] = { "ENDPOINT", "KIND", "ROLE",
	"JOBS" };

static void
read_row(const json_t *o, struct output_row *row)
{
	static const char *const keys[] = { "endpoint", "kind", "role" };
	const json_t *job;
	size_t used = 0;
	size_t i;

	for (i = 0; i < 3; i++)
		output_cell(o, keys[i], row->cell[i]);
	(void)snprintf(row->cell[3], OUTPUT_CELL_SIZE, "-");
	json_array_foreach(json_object_get(o, "jobs"), i, job)
		if (used < OUTPUT_CELL_SIZE)
			used += (size_t)snprintf(row->cell[3] + used,
			    OUTPUT_CELL_SIZE - used, "%s%s", i > 0 ? ", " : "",
			    json_string_value(job));
}

int
command_endpoints(const struct command *command, int argc, char **argv)
{
	struct control control;
	json_t *answer = NULL;
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code;
	exit_code = control_ask(&control, "GET", "/v1/endpoints", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(answer);
	exit_code = output_list(command, json_object_get(answer, "endpoints"),
	    heading, N_COLUMNS, read_row);
	json_decref(answer);
	return exit_code;
}
