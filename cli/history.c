/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync history: the runs of the daemon that have ended.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

#define N_COLUMNS     6
#define LIMIT_DEFAULT 20
#define LIMIT_MAX     1000
#define CELL_SIZE     72

enum {
	OPTION_LIMIT = OPTION_OWN,
};

const struct option_row options_history[] = {
	{ "limit", OPTION_LIMIT, "N", "show at most N runs (20)" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/* The texts of one line of the table. */
struct line {
	char cell[N_COLUMNS][CELL_SIZE];
};

static void
copy_text(const json_t *run, const char *key, char cell[CELL_SIZE])
{
	const char *text = json_string_value(json_object_get(run, key));

	(void)snprintf(cell, CELL_SIZE, "%s", text == NULL ? "-" : text);
	output_make_printable(cell);
}

static void
read_run(const json_t *run, struct line *line)
{
	static const char *const keys[] = { "id", "job", "result" };
	json_int_t bytes = json_integer_value(json_object_get(run, "bytes"));
	const char *times[] = { "started_at", "finished_at" };

	for (unsigned i = 0; i < 3; i++)
		copy_text(run, keys[i], line->cell[i]);
	for (unsigned i = 0; i < 2; i++) {
		const char *utc = json_string_value(json_object_get(run,
		    times[i]));
		char local[OUTPUT_TIME_SIZE];

		(void)snprintf(line->cell[3 + i], CELL_SIZE, "%s",
		    output_local_time(utc == NULL ? "-" : utc, local));
		output_make_printable(line->cell[3 + i]);
	}
	(void)units_format_size(bytes < 0 ? 0 : (uint64_t)bytes,
	    line->cell[5]);
}

static int
print_table(const struct command *command, const json_t *runs)
{
	static const char *const heading[N_COLUMNS] = {
		"RUN", "JOB", "RESULT", "STARTED", "FINISHED", "BYTES",
	};
	size_t n = json_array_size(runs);
	CLEANUP(cleanup_free) struct line *lines = calloc(n + 1,
	    sizeof *lines);
	CLEANUP(cleanup_free) void *room = calloc(n + 1,
	    OUTPUT_TABLE_COLUMNS * sizeof(char *));
	const char *(*cells)[OUTPUT_TABLE_COLUMNS] = room;

	if (lines == NULL || cells == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	memcpy(cells[0], heading, sizeof heading);
	for (size_t i = 0; i < n; i++) {
		read_run(json_array_get(runs, i), &lines[i]);
		for (size_t k = 0; k < N_COLUMNS; k++)
			cells[i + 1][k] = lines[i].cell[k];
	}
	output_table((const char *const (*)[OUTPUT_TABLE_COLUMNS])room,
	    n + 1, N_COLUMNS);
	return CLI_OK;
}

static int
read_options(struct options *o, struct control *control, unsigned *limit,
    bool *json)
{
	const char *value = NULL;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_JSON)
			*json = true;
		else if (id == OPTION_SOCKET)
			control->socket_path = value;
		else if (options_number(o, "limit", value, LIMIT_MAX,
		    limit) < 0)
			return OPTIONS_STOP;
	}
	return id;
}

int
command_history(const struct command *command, int argc, char **argv)
{
	unsigned limit = LIMIT_DEFAULT;
	struct control control;
	struct options o;
	json_t *answer = NULL;
	bool json = false;
	char suffix[48];
	int exit_code;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &control, &limit, &json) < 0)
		return o.exit_code;
	(void)snprintf(suffix, sizeof suffix, "%s?limit=%u", o.argc > 0 ?
	    "/history" : "/v1/runs", limit);
	exit_code = o.argc > 0 ?
	    control_ask_job(&control, "GET", o.argv[0], suffix, 0, &answer) :
	    control_ask(&control, "GET", suffix, 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (json)
		return output_json(answer);
	exit_code = print_table(command, json_object_get(answer, "runs"));
	json_decref(answer);
	return exit_code;
}
