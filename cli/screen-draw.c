/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drawing the screen: what of it is where.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/annotate.h"
#include "base/units.h"
#include "cli/job-status.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/screen-private.h"
#include "cli/status-connections.h"

#define DETAIL_ROWS  11
#define BAR_CELLS    20
#define BAR_LEAST    10
#define ROWS_AROUND  4			/* heading, columns, message, keys */
#define ROWS_OF_BOTH 18			/* fewer: the list alone */
#define NAME_COLUMNS 15			/* at least */
#define STATE_COLUMNS 16		/* with what is around it */
#define PERCENT_COLUMNS 7
#define RATE_COLUMNS 14
#define LEFT_COLUMNS 8
#define RPO_COLUMNS  12			/* at its end, if there is any */
#define LEGEND_COLUMNS 79		/* of all that a map may have */

/* How wide the columns of the list are; 0: there is none. */
struct layout {
	size_t name;
	unsigned bar;			/* cells */
	size_t rate;
	size_t left;
	size_t rpo;
};

static enum style
style_of(const struct job_status *status)
{
	if (strcmp(status->state, "stalled") == 0 ||
	    strcmp(status->state, "reconnecting") == 0 ||
	    strcmp(status->state, "paused") == 0)
		return STYLE_WARN;
	if (strcmp(status->health, "warn") == 0 ||
	    strcmp(status->health, "crit") == 0)
		return STYLE_BAD;
	return status->is_running ? STYLE_GOOD : STYLE_PLAIN;
}

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

static unsigned
cells_of(const struct run_progress *p, uint64_t bytes, unsigned n_cells)
{
	if (p->total_bytes == 0)
		return 0;
	return (unsigned)((double)bytes / (double)p->total_bytes * n_cells);
}

static void
make_bar(const struct run_progress *p, bool utf8, unsigned n_cells, char *buf,
    size_t size)
{
	unsigned settled = progress_percent(p) * n_cells / 100;
	unsigned done = cells_of(p, p->done_bytes, n_cells);
	unsigned durable = cells_of(p, p->durable_bytes, n_cells);
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < n_cells; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s",
		    job_map_glyph(i < durable ? MAP_DURABLE : i >= settled ?
		    MAP_TODO : i < done ? MAP_DONE : MAP_ERROR, utf8));
}

/* "4m26s", "?", "-" */
static const char *
time_left(const struct job_run *run, char buf[UNITS_TEXT_SIZE])
{
	if (!run->has_time_left)
		return "?";
	return units_format_time_ms(run->time_left_s * 1000, buf);
}

/* Behind its first pass what counts is how old the copy is. */
static void
draw_mirror(struct canvas *c, const struct run_progress *p)
{
	char age[UNITS_TEXT_SIZE];
	char text[64];

	(void)units_format_time_ms(p->mirror.consistent_age_ms, age);
	if (p->mirror.is_in_sync) {
		(void)snprintf(text, sizeof text, "in sync, %s old", age);
		canvas_put(c, STYLE_PLAIN, 0, text);
		return;
	}
	(void)snprintf(text, sizeof text, "%s behind  ", age);
	if (p->mirror.n_complete > 0)
		canvas_put(c, STYLE_WARN, 0, text);
	canvas_cell(c, STYLE_WARN, SIZE_MAX, p->mirror.failure);
}

static void
draw_running(struct canvas *c, const struct job_status *status,
    const struct layout *layout, bool utf8)
{
	const struct run_progress *p = &status->run.progress;
	char bar[BAR_CELLS * 3 + 1];
	char text[UNITS_TEXT_SIZE];
	char rate[UNITS_TEXT_SIZE + 2];

	if (p->mirror.is_mirror &&
	    p->mirror.n_complete + p->mirror.n_failed > 0) {
		draw_mirror(c, p);
		return;
	}
	if (p->total_bytes == 0)
		return;
	make_bar(p, utf8, layout->bar, bar, sizeof bar);
	canvas_put(c, STYLE_PLAIN, 0, bar);
	canvas_printf(c, STYLE_PLAIN, " %3u%%  ", progress_percent(p));
	(void)snprintf(rate, sizeof rate, "%s/s",
	    units_format_size(status->run.rate, text));
	if (layout->rate > 0)
		canvas_put(c, STYLE_PLAIN, layout->rate, rate);
	if (layout->left > 0)
		canvas_put(c, STYLE_PLAIN, layout->left,
		    time_left(&status->run, text));
}

