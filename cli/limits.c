/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync limits: how fast the jobs of the daemon may go, over how many
 * connections, and what limits those that run.
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
#include "transfer/run.h"

#define N_COLUMNS 6

enum {
	OPTION_CONNECTIONS = OPTION_OWN,
	OPTION_FOR,
};

const struct option_row options_limits[] = {
	{ "connections", OPTION_CONNECTIONS, "N",
	    "let JOB use so many from its next run on; 0: as configured" },
	{ "for", OPTION_FOR, "TIME",
	    "with --connections: after TIME as configured again" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print the limits as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char *const heading[N_COLUMNS] = { "JOB", "RATE", "AS", "UNTIL",
	"CONNECTIONS", "LIMITED BY" };

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

/* "4", "4, set", "measured" */
static void
read_connections(const json_t *o, char cell[OUTPUT_CELL_SIZE])
{
	json_int_t n = json_integer_value(json_object_get(o, "connections"));

	if (n == 0)
		(void)snprintf(cell, OUTPUT_CELL_SIZE, "measured");
	else
		(void)snprintf(cell, OUTPUT_CELL_SIZE,
		    "%" JSON_INTEGER_FORMAT "%s", n, json_is_false(
		    json_object_get(o, "connections_as_configured")) ?
		    ", set" : "");
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
	read_connections(o, row->cell[4]);
	output_cell(o, "limited_by", row->cell[5]);
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

struct wish {
	unsigned connections;
	bool has_connections;
	const char *ttl;
};

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct wish *wish = arg;
	uint64_t ms;

	if (id == OPTION_FOR) {
		wish->ttl = value;
		return options_time(o, "for", value, &ms);
	}
	wish->has_connections = true;
	if (strcmp(value, "0") == 0)
		return 0;
	return options_number(o, "connections", value, RUN_MAX_CONNECTIONS,
	    &wish->connections);
}

static int
check_wish(struct options *o, const struct wish *wish)
{
	if (wish->has_connections && o->argc == 0)
		return options_fail(o, "name a job");
	if (wish->ttl != NULL && !wish->has_connections)
		return options_fail(o, "--for is of use with --connections "
		    "only");
	return 0;
}

static int
set_limits(struct control *control, const char *job, const struct wish *wish,
    json_t **ret_answer)
{
	json_t *body = json_pack("{s:i, s:s*}", "connections",
	    (int)wish->connections, "ttl", wish->ttl);
	CLEANUP(cleanup_free) char *text = json_dumps(body, JSON_COMPACT);
	int exit_code;

	json_decref(body);
	control->body = text;
	exit_code = control_ask_job(control, "PATCH", job, "/limits", 0,
	    ret_answer);
	control->body = NULL;
	return exit_code;
}

int
command_limits(const struct command *command, int argc, char **argv)
{
	struct wish wish = { .connections = 0 };
	struct control control;
	json_t *answer = NULL;
	struct options o;
	json_t *list;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &wish) < 0 || check_wish(&o, &wish) < 0)
		return o.exit_code;
	if (wish.has_connections)
		exit_code = set_limits(&control, o.argv[0], &wish, &answer);
	else
		exit_code = o.argc == 0 ?
		    control_ask(&control, "GET", "/v1/jobs", 0, &answer) :
		    control_ask_job(&control, "GET", o.argv[0], "", 0,
			&answer);
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
