/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * After a copy: what it has written is read back, over connections of its
 * own, from one destination after the other.  What counts is what the copy
 * has read, not what the source has now: the digests of blocks are compared,
 * and a source that is written meanwhile is no trouble.
 *
 * Some blocks have no such digest: a part of them was read twice, for one of
 * several destinations or after a failure, or comes from the run before.
 * These are compared with the source.  Where ranges were skipped, they are
 * left unverified.  Both is said in the result.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/run-private.h"
#include "transfer/series-private.h"

#define MAX_NOTES 3	/* of add_notes() */

struct readback {
	struct run_spec spec;		/* of the copy */
	struct endpoint_spec *nowhere;	/* where what is read back goes */
	struct run *copied;		/* the copy, which has ended */
	struct run_result result;	/* its own, and what is added to it */
	unsigned target;		/* the destination that is read */
	bool compares;			/* with the source */
	uint64_t verified_bytes;
	uint64_t compared_bytes;
	uint64_t unverified_bytes;
	bool has_no_memory;
	struct run_difference *differences;
	size_t n_differences;
	bool differences_are_cut;
	struct run_range *ranges;	/* of the pass */
	size_t n_ranges;
	struct error errors[RUN_MAX_DESTINATIONS];
	unsigned n_failed;		/* of these */
	const char **gave_up;
	char compared_note[192];
	char unverified_note[192];
};

int
readback_init(struct series *s, struct error *e)
{
	struct readback *b;

	if (s->spec.mode != RUN_COPY && s->spec.mode != RUN_SYNC)
		return error_set(e, -EINVAL, "only what a copy or sync has "
		    "written can be read back");
	for (unsigned i = 0; i < s->spec.n_destinations; i++)
		if (s->destinations[i]->type == ENDPOINT_NULL)
			return error_set(e, -EINVAL, "null: keeps nothing "
			    "that could be read back");
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	s->readback = b;
	s->spec.block_digests = true;
	b->spec = s->spec;
	return endpoint_spec_from_text(NULL, "null:", &b->nowhere, e);
}

void
readback_free(struct series *s)
{
	struct readback *b = s->readback;

	if (b == NULL)
		return;
	if (b->copied != NULL)
		run_free(b->copied);
	endpoint_spec_free(b->nowhere);
	free(b->differences);
	free(b->ranges);
	free(b->gave_up);
	free(b);
}

const struct run *
readback_copied(const struct series *s)
{
	return s->readback != NULL ? s->readback->copied : NULL;
}

void
readback_add_progress(const struct series *s, struct run_progress *ret)
{
	const struct readback *b = s->readback;
	struct run_progress p;

	ret->verified_bytes = b->verified_bytes;
	ret->elapsed_ms = (uint64_t)(run_wall_clock_ms() - s->started_at_ms);
	ret->phase = s->is_cancelled ? RUN_STOPPING : RUN_VERIFYING;
	if (!s->is_running)
		return;
	run_get_progress(s->run, &p);
	ret->earlier.read += p.read_bytes;
	ret->verified_bytes += p.done_bytes;
	ret->lanes = p.lanes;
	ret->queue_depth = p.queue_depth;
	ret->request_size = p.request_size;
	ret->n_reconnects += p.n_reconnects;
	ret->n_retries += p.n_retries;
	ret->n_away = p.n_away;
	ret->stalled_ms = p.stalled_ms;
	ret->rate_limit = p.rate_limit;
	ret->memory = p.memory;
	if (p.memory_peak > ret->memory_peak)
		ret->memory_peak = p.memory_peak;
	ret->limited_by = p.limited_by;
	if (p.phase == RUN_RECONNECTING || p.phase == RUN_STALLED)
		ret->phase = p.phase;
}

void
readback_set_rate(struct series *s, uint64_t rate)
{
	if (s->readback != NULL)
		s->readback->spec.rate = rate;
}

/* Lists. */

static uint32_t
bit(unsigned target)
{
	return (uint32_t)1 << target;
}

static void
add_range(struct readback *b, const struct run_range *range)
{
	struct run_range *v = reallocarray(b->ranges, b->n_ranges + 1,
	    sizeof *v);

	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	b->ranges = v;
	v[b->n_ranges++] = *range;
}

/* Neighbours are one. */
static void
add_difference(struct readback *b, uint64_t offset, uint64_t length)
{
	struct run_difference *v = b->differences;
	size_t n = b->n_differences;

	if (n > 0 && v[n - 1].destination == b->target &&
	    v[n - 1].offset + v[n - 1].length == offset) {
		v[n - 1].length += length;
		return;
	}
	v = reallocarray(v, n + 1, sizeof *v);
	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	b->differences = v;
	v[n] = (struct run_difference){
		.destination = b->target, .offset = offset, .length = length
	};
	b->n_differences++;
}

static bool
was_written(const struct readback *b, const struct copy_piece *p)
{
	return !p->is_rest && (p->targets & bit(b->target)) != 0;
}