static void
draw_resting(struct canvas *c, const struct job_status *status)
{
	char at[OUTPUT_TIME_SIZE];
	char next[OUTPUT_TIME_SIZE + 8], last[JOB_LAST_SIZE];

	if (status->is_paused) {
		canvas_cell(c, STYLE_PLAIN, SIZE_MAX, status->pause_reason);
		return;
	}
	canvas_printf(c, status->has_last_run ? STYLE_PLAIN : STYLE_DIM, "%s",
	    job_status_last(status, last));
	if (status->next_run_at[0] == '\0')
		return;
	(void)snprintf(next, sizeof next, "  next %s",
	    output_local_time(status->next_run_at, at));
	/* Whole or not at all: it is below, too. */
	if (c->used + strlen(next) <= c->columns)
		canvas_put(c, STYLE_DIM, 0, next);
}

/* "23h31m ok", "2h05m WARN" */
static void
draw_rpo(struct canvas *c, const struct job_status *status)
{
	bool is_crit = strcmp(status->rpo_level, "crit") == 0;
	bool is_warn = strcmp(status->rpo_level, "warn") == 0;
	char age[UNITS_TEXT_SIZE];
	char text[UNITS_TEXT_SIZE + 8];

	(void)snprintf(text, sizeof text, " %s %s", units_format_time_ms(
	    status->rpo_age_s * 1000, age), is_crit ? "CRIT" : is_warn ?
	    "WARN" : "ok");
	canvas_cell(c, is_crit ? STYLE_BAD : is_warn ? STYLE_WARN :
	    STYLE_PLAIN, RPO_COLUMNS, text);
}

static void
draw_row(const struct screen *s, struct canvas *c,
    const struct layout *layout, const json_t *job)
{
	size_t columns = c->columns;
	struct job_status status;
	bool is_selected = strcmp(screen_name_of(job), s->selected) == 0;

	if (job_status_read(job, &status) < 0)
		return;
	canvas_put(c, STYLE_PLAIN, 1, is_selected ? ">" : "");
	canvas_cell(c, is_selected ? STYLE_BOLD : STYLE_PLAIN, layout->name,
	    status.name);
	canvas_put(c, STYLE_PLAIN, 1, "");
	canvas_put(c, style_of(&status), 13, status.state);
	canvas_put(c, STYLE_PLAIN, 1, "");
	/* What is long ends before the RPO. */
	c->columns = columns > layout->rpo ? columns - layout->rpo : 0;
	if (status.is_running)
		draw_running(c, &status, layout, s->utf8);
	else
		draw_resting(c, &status);
	canvas_to_column(c, c->columns, STYLE_PLAIN);
	c->columns = columns;
	if (layout->rpo > 0 && status.has_rpo)
		draw_rpo(c, &status);
	canvas_end_line(c);
}

/* What the jobs would like: the longest name, a column for the RPO. */
static void
look_at_jobs(const struct screen *s, size_t *ret_name, bool *ret_has_rpo)
{
	const json_t *job;
	size_t i;

	*ret_name = NAME_COLUMNS;
	*ret_has_rpo = false;
	json_array_foreach(s->jobs, i, job) {
		size_t width = output_width(screen_name_of(job));

		if (width > *ret_name)
			*ret_name = width;
		if (json_is_object(json_object_get(job, "rpo")))
			*ret_has_rpo = true;
	}
}

/* A column, if there is room for it behind those before. */
static size_t
take(size_t *room, size_t wanted)
{
	if (*room < wanted)
		return 0;
	*room -= wanted;
	return wanted;
}

/* What is the least needed goes first; then the bar grows, then names do. */
static struct layout
lay_out(const struct screen *s, const struct canvas *c)
{
	const size_t least = NAME_COLUMNS + STATE_COLUMNS + PERCENT_COLUMNS;
	size_t room = c->columns > least ? c->columns - least : 0;
	struct layout l = { .name = NAME_COLUMNS };
	size_t name;
	bool has_rpo;

	look_at_jobs(s, &name, &has_rpo);
	l.bar = (unsigned)take(&room, BAR_LEAST);
	if (l.bar > 0)
		l.rate = take(&room, RATE_COLUMNS - (has_rpo ? 1 : 0));
	if (l.rate > 0)
		l.left = take(&room, LEFT_COLUMNS - (has_rpo ? 1 : 0));
	if (l.left > 0 && has_rpo)
		l.rpo = take(&room, RPO_COLUMNS);
	if (l.bar > 0)
		l.bar += room < BAR_CELLS - BAR_LEAST ? (unsigned)room :
		    BAR_CELLS - BAR_LEAST;
	room -= l.bar > 0 ? l.bar - BAR_LEAST : 0;
	l.name += name - l.name < room ? name - l.name : room;
	return l;
}

