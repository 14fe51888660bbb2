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
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/differences.h"
#include "transfer/run-private.h"
#include "transfer/series-private.h"

#define MAX_NOTES 6	/* of add_notes() */

/* What a pass does. */
enum readback_stage {
	STAGE_READ,		/* all of a destination */
	STAGE_AGAIN,		/* what has differed */
	STAGE_COMPARE,		/* with the source */
};

/* Blocks of the line, in order. */
struct blocks {
	uint64_t *v;
	size_t n;
};

struct readback {
	struct run_spec spec;		/* of the copy */
	struct endpoint_spec *nowhere;	/* where what is read back goes */
	struct run *copied;		/* the copy, which has ended; NULL: */
	struct run_line *stored;	/* an earlier one */
	struct copy_plan stored_plan;	/* of that; its pieces only */
	const struct copy_plan *plan;	/* of one of them */
	const struct run_block_digest *was;	/* likewise */
	size_t n_was;
	struct run_result result;	/* its own, and what is added to it */
	unsigned target;		/* the destination that is read */
	enum readback_stage stage;
	struct blocks suspects;		/* whose digests differ */
	struct blocks unknowns;		/* without a digest */
	uint64_t verified_bytes;
	uint64_t again_bytes;		/* right when they were read again */
	uint64_t compared_bytes;
	uint64_t unverified_bytes;
	uint64_t unverified_from;	/* the first, on the destination */
	bool has_no_memory;
	struct run_difference *differences;
	size_t n_differences;
	bool differences_are_cut;
	struct run_range *ranges;	/* of the pass */
	size_t n_ranges;
	struct error errors[RUN_MAX_DESTINATIONS];
	const char **gave_up;
	char again_note[192];
	char compared_note[192];
	char unverified_note[192];
	char narrow_note[ERROR_TEXT_SIZE];
};

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

static void
add_to(struct readback *b, struct blocks *blocks, uint64_t index)
{
	uint64_t *v = reallocarray(blocks->v, blocks->n + 1, sizeof *v);

	if (v == NULL) {
		b->has_no_memory = true;
		return;
	}
	blocks->v = v;
	v[blocks->n++] = index;
}

/*
 * What of a piece lies in a block of the line and was written to the
 * destination; false: nothing.
 */
static bool
part_of(const struct readback *b, const struct copy_piece *p, uint64_t index,
    struct run_range *ret)
{
	uint64_t from = index * RUN_BLOCK_SIZE;
	uint64_t end = from + RUN_BLOCK_SIZE;
	uint64_t first = p->position > from ? 0 : from - p->position;
	uint64_t last = end - p->position < p->length ? end - p->position :
							p->length;

	if (first >= last || !was_written(b, p))
		return false;
	ret->from = p->from + first;
	ret->to = p->to + first;
	ret->length = last - first;
	return true;
}

/* The parts of pieces that lie in a block of the line. */
static void
add_block(struct readback *b, uint64_t index, bool differs)
{
	const struct copy_plan *plan = b->plan;
	uint64_t end = (index + 1) * RUN_BLOCK_SIZE;
	const struct copy_piece *p =
	    copy_plan_piece_at(plan, index * RUN_BLOCK_SIZE);
	struct run_range r;

	for (; p < plan->pieces + plan->n_pieces && p->position < end; p++) {
		if (!part_of(b, p, index, &r))
			continue;
		if (differs)
			add_difference(b, r.from, r.length);
		else
			add_range(b, &r);
	}
}

