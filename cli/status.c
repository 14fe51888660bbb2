/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync status: all jobs in a table, or one in detail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/job-status.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run-text.h"
#include "cli/status-connections.h"
#include "cli/watch.h"

enum {
	OPTION_WATCH = OPTION_OWN,
	OPTION_ASCII,
	OPTION_CONNECTIONS,
	WATCH_EVERY_MS = 1000,
};

const struct option_row options_status[] = {
	{ "watch", OPTION_WATCH, "[TIME]",
	    "a screen with keys, looking every second or TIME" },
	{ "ascii", OPTION_ASCII, NULL,
	    "with --watch: no characters but ASCII" },
	{ "connections", OPTION_CONNECTIONS, NULL,
	    "of one job: each connection of its run in a table" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

enum {
	COLUMN_JOB,
	COLUMN_STATE,
	COLUMN_PROGRESS,
	COLUMN_RATE,
	COLUMN_LAST,
	N_COLUMNS,
	CELL_SIZE = 160,
};

/* One row of the table: the texts its cells point to. */
struct row {
	char cells[N_COLUMNS][CELL_SIZE];
};

static void
set_cell(struct row *row, int column, const char *text)
{
	(void)snprintf(row->cells[column], CELL_SIZE, "%s", text);
	output_make_printable(row->cells[column]);
}

static void
make_row(struct row *row, const struct job_status *status)
{
	char rate[UNITS_TEXT_SIZE], last[JOB_LAST_SIZE];

	set_cell(row, COLUMN_JOB, status->name);
	set_cell(row, COLUMN_STATE, status->state);
	set_cell(row, COLUMN_LAST, job_status_last(status, last));
	if (status->run.progress.mirror.is_in_sync) {
		/* Whether a pass is under way or not. */
		set_cell(row, COLUMN_PROGRESS, "in sync");
		set_cell(row, COLUMN_RATE, "-");
		return;
	}
	if (job_status_has_failing_passes(status)) {
		set_cell(row, COLUMN_PROGRESS, "failing");
		set_cell(row, COLUMN_RATE, "-");
		return;
	}
	if (!status->is_running || status->run.progress.total_bytes == 0) {
		set_cell(row, COLUMN_PROGRESS, "-");
		set_cell(row, COLUMN_RATE, "-");
		return;
	}
	(void)snprintf(row->cells[COLUMN_PROGRESS], CELL_SIZE, "%u%%",
	    progress_percent(&status->run.progress));
	(void)snprintf(row->cells[COLUMN_RATE], CELL_SIZE, "%s/s",
	    units_format_size(status->run.rate, rate));
}

static void
print_table(const struct row *rows, size_t n_rows,
    const char *(*cells)[OUTPUT_TABLE_COLUMNS])
{
	static const char *const heading[] = { "JOB", "STATE", "PROGRESS",
		"RATE", "LAST" };

	for (size_t j = 0; j < N_COLUMNS; j++) {
		cells[0][j] = heading[j];
		for (size_t i = 0; i < n_rows; i++)
			cells[i + 1][j] = rows[i].cells[j];
	}
	output_table(cells, n_rows + 1, N_COLUMNS);
}

static int
fail_no_jobs(const struct command *command)
{
	message(command, "the daemon's answer has no jobs in it");
	return CLI_ERROR;
}

static int
show_jobs(const struct command *command, const json_t *json)
{
	const json_t *list = json_object_get(json, "jobs");
	size_t n = json_array_size(list);
	CLEANUP(cleanup_free) struct row *rows = calloc(n + 1, sizeof *rows);
	CLEANUP(cleanup_free) const char *(*cells)[OUTPUT_TABLE_COLUMNS] =
	    calloc(n + 1, sizeof *cells);
	struct job_status status;

	if (!json_is_array(list))
		return fail_no_jobs(command);
	if (rows == NULL || cells == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	if (n == 0)
		message(command, "no jobs are configured");
	for (size_t i = 0; i < n; i++) {
		if (job_status_read(json_array_get(list, i), &status) < 0)
			return fail_no_jobs(command);
		make_row(&rows[i], &status);
	}
	if (n > 0)
		print_table(rows, n, cells);
	return CLI_OK;
}

/* "2 connections, 16 requests of 256.0 KiB in flight on each" */
static void
print_transport(const struct run_progress *p)
{
	char size[UNITS_TEXT_SIZE];
	char text[160];

	(void)snprintf(text, sizeof text,
	    "%u connection%s, up to %u requests of %s in flight on each",
	    p->lanes, p->lanes == 1 ? "" : "s", p->queue_depth,
	    units_format_size(p->request_size, size));
	run_text_line("transport:", text);
	run_text_line("limited by:", p->limited_by);
	if (p->rate_limit > 0) {
		(void)snprintf(text, sizeof text, "%s/s",
		    units_format_size(p->rate_limit, size));
		run_text_line("rate limit:", text);
	}
}

/* Those to each disk, and what is the matter with them. */
static void
print_connections(const json_t *list)
{
	char text[CONNECTIONS_TEXT_SIZE];
	const char *what = "connections:";
	struct connections c;
	size_t i = 0;

	for (; connections_next(list, &i, &c) == 0; what = "") {
		run_text_line(what, connections_text(&c, text));
		if (connections_trouble(&c, text)[0] != '\0')
			run_text_line("", text);
	}
}

/* Of several destinations some may be behind: "b: as of 2026-..." */
static void
print_consistent_each(const json_t *job)
{
	const json_t *names = json_object_get(job, "destinations");
	const json_t *each = json_object_get(json_object_get(json_object_get(
	    json_object_get(job, "run"), "progress"), "mirror"),
	    "destinations");
	char local[OUTPUT_TIME_SIZE];
	const json_t *o;
	char text[256];
	size_t i;

	if (json_array_size(names) < 2 ||
	    json_array_size(names) != json_array_size(each))
		return;
	json_array_foreach(each, i, o) {
		const char *name = json_string_value(json_object_get(
		    json_array_get(names, i), "endpoint"));
		const char *at = json_string_value(json_object_get(o,
		    "consistent_at"));

		(void)snprintf(text, sizeof text, "%s: %s%s",
		    name != NULL ? name : "?", at != NULL ? "as of " : "never",
		    at != NULL ? output_local_time(at, local) : "");
		run_text_line("", text);
	}
}

/* "41 complete, 5 failed since then" */
static void
print_passes(const struct run_mirror *m, const json_t *job)
{
	char age[UNITS_TEXT_SIZE];
	char text[128];

	(void)snprintf(text, sizeof text, "%" PRIu64 " complete%s",
	    m->n_complete, m->is_in_sync ? ", in sync" : "");
	if (m->n_failed > 0)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text),
		    ", %" PRIu64 " failed%s", m->n_failed,
		    m->n_complete > 0 ? " since then" : "");
	run_text_line("passes:", text);
	if (m->failure[0] != '\0')
		run_text_line("last failure:", m->failure);
	if (m->n_complete == 0)
		(void)snprintf(text, sizeof text, "not yet");
	else
		(void)snprintf(text, sizeof text, "as of %s ago",
		    units_format_time_ms(m->consistent_age_ms, age));
	run_text_line("consistent:", text);
	print_consistent_each(job);
	if (m->shrunk_from == 0)
		return;
	(void)snprintf(text, sizeof text, "the source is smaller than the %s "
	    "it had", units_format_size(m->shrunk_from, age));
	run_text_line("shrunk:", text);
}

static void
print_run(const struct job_run *run, const json_t *job)
{
	char done[UNITS_TEXT_SIZE];
	char total[UNITS_TEXT_SIZE];
	char zeroed[UNITS_TEXT_SIZE];
	char rate[UNITS_TEXT_SIZE];
	char bad[UNITS_TEXT_SIZE];

	run_text_line("run:", run->id);
	run_text_time("started:", run->started_at);
	if (run->progress.mirror.is_mirror)
		print_passes(&run->progress.mirror, job);
	if (run->progress.total_bytes == 0)
		return;
	(void)printf("%-13s %u%%, %s of %s, %s of it zeroes, %s/s%s%s\n",
	    "progress:", progress_percent(&run->progress),
	    units_format_size(run->progress.done_bytes, done),
	    units_format_size(run->progress.total_bytes, total),
	    units_format_size(run->progress.zeroed_bytes, zeroed),
	    units_format_size(run->rate, rate),
	    run->progress.failed_bytes > 0 ? ", bad: " : "",
	    run->progress.failed_bytes > 0 ?
		units_format_size(run->progress.failed_bytes, bad) : "");
	run_text_resumed("resumed:", run);
	print_transport(&run->progress);
}

static void
print_last_run(const struct job_run *run, const json_t *json)
{
	char summary[PROGRESS_LINE_SIZE];

	run_text_line("last run:", run->id);
	run_text_time("  started:", run->started_at);
	run_text_time("  finished:", run->finished_at);
	run_text_line("  result:", run->result);
	if (run->failure[0] != '\0')
		run_text_line("  failure:", run->failure);
	run_text_resumed("  resumed:", run);
	run_text_skipped(json);
	run_text_notes(json);
	if (strcmp(run->result, "succeeded") == 0 ||
	    strcmp(run->result, "finished-with-bad-ranges") == 0)
		run_text_line("  done:",
		    progress_summary(run->mode, &run->progress, summary));
}

/* "23h31m old, ok" */
static void
print_rpo(const struct job_status *status)
{
	char age[UNITS_TEXT_SIZE];
	char text[96];

	(void)snprintf(text, sizeof text, "%s, %s", units_format_time_ms(
	    status->rpo_age_s * 1000, age), status->rpo_level);
	run_text_line("RPO:", text);
}

/* "until 2026-11-27 06:00:00, then its run goes on: metered link" */
static void
print_pause(const struct job_status *status)
{
	char at[OUTPUT_TIME_SIZE];
	char text[512];

	(void)snprintf(text, sizeof text, "%s%s%s%s%s",
	    status->pause_until[0] != '\0' ? "until " : "until it is resumed",
	    status->pause_until[0] != '\0' ?
	    output_local_time(status->pause_until, at) : "",
	    status->has_rest ? ", then its run goes on" : "",
	    status->pause_reason[0] != '\0' ? ": " : "",
	    status->pause_reason);
	run_text_line("paused:", text);
}

static int
show_job(const struct command *command, const json_t *json)
{
	struct job_status status;
	char last[JOB_LAST_SIZE];

	if (job_status_read(json, &status) < 0) {
		message(command, "the daemon's answer has no job in it");
		return CLI_ERROR;
	}
	run_text_line("job:", status.name);
	run_text_line("state:", status.state);
	if (status.is_paused)
		print_pause(&status);
	run_text_line("source:", status.source);
	run_text_line("destination:", status.destination);
	if (status.next_run_at[0] != '\0')
		run_text_time("next run:", status.next_run_at);
	if (status.has_rpo)
		print_rpo(&status);
	if (status.is_running) {
		print_run(&status.run, json);
		print_connections(json_object_get(json, "connections"));
	}
	if (!status.has_last_run && !status.is_running)
		run_text_line("last run:", job_status_last(&status, last));
	if (status.has_last_run)
		print_last_run(&status.last_run, json_object_get(json,
		    "last_run"));
	return CLI_OK;
}

struct status_options {
	struct watch watch;
	bool connections;
};

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct status_options *options = arg;
	struct watch *watch = &options->watch;

	if (id == OPTION_CONNECTIONS) {
		options->connections = true;
		return 0;
	}
	if (id == OPTION_ASCII) {
		watch->ascii = true;
		return 0;
	}
	watch->every_ms = WATCH_EVERY_MS;
	return value == NULL ? 0 :
	    options_time(o, "watch", value, &watch->every_ms);
}

static int
show(const struct command *command, const struct options *o,
    const struct status_options *options, const json_t *json)
{
	if (options->connections)
		return connections_print(command, json_object_get(json,
		    "connections"));
	return o->argc == 1 ? show_job(command, json) :
	    show_jobs(command, json);
}

int
command_status(const struct command *command, int argc, char **argv)
{
	struct control control;
	struct status_options options = { .watch.control = &control };
	struct watch *watch = &options.watch;
	struct options o;
	json_t *json = NULL;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, set_option,
	    &options) < 0)
		return o.exit_code;
	if (options.connections && o.argc != 1) {
		(void)options_fail(&o, "--connections: of which job?");
		return o.exit_code;
	}
	/* Where there is no terminal it is the plain table. */
	if (watch->every_ms > 0 && !control.json && watch_has_terminal()) {
		watch->job = o.argc == 1 ? o.argv[0] : NULL;
		return watch_run(watch);
	}
	if (o.argc == 1)
		exit_code = control_ask_job(&control, "GET", o.argv[0], "", 0,
		    &json);
	else
		exit_code = control_ask(&control, "GET", "/v1/jobs", 0, &json);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(json);
	exit_code = show(command, &o, &options, json);
	json_decref(json);
	return exit_code;
}
