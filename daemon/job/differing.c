/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comparisons have found to differ, for the map of the job: until it has
 * been written, or another comparison has looked at it.
 */

#include "base/cleanup.h"
#include "job/job-private.h"

/* All of what the run was to look at has been dealt with. */
static void
forget(struct job *job) ON_MAIN
{
	const struct job_wish *wish = &job->wish;

	if (!job_is_partial(job))
		ranges_clear(&job->differing);
	/* Nobody knows where a sample was taken, or what had digests. */
	for (size_t i = 0; wish->sample_ppm == 0 && i < wish->n_ranges; i++) {
		const struct run_range *r = &wish->ranges[i];
		uint64_t rest = UINT64_MAX - r->from;

		(void)ranges_remove(&job->differing, r->from,
		    r->length < rest ? r->length : rest);
	}
}

/* Otherwise nobody may have looked at some of the destinations, or of it. */
static bool
has_seen_all(const struct run_result *result)
{
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (result->destination_failures[i] != NULL)
			return false;
	return result->outcome != RUN_FAILED &&
	    result->outcome != RUN_CANCELLED &&
	    result->outcome != RUN_PARTIAL &&
	    result->outcome != RUN_BAD_RANGES;
}

void
job_note_differing(struct job *job, const struct run_result *result)
{
	if (has_seen_all(result))
		forget(job);
	/* What has been repaired is listed, too. */
	if (result->outcome == RUN_REPAIRED)
		return;
	for (size_t i = 0; i < result->n_differences; i++)
		if (ranges_add(&job->differing, result->differences[i].offset,
			result->differences[i].length) < 0)
			break;
}

/* Where zeroes behind the source are, nothing of the source is. */
static int
add_stretch(const struct job *job, const struct run_map_stretch *stretch,
    struct run_map *map)
{
	struct run_map_stretch s = *stretch;
	uint64_t left = s.length;
	bool differs = false;
	int r = 0;

	for (; r == 0 && left > 0; left -= s.length, s.offset += s.length) {
		s.length = left;
		if (!s.is_rest)
			s.length = ranges_run_at(&job->differing, s.offset,
			    left, &differs);
		s.cell = differs && stretch->cell != RUN_CELL_ERROR ?
		    RUN_CELL_DIFFERS : stretch->cell;
		r = run_map_add(map, &s);
	}
	return r;
}

int
job_mark_differing(const struct job *job, const struct run_map *map,
    struct run_map *ret_map)
{
	CLEANUP(run_map_done) struct run_map marked = { .v = NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < map->n; i++)
		r = add_stretch(job, &map->v[i], &marked);
	if (r < 0)
		return r;
	*ret_map = marked;
	marked = (struct run_map){ .v = NULL };
	return 0;
}
