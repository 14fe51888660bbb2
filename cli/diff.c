/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync diff: where the disks of a job differ, by its last comparison.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/annotate.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "transfer/run.h"

#define N_COLUMNS 4			/* the last only to explain */
#define N_RUNS	  20			/* that are looked at */

enum { OPTION_EXPLAIN = OPTION_OWN };

const struct option_row options_diff[] = {
	{ "explain", OPTION_EXPLAIN, NULL,
	    "say what is there, and what that may mean" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char *const heading[N_COLUMNS] = { "OFFSET", "LENGTH",
	"DESTINATION", "WHAT" };

/* What a range may be, by "all_zero" of the API. */
static const struct kind {
	const char *all_zero;		/* NULL: null */
	const char *what;
	const char *meaning;
} kinds[] = {
	{ NULL, "data on both sides",
	    "Where both have data, one of them was written to, or has been "
	    "damaged." },
	{ "source", "zeroes at the source",
	    "Where the source has zeroes only, it was emptied since, or the "
	    "zeroes were not\nwritten." },
	{ "destination", "zeroes at the destination",
	    "Where the destination has zeroes only, what was written there is "
	    "lost, or nothing\never was." },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static size_t
kind_of(const json_t *o)
{
	const char *word = json_string_value(json_object_get(o, "all_zero"));

	for (size_t i = 1; word != NULL && i < N_KINDS; i++)
		if (strcmp(kinds[i].all_zero, word) == 0)
			return i;
	return 0;
}

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
	(void)snprintf(row->cell[3], OUTPUT_CELL_SIZE, "%s",
	    kinds[kind_of(o)].what);
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
	const char *result = json_string_value(json_object_get(run,
	    "result"));

	/* Or what was written has been read back. */
	return (mode != NULL &&
	    strcmp(mode, run_mode_name(RUN_VERIFY)) == 0) ||
	    (result != NULL &&
	    strcmp(result, run_outcome_name(RUN_DIFFERENT)) == 0) ||
	    json_integer_value(json_object_get(json_object_get(report,
	    "progress"), "verified_bytes")) > 0;
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

/* The largest of some block sizes that all begin and end at. */
static json_int_t
alignment_of(const json_t *list)
{
	json_int_t block = 1024 * 1024;
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		while (block > 1 && ((json_integer_value(json_object_get(o,
		    "offset_bytes")) | json_integer_value(json_object_get(o,
		    "length_bytes"))) & (block - 1)) != 0)
			block /= 2;
	return block;
}

/* How much it is, of how much, in which pieces, and what that may mean. */
static void
explain(const json_t *run)
{
	const json_t *report = json_object_get(run, "report");
	const json_t *list = json_object_get(report, "differences");
	json_int_t compared = json_integer_value(json_object_get(
	    json_object_get(report, "progress"), "total_bytes"));
	char bytes_text[UNITS_TEXT_SIZE], all_text[UNITS_TEXT_SIZE];
	bool has[N_KINDS] = { false };
	uint64_t bytes = 0;
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		bytes += (uint64_t)json_integer_value(json_object_get(o,
		    "length_bytes"));
		has[kind_of(o)] = true;
	}
	(void)printf("\n%zu range%s, %s in all, of %s that were compared.\nAll "
	    "begin and end at multiples of %" JSON_INTEGER_FORMAT
	    " bytes.\n", i, i == 1 ? "" : "s", units_format_size(bytes,
	    bytes_text), units_format_size(compared < 0 ? 0 :
	    (uint64_t)compared, all_text), alignment_of(list));
	for (i = 0; i < N_KINDS; i++)
		if (has[i])
			(void)puts(kinds[i].meaning);
}

static int
show(const struct command *command, const json_t *run, bool explains)
{
	int exit_code;
	const json_t *report = json_object_get(run, "report");
	const json_t *list = json_object_get(report, "differences");
	const char *at = json_string_value(json_object_get(run,
	    "finished_at"));
	char local[OUTPUT_TIME_SIZE];
	size_t n_bad;

	message(command, "as of %s, run %s",
	    output_local_time(at != NULL ? at : "?", local),
	    json_string_value(json_object_get(run, "id")));
	if (json_is_true(json_object_get(report, "partial")))
		message(command, "warning: that has not compared all of both "
		    "disks");
	if (json_is_true(json_object_get(report, "differences_are_cut")))
		message(command, "warning: there are more differences than "
		    "are listed");
	n_bad = json_array_size(json_object_get(report, "bad_ranges"));
	if (n_bad > 0)
		message(command, "warning: %zu more ranges could not be read, "
		    "and were not compared", n_bad);
	if (json_array_size(list) == 0)
		return CLI_OK;
	exit_code = output_list(command, list, heading, explains ? N_COLUMNS :
	    N_COLUMNS - 1, read_row);
	if (exit_code == CLI_OK && explains)
		explain(run);
	return exit_code;
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

static int
set_option(struct options *o UNUSED, void *arg, int id UNUSED,
    const char *value UNUSED)
{
	bool *explains = arg;

	*explains = true;
	return 0;
}

int
command_diff(const struct command *command, int argc, char **argv)
{
	struct control control;
	bool explains = false;
	json_t *run = NULL;
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &explains) < 0)
		return o.exit_code;
	exit_code = find_run(&control, o.argv[0], &run);
	if (exit_code == CLI_OK)
		exit_code = control.json ? output_json(json_incref(run)) :
		    show(command, run, explains);
	if (exit_code == CLI_OK)
		exit_code = tell_result(command, run);
	json_decref(run);
	return exit_code;
}
