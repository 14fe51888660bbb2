/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/run-map.h"

#include <string.h>

const char *
run_cell_name(enum run_cell cell)
{
	static const char *const names[] = {
		[RUN_CELL_TODO] = "todo",
		[RUN_CELL_CLAIMED] = "claimed",
		[RUN_CELL_DONE] = "done",
		[RUN_CELL_DURABLE] = "durable",
	};

	return names[cell];
}

static uint64_t
at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* From where the last one ends. */
static void
add(struct run_map *map, uint64_t to, enum run_cell cell)
{
	uint64_t from = map->n == 0 ? 0 : map->v[map->n - 1].to;

	if (to <= from)
		return;
	map->v[map->n].from = from;
	map->v[map->n].to = to;
	map->v[map->n].cell = cell;
	map->n++;
}

void
run_map_make(struct run_map *map, uint64_t size, uint64_t claimed,
    uint64_t done, uint64_t durable)
{
	memset(map, 0, sizeof *map);
	map->size = size;
	add(map, at_most(durable, size), RUN_CELL_DURABLE);
	add(map, at_most(done, size), RUN_CELL_DONE);
	add(map, at_most(claimed, size), RUN_CELL_CLAIMED);
	add(map, size, RUN_CELL_TODO);
}

enum run_cell
run_map_cell(const struct run_map *map, uint64_t from, uint64_t to)
{
	uint64_t bytes[RUN_CELL_KINDS] = { 0 };
	enum run_cell most = RUN_CELL_TODO;

	for (size_t i = 0; i < map->n; i++) {
		uint64_t begin = map->v[i].from > from ? map->v[i].from : from;
		uint64_t end = at_most(map->v[i].to, to);

		if (end > begin)
			bytes[map->v[i].cell] += end - begin;
	}
	for (int cell = RUN_CELL_CLAIMED; cell < RUN_CELL_KINDS; cell++)
		if (bytes[cell] > bytes[most])
			most = (enum run_cell)cell;
	return most;
}
