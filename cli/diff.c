/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync diff: where the disks of a job differ, by its last comparison.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "transfer/run.h"

#define N_COLUMNS 3
#define N_RUNS	  20			/* that are looked at */

const struct option_row options_diff[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char *const heading[N_COLUMNS] = { "OFFSET", "LENGTH",
	"DESTINATION" };

static void
read_row(const json_t *o, struct output_row *row)
{
	json_int_t length = json_integer_value(json_object_get(o,
	    "length_bytes"));
	char size[UNITS_TEXT_SIZE];

	(void)snprintf(row->cell[0], OUTPUT_CELL_SIZE,
	    "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(o,
	    "offset_bytes")));
	(void)snprintf(row->cell[1], OUTPUT_CELL_SIZE,
	    "%" JSON_INTEGER_FORMAT " (%s)", length,
	    units_format_size(length < 0 ? 0 : (uint64_t)length, size));
	(void)snprintf(row->cell[2], OUTPUT_CELL_SIZE,
	    "%" JSON_INTEGER_FORMAT, 1 + json_integer_value(json_object_get(o,
	    "destination")));
}

static int
ask_run(const struct control *control, const char *id, json_t **ret_run)
{
	char target[256], name[128];

	if (http_encode_segment(id, name, sizeof name) < 0) {
		message(control->command, "the daemon's answer has no runs "
		    "in it");
		return CLI_ERROR;
	}
	(void)snprintf(target, sizeof target, "/v1/runs/%s", name);
	return control_ask(control, "GET", target, 0, ret_run);
}

static bool
has_compared(const json_t *run)
{
	const json_t *report = json_object_get(run, "report");
	const char *mode = json_string_value(json_object_get(report, "mode"));

	return mode != NULL && strcmp(mode, run_mode_name(RUN_VERIFY)) == 0;
}

/* The newest of the last runs that has compared. */
static int
find_run(const struct control *control, const char *job, json_t **ret_run)
{
	char suffix[48];
	json_t *answer = NULL;
	const json_t *o;
	int exit_code;
	size_t i;

	(void)snprintf(suffix, sizeof suffix, "/history?limit=%d", N_RUNS);
	exit_code = control_ask_job(control, "GET", job, suffix, 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	json_array_foreach(json_object_get(answer, "runs"), i, o) {
		const char *id = json_string_value(json_object_get(o, "id"));
		json_t *run = NULL;

		exit_code = ask_run(control, id != NULL ? id : "", &run);
		if (exit_code != CLI_OK || has_compared(run)) {
			*ret_run = run;
			break;
		}
		json_decref(run);
	}
	json_decref(answer);
	if (exit_code == CLI_OK && *ret_run == NULL) {
		message(control->command, "none of the last %d runs of job "
		    "'%s' has compared its disks: see 'nbdsync verify'",
		    N_RUNS, job);
		return CLI_ERROR;
	}
	return exit_code;
}

static int
show(const struct command *command, const json_t *run)
{
	const json_t *report = json_object_get(run, "report");
	const json_t *list = json_object_get(report, "differences");
	const char *at = json_string_value(json_object_get(run,
	    "finished_at"));
	char local[OUTPUT_TIME_SIZE];

	message(command, "as of %s, run %s",
	    output_local_time(at != NULL ? at : "?", local),
	    json_string_value(json_object_get(run, "id")));
	if (json_is_true(json_object_get(report, "differences_are_cut")))
		message(command, "warning: there are more differences than "
		    "are listed");
	return json_array_size(list) == 0 ? CLI_OK :
	    output_list(command, list, heading, N_COLUMNS, read_row);
}

/* Equal, different, or neither: it has not come to its end. */
static int
tell_result(const struct command *command, const json_t *run)
{
	const char *result = json_string_value(json_object_get(run, "result"));

	if (result != NULL &&
	    strcmp(result, run_outcome_name(RUN_DIFFERENT)) == 0)
		return CLI_DIFFERENT;
	if (result != NULL &&
	    (strcmp(result, run_outcome_name(RUN_SUCCEEDED)) == 0 ||
	    strcmp(result, run_outcome_name(RUN_REPAIRED)) == 0))
		return CLI_OK;
	message(command, "the comparison did not come to its end: %s",
	    result != NULL ? result : "no result");
	return CLI_ERROR;
}

int
command_diff(const struct command *command, int argc, char **argv)
{
	struct control control;
	json_t *run = NULL;
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code;
	exit_code = find_run(&control, o.argv[0], &run);
	if (exit_code == CLI_OK)
		exit_code = control.json ? output_json(json_incref(run)) :
		    show(command, run);
	if (exit_code == CLI_OK)
		exit_code = tell_result(command, run);
	json_decref(run);
	return exit_code;
}
