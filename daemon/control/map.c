/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/jobs/{job}/map: what of the disk is done, in ?cells=N equal parts,
 * run-length encoded: [["durable",412],["claimed",3],["todo",609]].
 *
 * With ?exact=1 it is not cut, but has all stretches of the source to the
 * byte: [[0,4096,"durable"],[4096,512,"error"]].  Which of them are zeroes is
 * not known to the byte, and not told.  There may be many, so they are written
 * as text at once.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
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
	struct run_map_walk walk = { .map = map };
	json_t *list = json_array();
	enum run_cell cell, next = RUN_CELL_TODO;
	uint64_t length = 0;

	if (map->size == 0)
		return list;
	cell = run_map_fold(&walk, part(map->size, 1, n_cells));
	for (uint64_t i = 1; list != NULL && i <= n_cells; i++) {
		length++;
		if (i < n_cells)
			next = run_map_fold(&walk, part(map->size, i + 1,
			    n_cells));
		if (i < n_cells && cell == next)
			continue;
		if (json_array_append_new(list, json_pack("[s, I]",
		    run_cell_name(cell), (json_int_t)length)) < 0) {
			json_decref(list);
			return NULL;
		}
		cell = next;
		length = 0;
	}
	return list;
}

static void
reply_cells(struct ctl_request *req, const struct job_view *view,
    const struct run_map *map, uint64_t n_cells) ON_MAIN
{
	/* Fewer bytes than cells: a byte a cell. */
	if (map->size > 0 && map->size < n_cells)
		n_cells = map->size;
	ctl_reply(req, 200, json_pack("{s:s, s:I, s:s, s:I, s:I, s:o}",
	    "job", view->name, "rev", (json_int_t)view->rev,
	    "state", view->state, "size_bytes", (json_int_t)map->size,
	    "cells", (json_int_t)n_cells, "runs", encode(map, n_cells)));
}

static enum run_cell
exact_cell(const struct run_map_stretch *s)
{
	return s->cell == RUN_CELL_ZERO ? RUN_CELL_DURABLE : s->cell;
}

/* How many stretches from this one on are one, but for zeroes. */
static size_t
alike(const struct run_map *map, size_t first, uint64_t *ret_length)
{
	const struct run_map_stretch *s = &map->v[first];
	size_t n = 1;

	*ret_length = s->length;
	while (first + n < map->n && exact_cell(&s[n]) == exact_cell(s) &&
	    s[n].is_rest == s->is_rest &&
	    s->offset + *ret_length == s[n].offset)
		*ret_length += s[n++].length;
	return n;
}

/* No name in it has a character that JSON minds. */
static void
write_exact(FILE *f, const struct job_view *view, const struct run_map *map)
{
	const char *comma = "";
	uint64_t length;

	(void)fprintf(f, "{\"job\":\"%s\",\"rev\":%" PRIu64
	    ",\"state\":\"%s\",\"size_bytes\":%" PRIu64
	    ",\"cells\":0,\"runs\":[],\"stretches\":[", view->name, view->rev,
	    view->state, map->size);
	for (size_t i = 0; i < map->n;) {
		const struct run_map_stretch *s = &map->v[i];

		i += alike(map, i, &length);
		if (s->is_rest)
			continue;
		(void)fprintf(f, "%s[%" PRIu64 ",%" PRIu64 ",\"%s\"]", comma,
		    s->offset, length, run_cell_name(exact_cell(s)));
		comma = ",";
	}
	(void)fputs("]}\n", f);
}

static void
reply_exact(struct ctl_request *req, const struct job_view *view,
    const struct run_map *map) ON_MAIN
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool is_good = f != NULL;

	if (f != NULL) {
		write_exact(f, view, map);
		is_good = ferror(f) == 0;
		is_good = fclose(f) == 0 && is_good;
	}
	ctl_reply_text(req, 200, "application/json; charset=utf-8",
	    is_good ? text : NULL, len);
	free(text);
}

void
ctl_map(struct ctl_request *req)
{
	CLEANUP(run_map_done) struct run_map map = { .v = NULL };
	const struct job *job = jobs_find(req->jobs, req->job);
	uint64_t n_cells = CELLS_DEFAULT;
	uint64_t is_exact = 0;
	struct job_view view;

	if (ctl_query_number(req, "cells", &n_cells) < 0 || n_cells == 0 ||
	    n_cells > CELLS_MAX) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"cells\" must be a "
		    "number from 1 to %d", CELLS_MAX);
	} else if (ctl_query_number(req, "exact", &is_exact) < 0 ||
	    is_exact > 1) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"exact\" must be 0 "
		    "or 1");
	} else if (job == NULL) {
		ctl_no_such_job(req);
	} else if (job_get_map(job, &map) < 0) {
		ctl_reply(req, 500, NULL);
	} else {
		job_get_view(job, &view);
		if (is_exact != 0)
			reply_exact(req, &view, &map);
		else
			reply_cells(req, &view, &map, n_cells);
	}
}
