/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/run-map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *
run_cell_name(enum run_cell cell)
{
	static const char *const names[] = {
		[RUN_CELL_TODO] = "todo",
		[RUN_CELL_CLAIMED] = "claimed",
		[RUN_CELL_DONE] = "done",
		[RUN_CELL_DURABLE] = "durable",
		[RUN_CELL_ZERO] = "zero",
		[RUN_CELL_DIFFERS] = "differs",
		[RUN_CELL_ERROR] = "error",
	};

	return names[cell];
}

void
run_map_done(struct run_map *map)
{
	free(map->v);
	memset(map, 0, sizeof *map);
}

static bool
goes_on(const struct run_map_stretch *last, const struct run_map_stretch *next)
{
	return last->cell == next->cell && last->is_rest == next->is_rest &&
	    last->offset + last->length == next->offset;
}

static int
make_room(struct run_map *map)
{
	size_t room = map->room == 0 ? 4 : 2 * map->room;
	struct run_map_stretch *v;

	if (map->n < map->room)
		return 0;
	v = reallocarray(map->v, room, sizeof *v);
	if (v == NULL)
		return -ENOMEM;
	map->v = v;
	map->room = room;
	return 0;
}

int
run_map_add(struct run_map *map, const struct run_map_stretch *stretch)
{
	if (stretch->length == 0)
		return 0;
	if (map->n > 0 && goes_on(&map->v[map->n - 1], stretch)) {
		map->v[map->n - 1].length += stretch->length;
	} else {
		if (make_room(map) < 0)
			return -ENOMEM;
		map->v[map->n++] = *stretch;
	}
	map->size += stretch->length;
	return 0;
}

void
run_map_fit(struct run_map *map)
{
	struct run_map_stretch *v = map->n == 0 ? NULL :
	    reallocarray(map->v, map->n, sizeof *v);

	if (v == NULL)
		return;
	map->v = v;
	map->room = map->n;
}

enum run_cell
run_map_fold(struct run_map_walk *w, uint64_t to)
{
	uint64_t bytes[RUN_CELL_KINDS] = { 0 };
	enum run_cell most = RUN_CELL_TODO;

	while (w->at < to && w->i < w->map->n) {
		const struct run_map_stretch *s = &w->map->v[w->i];
		uint64_t n = s->length - w->used;

		if (n > to - w->at)
			n = to - w->at;
		bytes[s->cell] += n;
		w->used += n;
		w->at += n;
		if (w->used == s->length) {
			w->i++;
			w->used = 0;
		}
	}
	if (bytes[RUN_CELL_ERROR] > 0)
		return RUN_CELL_ERROR;
	if (bytes[RUN_CELL_DIFFERS] > 0)
		return RUN_CELL_DIFFERS;
	/* Zeroes are durable as well. */
	bytes[RUN_CELL_DURABLE] += bytes[RUN_CELL_ZERO];
	for (int cell = RUN_CELL_CLAIMED; cell <= RUN_CELL_DURABLE; cell++)
		if (bytes[cell] > bytes[most])
			most = (enum run_cell)cell;
	return most == RUN_CELL_DURABLE && bytes[RUN_CELL_ZERO] >
	    bytes[RUN_CELL_DURABLE] / 2 ? RUN_CELL_ZERO : most;
}
