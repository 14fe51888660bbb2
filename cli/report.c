/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync report: what a run has done, and how.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run-text.h"

const struct option_row options_report[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static uint64_t
number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

/* "#1: 2.0 GiB written, 1.0 GiB zeroes, 5 flushes" */
static void
print_destination(const char *what, size_t i, const json_t *o)
{
	char written[UNITS_TEXT_SIZE], zeroed[UNITS_TEXT_SIZE];
	char flushes[UNITS_TEXT_SIZE], text[160];

	(void)snprintf(text, sizeof text, "#%zu: %s written, %s of it zeroes, "
	    "%s%s", i + 1, units_format_size(number(o,
	    "written_bytes") + number(o, "zeroed_bytes"), written),
	    units_format_size(number(o, "zeroed_bytes"), zeroed),
	    units_format_count(number(o, "flushes"), "flush", flushes),
	    json_is_true(json_object_get(o, "failed")) ? ", failed" : "");
	run_text_line(what, text);
}

static void
print_destinations(const json_t *report)
{
	const json_t *list = json_object_get(json_object_get(report,
	    "progress"), "destinations");
	const json_t *failures = json_object_get(report,
	    "destination_failures");
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *why = json_string_value(json_array_get(failures,
		    i));

		print_destination(i == 0 ? "destinations:" : "", i, o);
		if (why != NULL)
			run_text_line("  failure:", why);
	}
}

/* "3 requests, 1 connection" */
static void
print_trouble(const json_t *report)
{
	const json_t *progress = json_object_get(report, "progress");
	char requests[UNITS_TEXT_SIZE], connections[UNITS_TEXT_SIZE];
	char text[96];

	(void)snprintf(text, sizeof text, "%s, %s", units_format_count(
	    number(progress, "retries"), "request", requests),
	    units_format_count(number(progress, "reconnects"), "connection",
	    connections));
	run_text_line("done again:", text);
}

static void
print_size(const char *what, uint64_t bytes)
{
	char size[UNITS_TEXT_SIZE];

	if (bytes > 0)
		run_text_line(what, units_format_size(bytes, size));
}

/* Where the last pass, which is described, was not the only one. */
static void
print_all_passes(const json_t *report)
{
	const json_t *all = json_object_get(report, "all_passes");
	const json_t *last = json_object_get(report, "progress");
	uint64_t zeroed = number(all, "zeroed_bytes");
	uint64_t written = number(all, "written_bytes") + zeroed;
	char size[UNITS_TEXT_SIZE], zeroes[UNITS_TEXT_SIZE];
	char text[96];

	if (written <= number(last, "written_bytes") +
	    number(last, "zeroed_bytes"))
		return;
	(void)snprintf(text, sizeof text, "%s written, %s of it zeroes",
	    units_format_size(written, size), units_format_size(zeroed,
	    zeroes));
	run_text_line("all passes:", text);
}

static void
print_digests(const json_t *report)
{
	const json_t *all = json_object_get(report, "digest");
	const json_t *blocks = json_object_get(report, "block_digests");
	char size[UNITS_TEXT_SIZE], digests[UNITS_TEXT_SIZE];
	char text[256];

	if (json_is_object(all)) {
		(void)snprintf(text, sizeof text, "%s %s", answer_text(all,
		    "algorithm"), answer_text(all, "value"));
		run_text_line("digest:", text);
	}
	if (!json_is_object(blocks))
		return;
	(void)snprintf(text, sizeof text, "%s (%s) of %s each: see --json",
	    units_format_count(json_array_size(json_object_get(blocks,
	    "values")), "digest", digests), answer_text(blocks, "algorithm"),
	    units_format_size(number(blocks, "block_bytes"), size));
	run_text_line("blocks:", text);
}

/* What differs or lacks, as numbers of ranges. */
static void
print_counts(const json_t *report)
{
	static const struct {
		const char *key, *what;
	} lists[] = {
		{ "differences", "differ:" },
		{ "not_copied", "not copied:" },
	};
	char text[64], ranges[UNITS_TEXT_SIZE];

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		size_t n = json_array_size(json_object_get(report,
		    lists[i].key));

		(void)snprintf(text, sizeof text, "%s: see --json",
		    units_format_count(n, "range", ranges));
		if (n > 0)
			run_text_line(lists[i].what, text);
	}
	run_text_skipped(report);
}

static void
print_work(const json_t *report, const struct job_run *run)
{
	const json_t *progress = json_object_get(report, "progress");
	const json_t *all = json_object_get(report, "all_passes");
	char summary[PROGRESS_LINE_SIZE];
	const char *not_resumed = answer_text(report, "not_resumed");

	run_text_resumed("resumed:", run);
	if (not_resumed[0] != '\0')
		run_text_line("begun anew:", not_resumed);
	if (strcmp(run->result, "succeeded") == 0 ||
	    strcmp(run->result, "finished-with-bad-ranges") == 0)
		run_text_line("done:", progress_summary(run->mode,
		    &run->progress, summary));
	/* What an older daemon has kept has no sum. */
	print_size("read:", number(all == NULL ? progress : all,
	    "read_bytes"));
	print_destinations(report);
	print_all_passes(report);
	print_size("read back:", number(progress, "verified_bytes"));
	print_size("repaired:", number(report, "repaired_bytes"));
	print_size("filled:", number(report, "filled_bytes"));
	print_trouble(report);
}

static int
show(const struct command *command, const json_t *json)
{
	const json_t *report = json_object_get(json, "report");
	struct job_run run;

	run_text_line("run:", answer_text(json, "id"));
	run_text_line("job:", answer_text(json, "job"));
	run_text_line("trigger:", answer_text(json, "trigger"));
	run_text_time("started:", answer_text(json, "started_at"));
	run_text_time("finished:", answer_text(json, "finished_at"));
	run_text_line("result:", answer_text(json, "result"));
	if (!json_is_object(report)) {
		message(command, "the store has no report of it");
		return CLI_ERROR;
	}
	job_run_read(report, &run);
	if (run.failure[0] != '\0')
		run_text_line("failure:", run.failure);
	run_text_line("mode:", answer_text(report, "mode"));
	if (answer_text(report, "reason")[0] != '\0')
		run_text_line("reason:", answer_text(report, "reason"));
	print_work(report, &run);
	print_counts(report);
	print_digests(report);
	run_text_notes(report);
	return CLI_OK;
}

int
command_report(const struct command *command, int argc, char **argv)
{
	struct control control;
	struct options o;
	char target[256], name[128];
	json_t *run = NULL;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code;
	if (http_encode_segment(o.argv[0], name, sizeof name) < 0) {
		message(command, "'%s' is no run: see 'nbdsync history'",
		    o.argv[0]);
		return CLI_NO_JOB;
	}
	(void)snprintf(target, sizeof target, "/v1/runs/%s", name);
	exit_code = control_ask(&control, "GET", target, 0, &run);
	if (exit_code == CLI_OK)
		exit_code = control.json ? output_json(json_incref(run)) :
		    show(command, run);
	json_decref(run);
	return exit_code;
}
