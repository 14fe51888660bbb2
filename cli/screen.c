/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The screen: a list of jobs, the selected one in detail below it, a line of
 * keys.  When the daemon does not answer, the last good state stays, with the
 * reason at the bottom.
 */
#include "cli/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/job-status.h"
#include "cli/output.h"
#include "cli/progress.h"

#define DETAIL_ROWS  7
#define BAR_CELLS    20
#define ROWS_AROUND  4			/* heading, columns, message, keys */

void
screen_init(struct screen *s)
{
	memset(s, 0, sizeof *s);
}

static void
drop_map(struct screen *s)
{
	if (s->has_map)
		job_map_done(&s->map);
	s->has_map = false;
}

void
screen_done(struct screen *s)
{
	drop_map(s);
	json_decref(s->jobs);
	json_decref(s->all);
	json_decref(s->log);
}

static const char *
name_of(const json_t *job)
{
	const char *name = json_string_value(json_object_get(job, "job"));

	return name != NULL ? name : "";
}

/* n if it is not there. */
static size_t
find_selected(const struct screen *s)
{
	size_t n = json_array_size(s->jobs);

	for (size_t i = 0; i < n; i++)
		if (strcmp(name_of(json_array_get(s->jobs, i)),
			s->selected) == 0)
			return i;
	return n;
}

static void
select_job(struct screen *s, size_t i)
{
	char before[SCREEN_NAME_SIZE];

	memcpy(before, s->selected, sizeof before);
	(void)snprintf(s->selected, sizeof s->selected, "%s",
	    name_of(json_array_get(s->jobs, i)));
	if (strcmp(before, s->selected) != 0) {
		drop_map(s);
		json_decref(s->log);
		s->log = NULL;
	}
}

static bool
is_listed(const struct screen *s, const char *name)
{
	return s->only[0] == '\0' ? strstr(name, s->filter) != NULL :
	    strcmp(name, s->only) == 0;
}

static void
list_jobs(struct screen *s)
{
	size_t before = s->jobs == NULL ? 0 : find_selected(s);
	json_t *jobs = json_array();
	size_t i, n;
	json_t *job;

	json_array_foreach(s->all, i, job)
		if (is_listed(s, name_of(job)))
			(void)json_array_append(jobs, job);
	json_decref(s->jobs);
	s->jobs = jobs;
	n = json_array_size(jobs);
	if (n > 0 && find_selected(s) == n)
		select_job(s, before < n ? before : n - 1);
}

void
screen_set_jobs(struct screen *s, const json_t *answer)
{
	json_decref(s->all);
	s->all = json_incref(json_object_get(answer, "jobs"));
	s->trouble[0] = '\0';
	list_jobs(s);
}

void
screen_set_log(struct screen *s, const json_t *answer)
{
	json_decref(s->log);
	s->log = json_incref(json_object_get(answer, "messages"));
}

void
screen_set_map(struct screen *s, const struct job_map *map)
{
	drop_map(s);
	s->map = *map;
	s->has_map = true;
}

unsigned
screen_map_cells(const struct screen *s, size_t columns, size_t rows)
{
	size_t width = columns > 4 ? columns - 4 : 1;

	if (s->selected[0] == '\0' || s->view == SCREEN_HELP ||
	    s->view == SCREEN_LOG)
		return 0;
	if (s->view == SCREEN_MAP)
		width *= rows > 8 ? rows - 7 : 1;
	return width > JOB_MAP_CELLS_MAX ? JOB_MAP_CELLS_MAX :
	    (unsigned)width;
}

static void
move(struct screen *s, int by)
{
	size_t n = json_array_size(s->jobs);
	size_t at = n == 0 ? 0 : find_selected(s);

	if (n == 0)
		return;
	if (by < 0 && at > 0)
		select_job(s, at - 1);
	else if (by > 0 && at + 1 < n)
		select_job(s, at + 1);
	s->said[0] = '\0';
}

static bool
read_selected(const struct screen *s, struct job_status *ret_status)
{
	return s->jobs != NULL && job_status_read(json_array_get(s->jobs,
	    find_selected(s)), ret_status) == 0;
}

