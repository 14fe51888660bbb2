/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job that is selected on the screen: its map, its figures, and what was
 * logged of it.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/output.h"
#include "cli/screen-private.h"
#include "cli/status-connections.h"

#define LEGEND_COLUMNS 79		/* of all that a map may have */

static void
draw_rule(const struct screen *s, struct canvas *c)
{
	while (c->used < c->columns && c->row < c->rows)
		canvas_put(c, STYLE_DIM, 0, s->utf8 ? "\xe2\x94\x80" : "-");
	canvas_end_line(c);
}

static void
draw_map(const struct screen *s, struct canvas *c, size_t height)
{
	uint64_t width = c->columns > 4 ? c->columns - 4 : 1;
	uint64_t i = 0;

	for (size_t row = 0; row < height; row++) {
		canvas_put(c, STYLE_PLAIN, 1, row == 0 && height == 1 ? "[" :
		    "");
		for (uint64_t j = 0; s->has_map && j < width &&
		     i < s->map.n_cells; j++, i++) {
			enum map_cell cell = job_map_at(&s->map, i);

			canvas_put(c, cell >= MAP_DIFFERS ? STYLE_BAD :
			    STYLE_PLAIN, 0, job_map_glyph(cell, s->utf8));
		}
		if (height == 1) {
			canvas_to_column(c, (size_t)width + 1, STYLE_PLAIN);
			canvas_put(c, STYLE_PLAIN, 0, "]");
		}
		canvas_end_line(c);
	}
}

/* On a narrow terminal of what there is in the map alone. */
static void
draw_legend(const struct screen *s, struct canvas *c)
{
	for (int i = MAP_KINDS - 1; i >= 0; i--) {
		enum map_cell cell = (enum map_cell)i;

		if (c->columns >= LEGEND_COLUMNS ||
		    (s->has_map && job_map_has(&s->map, cell)))
			canvas_printf(c, STYLE_DIM, "  %s %s",
			    job_map_glyph(cell, s->utf8), job_map_word(cell));
	}
	canvas_end_line(c);
}

static void
draw_title(struct canvas *c, const struct job_status *status)
{
	const struct job_run *run = &status->run;
	char size[UNITS_TEXT_SIZE] = "";
	char text[1536], id[128] = "";

	if (run->progress.source_size > 0 && status->is_running)
		(void)units_format_size(run->progress.source_size, size);
	if (status->is_running)
		(void)snprintf(id, sizeof id, "  run %s (%s%s)", run->id,
		    run->trigger, run->resumed_bytes > 0 ? ", resumed" : "");
	(void)snprintf(text, sizeof text, " %s -> %s%s%s%s", status->source,
	    status->destination, size[0] != '\0' ? "  " : "", size, id);
	canvas_printf(c, STYLE_BOLD, " %s", status->name);
	screen_draw_cut(c, STYLE_PLAIN, text);
	canvas_end_line(c);
}

/* What does not go as it should, and what is safe from all that. */
static void
draw_trouble(struct canvas *c, const struct job_status *status)
{
	const struct run_progress *p = &status->run.progress;
	char text[UNITS_TEXT_SIZE];

	if (!status->is_running) {
		canvas_end_line(c);
		return;
	}
	canvas_printf(c, STYLE_PLAIN, " retries %" PRIu64 "   reconnects %"
	    PRIu64, p->n_retries, p->n_reconnects);
	if (p->n_away > 0)
		canvas_printf(c, STYLE_WARN, "   %u connection%s lost, trying "
		    "again", p->n_away, p->n_away == 1 ? "" : "s");
	/* Until there is one, it is the age of the run. */
	if (p->checkpoint_age_ms > 0 && p->checkpoint_age_ms < p->elapsed_ms)
		canvas_printf(c, STYLE_PLAIN, "   checkpoint %s ago",
		    units_format_time_ms(p->checkpoint_age_ms, text));
	canvas_end_line(c);
}

/* Figures of the run, or of the last one. */
static void
draw_figures(struct canvas *c, const struct job_status *status)
{
	const struct job_run *run = status->is_running ? &status->run :
	    &status->last_run;
	const struct run_progress *p = &run->progress;
	char a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE], d[UNITS_TEXT_SIZE];
	char e[UNITS_TEXT_SIZE], text[256];

	if (!status->is_running && !status->has_last_run) {
		canvas_end_line(c);
		canvas_end_line(c);
		return;
	}
	(void)snprintf(text, sizeof text, "read %s   written %s   zero %s   "
	    "durable %s", units_format_size(p->read_bytes, a),
	    units_format_size(p->written_bytes, b),
	    units_format_size(p->zeroed_bytes, d),
	    units_format_size(p->durable_bytes, e));
	screen_draw_cut(c, STYLE_PLAIN, text);
	canvas_end_line(c);
	if (!status->is_running && run->failure[0] != '\0') {
		canvas_put(c, STYLE_PLAIN, 1, "");
		canvas_cell(c, STYLE_BAD, SIZE_MAX, run->failure);
		canvas_end_line(c);
		return;
	}
	(void)snprintf(text, sizeof text, "%u connection%s, %u deep, %s "
	    "requests%s%s", p->lanes, p->lanes == 1 ? "" : "s",
	    p->queue_depth, units_format_size(p->request_size, a),
	    status->is_running ? ", limited by: " : "",
	    status->is_running ? p->limited_by : "");
	screen_draw_cut(c, STYLE_PLAIN, text);
	canvas_end_line(c);
}

