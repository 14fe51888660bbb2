/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * After a comparison that has found differences: look at them again, since a
 * source that is being written differs for a moment; and make them equal.
 * Where the list of differences is not complete, all is done again instead.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/bad-ranges.h"
#include "transfer/differences.h"
#include "transfer/run-private.h"
#include "transfer/series-private.h"

enum stage {
	STAGE_COMPARE,
	STAGE_RECHECK,
	STAGE_REPAIR,
	STAGE_PROOF,
};

/*
 * The differences at any destination, in whole sectors of all of them, joined;
 * *ret_n of them.
 */
static struct run_difference *
join_differences(const struct series *s, size_t *ret_n)
{
	const struct run_result *r = &s->result;
	uint64_t sector = s->run->plan.sector;
	struct run_difference *v;
	uint64_t end;

	v = malloc(r->n_differences * sizeof *v + 1);
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < r->n_differences; i++) {
		v[i] = r->differences[i];
		v[i].destination = 0;
		end = v[i].offset + v[i].length + sector - 1;
		v[i].offset -= v[i].offset % sector;
		v[i].length = end - end % sector - v[i].offset;
	}
	*ret_n = differences_sort(v, r->n_differences);
	return v;
}

/* What of the difference lies in the range. */
static bool
cut(const struct run_range *range, const struct run_difference *d,
    uint64_t size, struct run_range *ret)
{
	uint64_t from = d->offset > range->from ? d->offset : range->from;
	uint64_t end = d->offset + d->length;

	if (range->length != RUN_LENGTH_ALL)
		size = range->from + range->length;
	if (end > size)
		end = size;
	if (from >= end)
		return false;
	ret->from = from;
	ret->length = end - from;
	ret->to = range->to + (from - range->from);
	return true;
}

static void
take_all_ranges(struct series *s)
{
	s->spec.ranges = s->all_ranges;
	s->spec.n_ranges = s->n_all_ranges;
	s->spec.sample_ppm = s->sample_ppm;
}

/* What was skipped by a pass with those of s->bad. */
static int
add_bad_ranges(struct series *s)
{
	const struct run_result *r = &s->result;
	struct run_bad_range *v = reallocarray(s->bad,
	    s->n_bad + r->n_bad_ranges + 1, sizeof *v);

	if (v == NULL)
		return -ENOMEM;
	s->bad = v;
	if (r->n_bad_ranges > 0)
		memcpy(v + s->n_bad, r->bad_ranges,
		    r->n_bad_ranges * sizeof *v);
	s->n_bad = bad_ranges_sort(v, s->n_bad + r->n_bad_ranges);
	return 0;
}

/*
 * The next pass is of the ranges that differ.  Of all, where they are not
 * all known, or lie behind the end of the source.
 */
static int
narrow(struct series *s)
{
	static const struct run_range whole = { .length = RUN_LENGTH_ALL };
	const struct run_range *all = s->n_all_ranges > 0 ? s->all_ranges :
							    &whole;
	size_t n_all = s->n_all_ranges > 0 ? s->n_all_ranges : 1;
	struct run_difference *joined;
	uint64_t size = s->result.progress.source_size;
	struct run_range *ranges;
	size_t n_joined;
	size_t n = 0;

	take_all_ranges(s);
	if (s->result.differences_are_cut || s->spec.zero_rest)
		return 0;
	if (add_bad_ranges(s) < 0)
		return -ENOMEM;
	joined = join_differences(s, &n_joined);
	if (joined == NULL)
		return -ENOMEM;
	ranges = reallocarray(s->ranges, n_joined * n_all + 1,
	    sizeof *ranges);
	if (ranges == NULL) {
		free(joined);
		return -ENOMEM;
	}
	s->ranges = ranges;
	for (size_t i = 0; i < n_joined; i++)
		for (size_t k = 0; k < n_all; k++)
			if (cut(&all[k], &joined[i], size, &ranges[n]))
				n++;
	free(joined);
	s->spec.ranges = ranges;
	s->spec.n_ranges = n;
	s->spec.sample_ppm = 0;
	return 0;
}

