/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody has asked of a run, where that is not what is configured.
 *
 * The job keeps it while the run goes on, and while it is to go on after a
 * pause: it is the same run then, and not one that does something else.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/job-private.h"

/* Of ranges that are asked for and those of the job; each could be cut. */
#define MAX_RANGES 16384

static uint64_t
end_of(const struct run_range *r)
{
	uint64_t end;

	if (r->length == RUN_LENGTH_ALL ||
	    __builtin_add_overflow(r->from, r->length, &end))
		return UINT64_MAX;
	return end;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct run_range *x = a;
	const struct run_range *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Those that touch become one: each byte is looked at once. */
static size_t
join(struct run_range *v, size_t n)
{
	size_t n_joined = 0;

	if (n > 0)
		qsort(v, n, sizeof *v, compare_ranges);
	for (size_t i = 0; i < n; i++) {
		struct run_range *last = n_joined == 0 ? NULL :
							 &v[n_joined - 1];
		uint64_t end = end_of(&v[i]);

		if (last == NULL || end_of(last) < v[i].from)
			v[n_joined++] = v[i];
		else if (end > end_of(last))
			last->length = end == UINT64_MAX ? RUN_LENGTH_ALL :
			    end - last->from;
	}
	return n_joined;
}

int
job_take_wish(struct job *job, const struct job_wish *wish)
{
	size_t size = wish->n_ranges * sizeof *wish->ranges;
	struct run_range *ranges = malloc(size + 1);
	struct run_line *line = NULL;

	if (ranges != NULL && wish->line != NULL)
		line = run_line_copy(wish->line);
	if (ranges == NULL || (wish->line != NULL && line == NULL)) {
		free(ranges);
		return -ENOMEM;
	}
	if (size > 0)
		memcpy(ranges, wish->ranges, size);
	job_forget_wish(job);
	job->wish_ranges = ranges;
	job->wish_line = line;
	job->wish = *wish;
	job->wish.line = line;
	job->wish.n_ranges = join(ranges, wish->n_ranges);
	job->wish.ranges = ranges;
	return 0;
}

void
job_forget_wish(struct job *job)
{
	free(job->wish_ranges);
	job->wish_ranges = NULL;
	run_line_free(job->wish_line);
	job->wish_line = NULL;
	job->wish = (struct job_wish){ .is_full = false };
}

bool
job_is_partial(const struct job *job)
{
	return job->wish.n_ranges > 0 || job->wish.sample_ppm > 0 ||
	    job->wish.line != NULL;
}

/* What of the range that is asked for lies in that of the job. */
static bool
cut(const struct run_range *asked, const struct run_range *configured,
    struct run_range *ret)
{
	uint64_t from = asked->from > configured->from ? asked->from :
							 configured->from;
	uint64_t end = end_of(asked);

	if (end_of(configured) < end)
		end = end_of(configured);
	if (from >= end)
		return false;
	ret->from = from;
	ret->length = end == UINT64_MAX ? RUN_LENGTH_ALL : end - from;
	/* No disk reaches there, which is told when it is looked at. */
	if (__builtin_add_overflow(configured->to, from - configured->from,
	    &ret->to))
		ret->to = UINT64_MAX;
	return true;
}

int
job_cut_ranges(const struct job_wish *wish, const struct conf_job *cj,
    struct run_range **ret_ranges, size_t *ret_n, struct error *e)
{
	static const struct run_range whole = { .length = RUN_LENGTH_ALL };
	const struct run_range *all = cj->ranges.n > 0 ? cj->ranges.v : &whole;
	size_t n_all = cj->ranges.n > 0 ? cj->ranges.n : 1;
	struct run_range *v = calloc(MAX_RANGES, sizeof *v);
	size_t n = 0;

	if (v == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < wish->n_ranges && n < MAX_RANGES; i++)
		for (size_t k = 0; k < n_all && n < MAX_RANGES; k++)
			if (cut(&wish->ranges[i], &all[k], &v[n]))
				n++;
	if (n == 0 || n == MAX_RANGES) {
		free(v);
		return n == 0 ? error_set(e, -ERANGE, "the ranges have "
		    "nothing in common with those of the job") :
		    error_set(e, -ERANGE, "the ranges are more than %d pieces "
		    "of the job's", MAX_RANGES);
	}
	*ret_ranges = v;
	*ret_n = n;
	return 0;
}
