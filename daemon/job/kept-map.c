/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of a job as text, so that the next daemon has it, too:
 *
 *	{"disks":"ID","stretches":[[0,4096,"durable"],[4096,512,"error"],
 *	    [4608,4096,"zero",true]]}
 *
 * Each stretch has its offset, its length and what is there; true is a rest
 * behind the source's end.  A hundred thousand of them are no trouble to write,
 * and are read on the store's thread.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"

char *
job_map_to_text(const struct job *job)
{
	CLEANUP(run_map_done) struct run_map map = { .v = NULL };
	char disks[JOB_DISKS_SIZE];
	const char *comma = "";
	char *text = NULL;
	size_t size = 0;
	bool is_good;
	FILE *f;

	if (job_mark_differing(job, &job->last_map, &map) < 0)
		return NULL;
	f = open_memstream(&text, &size);
	if (f == NULL)
		return NULL;
	job_name_disks(&job->disks, disks);
	(void)fprintf(f, "{\"disks\":\"%s\",\"stretches\":[", disks);
	for (size_t i = 0; i < map.n; i++, comma = ",")
		(void)fprintf(f, "%s[%" PRIu64 ",%" PRIu64 ",\"%s\"%s]",
		    comma, map.v[i].offset, map.v[i].length,
		    run_cell_name(map.v[i].cell),
		    map.v[i].is_rest ? ",true" : "");
	(void)fputs("]}", f);
	is_good = ferror(f) == 0;
	if (fclose(f) == 0 && is_good)
		return text;
	free(text);
	return NULL;
}

void
job_kept_map_done(struct job_kept_map *kept)
{
	run_map_done(&kept->map);
	ranges_done(&kept->differing);
}

/* RUN_CELL_KINDS: there is none of that name. */
static enum run_cell
find_cell(const char *name)
{
	enum run_cell cell = RUN_CELL_TODO;

	while (name != NULL && cell < RUN_CELL_KINDS &&
	    strcmp(run_cell_name(cell), name) != 0)
		cell++;
	return name == NULL ? RUN_CELL_KINDS : cell;
}

/* -EINVAL: this is no stretch. */
static int
read_stretch(struct job_kept_map *kept, const json_t *o)
{
	json_int_t offset = json_integer_value(json_array_get(o, 0));
	json_int_t length = json_integer_value(json_array_get(o, 1));
	struct run_map_stretch s = {
		.offset = (uint64_t)offset,
		.length = (uint64_t)length,
		.cell = find_cell(json_string_value(json_array_get(o, 2))),
		.is_rest = json_is_true(json_array_get(o, 3)),
	};

	if (offset < 0 || length <= 0 || s.cell == RUN_CELL_KINDS ||
	    offset > INT64_MAX - length ||
	    s.length > INT64_MAX - kept->map.size)
		return -EINVAL;
	/* A comparison has found that of what had been written. */
	if (s.cell == RUN_CELL_DIFFERS) {
		s.cell = RUN_CELL_DURABLE;
		if (ranges_add(&kept->differing, s.offset, s.length) < 0)
			return -ENOMEM;
	}
	return run_map_add(&kept->map, &s);
}

void
job_kept_map_read(struct job_kept_map *kept, const char *text)
{
	json_t *o = text == NULL || text[0] == '\0' ? NULL :
	    json_loads(text, 0, NULL);
	const json_t *list = json_object_get(o, "stretches");
	const char *disks = json_string_value(json_object_get(o, "disks"));
	size_t n = json_array_size(list);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_stretch(kept, json_array_get(list, i));
	(void)snprintf(kept->disks, sizeof kept->disks, "%s",
	    disks == NULL ? "" : disks);
	if (r < 0)
		job_kept_map_done(kept);
	json_decref(o);
}

void
job_take_kept_map(struct job *job, struct job_kept_map *kept)
{
	char disks[JOB_DISKS_SIZE];

	job_name_disks(&job->disks, disks);
	/* It is of others, who may have written there, or a run has ended. */
	if (job->is_map_gone || strcmp(kept->disks, disks) != 0 ||
	    job->last_map.size > 0)
		return;
	job->last_map = kept->map;
	kept->map = (struct run_map){ .v = NULL };
	ranges_done(&job->differing);
	job->differing = kept->differing;
	ranges_init(&kept->differing);
}
