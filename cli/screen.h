/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/canvas.h"
#include "cli/job-map.h"

/*
 * What `nbdsync status --watch` shows, and what its keys do.  No terminal and
 * no daemon in here: see watch.c.
 */

#define SCREEN_NAME_SIZE 64
#define SCREEN_TEXT_SIZE 512

/* What the keys ask for. */
enum screen_action {
	SCREEN_NOTHING,
	SCREEN_QUIT,
	SCREEN_START,
	SCREEN_VERIFY,
	SCREEN_PAUSE,
	SCREEN_RESUME,
	SCREEN_CANCEL,
	SCREEN_RATE,			/* go as fast as screen.rate */
};

enum screen_view {
	SCREEN_LIST,
	SCREEN_MAP,			/* the block map of the selected job */
	SCREEN_LOG,			/* what was logged of it */
	SCREEN_HELP,
};

struct screen {
	json_t *all;			/* the last good answer's, or NULL */
	json_t *jobs;			/* those of them that are listed */
	json_t *log;			/* the last messages, or NULL */
	json_t *connections;		/* of the selected job, or NULL */
	char filter[SCREEN_NAME_SIZE];	/* names have this in them; "" */
	bool is_typing;			/* it */
	uint64_t rate;			/* bytes a second; 0: no limit */
	char selected[SCREEN_NAME_SIZE];
	size_t first;			/* job at the top of the list */
	size_t page;			/* jobs that it shows at once */
	char host[SCREEN_NAME_SIZE];	/* whose daemon it is; "" */
	uint64_t up_s;			/* since it was started; 0: not known */
	struct job_map map;		/* of the selected job */
	bool has_map;
	enum screen_view view;
	enum screen_action confirm;	/* awaits y; SCREEN_NOTHING: none */
	char said[SCREEN_TEXT_SIZE];	/* what the last key led to */
	char trouble[SCREEN_TEXT_SIZE];	/* the daemon does not answer: why */
	char only[SCREEN_NAME_SIZE];	/* the list has this job alone; "" */
	bool utf8;
	bool ascii;
};

void screen_init(struct screen *s);
void screen_done(struct screen *s);

/* An answer of GET /v1/jobs; keeps the selection where it can. */
void screen_set_jobs(struct screen *s, const json_t *answer);

/* An answer of GET /v1/log about the selected job. */
void screen_set_log(struct screen *s, const json_t *answer);

/* An answer of GET /v1/jobs/{job} about it. */
void screen_set_job(struct screen *s, const json_t *answer);

/* Takes over what the map owns. */
void screen_set_map(struct screen *s, const struct job_map *map);

/* The lines that its map has in this view of a terminal with so many. */
size_t screen_map_rows(const struct screen *s, size_t rows);

/* How many cells a map for the view should have; 0: none is shown. */
unsigned screen_map_cells(const struct screen *s, size_t columns,
    size_t rows);

/*
 * A key: a character, or one of these.  Returns what it asks for, about the
 * selected job.
 */
enum {
	SCREEN_KEY_UP = 0x100,
	SCREEN_KEY_DOWN,
	SCREEN_KEY_PAGE_UP,
	SCREEN_KEY_PAGE_DOWN,
	SCREEN_KEY_HOME,
	SCREEN_KEY_END,
	SCREEN_KEY_ENTER,
	SCREEN_KEY_ESCAPE,
	SCREEN_KEY_BACKSPACE,
};

enum screen_action screen_key(struct screen *s, int key);

void screen_draw(struct screen *s, struct canvas *c, const char *clock);

#endif