/* Only a "y" is a yes. */
static enum screen_action
answer(struct screen *s, int key)
{
	enum screen_action action = s->confirm;

	s->confirm = SCREEN_NOTHING;
	return key == 'y' || key == 'Y' ? action : SCREEN_NOTHING;
}

static enum screen_action
act(struct screen *s, int key)
{
	struct job_status status;

	if (!read_selected(s, &status))
		return SCREEN_NOTHING;
	s->said[0] = '\0';
	if (key == 's')
		return SCREEN_START;
	if (key == 'v')
		return SCREEN_VERIFY;
	if (key == 'p' && status.is_paused)
		return SCREEN_RESUME;
	if (key == 'p' && !status.is_running)
		return SCREEN_PAUSE;
	/* What ends a run is asked about. */
	if (!status.is_running) {
		(void)snprintf(s->said, sizeof s->said,
		    "job '%s' is not running", status.name);
		return SCREEN_NOTHING;
	}
	s->confirm = key == 'p' ? SCREEN_PAUSE : SCREEN_CANCEL;
	return SCREEN_NOTHING;
}

#define RATE_FIRST ((uint64_t)100 * 1024 * 1024)
#define RATE_LEAST ((uint64_t)64 * 1024)

/* Half as fast, beginning with half of what it is; or twice. */
static enum screen_action
change_rate(struct screen *s, int key)
{
	struct job_status status;
	char rate[UNITS_TEXT_SIZE];

	if (!read_selected(s, &status))
		return SCREEN_NOTHING;
	if (status.rate_limit == 0 && key == '+') {
		(void)snprintf(s->said, sizeof s->said,
		    "job '%s' has no rate limit", status.name);
		return SCREEN_NOTHING;
	}
	if (status.rate_limit > 0)
		s->rate = key == '+' ? status.rate_limit * 2 :
		    status.rate_limit / 2;
	else
		s->rate = status.is_running && status.run.rate > 0 ?
		    status.run.rate / 2 : RATE_FIRST;
	/* The daemon counts in KiB here. */
	s->rate = s->rate < RATE_LEAST ? RATE_LEAST : s->rate / 1024 * 1024;
	(void)snprintf(s->said, sizeof s->said, "job '%s': at most %s/s",
	    status.name, units_format_size(s->rate, rate));
	return SCREEN_RATE;
}

static void
begin_filter(struct screen *s)
{
	s->is_typing = s->only[0] == '\0';
	s->filter[0] = '\0';
	s->view = SCREEN_LIST;
	list_jobs(s);
}

/* Letters of names go into the filter; the list follows. */
static void
type(struct screen *s, int key)
{
	size_t len = strlen(s->filter);

	if (key == SCREEN_KEY_ENTER || key == SCREEN_KEY_ESCAPE)
		s->is_typing = false;
	if (key == SCREEN_KEY_ESCAPE)
		s->filter[0] = '\0';
	else if (key == SCREEN_KEY_BACKSPACE && len > 0)
		s->filter[len - 1] = '\0';
	else if (key > ' ' && key < 127 && len + 1 < sizeof s->filter) {
		s->filter[len] = (char)key;
		s->filter[len + 1] = '\0';
	}
	list_jobs(s);
}

static void
toggle(struct screen *s, enum screen_view view)
{
	s->view = s->view == view ? SCREEN_LIST : view;
	drop_map(s);
}

enum screen_action
screen_key(struct screen *s, int key)
{
	if (s->confirm != SCREEN_NOTHING)
		return answer(s, key);
	if (s->is_typing) {
		type(s, key);
		return SCREEN_NOTHING;
	}
	switch (key) {
	case 'q':
		return SCREEN_QUIT;
	case SCREEN_KEY_UP:
	case 'k':
		move(s, -1);
		break;
	case SCREEN_KEY_DOWN:
	case 'j':
		move(s, 1);
		break;
	case SCREEN_KEY_ENTER:
	case 'm':
		toggle(s, SCREEN_MAP);
		break;
	case '?':
	case 'h':
		toggle(s, SCREEN_HELP);
		break;
	case 'l':
		toggle(s, SCREEN_LOG);
		break;
	case '/':
		begin_filter(s);
		break;
	case '+':
	case '-':
		return change_rate(s, key);
	case SCREEN_KEY_ESCAPE:
		s->view = SCREEN_LIST;
		s->filter[0] = '\0';
		list_jobs(s);
		break;
	case 's':
	case 'v':
	case 'p':
	case 'c':
		return act(s, key);
	default:
		break;
	}
	return SCREEN_NOTHING;
}

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

