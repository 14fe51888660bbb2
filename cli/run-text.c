/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/run-text.h"

#include <stdio.h>

#include "base/units.h"
#include "cli/output.h"

void
run_text_line(const char *what, const char *text)
{
	char printable[1024];

	(void)snprintf(printable, sizeof printable, "%s", text);
	output_make_printable(printable);
	(void)printf("%-13s %s\n", what, printable);
}

void
run_text_time(const char *what, const char *utc)
{
	char local[OUTPUT_TIME_SIZE];

	run_text_line(what, output_local_time(utc, local));
}

void
run_text_resumed(const char *what, const struct job_run *run)
{
	char size[UNITS_TEXT_SIZE], text[64];

	if (run->resumed_bytes == 0)
		return;
	(void)snprintf(text, sizeof text, "%s were done already",
	    units_format_size(run->resumed_bytes, size));
	run_text_line(what, text);
}

#define SKIPPED_MAX 10

void
run_text_skipped(const json_t *report)
{
	const json_t *list = json_object_get(report, "bad_ranges");
	size_t n = json_array_size(list);
	const json_t *o;
	char text[256], more[UNITS_TEXT_SIZE];
	size_t i;

	json_array_foreach(list, i, o) {
		const char *side = json_string_value(json_object_get(o,
		    "side"));
		const char *error = json_string_value(json_object_get(o,
		    "error"));

		if (i == SKIPPED_MAX)
			break;
		(void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT
		    " bytes at offset %" JSON_INTEGER_FORMAT ": %s: %s",
		    json_integer_value(json_object_get(o, "length_bytes")),
		    json_integer_value(json_object_get(o, "offset_bytes")),
		    side != NULL ? side : "?", error != NULL ? error : "?");
		run_text_line("  skipped:", text);
	}
	if (n > SKIPPED_MAX) {
		(void)snprintf(text, sizeof text, "and %s%s: see --json",
		    units_format_count(n - SKIPPED_MAX, "range", more),
		    json_is_true(json_object_get(report, "lists_are_cut")) ?
		    " or more" : "");
		run_text_line("", text);
	}
}

void
run_text_notes(const json_t *report)
{
	const json_t *note;
	size_t i;

	json_array_foreach(json_object_get(report, "gave_up"), i, note)
		run_text_line("  note:", json_string_value(note) != NULL ?
		    json_string_value(note) : "");
}
