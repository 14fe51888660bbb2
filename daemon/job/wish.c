/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody has asked of a run, where that is not what is configured.
 *
 * The job keeps it while the run goes on, and while it is to go on after a
 * pause: it is the same run then, and not one that does something else.  So it
 * is also stored with the pause, for the daemon that comes after us.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

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

/* [from, length], without the length: to the end. */
static json_t *
range_to_json(const struct run_range *r)
{
	return r->length == RUN_LENGTH_ALL ?
	    json_pack("[I]", (json_int_t)r->from) :
	    json_pack("[II]", (json_int_t)r->from, (json_int_t)r->length);
}

static json_t *
ranges_to_json(const struct job_wish *wish)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < wish->n_ranges; i++)
		if (json_array_append_new(list,
			range_to_json(&wish->ranges[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* A part of it would be another wish: all, or NULL. */
json_t *
job_wish_to_json(const struct job *job)
{
	const struct job_wish *wish = &job->wish;
	json_t *o = json_pack("{s:s, s:b}", "reason", wish->reason, "own",
	    job->is_own);

	if (wish->is_full)
		report_put(&o, "full", json_true());
	if (wish->verify)
		report_put(&o, "verify", json_true());
	if (wish->has_mode)
		report_put(&o, "mode",
		    json_string(run_mode_name(wish->mode)));
	if (wish->has_rate)
		report_put_number(&o, "rate", wish->rate);
	if (wish->has_repair)
		report_put(&o, "repair", json_boolean(wish->repair));
	if (wish->sample_ppm != 0)
		report_put_number(&o, "sample_ppm", wish->sample_ppm);
	if (wish->n_ranges > 0)
		report_put(&o, "ranges", ranges_to_json(wish));
	return o;
}

static bool
get_number(const json_t *number, uint64_t *ret)
{
	json_int_t n = json_integer_value(number);

	if (!json_is_integer(number) || n < 0)
		return false;
	*ret = (uint64_t)n;
	return true;
}

/* -EINVAL: this is not of ours. */
static int
ranges_from_json(const json_t *list, struct run_range **ret_ranges,
    size_t *ret_n)
{
	size_t n = json_array_size(list);
	struct run_range *v = calloc(n + 1, sizeof *v);
	bool is_good = json_is_array(list);

	if (v == NULL)
		return -ENOMEM;
	for (size_t i = 0; is_good && i < n; i++) {
		const json_t *pair = json_array_get(list, i);

		is_good = get_number(json_array_get(pair, 0), &v[i].from);
		v[i].length = RUN_LENGTH_ALL;
		if (is_good && json_array_size(pair) > 1)
			is_good = get_number(json_array_get(pair, 1),
			    &v[i].length);
	}
	if (!is_good) {
		free(v);
		return -EINVAL;
	}
	*ret_ranges = v;
	*ret_n = n;
	return 0;
}

/* All but its ranges. */
static int
wish_from_json(const json_t *o, struct job_wish *ret_wish)
{
	const char *reason = json_string_value(json_object_get(o, "reason"));
	const json_t *mode = json_object_get(o, "mode");
	const json_t *repair = json_object_get(o, "repair");
	const json_t *sample = json_object_get(o, "sample_ppm");
	const json_t *rate = json_object_get(o, "rate");
	struct job_wish wish = { .has_mode = mode != NULL,
		.has_rate = rate != NULL, .has_repair = repair != NULL,
		.repair = json_is_true(repair),
		.is_full = json_is_true(json_object_get(o, "full")),
		.verify = json_is_true(json_object_get(o, "verify")) };
	uint64_t ppm = 0;

	if (!json_is_object(o) || reason == NULL ||
	    (wish.has_mode && (!json_is_string(mode) ||
	    run_mode_parse(json_string_value(mode), &wish.mode) < 0)) ||
	    (wish.has_rate && !get_number(rate, &wish.rate)) ||
	    (sample != NULL && (!get_number(sample, &ppm) || ppm > 1000000)))
		return -EINVAL;
	wish.sample_ppm = (uint32_t)ppm;
	(void)snprintf(wish.reason, sizeof wish.reason, "%.*s",
	    (int)sizeof wish.reason - 1, reason);
	*ret_wish = wish;
	return 0;
}

int
job_take_stored_wish(struct job *job, const json_t *o)
{
	const json_t *list = json_object_get(o, "ranges");
	CLEANUP(cleanup_free) struct run_range *ranges = NULL;
	struct job_wish wish;
	int r = wish_from_json(o, &wish);

	if (r == 0 && list != NULL)
		r = ranges_from_json(list, &ranges, &wish.n_ranges);
	if (r < 0)
		return r;
	wish.ranges = ranges;
	r = job_take_wish(job, &wish);
	if (r == 0)
		job->is_own = json_is_true(json_object_get(o, "own"));
	return r;
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
