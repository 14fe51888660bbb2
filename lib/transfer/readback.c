/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * After a copy: what it has written is read back, over connections of its
 * own, from one destination after the other.  What counts is what the copy
 * has read, not what the source has now: the digests of blocks are compared,
 * and a source that is written meanwhile is no trouble.  The same later, from
 * the report of a run, and then without the source.
 *
 * Blocks that differ are read again, after a delay: a bit that has flipped on
 * the wire is no difference.  Those that differ again are compared with the
 * source, which tells where in them; if it does not, all of the block counts.
 *
 * Some blocks have no such digest: a part of them was read twice, for one of
 * several destinations or after a failure, or comes from the run before.
 * These are compared with the source.  Where ranges were skipped, or there is
 * no source, they are left unverified.  All that is said in the result.
 *
 * Which blocks those are is decided in readback-blocks.c.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/differences.h"
#include "transfer/readback-private.h"
#include "transfer/run-private.h"
#include "transfer/series-private.h"

#define MAX_NOTES 6	/* of add_notes() */

static enum series_step read_from(struct series *s, unsigned target);

/* Beginning and end. */

static int
take_line(struct series *s)
{
	struct readback *b = s->readback;
	struct copy_plan *plan = &b->stored_plan;
	const struct run_line *line;

	b->stored = run_line_copy(s->spec.line);
	if (b->stored == NULL)
		return -ENOMEM;
	line = b->stored;
	plan->pieces = calloc(line->n_pieces + 1, sizeof *plan->pieces);
	if (plan->pieces == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < line->n_pieces; i++) {
		plan->pieces[i] = (struct copy_piece){
			.from = line->pieces[i].from,
			.to = line->pieces[i].to,
			.length = line->pieces[i].length,
			.position = plan->line_length,
			.targets = line->pieces[i].targets,
		};
		plan->line_length += run_line_length(line, &line->pieces[i]);
	}
	plan->n_pieces = line->n_pieces;
	plan->align = line->align;
	b->plan = plan;
	b->was = line->blocks;
	b->n_was = line->n_blocks;
	return 0;
}

