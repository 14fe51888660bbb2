/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The screen: what it knows, and what keys do to it.  When the daemon does not
 * answer, the last good state stays, with the reason at the bottom.
 */
#include "cli/screen-private.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/job-status.h"

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
	json_decref(s->connections);
}

const char *
screen_name_of(const json_t *job)
{
	const char *name = json_string_value(json_object_get(job, "job"));

	return name != NULL ? name : "";
}

size_t
screen_find_selected(const struct screen *s)
{
	size_t n = json_array_size(s->jobs);

	for (size_t i = 0; i < n; i++)
		if (strcmp(screen_name_of(json_array_get(s->jobs, i)),
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
	    screen_name_of(json_array_get(s->jobs, i)));
	if (strcmp(before, s->selected) != 0) {
		drop_map(s);
		json_decref(s->log);
		json_decref(s->connections);
		s->log = s->connections = NULL;
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
	size_t before = s->jobs == NULL ? 0 : screen_find_selected(s);
	json_t *jobs = json_array();
	size_t i, n;
	json_t *job;

	json_array_foreach(s->all, i, job)
		if (is_listed(s, screen_name_of(job)))
			(void)json_array_append(jobs, job);
	json_decref(s->jobs);
	s->jobs = jobs;
	n = json_array_size(jobs);
	/* What was asked about it is not to be answered for another. */
	if (screen_find_selected(s) == n)
		s->confirm = SCREEN_NOTHING;
	if (n > 0 && screen_find_selected(s) == n)
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
screen_set_job(struct screen *s, const json_t *answer)
{
	json_decref(s->connections);
	s->connections = json_incref(json_object_get(answer, "connections"));
}

void
screen_set_map(struct screen *s, const struct job_map *map)
{
	drop_map(s);
	s->map = *map;
	s->has_map = true;
}

/* Above and below it there are 13 others. */
size_t
screen_map_rows(const struct screen *s, size_t rows)
{
	return s->view == SCREEN_MAP && rows > 13 ? rows - 13 : 1;
}

unsigned
screen_map_cells(const struct screen *s, size_t columns, size_t rows)
{
	size_t width = columns > 4 ? columns - 4 : 1;

	if (s->selected[0] == '\0' || s->view == SCREEN_HELP ||
	    s->view == SCREEN_LOG)
		return 0;
	width *= screen_map_rows(s, rows);
	return width > JOB_MAP_CELLS_MAX ? JOB_MAP_CELLS_MAX :
	    (unsigned)width;
}

/* By so many jobs, as far as there are any. */
static void
move(struct screen *s, bool down, size_t by)
{
	size_t n = json_array_size(s->jobs);
	size_t at = screen_find_selected(s);

	/* A name that is too long to be selected is not found. */
	if (at == n)
		return;
	if (down)
		select_job(s, by < n - 1 - at ? at + by : n - 1);
	else
		select_job(s, by < at ? at - by : 0);
	s->said[0] = '\0';
}

bool
screen_read_selected(const struct screen *s, struct job_status *ret_status)
{
	return s->jobs != NULL && job_status_read(json_array_get(s->jobs,
	    screen_find_selected(s)), ret_status) == 0;
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

	if (!screen_read_selected(s, &status))
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
	if (!status.is_running && !status.has_rest) {
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

	if (!screen_read_selected(s, &status))
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

static bool
take_movement(struct screen *s, int key)
{
	switch (key) {
	case SCREEN_KEY_UP:
	case 'k':
		move(s, false, 1);
		return true;
	case SCREEN_KEY_DOWN:
	case 'j':
		move(s, true, 1);
		return true;
	case SCREEN_KEY_PAGE_UP:
		move(s, false, s->page);
		return true;
	case SCREEN_KEY_PAGE_DOWN:
		move(s, true, s->page);
		return true;
	case SCREEN_KEY_HOME:
		move(s, false, SIZE_MAX);
		return true;
	case SCREEN_KEY_END:
		move(s, true, SIZE_MAX);
		return true;
	default:
		return false;
	}
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
	if (take_movement(s, key))
		return SCREEN_NOTHING;
	switch (key) {
	case 'q':
		return SCREEN_QUIT;
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