static void
draw_heading(const struct screen *s, struct canvas *c, const char *clock)
{
	size_t n = json_array_size(s->jobs);
	unsigned running = 0, paused = 0, bad = 0;
	struct job_status status;

	for (size_t i = 0; i < n; i++) {
		if (job_status_read(json_array_get(s->jobs, i), &status) < 0)
			continue;
		running += status.is_running;
		paused += status.is_paused;
		bad += strcmp(status.health, "warn") == 0 ||
		    strcmp(status.health, "crit") == 0;
	}
	canvas_printf(c, STYLE_REVERSE, " nbdsync " PACKAGE_VERSION
	    "   %zu job%s   %u running   %u paused   %u in trouble", n,
	    n == 1 ? "" : "s", running, paused, bad);
	if (c->columns > strlen(clock) + 1)
		canvas_to_column(c, c->columns - strlen(clock) - 1,
		    STYLE_REVERSE);
	canvas_printf(c, STYLE_REVERSE, "%s ", clock);
	canvas_end_line(c);
}

static void
make_bar(const struct run_progress *p, bool utf8, char *buf, size_t size)
{
	unsigned done = progress_percent(p) * BAR_CELLS / 100;
	unsigned durable = p->total_bytes == 0 ? 0 : (unsigned)(
	    (double)p->durable_bytes / (double)p->total_bytes * BAR_CELLS);
	size_t used = 0;

	for (unsigned i = 0; i < BAR_CELLS; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s",
		    job_map_glyph(i < durable ? MAP_DURABLE : i < done ?
		    MAP_DONE : MAP_TODO, utf8));
}

/* "4m26s", "?", "-" */
static const char *
time_left(const struct job_run *run, char buf[UNITS_TEXT_SIZE])
{
	if (!run->has_time_left)
		return "?";
	return units_format_time_ms(run->time_left_s * 1000, buf);
}

static void
draw_running(struct canvas *c, const struct job_status *status, bool utf8)
{
	const struct run_progress *p = &status->run.progress;
	char bar[BAR_CELLS * 3 + 1];
	char text[UNITS_TEXT_SIZE];
	char rate[UNITS_TEXT_SIZE + 2];

	if (p->total_bytes == 0) {
		canvas_put(c, STYLE_PLAIN, 0, "");
		return;
	}
	make_bar(p, utf8, bar, sizeof bar);
	canvas_put(c, STYLE_PLAIN, 0, bar);
	canvas_printf(c, STYLE_PLAIN, " %3u%%  ", progress_percent(p));
	(void)snprintf(rate, sizeof rate, "%s/s",
	    units_format_size(status->run.rate, text));
	canvas_put(c, STYLE_PLAIN, 14, rate);
	canvas_put(c, STYLE_PLAIN, 8, time_left(&status->run, text));
}

static void
draw_resting(struct canvas *c, const struct job_status *status)
{
	char at[OUTPUT_TIME_SIZE];

	if (status->is_paused) {
		canvas_printf(c, STYLE_PLAIN, "%s", status->pause_reason);
		return;
	}
	if (!status->has_last_run)
		canvas_printf(c, STYLE_DIM, "never ran");
	else
		canvas_printf(c, STYLE_PLAIN, "%s %s",
		    status->last_run.result,
		    output_local_time(status->last_run.finished_at, at));
}

