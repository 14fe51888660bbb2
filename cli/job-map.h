/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_JOB_MAP_H
#define CLI_JOB_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The block map of a job, as the daemon tells it, and pictures of it.
 */

enum map_cell {
	MAP_TODO,
	MAP_CLAIMED,
	MAP_DONE,
	MAP_DURABLE,
	MAP_ZERO,
	MAP_DIFFERS,
	MAP_ERROR,
	MAP_KINDS,
};

struct job_map {
	uint64_t size;			/* bytes; 0: not known */
	uint64_t n_cells;
	struct job_map_run {
		enum map_cell cell;
		uint64_t length;	/* cells */
	} *runs;
	size_t n_runs;
};

#define JOB_MAP_CELLS_MAX 65536

/* 0, -EPROTO, -ENOMEM.  What it owns is freed by job_map_done(). */
int job_map_read(const json_t *json, struct job_map *ret_map);
void job_map_done(struct job_map *map);

/* Of one cell; "#", or a shade where utf8. */
const char *job_map_glyph(enum map_cell cell, bool utf8);
const char *job_map_word(enum map_cell cell);

/* Of a word of the API: what a mapfile has for it. */
char job_map_letter(const char *word);

bool job_map_has(const struct job_map *map, enum map_cell cell);

/* The state of cell i. */
enum map_cell job_map_at(const struct job_map *map, uint64_t i);

/* Lines of cells with offsets in front, and a legend. */
void job_map_print(const struct job_map *map, unsigned columns, bool utf8);

/* One rectangle a run, with a title that says where it is. */
void job_map_write_svg(const struct job_map *map, const char *job, FILE *f);

#endif