/* The parts of pieces that lie in a block of the line. */
static void
add_block(struct readback *b, uint64_t index, bool differs)
{
	const struct copy_plan *plan = &b->copied->plan;
	uint64_t from = index * RUN_BLOCK_SIZE;
	uint64_t end = from + RUN_BLOCK_SIZE;
	const struct copy_piece *p = copy_plan_piece_at(plan, from);
	struct run_range r;

	for (; p < plan->pieces + plan->n_pieces && p->position < end; p++) {
		uint64_t first = p->position > from ? 0 : from - p->position;
		uint64_t last = end - p->position < p->length ?
		    end - p->position :
		    p->length;

		if (first >= last || !was_written(b, p))
			continue;
		r.from = p->from + first;
		r.to = p->to + first;
		r.length = last - first;
		if (differs) {
			add_difference(b, r.from, r.length);
		} else {
			add_range(b, &r);
			b->compared_bytes += r.length;
		}
	}
}

/* How the series ends, and with what. */

/* Was anything zeroed behind the copy?  Such pieces are the last ones. */
static bool
has_rest(const struct readback *b)
{
	const struct copy_plan *plan = &b->copied->plan;

	return plan->n_pieces > 0 && plan->pieces[plan->n_pieces - 1].is_rest;
}

static void
add_notes(struct readback *b)
{
	size_t n = b->result.n_gave_up;

	b->gave_up = calloc(n + MAX_NOTES, sizeof *b->gave_up);
	if (b->gave_up == NULL)
		return;
	if (n > 0)
		memcpy(b->gave_up, b->result.gave_up, n * sizeof *b->gave_up);
	(void)snprintf(b->compared_note, sizeof b->compared_note, "%" PRIu64
	    " bytes were read more than once, or written by an earlier run: "
	    "they were compared with the source instead of by digest",
	    b->compared_bytes);
	if (b->compared_bytes > 0)
		b->gave_up[n++] = b->compared_note;
	(void)snprintf(b->unverified_note, sizeof b->unverified_note,
	    "%" PRIu64 " bytes were not verified: where something was "
	    "skipped, there is no digest", b->unverified_bytes);
	if (b->unverified_bytes > 0)
		b->gave_up[n++] = b->unverified_note;
	if (has_rest(b))
		b->gave_up[n++] = "what was zeroed behind the copy was not "
				  "verified";
	b->result.gave_up = b->gave_up;
	b->result.n_gave_up = n;
}

static enum series_step
conclude(struct series *s)
{
	struct readback *b = s->readback;

	add_notes(b);
	if (b->n_differences > 0 || b->differences_are_cut) {
		b->result.outcome = RUN_DIFFERENT;
		b->result.differences = b->differences;
		b->result.n_differences = b->n_differences;
		b->result.differences_are_cut = b->differences_are_cut;
	}
	s->result = b->result;
	return SERIES_END;
}

static enum series_step
fail(struct series *s, int error, const char *text)
{
	s->result = s->readback->result;
	s->result.outcome = RUN_FAILED;
	s->result.failure = (struct run_failure){ .errnum = error };
	(void)error_set(&s->result.failure.error, error, "%s", text);
	return SERIES_END;
}

/* The destination cannot be verified: it is none that has succeeded. */
static void
note_failure(struct readback *b, const struct run_result *r)
{
	unsigned i;

	b->errors[b->target] = r->failure.error;
	b->result.destination_failures[b->target] = b->errors[b->target].text;
	for (i = 0; i < b->spec.n_destinations; i++)
		if (b->result.destination_failures[i] == NULL)
			break;
	if (i == b->spec.n_destinations || b->spec.require_all) {
		b->result.outcome = RUN_FAILED;
		b->result.failure = r->failure;
		b->result.failure.destination = b->target;
	} else if (b->result.outcome == RUN_SUCCEEDED) {
		b->result.outcome = RUN_PARTIAL;
	}
}

/* Passes. */

static enum series_step
begin_pass(struct series *s)
{
	struct readback *b = s->readback;

	if (b->has_no_memory)
		return fail(s, -ENOMEM, "out of memory");
	s->result = b->result;
	s->delay_ms = 0;
	s->spec = b->spec;
	s->spec.n_destinations = 1;
	s->spec.ranges = b->ranges;
	s->spec.n_ranges = b->n_ranges;
	s->spec.zero_rest = false;
	s->spec.digest = DIGEST_NONE;
	s->spec.store = NULL;
	s->spec.block_digests = !b->compares;
	s->spec.is_readback = !b->compares;
	if (s->spec.on_read_error == RUN_SKIP)
		s->spec.on_read_error = RUN_RETRY;
	if (s->spec.on_write_error == RUN_SKIP)
		s->spec.on_write_error = RUN_RETRY;
	if (b->compares) {
		s->spec.mode = RUN_VERIFY;
		s->spec.destinations += b->target;
		return SERIES_PASS;
	}
	s->spec.mode = RUN_COPY;
	s->spec.align = b->copied->plan.align;
	s->spec.source = s->destinations[b->target];
	s->spec.destinations =
	    (const struct endpoint_spec *const *)&b->nowhere;
	s->spec.destination_is_zero = false;
	s->spec.allocated = false;
	s->spec.sparse_size = RUN_SPARSE_OFF;
	return SERIES_PASS;
}

