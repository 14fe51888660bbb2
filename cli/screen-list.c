/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of jobs on the screen: how wide its columns are, and what is in
 * each line.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/screen-private.h"

#define BAR_CELLS    20
#define BAR_LEAST    10
#define NAME_COLUMNS 15			/* at least */
#define STATE_COLUMNS 16		/* with what is around it */
#define PERCENT_COLUMNS 7
#define RATE_COLUMNS 14
#define LEFT_COLUMNS 8
#define RPO_COLUMNS  12			/* at its end, if there is any */

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

void
screen_draw_list(struct screen *s, struct canvas *c, size_t height)
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