/* Keep them: the run that has found them goes. */
static int
keep_differences(struct series *s)
{
	size_t size = s->result.n_differences * sizeof *s->differences;
	struct run_difference *v = malloc(size + 1);

	if (v == NULL)
		return -ENOMEM;
	if (size > 0)
		memcpy(v, s->result.differences, size);
	free(s->differences);
	s->differences = v;
	s->n_differences = s->result.n_differences;
	s->was_cut = s->result.differences_are_cut;
	s->result.differences = v;
	return 0;
}

static enum series_step
fail_for_memory(struct series *s)
{
	s->result.outcome = RUN_FAILED;
	s->result.failure.errnum = -ENOMEM;
	(void)error_set(&s->result.failure.error, -ENOMEM, "out of memory");
	return SERIES_END;
}

static enum series_step
next_pass(struct series *s, enum stage stage, enum run_mode mode,
    uint64_t delay_ms)
{
	if (keep_differences(s) < 0 || narrow(s) < 0)
		return fail_for_memory(s);
	s->stage = stage;
	s->spec.mode = mode;
	if (mode != RUN_VERIFY)
		s->spec.sample_ppm = 0;
	s->spec.digest = DIGEST_NONE;
	s->spec.store = NULL;
	s->delay_ms = delay_ms;
	return SERIES_PASS;
}

/* Of two lists in order: what is in both. */
static size_t
intersect(const struct run_difference *a, size_t n_a,
    const struct run_difference *b, size_t n_b, struct run_difference *out)
{
	size_t n = 0;
	size_t i = 0;
	size_t k = 0;

	while (i < n_a && k < n_b) {
		uint64_t a_end = a[i].offset + a[i].length;
		uint64_t b_end = b[k].offset + b[k].length;
		uint64_t from = a[i].offset > b[k].offset ? a[i].offset :
							    b[k].offset;
		uint64_t end = a_end < b_end ? a_end : b_end;

		if (a[i].destination != b[k].destination) {
			if (a[i].destination < b[k].destination)
				i++;
			else
				k++;
			continue;
		}
		if (from < end)
			out[n++] = (struct run_difference){
				.destination = a[i].destination,
				.offset = from,
				.length = end - from,
				/* As it was read last. */
				.is_zero_at_source = b[k].is_zero_at_source,
				.is_zero_at_destination =
				    b[k].is_zero_at_destination,
			};
		if (a_end <= b_end)
			i++;
		else
			k++;
	}
	return n;
}

/* Only what differs again at the same disk counts. */
static void
keep_stable(struct series *s)
{
	struct run_result *r = &s->result;
	struct run_difference *v;

	if (s->was_cut) {
		r->differences_are_cut |= r->outcome == RUN_DIFFERENT;
		return;
	}
	v = calloc(s->n_differences + r->n_differences + 1, sizeof *v);
	if (v == NULL)
		return;
	r->n_differences = intersect(s->differences, s->n_differences,
	    r->differences, r->n_differences, v);
	r->differences = v;
	free(s->differences);
	s->differences = v;
	if (r->outcome != RUN_DIFFERENT || r->n_differences > 0 ||
	    r->differences_are_cut)
		return;
	r->outcome = r->n_bad_ranges > 0 ? RUN_BAD_RANGES : RUN_SUCCEEDED;
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (r->destination_failures[i] != NULL &&
		    r->outcome == RUN_SUCCEEDED)
			r->outcome = RUN_PARTIAL;
}