static void
add_whole_suspects(struct readback *b)
{
	for (size_t i = 0; i < b->suspects.n; i++)
		add_block(b, b->suspects.v[i], true);
	b->suspects.n = 0;
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
			if (was_written(b, &plan->pieces[i]))
				add_range(b, &(struct run_range){
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

static uint64_t
bytes_of(const struct readback *b, uint64_t index)
{
	return copy_plan_bytes_in(b->plan, index * RUN_BLOCK_SIZE,
	    (index + 1) * RUN_BLOCK_SIZE);
}

static bool
has_digest(const struct readback *b, uint64_t index)
{
	return index < b->n_was && b->was[index].is_known &&
	    (b->was[index].unlike & bit(b->target)) == 0;
}

/* Is the i-th block that was just read the same as that one was? */
static bool
is_same_block(const struct series *s, size_t i, uint64_t index)
{
	const struct run_result *is = &s->result;

	return i < is->n_block_digests && is->block_digests[i].is_known &&
	    memcmp(is->block_digests[i].value,
		s->readback->was[index].value, RUN_BLOCK_DIGEST_SIZE) == 0;
}

/* There is nothing to compare it with. */
static void
leave_unverified(struct readback *b, uint64_t index)
{
	if (b->unverified_bytes == 0)
		b->unverified_from = copy_plan_piece_at(b->plan,
		    index * RUN_BLOCK_SIZE)->to + index * RUN_BLOCK_SIZE -
		    copy_plan_piece_at(b->plan,
			index * RUN_BLOCK_SIZE)->position;
	b->unverified_bytes += bytes_of(b, index);
}

/* A block is the same, or not, or its digests do not tell. */
static void
judge_block(struct series *s, uint64_t index, uint64_t end)
{
	struct readback *b = s->readback;
	const struct run_result *is = &s->result;

	if (bytes_of(b, index) == 0)
		return;
	if (has_digest(b, index) && index < is->n_block_digests &&
	    is->block_digests[index].is_known &&
	    (index + 1) * RUN_BLOCK_SIZE <= end) {
		if (is_same_block(s, index, index))
			b->verified_bytes += bytes_of(b, index);
		else
			add_to(b, &b->suspects, index);
	} else if (b->stored != NULL || b->result.n_bad_ranges > 0) {
		leave_unverified(b, index);
	} else {
		add_to(b, &b->unknowns, index);
	}
}

/* Blocks of whose parts the ranges of the next pass are made. */
static void
take_blocks(struct readback *b, const struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++)
		add_block(b, blocks->v[i], false);
}

/* What is still not known to be right is for the source to tell. */
static enum series_step
compare(struct series *s)
{
	struct readback *b = s->readback;

	if (b->stored != NULL ||
	    (b->suspects.n == 0 && b->unknowns.n == 0)) {
		add_whole_suspects(b);
		return read_from(s, b->target + 1);
	}
	b->n_ranges = 0;
	take_blocks(b, &b->suspects);
	take_blocks(b, &b->unknowns);
	for (size_t i = 0; i < b->unknowns.n; i++)
		b->compared_bytes += bytes_of(b, b->unknowns.v[i]);
	return begin_pass(s, STAGE_COMPARE);
}

/* It has been read back. */
static enum series_step
judge(struct series *s)
{
	struct readback *b = s->readback;
	const struct copy_plan *plan = b->plan;
	uint64_t end = same_line(plan, &s->run->plan);

	for (uint64_t i = 0; i * RUN_BLOCK_SIZE < plan->line_length; i++)
		judge_block(s, i, end);
	if (b->suspects.n == 0)
		return compare(s);
	b->n_ranges = 0;
	take_blocks(b, &b->suspects);
	for (size_t i = 0; i < b->n_ranges; i++)
		b->ranges[i].from = b->ranges[i].to;
	return begin_pass(s, STAGE_AGAIN);
}

/*
 * What has differed has been read again, block after block: all of them but
 * the last are whole, since a destination was read as it was written.
 */
static enum series_step
judge_again(struct series *s)
{
	struct readback *b = s->readback;
	size_t n = 0;

	for (size_t i = 0; i < b->suspects.n; i++) {
		uint64_t index = b->suspects.v[i];

		if (is_same_block(s, i, index)) {
			b->verified_bytes += bytes_of(b, index);
			b->again_bytes += bytes_of(b, index);
		} else {
			b->suspects.v[n++] = index;
		}
	}
	b->suspects.n = n;
	return compare(s);
}

/* Does a difference lie in the block? */
static bool
is_in_block(const struct readback *b, const struct run_difference *d,
    uint64_t index)
{
	const struct copy_plan *plan = b->plan;
	const struct copy_piece *p =
	    copy_plan_piece_at(plan, index * RUN_BLOCK_SIZE);
	struct run_range r;

	for (; p < plan->pieces + plan->n_pieces &&
	     p->position < (index + 1) * RUN_BLOCK_SIZE; p++)
		if (part_of(b, p, index, &r) && d->offset < r.from + r.length &&
		    r.from < d->offset + d->length)
			return true;
	return false;
}

/* A block that the source tells nothing of differs as a whole. */
static void
narrow(struct readback *b, const struct run_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < b->suspects.n; i++) {
		bool is_told = false;

		for (size_t k = 0; k < r->n_differences && !is_told; k++)
			is_told = is_in_block(b, &r->differences[k],
			    b->suspects.v[i]);
		if (!is_told || r->differences_are_cut)
			b->suspects.v[n++] = b->suspects.v[i];
	}
	b->suspects.n = n;
}

/* The rest of it has been compared with the source. */
static enum series_step
take_comparison(struct series *s)
{
	struct readback *b = s->readback;
	const struct run_result *r = &s->result;

	b->verified_bytes += r->progress.equal_bytes;
	narrow(b, r);
	for (size_t i = 0; i < r->n_differences; i++)
		add_difference(b, r->differences[i].offset,
		    r->differences[i].length);
	add_whole_suspects(b);
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
	add_whole_suspects(b);
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
		return judge_again(s);
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
