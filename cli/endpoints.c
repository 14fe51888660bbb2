/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync endpoints and nbdsync probe: the disks that the daemon knows, and
 * what the server of one of them says now.
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
#define PROBE_WAIT_S  20
#define ROW	      "%-16s "

const struct option_row options_endpoints[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

const struct option_row options_probe[] = {
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

static int
read_options(struct options *o, struct control *control, bool *ret_json)
{
	const char *value = NULL;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_JSON)
			*ret_json = true;
		else
			control->socket_path = value;
	}
	return id;
}

int
command_endpoints(const struct command *command, int argc, char **argv)
{
	struct control control;
	json_t *answer = NULL;
	bool as_json = false;
	struct options o;
	int exit_code;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &control, &as_json) < 0)
		return o.exit_code;
	exit_code = control_ask(&control, "GET", "/v1/endpoints", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (as_json)
		return output_json(answer);
	exit_code = output_list(command, json_object_get(answer, "endpoints"),
	    heading, N_COLUMNS, read_row);
	json_decref(answer);
	return exit_code;
}

static void
print_answer(const json_t *o)
{
	static const char *const flags[] = { "read_only", "flush",
		"write_zeroes", "fast_zero", "multi_conn", "base_allocation" };
	static const char *const names[] = { "read-only:", "flush:",
		"write zeroes:", "fast zero:", "multi-conn:",
		"base:allocation:" };
	const json_t *sizes = json_object_get(o, "block_size");
	json_int_t size = json_integer_value(json_object_get(o, "size_bytes"));
	char text[UNITS_TEXT_SIZE];
	char tls[OUTPUT_CELL_SIZE];

	(void)printf(ROW "%" JSON_INTEGER_FORMAT " bytes (%s)\n", "size:",
	    size, units_format_size(size < 0 ? 0 : (uint64_t)size, text));
	for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++)
		(void)printf(ROW "%s\n", names[i], json_is_true(
		    json_object_get(o, flags[i])) ? "yes" : "no");
	(void)printf(ROW "minimum %" JSON_INTEGER_FORMAT ", preferred %"
	    JSON_INTEGER_FORMAT ", maximum %" JSON_INTEGER_FORMAT "\n",
	    "block size:",
	    json_integer_value(json_object_get(sizes, "minimum_bytes")),
	    json_integer_value(json_object_get(sizes, "preferred_bytes")),
	    json_integer_value(json_object_get(sizes, "maximum_bytes")));
	output_cell(o, "tls", tls);
	output_make_printable(tls);
	(void)printf(ROW "%s\n", "TLS:", strcmp(tls, "-") == 0 ? "no" : tls);
}

int
command_probe(const struct command *command, int argc, char **argv)
{
	char target[256], name[128];
	struct control control;
	json_t *answer = NULL;
	bool as_json = false;
	struct options o;
	int exit_code;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &control, &as_json) < 0)
		return o.exit_code;
	if (strstr(o.argv[0], "://") != NULL)
		return message_usage(command, "'%s' is a URI: use 'nbdsync "
		    "info'", o.argv[0]);
	if (http_encode_segment(o.argv[0], name, sizeof name) < 0) {
		message(command, "there is no endpoint '%s'", o.argv[0]);
		return CLI_NO_JOB;
	}
	(void)snprintf(target, sizeof target, "/v1/endpoints/%s/probe", name);
	exit_code = control_ask(&control, "POST", target, PROBE_WAIT_S,
	    &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (as_json)
		return output_json(answer);
	print_answer(answer);
	json_decref(answer);
	return CLI_OK;
}