/* The next pass may know nothing of the disks that have failed in this one. */
static int
keep_failures(struct series *s)
{
	const struct run_result *r = &s->result;

	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++) {
		if (r->destination_failures[i] == NULL ||
		    s->failures[i] != NULL)
			continue;
		s->failures[i] = strdup(r->destination_failures[i]);
		if (s->failures[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

/*
 * What the first comparison has left out: later ones are of less, and have
 * nothing to say of it.
 */
static int
keep_left_out(struct series *s)
{
	const struct run_result *r = &s->result;
	size_t size = r->n_not_copied * sizeof *r->not_copied;

	s->gaps = malloc(size + 1);
	if (s->gaps == NULL)
		return -ENOMEM;
	if (size > 0)
		memcpy(s->gaps, r->not_copied, size);
	s->n_gaps = r->n_not_copied;
	return 0;
}

static bool
is_success(enum run_outcome outcome)
{
	return outcome == RUN_SUCCEEDED || outcome == RUN_REPAIRED ||
	    outcome == RUN_PARTIAL;
}

/* The worst of them first, as in a single pass. */
static void
tell_bad_ranges(struct series *s)
{
	struct run_result *r = &s->result;

	if (s->n_bad == 0)
		return;
	if (add_bad_ranges(s) == 0) {
		r->bad_ranges = s->bad;
		r->n_bad_ranges = s->n_bad;
	}
	if (is_success(r->outcome))
		r->outcome = RUN_BAD_RANGES;
}

/* At the end it is told, and keeps a success from being a plain one. */
static void
tell_left_out(struct series *s)
{
	struct run_result *r = &s->result;
	bool any = s->n_gaps > 0;

	/* What a later pass has left out is a part of that. */
	if (s->gaps != NULL) {
		r->not_copied = s->gaps;
		r->n_not_copied = s->n_gaps;
	}
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++) {
		any |= s->failures[i] != NULL;
		if (r->destination_failures[i] == NULL)
			r->destination_failures[i] = s->failures[i];
	}
	if (any && (r->outcome == RUN_SUCCEEDED || r->outcome == RUN_REPAIRED))
		r->outcome = RUN_PARTIAL;
}

/* Those that were found, which the last pass knows nothing of. */
static void
restore_differences(struct series *s)
{
	s->result.differences = s->differences;
	s->result.n_differences = s->n_differences;
	s->result.differences_are_cut = s->was_cut;
}

static bool
has_ended(enum run_outcome outcome)
{
	return outcome != RUN_FAILED && outcome != RUN_CANCELLED;
}

static enum series_step
after_compare(struct series *s)
{
	if (s->stage == STAGE_RECHECK && has_ended(s->result.outcome))
		keep_stable(s);
	else if (s->stage == STAGE_RECHECK)
		restore_differences(s);
	if (s->result.outcome != RUN_DIFFERENT)
		return SERIES_END;
	if ((s->stage == STAGE_COMPARE && keep_left_out(s) < 0) ||
	    keep_failures(s) < 0)
		return fail_for_memory(s);
	if (s->stage == STAGE_COMPARE && s->spec.recheck_ms > 0)
		return next_pass(s, STAGE_RECHECK, RUN_VERIFY,
		    s->spec.recheck_ms);
	if (s->spec.repair)
		return next_pass(s, STAGE_REPAIR, RUN_SYNC, 0);
	return SERIES_END;
}

static enum series_step
after_repair(struct series *s)
{
	const struct run_progress *p = &s->result.progress;

	if (!is_success(s->result.outcome) &&
	    s->result.outcome != RUN_BAD_RANGES) {
		/* What was found may still be there. */
		restore_differences(s);
		return SERIES_END;
	}
	/* What could not be written differs, and here is why. */
	if (keep_failures(s) < 0 || add_bad_ranges(s) < 0)
		return fail_for_memory(s);
	s->repaired_bytes = 0;
	for (unsigned i = 0; i < p->n_destinations; i++)
		s->repaired_bytes += p->destinations[i].written_bytes;
	s->stage = STAGE_PROOF;
	s->spec.mode = RUN_VERIFY;
	s->delay_ms = 0;
	return SERIES_PASS;
}

/* What was found, and is equal now. */
static enum series_step
after_proof(struct series *s)
{
	s->result.repaired_bytes = s->repaired_bytes;
	if (s->result.outcome == RUN_SUCCEEDED)
		s->result.outcome = RUN_REPAIRED;
	else if (s->result.outcome != RUN_PARTIAL &&
	    s->result.outcome != RUN_BAD_RANGES)
		return SERIES_END;
	restore_differences(s);
	return SERIES_END;
}

static enum series_step
after_stage(struct series *s)
{
	switch ((enum stage)s->stage) {
	case STAGE_REPAIR:
		return after_repair(s);
	case STAGE_PROOF:
		return after_proof(s);
	case STAGE_COMPARE:
	case STAGE_RECHECK:
	default:
		return after_compare(s);
	}
}

static enum series_step
after_pass(struct series *s)
{
	enum series_step step = after_stage(s);

	if (step == SERIES_END) {
		tell_left_out(s);
		tell_bad_ranges(s);
	}
	return step;
}

static void
on_stopped(struct series *s)
{
	s->result.outcome = RUN_CANCELLED;
}

const struct series_kind series_verify = {
	.after = after_pass,
	.on_stopped = on_stopped,
};
