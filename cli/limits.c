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

const struct option_row options_limits[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print the limits as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char *const heading[N_COLUMNS] = { "JOB", "RATE", "AS", "UNTIL",
	"LIMITED BY" };

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

static void
read_row(const json_t *o, struct output_row *row)
{
	json_int_t rate = json_integer_value(json_object_get(o,
	    "rate_bytes_per_s"));
	char size[UNITS_TEXT_SIZE], at[OUTPUT_TIME_SIZE];

	output_cell(o, "job", row->cell[0]);
	if (rate > 0)
		(void)snprintf(row->cell[1], OUTPUT_CELL_SIZE, "%s/s",
		    units_format_size((uint64_t)rate, size));
	else
		(void)snprintf(row->cell[1], OUTPUT_CELL_SIZE, "none");
	(void)snprintf(row->cell[2], OUTPUT_CELL_SIZE, "%s", json_is_false(
	    json_object_get(o, "as_configured")) ? "set" : "configured");
	output_cell(o, "until", row->cell[3]);
	(void)snprintf(row->cell[3], OUTPUT_CELL_SIZE, "%s",
	    output_local_time(row->cell[3], at));
	output_cell(o, "limited_by", row->cell[4]);
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
	struct control control;
	json_t *answer = NULL;
	struct options o;
	json_t *list;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code;
	exit_code = o.argc == 0 ?
	    control_ask(&control, "GET", "/v1/jobs", 0, &answer) :
	    control_ask_job(&control, "GET", o.argv[0], "", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	list = list_limits(answer);
	json_decref(answer);
	if (control.json)
		return output_json(json_pack("{s:o}", "limits", list));
	exit_code = output_list(command, list, heading, N_COLUMNS, read_row);
	json_decref(list);
	return exit_code;
}