static void
draw_row(const struct screen *s, struct canvas *c, const json_t *job)
{
	struct job_status status;
	bool is_selected = strcmp(name_of(job), s->selected) == 0;

	if (job_status_read(job, &status) < 0)
		return;
	canvas_put(c, STYLE_PLAIN, 1, is_selected ? ">" : "");
	canvas_put(c, is_selected ? STYLE_BOLD : STYLE_PLAIN, 15, status.name);
	canvas_put(c, STYLE_PLAIN, 1, "");
	canvas_put(c, style_of(&status), 13, status.state);
	canvas_put(c, STYLE_PLAIN, 1, "");
	if (status.is_running)
		draw_running(c, &status, s->utf8);
	else
		draw_resting(c, &status);
	canvas_end_line(c);
}

static void
draw_rule(const struct screen *s, struct canvas *c)
{
	while (c->used < c->columns && c->row < c->rows)
		canvas_put(c, STYLE_DIM, 0, s->utf8 ? "\xe2\x94\x80" : "-");
	canvas_end_line(c);
}

static void
draw_list(struct screen *s, struct canvas *c, size_t height)
{
	size_t n = json_array_size(s->jobs);
	size_t at = n == 0 ? 0 : find_selected(s);

	if (at < s->first)
		s->first = at;
	if (at >= s->first + height)
		s->first = at - height + 1;
	if (s->first + height > n)
		s->first = n > height ? n - height : 0;
	for (size_t i = 0; i < height; i++) {
		if (s->first + i < n)
			draw_row(s, c, json_array_get(s->jobs, s->first + i));
		else if (i == 0)
			canvas_printf(c, STYLE_DIM, s->jobs == NULL ?
			    " asking the daemon" : " no jobs are configured"),
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

			canvas_put(c, cell == MAP_ERROR ? STYLE_BAD :
			    STYLE_PLAIN, 0, job_map_glyph(cell, s->utf8));
		}
		if (height == 1) {
			canvas_to_column(c, (size_t)width + 1, STYLE_PLAIN);
			canvas_put(c, STYLE_PLAIN, 0, "]");
		}
		canvas_end_line(c);
	}
}

static void
draw_legend(const struct screen *s, struct canvas *c)
{
	for (int i = MAP_DURABLE; i >= 0; i--)
		canvas_printf(c, STYLE_DIM, "  %s %s",
		    job_map_glyph((enum map_cell)i, s->utf8),
		    job_map_word((enum map_cell)i));
	canvas_end_line(c);
}

static void
draw_title(struct canvas *c, const struct job_status *status)
{
	const struct job_run *run = &status->run;
	char size[UNITS_TEXT_SIZE];

	canvas_printf(c, STYLE_BOLD, " %s", status->name);
	canvas_printf(c, STYLE_PLAIN, "  %s -> %s", status->source,
	    status->destination);
	if (run->progress.source_size > 0 && status->is_running)
		canvas_printf(c, STYLE_PLAIN, "  %s", units_format_size(
		    run->progress.source_size, size));
	if (status->is_running)
		canvas_printf(c, STYLE_PLAIN, "  run %s (%s)", run->id,
		    run->trigger);
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

	if (!status->is_running && !status->has_last_run) {
		canvas_end_line(c);
		canvas_end_line(c);
		return;
	}
	canvas_printf(c, STYLE_PLAIN, " read %s   written %s   zero %s   "
	    "durable ", units_format_size(p->read_bytes, a),
	    units_format_size(p->written_bytes, b),
	    units_format_size(p->zeroed_bytes, d));
	canvas_printf(c, STYLE_PLAIN, "%s",
	    units_format_size(p->durable_bytes, a));
	canvas_end_line(c);
	canvas_printf(c, STYLE_PLAIN, " %u connection%s, %u deep, %s requests",
	    p->lanes, p->lanes == 1 ? "" : "s", p->queue_depth,
	    units_format_size(p->request_size, a));
	if (status->is_running)
		canvas_printf(c, STYLE_PLAIN, ", limited by: %s",
		    p->limited_by);
	canvas_end_line(c);
}

