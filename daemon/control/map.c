/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs/{job}/map: what of the disk is done, in ?cells=N equal parts,
 * run-length encoded: [["durable",412],["claimed",3],["todo",609]].
 */

#include "control/routes.h"

#define CELLS_DEFAULT 1024
#define CELLS_MAX     65536

/* i of n parts of size; no product can overflow. */
static uint64_t
part(uint64_t size, uint64_t i, uint64_t n)
{
	return size / n * i + size % n * i / n;
}

/* NULL: out of memory. */
static json_t *
encode(const struct run_map *map, uint64_t n_cells)
{
	json_t *list = json_array();
	uint64_t length = 0;

	for (uint64_t i = 0; list != NULL && map->size > 0 && i < n_cells;
	    i++) {
		enum run_cell cell = run_map_cell(map,
		    part(map->size, i, n_cells), part(map->size, i + 1,
		    n_cells));

		length++;
		if (i + 1 < n_cells && cell == run_map_cell(map,
		    part(map->size, i + 1, n_cells), part(map->size, i + 2,
		    n_cells)))
			continue;
		if (json_array_append_new(list, json_pack("[s, I]",
		    run_cell_name(cell), (json_int_t)length)) < 0) {
			json_decref(list);
			return NULL;
		}
		length = 0;
	}
	return list;
}

void
ctl_map(struct ctl_request *req)
{
	const struct job *job = jobs_find(req->jobs, req->job);
	uint64_t n_cells = CELLS_DEFAULT;
	struct run_map map;
	struct job_view view;

	if (ctl_query_number(req, "cells", &n_cells) < 0 || n_cells == 0 ||
	    n_cells > CELLS_MAX) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"cells\" must be a "
		    "number from 1 to %d", CELLS_MAX);
		return;
	}
	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	job_get_view(job, &view);
	job_get_map(job, &map);
	/* Fewer bytes than cells: a byte a cell. */
	if (map.size > 0 && map.size < n_cells)
		n_cells = map.size;
	ctl_reply(req, 200, json_pack("{s:s, s:I, s:s, s:I, s:I, s:o}",
	    "job", view.name, "rev", (json_int_t)view.rev,
	    "state", view.state, "size_bytes", (json_int_t)map.size,
	    "cells", (json_int_t)n_cells, "runs", encode(&map, n_cells)));
}