/* Read the next destination that has got something. */
static enum series_step
read_from(struct series *s, unsigned target)
{
	struct readback *b = s->readback;
	const struct copy_plan *plan = &b->copied->plan;

	b->compares = false;
	for (; target < b->spec.n_destinations; target++) {
		if (b->result.destination_failures[target] != NULL)
			continue;
		b->target = target;
		b->n_ranges = 0;
		for (size_t i = 0; i < plan->n_pieces; i++)
			if (was_written(b, &plan->pieces[i]))
				add_range(b, &(struct run_range){
				    .from = plan->pieces[i].to,
				    .length = plan->pieces[i].length,
				    .to = plan->pieces[i].to });
		if (b->n_ranges > 0 || b->has_no_memory)
			return begin_pass(s);
	}
	return conclude(s);
}

static enum series_step
after_copy(struct series *s)
{
	struct readback *b = s->readback;

	if (s->result.outcome != RUN_SUCCEEDED &&
	    s->result.outcome != RUN_PARTIAL &&
	    s->result.outcome != RUN_BAD_RANGES)
		return SERIES_END;
	if (s->is_cancelled) {
		s->result.outcome = RUN_CANCELLED;
		return SERIES_END;
	}
	b->copied = s->run;
	s->run = NULL;
	b->result = s->result;
	return read_from(s, 0);
}

/* Up to where a destination was read as it was written. */
static uint64_t
same_line(const struct copy_plan *a, const struct copy_plan *b)
{
	size_t i;

	for (i = 0; i < a->n_pieces && i < b->n_pieces; i++)
		if (a->pieces[i].position != b->pieces[i].position ||
		    a->pieces[i].length != b->pieces[i].length ||
		    a->pieces[i].to != b->pieces[i].to)
			break;
	if (i == a->n_pieces || a->pieces[i].is_rest)
		return UINT64_MAX;
	return a->pieces[i].position;
}

/* A block is the same, or not, or its digests do not tell. */
static void
judge_block(struct series *s, uint64_t index, uint64_t end)
{
	struct readback *b = s->readback;
	const struct run_result *was = &b->result;
	const struct run_result *is = &s->result;
	uint64_t from = index * RUN_BLOCK_SIZE;
	uint64_t bytes = copy_plan_bytes_in(&b->copied->plan, from,
	    from + RUN_BLOCK_SIZE);

	if (bytes == 0)
		return;
	if (index < was->n_block_digests && index < is->n_block_digests &&
	    from + RUN_BLOCK_SIZE <= end &&
	    was->block_digests[index].is_known &&
	    is->block_digests[index].is_known &&
	    (was->block_digests[index].unlike & bit(b->target)) == 0) {
		if (memcmp(was->block_digests[index].value,
			is->block_digests[index].value,
			RUN_BLOCK_DIGEST_SIZE) == 0)
			b->verified_bytes += bytes;
		else
			add_block(b, index, true);
	} else if (was->n_bad_ranges > 0) {
		b->unverified_bytes += bytes;
	} else {
		add_block(b, index, false);
	}
}

/* It has been read back. */
static enum series_step
judge(struct series *s)
{
	struct readback *b = s->readback;
	const struct copy_plan *plan = &b->copied->plan;
	uint64_t end = same_line(plan, &s->run->plan);

	b->n_ranges = 0;
	for (uint64_t i = 0; i * RUN_BLOCK_SIZE < plan->line_length; i++)
		judge_block(s, i, end);
	if (b->n_ranges == 0 && !b->has_no_memory)
		return read_from(s, b->target + 1);
	b->compares = true;
	return begin_pass(s);
}

/* The rest of it has been compared with the source. */
static enum series_step
take_comparison(struct series *s)
{
	struct readback *b = s->readback;
	const struct run_result *r = &s->result;

	b->verified_bytes += r->progress.equal_bytes;
	for (size_t i = 0; i < r->n_differences; i++)
		add_difference(b, r->differences[i].offset,
		    r->differences[i].length);
	b->differences_are_cut |= r->differences_are_cut;
	return read_from(s, b->target + 1);
}

static enum series_step
after_pass(struct series *s)
{
	struct readback *b = s->readback;

	if (b->copied == NULL)
		return after_copy(s);
	if (s->result.outcome == RUN_CANCELLED) {
		s->result = b->result;
		s->result.outcome = RUN_CANCELLED;
		return SERIES_END;
	}
	if (s->result.outcome == RUN_FAILED) {
		note_failure(b, &s->result);
		return read_from(s, b->target + 1);
	}
	return b->compares ? take_comparison(s) : judge(s);
}

static void
on_stopped(struct series *s)
{
	s->result.outcome = RUN_CANCELLED;
}

const struct series_kind series_readback = {
	.after = after_pass,
	.on_stopped = on_stopped,
};
