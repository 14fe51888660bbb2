/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_RUN_MAP_H
#define TRANSFER_RUN_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "transfer/run.h"

/*
 * What of the disk is in which state, for pictures.
 *
 * A run knows how far its lanes have claimed the disk, how much of that is
 * done and how much durable, but not which bytes: they are taken to be the
 * first ones, which is true but for what is in flight.
 */

enum run_cell {
	RUN_CELL_TODO,		/* "todo" */
	RUN_CELL_CLAIMED,	/* "claimed": in flight */
	RUN_CELL_DONE,		/* "done": acknowledged, not flushed */
	RUN_CELL_DURABLE,	/* "durable" */
};

#define RUN_CELL_KINDS (RUN_CELL_DURABLE + 1)

const char *run_cell_name(enum run_cell cell);

/* Stretches of the disk, in order, without gaps. */
struct run_map {
	struct run_map_stretch {
		uint64_t from;		/* bytes */
		uint64_t to;
		enum run_cell cell;
	} v[RUN_CELL_KINDS];
	size_t n;
	uint64_t size;
};

/* The map that these figures make; claimed is at least what is done. */
void run_map_make(struct run_map *map, uint64_t size, uint64_t claimed,
    uint64_t done, uint64_t durable);

/* Any thread, at any time; size 0 until it is known. */
void run_get_map(const struct run *run, struct run_map *ret_map);

/*
 * The state of a cell, [from, to) of the disk: the one most of it is in;
 * where several are equal, the one that is least far.
 */
enum run_cell run_map_cell(const struct run_map *map, uint64_t from,
    uint64_t to);

#endif
