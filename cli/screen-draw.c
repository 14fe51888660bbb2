/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drawing the screen: what of it is where.  The list of jobs is
 * screen-list.c's, and the job that is selected screen-detail.c's.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/annotate.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/screen-private.h"

#define DETAIL_ROWS  11
#define ROWS_AROUND  4			/* heading, columns, message, keys */
#define ROWS_OF_BOTH 18			/* fewer: the list alone */

/* Where there is room for it before a text of so many columns. */
static void PRINTF(3, 4)
add_if_fits(struct canvas *c, size_t behind, const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (c->used + output_width(text) + behind <= c->columns)
		canvas_put(c, STYLE_REVERSE, 0, text);
}

/* "4 jobs  1 running  1 paused  0 in trouble" */
static void
count_jobs(const struct screen *s, char *buf, size_t size)
{
	size_t n = json_array_size(s->jobs);
	unsigned running = 0, paused = 0, bad = 0;
	struct job_status status;
	char all[UNITS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		if (job_status_read(json_array_get(s->jobs, i), &status) < 0)
			continue;
		running += status.is_running;
		paused += status.is_paused;
		bad += strcmp(status.health, "warn") == 0 ||
		    strcmp(status.health, "crit") == 0;
	}
	(void)snprintf(buf, size, "  %s  %u running  %u paused  %u in trouble",
	    units_format_count(n, "job", all), running, paused, bad);
}

/* The host first, as who has several screens wants to know which it is. */
static void
draw_heading(const struct screen *s, struct canvas *c, const char *clock)
{
	char counts[128], up[UNITS_TEXT_SIZE];
	size_t behind;

	count_jobs(s, counts, sizeof counts);
	behind = strlen(counts) + strlen(clock) + 2;
	canvas_put(c, STYLE_REVERSE, 0, " nbdsync " PACKAGE_VERSION);
	if (s->host[0] != '\0')
		add_if_fits(c, behind, "  %s", s->host);
	if (s->up_s > 0)
		add_if_fits(c, behind, "  up %s", units_format_time_ms(
		    s->up_s * 1000, up));
	canvas_put(c, STYLE_REVERSE, 0, counts);
	if (c->used + strlen(clock) + 2 > c->columns)
		clock = "";
	if (c->columns > strlen(clock) + 1)
		canvas_to_column(c, c->columns - strlen(clock) - 1,
		    STYLE_REVERSE);
	canvas_printf(c, STYLE_REVERSE, "%s ", clock);
	canvas_end_line(c);
}

void
screen_draw_cut(struct canvas *c, enum style style, const char *text)
{
	canvas_put(c, STYLE_PLAIN, 1, "");
	canvas_cell(c, style, SIZE_MAX, text);
}

static void
draw_help(struct canvas *c)
{
	static const char *const lines[] = {
		"",
		" Key          What it does                As a command",
		"",
		" up, down     select a job",
		" PgUp, PgDn   the same, a page at once",
		" Home, End    the first, the last",
		" enter, m     the whole block map         nbdsync map JOB",
		" s            start a run                 nbdsync start JOB",
		" v            start one that compares     nbdsync verify JOB",
		" c            cancel the run              nbdsync cancel JOB",
		" p            pause, or resume            nbdsync pause JOB",
		"                                          nbdsync resume JOB",
		(" + -          twice, half as fast         nbdsync rate JOB "
		"RATE"),
		" l            what was logged of it       nbdsync log JOB",
		" /            list names that have this in them",
		" ?            this help",
		" q            leave",
		"",
		" What ends a run is asked about first.",
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		canvas_put(c, STYLE_PLAIN, 0, lines[i]);
		canvas_end_line(c);
	}
}

static void
draw_keys(const struct screen *s, struct canvas *c)
{
	while (c->row + 2 < c->rows)
		canvas_end_line(c);
	if (s->is_typing || (s->filter[0] != '\0' && s->said[0] == '\0'))
		canvas_printf(c, STYLE_BOLD, " /%s%s", s->filter,
		    s->is_typing ? "_" : "");
	else if (s->trouble[0] != '\0')
		screen_draw_cut(c, STYLE_BAD, s->trouble);
	else
		screen_draw_cut(c, STYLE_WARN, s->said);
	canvas_end_line(c);
	canvas_put(c, STYLE_REVERSE, c->columns, s->utf8 ?
	    " q quit  ? help  \xe2\x86\x91\xe2\x86\x93 job  \xe2\x8f\x8e map  "
	    "s start  v verify  p pause  c cancel  +/- rate  / filter  l log" :
	    " q quit  ? help  j/k job  m map  s start  v verify  p pause  "
	    "c cancel  +/- rate  / filter  l log");
	canvas_end_line(c);
}

static void
draw_confirm(const struct screen *s, struct canvas *c)
{
	char question[128];
	const char *lines[] = { question, "", "y: yes      any other key: no" };

	(void)snprintf(question, sizeof question, "%s the run of '%s'?",
	    s->confirm == SCREEN_CANCEL ? "Cancel" : "Pause, and end",
	    s->selected);
	canvas_box(c, lines, sizeof lines / sizeof lines[0]);
}

void
screen_draw(struct screen *s, struct canvas *c, const char *clock)
{
	bool has_detail = c->rows >= ROWS_OF_BOTH;
	size_t around = ROWS_AROUND + (has_detail ? DETAIL_ROWS : 0);
	size_t height = c->rows > around + 1 ? c->rows - around : 1;
	size_t rows = c->rows;

	c->utf8 = s->utf8;
	canvas_begin(c);
	/* The last two lines are there on the smallest terminal. */
	c->rows = rows > 2 ? rows - 2 : rows;
	draw_heading(s, c, clock);
	if (s->view == SCREEN_HELP) {
		draw_help(c);
	} else if (s->view == SCREEN_LOG) {
		screen_draw_log(s, c);
	} else if (s->view == SCREEN_MAP) {
		screen_draw_detail(s, c, screen_map_rows(s, rows));
	} else {
		screen_draw_list(s, c, height);
		if (has_detail)
			screen_draw_detail(s, c, 1);
	}
	if (c->row == c->rows && rows > 2)
		(void)fputs("\r\n", c->f);
	c->rows = rows;
	draw_keys(s, c);
	canvas_end(c);
	if (s->confirm != SCREEN_NOTHING)
		draw_confirm(s, c);
}