static void
draw_rule(const struct screen *s, struct canvas *c)
{
	while (c->used < c->columns && c->row < c->rows)
		canvas_put(c, STYLE_DIM, 0, s->utf8 ? "\xe2\x94\x80" : "-");
	canvas_end_line(c);
}

static const char *
why_empty(const struct screen *s)
{
	if (s->jobs == NULL)
		return " asking the daemon";
	if (s->only[0] != '\0')
		return " there is no such job any more";
	return s->filter[0] != '\0' ? " no job has this in its name" :
				      " no jobs are configured";
}

/* "JOB", or "JOB 11-20/100" where not all of them are seen. */
static void
draw_columns(const struct screen *s, struct canvas *c,
    const struct layout *layout, size_t height)
{
	size_t n = json_array_size(s->jobs);
	char job[64] = "JOB";

	if (n > height)
		(void)snprintf(job, sizeof job, "JOB %zu-%zu/%zu",
		    s->first + 1, s->first + height, n);
	canvas_printf(c, STYLE_DIM, " %-*s %-13s %-*s ", (int)layout->name,
	    job, "STATE", (int)layout->bar + PERCENT_COLUMNS - 1, "PROGRESS");
	if (layout->rate > 0)
		canvas_put(c, STYLE_DIM, layout->rate, "RATE");
	if (layout->left > 0)
		canvas_put(c, STYLE_DIM, 0, "ETA");
	if (layout->rpo > 0) {
		canvas_to_column(c, c->columns - layout->rpo, STYLE_DIM);
		canvas_put(c, STYLE_DIM, 0, " RPO");
	}
	canvas_end_line(c);
}

static void
scroll(struct screen *s, size_t height)
{
	size_t n = json_array_size(s->jobs);
	size_t at = n == 0 ? 0 : screen_find_selected(s);

	s->page = height;
	if (at < s->first)
		s->first = at;
	if (at >= s->first + height)
		s->first = at - height + 1;
	if (s->first + height > n)
		s->first = n > height ? n - height : 0;
}

static void
draw_list(struct screen *s, struct canvas *c, size_t height)
{
	struct layout layout = lay_out(s, c);
	size_t n = json_array_size(s->jobs);

	scroll(s, height);
	draw_columns(s, c, &layout, height);
	for (size_t i = 0; i < height; i++) {
		if (s->first + i < n)
			draw_row(s, c, &layout, json_array_get(s->jobs,
			    s->first + i));
		else if (i == 0)
			canvas_printf(c, STYLE_DIM, "%s", why_empty(s)),
			    canvas_end_line(c);
		else
			canvas_end_line(c);
	}
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

/* One that is cut shows it. */
static void
draw_cut(struct canvas *c, enum style style, const char *text)
{
	canvas_put(c, STYLE_PLAIN, 1, "");
	canvas_cell(c, style, SIZE_MAX, text);
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
	draw_cut(c, STYLE_PLAIN, text);
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
	draw_cut(c, STYLE_PLAIN, text);
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
	draw_cut(c, STYLE_PLAIN, text);
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
	draw_cut(c, is_bad ? STYLE_WARN : STYLE_PLAIN, line);
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
static void
draw_log(const struct screen *s, struct canvas *c)
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

static void
draw_detail(const struct screen *s, struct canvas *c, size_t map_rows)
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
		" + -          twice, half as fast         nbdsync rate JOB "
		"RATE",
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
		draw_cut(c, STYLE_BAD, s->trouble);
	else
		draw_cut(c, STYLE_WARN, s->said);
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
		draw_log(s, c);
	} else if (s->view == SCREEN_MAP) {
		draw_detail(s, c, screen_map_rows(s, rows));
	} else {
		draw_list(s, c, height);
		if (has_detail)
			draw_detail(s, c, 1);
	}
	if (c->row == c->rows && rows > 2)
		(void)fputs("\r\n", c->f);
	c->rows = rows;
	draw_keys(s, c);
	canvas_end(c);
	if (s->confirm != SCREEN_NOTHING)
		draw_confirm(s, c);
}