static void
draw_last(struct canvas *c, const struct job_status *status)
{
	const struct job_run *last = &status->last_run;
	char at[OUTPUT_TIME_SIZE], age[UNITS_TEXT_SIZE];

	if (!status->has_last_run) {
		canvas_printf(c, STYLE_DIM, " never ran before");
	} else {
		canvas_printf(c, STYLE_PLAIN, " last: %s %s", last->result,
		    output_local_time(last->finished_at, at));
		if (last->failure[0] != '\0')
			canvas_printf(c, STYLE_BAD, "  %s", last->failure);
	}
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

/* The newest at the bottom. */
static void
draw_log(const struct screen *s, struct canvas *c)
{
	size_t n = json_array_size(s->log);
	size_t height = c->rows > 3 ? c->rows - 3 : 1;
	char at[OUTPUT_TIME_SIZE];

	canvas_printf(c, STYLE_BOLD, " %s", s->selected);
	canvas_end_line(c);
	if (n == 0) {
		canvas_printf(c, STYLE_DIM, " nothing was logged");
		canvas_end_line(c);
	}
	for (size_t i = n > height ? n - height : 0; i < n; i++) {
		const json_t *o = json_array_get(s->log, i);
		const char *level = json_string_value(
		    json_object_get(o, "level"));
		const char *text = json_string_value(
		    json_object_get(o, "message"));
		const char *utc = json_string_value(json_object_get(o, "at"));
		enum style style = level == NULL ? STYLE_PLAIN :
		    strcmp(level, "error") == 0 ? STYLE_BAD :
		    strcmp(level, "warning") == 0 ? STYLE_WARN : STYLE_PLAIN;

		canvas_printf(c, STYLE_DIM, " %s ",
		    output_local_time(utc == NULL ? "" : utc, at));
		canvas_printf(c, style, "%s", text == NULL ? "" : text);
		canvas_end_line(c);
	}
}

static void
draw_detail(const struct screen *s, struct canvas *c, size_t map_rows)
{
	struct job_status status;

	draw_rule(s, c);
	if (!read_selected(s, &status))
		return;
	draw_title(c, &status);
	draw_map(s, c, map_rows);
	draw_legend(s, c);
	draw_figures(c, &status);
	draw_last(c, &status);
}

static void
draw_help(struct canvas *c)
{
	static const char *const lines[] = {
		"",
		" Key          What it does                    As a command",
		"",
		" up, down     select a job",
		" enter, m     the whole block map             nbdsync map JOB",
		" s            start a run                     nbdsync start JOB",
		" v            start a run that compares      nbdsync verify JOB",
		" c            cancel the run                  nbdsync cancel JOB",
		" p            pause, or resume                nbdsync pause JOB",
		"                                              nbdsync resume JOB",
		" + -          twice, half as fast             nbdsync rate JOB RATE",
		" l            what was logged of it           nbdsync log JOB",
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
		canvas_printf(c, STYLE_BAD, " %s", s->trouble);
	else
		canvas_printf(c, STYLE_WARN, " %s", s->said);
	canvas_end_line(c);
	canvas_put(c, STYLE_REVERSE, c->columns, s->utf8 ?
	    " q quit \xe2\x86\x91\xe2\x86\x93 job  \xe2\x8f\x8e map  s start  "
	    "v verify  p pause  c cancel  +/- rate  / filter  l log  ? help" :
	    " q quit  up/down job  m map  s start  v verify  p pause  "
	    "c cancel  +/- rate  l log  ? help");
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
	size_t around = ROWS_AROUND + DETAIL_ROWS;
	size_t height = c->rows > around + 1 ? c->rows - around : 1;
	size_t rows = c->rows;

	canvas_begin(c);
	/* The last two lines are there on the smallest terminal. */
	c->rows = rows > 2 ? rows - 2 : rows;
	draw_heading(s, c, clock);
	if (s->view == SCREEN_HELP) {
		draw_help(c);
	} else if (s->view == SCREEN_LOG) {
		draw_log(s, c);
	} else if (s->view == SCREEN_MAP) {
		draw_detail(s, c, rows > 9 ? rows - 9 : 1);
	} else {
		canvas_printf(c, STYLE_DIM, " %-15s %-13s %-26s %-13s %s",
		    "JOB", "STATE", "PROGRESS", "RATE", "ETA");
		canvas_end_line(c);
		draw_list(s, c, height);
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