/* "dst: 3 of 4 ready, 48 in flight, p99 3.1 ms, #2 reconnecting: ... | ..." */
static void
draw_side(const struct screen *s, struct canvas *c, bool is_destination)
{
	char line[4 * CONNECTIONS_TEXT_SIZE] = "";
	char text[CONNECTIONS_TEXT_SIZE], why[CONNECTIONS_TEXT_SIZE];
	struct connections conns;
	bool is_bad = false;
	size_t i = 0, used = 0;

	while (used < sizeof line &&
	    connections_next(s->connections, &i, &conns) == 0) {
		if (conns.is_destination != is_destination)
			continue;
		(void)connections_trouble(&conns, why);
		is_bad = is_bad || why[0] != '\0';
		used += (size_t)snprintf(line + used, sizeof line - used,
		    "%s%s%s%s", used > 0 ? " | " : "",
		    connections_state(&conns, text), why[0] != '\0' ? ", " :
		    "", why);
	}
	screen_draw_cut(c, is_bad ? STYLE_WARN : STYLE_PLAIN, line);
	canvas_end_line(c);
}

static void
draw_last(struct canvas *c, const struct job_status *status)
{
	const struct job_run *last = &status->last_run;
	char at[OUTPUT_TIME_SIZE], age[UNITS_TEXT_SIZE], text[JOB_LAST_SIZE];

	canvas_printf(c, status->has_last_run ? STYLE_PLAIN : STYLE_DIM,
	    " last: %s", job_status_last(status, text));
	/* Where nothing is running it has a line of its own. */
	if (status->has_last_run && last->failure[0] != '\0' &&
	    status->is_running)
		canvas_printf(c, STYLE_BAD, "  %s", last->failure);
	if (status->next_run_at[0] != '\0')
		canvas_printf(c, STYLE_PLAIN, "  next: %s",
		    output_local_time(status->next_run_at, at));
	if (status->has_rpo)
		canvas_printf(c, strcmp(status->rpo_level, "ok") == 0 ?
		    STYLE_PLAIN : STYLE_BAD, "  RPO: %s %s",
		    units_format_time_ms(status->rpo_age_s * 1000, age),
		    status->rpo_level);
	canvas_end_line(c);
}

/* "02:12:58 warning  job 'vm1': connection reset by peer" */
static void
draw_message(struct canvas *c, const json_t *o, bool with_date)
{
	const char *level = json_string_value(json_object_get(o, "level"));
	const char *text = json_string_value(json_object_get(o, "message"));
	const char *utc = json_string_value(json_object_get(o, "at"));
	enum style style = level == NULL ? STYLE_PLAIN :
	    strcmp(level, "error") == 0 ? STYLE_BAD :
	    strcmp(level, "warning") == 0 ? STYLE_WARN : STYLE_PLAIN;
	char at[OUTPUT_TIME_SIZE];
	const char *shown = output_local_time(utc == NULL ? "" : utc, at);
	const char *clock = strchr(shown, ' ');

	canvas_printf(c, STYLE_DIM, " %s ", with_date || clock == NULL ?
	    shown : clock + 1);
	canvas_cell(c, style, SIZE_MAX, text == NULL ? "" : text);
	canvas_end_line(c);
}

/* The newest at the bottom. */
void
screen_draw_log(const struct screen *s, struct canvas *c)
{
	size_t n = json_array_size(s->log);
	size_t height = c->rows > 3 ? c->rows - 3 : 1;

	canvas_printf(c, STYLE_BOLD, " %s", s->selected);
	canvas_end_line(c);
	if (n == 0) {
		canvas_printf(c, STYLE_DIM, " nothing was logged");
		canvas_end_line(c);
	}
	for (size_t i = n > height ? n - height : 0; i < n; i++)
		draw_message(c, json_array_get(s->log, i), true);
}

/* What has happened last, and not who has asked for what. */
static void
draw_latest(const struct screen *s, struct canvas *c)
{
	static const char asked[] = "control: ";

	for (size_t i = json_array_size(s->log); i > 0; i--) {
		const json_t *o = json_array_get(s->log, i - 1);
		const char *text = json_string_value(
		    json_object_get(o, "message"));

		if (text == NULL || strncmp(text, asked, strlen(asked)) == 0)
			continue;
		draw_message(c, o, false);
		return;
	}
	canvas_end_line(c);
}

void
screen_draw_detail(const struct screen *s, struct canvas *c, size_t map_rows)
{
	struct job_status status;

	draw_rule(s, c);
	if (!screen_read_selected(s, &status))
		return;
	draw_title(c, &status);
	draw_map(s, c, map_rows);
	draw_legend(s, c);
	draw_figures(c, &status);
	draw_side(s, c, false);
	draw_side(s, c, true);
	draw_trouble(c, &status);
	draw_last(c, &status);
	draw_latest(s, c);
}