/* Compare with what an earlier run has left; the first pass is described. */
static int
begin_with_line(struct series *s, struct error *e)
{
	static const char text[] = "the run had failed there: it was not "
	    "verified";
	struct readback *b = s->readback;

	if (take_line(s) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	b->result.outcome = RUN_SUCCEEDED;
	for (unsigned i = 0; i < s->spec.n_destinations; i++)
		if ((b->stored->failed & (uint32_t)1 << i) != 0) {
			b->result.outcome = RUN_PARTIAL;
			b->result.destination_failures[i] = text;
		}
	if (read_from(s, 0) == SERIES_PASS)
		return 0;
	return error_set(e, -EINVAL, "there is nothing that the run has "
	    "written");
}

int
readback_init(struct series *s, struct error *e)
{
	struct readback *b;

	int r;

	if (s->spec.line == NULL && s->spec.mode != RUN_COPY &&
	    s->spec.mode != RUN_SYNC)
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
	r = endpoint_spec_from_text(NULL, "null:", &b->nowhere, e);
	if (r < 0)
		return r;
	s->spec.block_digests = true;
	b->spec = s->spec;
	return s->spec.line != NULL ? begin_with_line(s, e) : 0;
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
	run_line_free(b->stored);
	free(b->stored_plan.pieces);
	free(b->suspects.v);
	free(b->unknowns.v);
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

bool
readback_is_reading(const struct series *s)
{
	return s->readback != NULL && s->readback->plan != NULL;
}

/* Nothing was copied: the figures are those of what is read. */
static void
show_reading(const struct series *s, struct run_progress *ret)
{
	const struct readback *b = s->readback;
	const struct run_destination_progress pass = ret->destinations[0];

	ret->source_size = 0;
	ret->written_bytes = ret->zeroed_bytes = ret->durable_bytes = 0;
	ret->n_destinations = b->spec.n_destinations;
	memset(ret->destinations, 0, sizeof ret->destinations);
	ret->destinations[b->target].size = pass.size;
	ret->destinations[b->target].total_bytes = pass.total_bytes;
	ret->destinations[b->target].done_bytes = pass.done_bytes;
	for (unsigned i = 0; i < b->spec.n_destinations; i++)
		ret->destinations[i].is_failed =
		    b->result.destination_failures[i] != NULL;
}

void
readback_add_progress(const struct series *s, struct run_progress *ret)
{
	const struct readback *b = s->readback;
	struct run_progress p;

	if (b->copied == NULL)
		show_reading(s, ret);
	ret->verified_bytes = b->verified_bytes;
	ret->elapsed_ms = (uint64_t)(run_wall_clock_ms() - s->started_at_ms);
	ret->phase = s->is_cancelled ? RUN_STOPPING : RUN_VERIFYING;
	if (!s->is_running)
		return;
	run_get_progress(s->run, &p);
	ret->verified_bytes += p.done_bytes;
	ret->lanes = p.lanes;
	ret->queue_depth = p.queue_depth;
	ret->request_size = p.request_size;
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

bool
readback_place(const struct series *s, bool *is_destination,
    unsigned *destination)
{
	const struct readback *b = s->readback;

	/* What is read back is the source of its pass, but to be compared. */
	if (b->stage != STAGE_COMPARE) {
		if (*is_destination)
			return false;
		*is_destination = true;
		*destination = b->target;
	} else if (*is_destination) {
		*destination = b->target;
	}
	return true;
}

void
readback_set_rate(struct series *s, uint64_t rate)
{
	if (s->readback != NULL)
		s->readback->spec.rate = rate;
}

/* How the series ends, and with what. */

/* Was anything zeroed behind the copy?  Such pieces are the last ones. */
static bool
has_rest(const struct readback *b)
{
	const struct copy_plan *plan = b->plan;

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
	(void)snprintf(b->again_note, sizeof b->again_note, "%" PRIu64
	    " bytes differed when they were read back, and did not when they "
	    "were read again", b->again_bytes);
	if (b->again_bytes > 0)
		b->gave_up[n++] = b->again_note;
	(void)snprintf(b->compared_note, sizeof b->compared_note, "%" PRIu64
	    " bytes were read more than once, or written by an earlier run: "
	    "they were compared with the source instead of by digest",
	    b->compared_bytes);
	if (b->compared_bytes > 0)
		b->gave_up[n++] = b->compared_note;
	(void)snprintf(b->unverified_note, sizeof b->unverified_note,
	    "%" PRIu64 " bytes were not verified: there is no digest of the "
	    "blocks of 64 MiB, the first of them at offset %" PRIu64
	    ", in which something was skipped or read twice",
	    b->unverified_bytes, b->unverified_from);
	if (b->unverified_bytes > 0)
		b->gave_up[n++] = b->unverified_note;
	if (b->narrow_note[0] != '\0')
		b->gave_up[n++] = b->narrow_note;
	if (b->stored != NULL && b->spec.distrusted != 0)
		b->gave_up[n++] = "destination has refused a flush since: what "
				  "it reads may not be on its disk until all "
				  "is written again";
	if (has_rest(b))
		b->gave_up[n++] = "what was zeroed behind the copy was not "
				  "verified";
	b->result.gave_up = b->gave_up;
	b->result.n_gave_up = n;
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

static enum series_step
conclude(struct series *s)
{
	struct readback *b = s->readback;

	if (b->has_no_memory)
		return fail(s, -ENOMEM, "out of memory");
	add_notes(b);
	if (b->stored != NULL && b->unverified_bytes > 0 &&
	    b->result.outcome == RUN_SUCCEEDED)
		b->result.outcome = RUN_PARTIAL;
	if (b->n_differences > 0 || b->differences_are_cut) {
		b->n_differences = differences_sort(b->differences,
		    b->n_differences);
		b->result.outcome = RUN_DIFFERENT;
		b->result.differences = b->differences;
		b->result.n_differences = b->n_differences;
		b->result.differences_are_cut = b->differences_are_cut;
	}
	s->result = b->result;
	return SERIES_END;
}

/* Passes. */

static enum series_step
begin_pass(struct series *s, enum readback_stage stage)
{
	struct readback *b = s->readback;

	if (b->has_no_memory)
		return fail(s, -ENOMEM, "out of memory");
	b->stage = stage;
	s->result = b->result;
	s->delay_ms = stage == STAGE_AGAIN ? b->spec.recheck_ms : 0;
	s->spec = b->spec;
	s->spec.n_destinations = 1;
	s->spec.ranges = b->ranges;
	s->spec.n_ranges = b->n_ranges;
	s->spec.sample_ppm = 0;
	s->spec.repair = false;
	s->spec.zero_rest = false;
	s->spec.digest = DIGEST_NONE;
	s->spec.store = NULL;
	s->spec.block_digests = s->spec.is_readback = stage != STAGE_COMPARE;
	s->spec.distrusted = 0;
	if (s->spec.on_read_error == RUN_SKIP)
		s->spec.on_read_error = RUN_RETRY;
	if (s->spec.on_write_error == RUN_SKIP)
		s->spec.on_write_error = RUN_RETRY;
	if (stage == STAGE_COMPARE) {
		s->spec.mode = RUN_VERIFY;
		s->spec.destinations += b->target;
		return SERIES_PASS;
	}
	s->spec.mode = RUN_COPY;
	s->spec.align = b->plan->align;
	s->spec.source = s->destinations[b->target];
	s->spec.destinations =
	    (const struct endpoint_spec *const *)&b->nowhere;
	s->spec.destination_is_zero = false;
	s->spec.allocated = false;
	s->spec.trim = false;
	s->spec.sparse_size = RUN_SPARSE_OFF;
	return SERIES_PASS;
}

/* Read the next destination that has got something. */
static enum series_step
read_from(struct series *s, unsigned target)
{
	struct readback *b = s->readback;
	const struct copy_plan *plan = b->plan;

	b->suspects.n = b->unknowns.n = 0;
	for (; target < b->spec.n_destinations; target++) {
		if (b->result.destination_failures[target] != NULL)
			continue;
		b->target = target;
		b->n_ranges = 0;
		for (size_t i = 0; i < plan->n_pieces; i++)
			if (readback_was_written(b, &plan->pieces[i]))
				readback_add_range(b, &(struct run_range){
				    .from = plan->pieces[i].to,
				    .length = plan->pieces[i].length,
				    .to = plan->pieces[i].to });
		if (b->n_ranges > 0 || b->has_no_memory)
			return begin_pass(s, STAGE_READ);
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
	b->plan = &b->copied->plan;
	b->was = b->result.block_digests;
	b->n_was = b->result.n_block_digests;
	return read_from(s, 0);
}

/* What is still not known to be right is for the source to tell. */
static enum series_step
compare(struct series *s)
{
	struct readback *b = s->readback;

	if (b->stored != NULL ||
	    (b->suspects.n == 0 && b->unknowns.n == 0)) {
		readback_suspects_differ(b);
		return read_from(s, b->target + 1);
	}
	b->n_ranges = 0;
	readback_take_blocks(b, &b->suspects);
	readback_take_blocks(b, &b->unknowns);
	for (size_t i = 0; i < b->unknowns.n; i++)
		b->compared_bytes += readback_bytes_of(b, b->unknowns.v[i]);
	return begin_pass(s, STAGE_COMPARE);
}

/* It has been read back. */
static enum series_step
judge(struct series *s)
{
	struct readback *b = s->readback;

	readback_judge_blocks(s);
	if (b->suspects.n == 0)
		return compare(s);
	b->n_ranges = 0;
	readback_take_blocks(b, &b->suspects);
	for (size_t i = 0; i < b->n_ranges; i++)
		b->ranges[i].from = b->ranges[i].to;
	return begin_pass(s, STAGE_AGAIN);
}

/* The rest of it has been compared with the source. */
static enum series_step
take_comparison(struct series *s)
{
	struct readback *b = s->readback;
	const struct run_result *r = &s->result;

	b->verified_bytes += r->progress.equal_bytes;
	readback_narrow(b, r);
	for (size_t i = 0; i < r->n_differences; i++)
		readback_add_difference(b, r->differences[i].offset,
		    r->differences[i].length);
	readback_suspects_differ(b);
	b->differences_are_cut |= r->differences_are_cut;
	return read_from(s, b->target + 1);
}

/* What was found before counts as it is. */
static enum series_step
after_failure(struct series *s)
{
	struct readback *b = s->readback;
	const struct run_failure *f = &s->result.failure;

	if (b->stage == STAGE_COMPARE && b->unknowns.n == 0)
		(void)snprintf(b->narrow_note, sizeof b->narrow_note,
		    "where in blocks of 64 MiB the differences are could not "
		    "be told: %.*s", ERROR_TEXT_SIZE / 2, f->error.text);
	else
		series_fail_destination(&b->spec, &b->result, b->target, f,
		    &b->errors[b->target]);
	readback_suspects_differ(b);
	return read_from(s, b->target + 1);
}

static enum series_step
after_pass(struct series *s)
{
	struct readback *b = s->readback;

	if (b->plan == NULL)
		return after_copy(s);
	if (s->result.outcome == RUN_CANCELLED) {
		s->result = b->result;
		s->result.outcome = RUN_CANCELLED;
		return SERIES_END;
	}
	if (s->result.outcome == RUN_FAILED)
		return after_failure(s);
	switch (b->stage) {
	case STAGE_AGAIN:
		readback_judge_again(s);
		return compare(s);
	case STAGE_COMPARE:
		return take_comparison(s);
	case STAGE_READ:
	default:
		return judge(s);
	}
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
