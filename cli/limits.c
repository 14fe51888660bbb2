/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync limits: how fast the jobs of the daemon may go, and what limits
 * those that run.
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

#define N_COLUMNS 5
#define CELL_SIZE 80

const struct option_row options_limits[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print the limits as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct line {
	char cell[N_COLUMNS][CELL_SIZE];
};

static json_t *
progress_of(const json_t *job)
{
	return json_object_get(json_object_get(job, "run"), "progress");
}

/* "limits" of the job, with its name and what limits it now. */
static json_t *
limits_of(const json_t *job)
{
	const json_t *limits = json_object_get(job, "limits");
	json_t *o = json_pack("{s:O?}", "job", json_object_get(job, "job"));
	json_t *by = json_object_get(progress_of(job), "limited_by");

	if (json_is_object(limits))
		(void)json_object_update(o, (json_t *)(uintptr_t)limits);
	if (by != NULL)
		(void)json_object_set(o, "limited_by", by);
	else
		(void)json_object_set_new(o, "limited_by", json_null());
	return o;
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "-";
}

static void
read_line(const json_t *o, struct line *line)
{
	json_int_t rate = json_integer_value(json_object_get(o,
	    "rate_bytes_per_s"));
	char size[UNITS_TEXT_SIZE], at[OUTPUT_TIME_SIZE];
	const char *until = text_of(o, "until");

	(void)snprintf(line->cell[0], CELL_SIZE, "%s", text_of(o, "job"));
	if (rate > 0)
		(void)snprintf(line->cell[1], CELL_SIZE, "%s/s",
		    units_format_size((uint64_t)rate, size));
	else
		(void)snprintf(line->cell[1], CELL_SIZE, "none");
	(void)snprintf(line->cell[2], CELL_SIZE, "%s", json_is_false(
	    json_object_get(o, "as_configured")) ? "set" : "configured");
	(void)snprintf(line->cell[3], CELL_SIZE, "%s",
	    output_local_time(until, at));
	(void)snprintf(line->cell[4], CELL_SIZE, "%s", text_of(o,
	    "limited_by"));
	for (unsigned i = 0; i < N_COLUMNS; i++)
		output_make_printable(line->cell[i]);
}

static int
print_table(const struct command *command, const json_t *list)
{
	static const char *const heading[N_COLUMNS] = { "JOB", "RATE", "AS",
		"UNTIL", "LIMITED BY" };
	size_t n = json_array_size(list);
	CLEANUP(cleanup_free) struct line *lines = calloc(n + 1,
	    sizeof *lines);
	CLEANUP(cleanup_free) void *room = calloc(n + 1,
	    sizeof(const char *[OUTPUT_TABLE_COLUMNS]));
	const char *(*cells)[OUTPUT_TABLE_COLUMNS] = room;

	if (lines == NULL || room == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	memcpy(cells[0], heading, sizeof heading);
	for (size_t i = 0; i < n; i++) {
		read_line(json_array_get(list, i), &lines[i]);
		for (unsigned k = 0; k < N_COLUMNS; k++)
			cells[i + 1][k] = lines[i].cell[k];
	}
	output_table((const char *const (*)[OUTPUT_TABLE_COLUMNS])room,
	    n + 1, N_COLUMNS);
	return CLI_OK;
}

/* Of one job, or of all. */
static json_t *
list_limits(const json_t *answer)
{
	const json_t *jobs = json_object_get(answer, "jobs");
	json_t *list = json_array();
	const json_t *job;
	size_t i;

	if (jobs == NULL)
		(void)json_array_append_new(list, limits_of(answer));
	json_array_foreach(jobs, i, job)
		(void)json_array_append_new(list, limits_of(job));
	return list;
}

int
command_limits(const struct command *command, int argc, char **argv)
{
	struct control control = { .command = command };
	const char *value = NULL;
	json_t *answer = NULL;
	bool as_json = false;
	struct options o;
	json_t *list;
	int exit_code;
	int id;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	while ((id = options_next(&o, &value)) > OPTIONS_END) {
		if (id == OPTION_JSON)
			as_json = true;
		else
			control.socket_path = value;
	}
	if (id == OPTIONS_STOP)
		return o.exit_code;
	exit_code = o.argc == 0 ?
	    control_ask(&control, "GET", "/v1/jobs", 0, &answer) :
	    control_ask_job(&control, "GET", o.argv[0], "", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	list = list_limits(answer);
	json_decref(answer);
	if (as_json)
		return output_json(json_pack("{s:o}", "limits", list));
	exit_code = print_table(command, list);
	json_decref(list);
	return exit_code;
}
