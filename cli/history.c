/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync history: the runs of the daemon that have ended.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/output.h"

#define N_COLUMNS     6
#define LIMIT_DEFAULT 20
#define LIMIT_MAX     1000
#define PAGE	      250		/* runs in one answer */

enum {
	OPTION_LIMIT = OPTION_OWN,
	OPTION_SINCE,
};

const struct option_row options_history[] = {
	{ "limit", OPTION_LIMIT, "N",
	    "show at most N runs (20, or with --since all)" },
	{ "since", OPTION_SINCE, "TIME",
	    "that ended since: 2h ago, or 2026-11-23, or '2026-11-23 06:00'" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/* The texts of one line of the table. */
struct request {
	struct control control;
	char since[32];			/* or "" */
	unsigned limit;
};

static const char *const heading[N_COLUMNS] = { "RUN", "JOB", "RESULT",
	"STARTED", "FINISHED", "BYTES" };

static void
read_row(const json_t *run, struct output_row *row)
{
	static const char *const keys[] = { "id", "job", "result",
		"started_at", "finished_at" };
	json_int_t bytes = json_integer_value(json_object_get(run, "bytes"));
	char local[OUTPUT_TIME_SIZE];

	for (unsigned i = 0; i < 5; i++)
		output_cell(run, keys[i], row->cell[i]);
	for (unsigned i = 3; i < 5; i++)
		(void)snprintf(row->cell[i], OUTPUT_CELL_SIZE, "%s",
		    output_local_time(row->cell[i], local));
	(void)units_format_size(bytes < 0 ? 0 : (uint64_t)bytes,
	    row->cell[5]);
}

/* As the daemon writes times. */
static int
read_since(struct options *o, const char *value, char *buf, size_t size)
{
	struct tm tm;
	time_t at;

	if (options_past(o, "since", value, &at) < 0)
		return OPTIONS_STOP;
	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return options_fail(o, "--since: '%s' is no time", value);
	return 0;
}

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct request *r = arg;

	switch (id) {
	case OPTION_LIMIT:
		return options_number(o, "limit", value, LIMIT_MAX,
		    &r->limit);
	default:
		return read_since(o, value, r->since, sizeof r->since);
	}
}

/* Up to limit of them, older than the run before, unless that is NULL. */
static int
ask_page(const struct request *r, const char *job, unsigned limit,
    const char *before, json_t **ret_answer)
{
	char suffix[160];

	(void)snprintf(suffix, sizeof suffix, "%s?limit=%u%s%s", job != NULL ?
	    "/history" : "/v1/runs", limit, before != NULL ? "&before=" : "",
	    before != NULL ? before : "");
	return job != NULL ?
	    control_ask_job(&r->control, "GET", job, suffix, 0, ret_answer) :
	    control_ask(&r->control, "GET", suffix, 0, ret_answer);
}

/* Those that are not older: true if there may be more of them behind. */
static bool
take_page(const struct request *r, const json_t *page, json_t *runs)
{
	json_t *run;
	size_t i;

	json_array_foreach(page, i, run) {
		const char *at = json_string_value(json_object_get(run,
		    "finished_at"));

		/* Both are of one form; runs come as they have ended. */
		if (at == NULL || strcmp(at, r->since) < 0)
			return false;
		if (json_array_append(runs, run) < 0)
			return false;
	}
	return json_array_size(page) > 0;
}

static int
ask_all(const struct request *r, const char *job, json_t *runs)
{
	CLEANUP(cleanup_free) char *before = NULL;
	json_t *answer = NULL;
	bool has_more = true;
	int exit_code = CLI_OK;

	while (exit_code == CLI_OK && has_more &&
	    json_array_size(runs) < r->limit) {
		size_t left = r->limit - json_array_size(runs);
		unsigned limit = left < PAGE ? (unsigned)left : PAGE;
		const json_t *last;
		const char *id;

		exit_code = ask_page(r, job, limit, before, &answer);
		if (exit_code != CLI_OK)
			break;
		has_more = take_page(r, json_object_get(answer, "runs"),
		    runs);
		last = json_array_get(runs, json_array_size(runs) - 1);
		id = json_string_value(json_object_get(last, "id"));
		free(before);
		before = id == NULL ? NULL : strdup(id);
		has_more = has_more && before != NULL;
		json_decref(answer);
	}
	return exit_code;
}

int
command_history(const struct command *command, int argc, char **argv)
{
	struct request r = { .limit = 0 };
	struct options o;
	json_t *runs;
	int exit_code;

	if (control_open(&r.control, command, &o, argc, argv, set_option,
	    &r) < 0)
		return o.exit_code;
	if (r.limit == 0)
		r.limit = r.since[0] == '\0' ? LIMIT_DEFAULT : UINT_MAX;
	runs = json_array();
	exit_code = ask_all(&r, o.argc > 0 ? o.argv[0] : NULL, runs);
	if (exit_code == CLI_OK)
		exit_code = r.control.json ?
		    output_json(json_pack("{s:O}", "runs", runs)) :
		    output_list(command, runs, heading, N_COLUMNS, read_row);
	json_decref(runs);
	return exit_code;
}
