/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_RUN_MAP_H
#define TRANSFER_RUN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/run.h"

/*
 * What of the source is in which state, for pictures and mapfiles.
 *
 * What is durable, and what was skipped, is known to the byte.  Of what lanes
 * have claimed and no flush has covered it is only known how much is done:
 * that is taken to be the first of it.
 */

/* What is further down counts for more, where two are equally much. */
enum run_cell {
	RUN_CELL_TODO,		/* "todo" */
	RUN_CELL_CLAIMED,	/* "claimed": in flight */
	RUN_CELL_DONE,		/* "done": acknowledged, not flushed */
	RUN_CELL_DURABLE,	/* "durable" */
	RUN_CELL_ZERO,		/* "zero": the same, and zeroes, roughly */
	RUN_CELL_DIFFERS,	/* "differs": as a comparison has found; not of
				   a run */
	RUN_CELL_ERROR,		/* "error": skipped */
};

#define RUN_CELL_KINDS (RUN_CELL_ERROR + 1)

/* The word in quotes above. */
const char *run_cell_name(enum run_cell cell);

/* One after the other, what is to be copied; by itself it is empty. */
struct run_map {
	struct run_map_stretch {
		uint64_t offset;	/* bytes on the source; of a rest: on
					   the destination */
		uint64_t length;
		enum run_cell cell;
		bool is_rest;		/* zeroes behind the source's end */
	} *v;
	size_t n;
	size_t room;
	uint64_t size;			/* of all stretches */
};

/* Gives back the stretches; copes with one that is all 0. */
void run_map_done(struct run_map *map);

/* Add a stretch; neighbours that are alike become one.  -ENOMEM. */
int run_map_add(struct run_map *map, const struct run_map_stretch *stretch);

/* It will not grow any more: give back what it has too much. */
void run_map_fit(struct run_map *map);

/*
 * Any thread, at any time; size 0 until it is known.  What was skipped is in
 * it only if is_over: after on_finished.  -ENOMEM.
 */
int run_get_map(const struct run *run, bool is_over, struct run_map *ret_map);

/* A walk along a map, cell by cell; it begins with all 0 but map. */
struct run_map_walk {
	const struct run_map *map;
	size_t i;			/* the stretch */
	uint64_t used;			/* bytes of it */
	uint64_t at;
};

/*
 * The state of what lies between where the walk is and to: "error" if any of
 * it is that, or "differs", else what most of it is; of two, the one that is
 * less far.
 */
enum run_cell run_map_fold(struct run_map_walk *walk, uint64_t to);

#endif
