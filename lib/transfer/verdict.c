/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a run ended: what the books say, in words.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "transfer/bad-ranges.h"
#include "transfer/differences.h"
#include "transfer/run-private.h"

const char *
run_side_name(enum copy_side side)
{
	return side == COPY_SOURCE ? "source" : "destination";
}

/* Failures, as sentences. */

static const char *
endpoint_label(const struct run *run, const struct copy_failure *f)
{
	return f->side == COPY_SOURCE ? run->source_spec->name :
					run->destination_specs[f->target]->name;
}

static enum copy_side
side_of(const struct run *run, const struct copy_failure *f)
{
	return run->is_readback ? COPY_DESTINATION : f->side;
}

/* "write of 512 bytes at offset 0: " */
static void
describe_request(const struct copy_failure *f, char *what, size_t size)
{
	what[0] = '\0';
	if (!f->is_request)
		return;
	if (f->op == COPY_FLUSH)
		(void)snprintf(what, size, "flush: ");
	else
		(void)snprintf(what, size,
		    "%s of %" PRIu64 " bytes at offset %" PRIu64 ": ",
		    copy_op_name(f->op), f->length, f->offset);
}

static int
describe_failure(const struct run *run, const struct copy_failure *f,
    struct error *e)
{
	const char *label = endpoint_label(run, f);
	const char *reason = f->message;
	char name[128];
	char what[96];
	char words[COPY_MESSAGE_SIZE + 128];

	if (!f->is_told || f->message[0] == '\0') {
		(void)snprintf(words, sizeof words, "%s%s%s%s",
		    strerror(-f->error), f->message[0] ? " (server: '" : "",
		    f->message, f->message[0] ? "')" : "");
		reason = words;
	}
	describe_request(f, what, sizeof what);
	return error_set(e, f->error, "%s '%s': %s%s%s%s",
	    run_side_name(side_of(run, f)),
	    escape_text(label, strlen(label), name, sizeof name),
	    run->is_readback ? "reading it back: " : "", what, reason,
	    f->is_request && f->op == COPY_FLUSH && !f->is_told ?
		"; what it reads may not be on its disk until all is written "
		"again" :
		"");
}

static void
take_failure(struct run *run, const struct copy_failure *f)
{
	struct run_failure *out = &run->result.failure;

	if (f->is_request) {
		out->is_request = true;
		out->offset = f->offset;
		out->length = f->length;
		(void)snprintf(out->operation, sizeof out->operation, "%s",
		    copy_op_name(f->op));
	}
	(void)snprintf(out->side, sizeof out->side, "%s",
	    run_side_name(side_of(run, f)));
	out->destination = f->target;
	out->errnum = f->error;
	(void)describe_failure(run, f, &out->error);
}

/* The source's failure before those of destinations. */
static void
take_failures(struct run *run)
{
	const struct copy_ledger *l = &run->ledger;
	const struct copy_failure *first = NULL;
	unsigned i;

	if (l->n_failures > 0)
		first = &l->first_failure;
	run->result.n_failed_requests = l->n_failures;
	for (i = 0; i < run->n_destinations; i++) {
		const struct copy_target_books *b = &l->targets[i];

		if (b->n_failures == 0)
			continue;
		run->result.n_failed_requests += b->n_failures;
		if (first == NULL)
			first = &b->first_failure;
		(void)describe_failure(run, &b->first_failure,
		    &run->destination_errors[i]);
		run->result.destination_failures[i] =
		    run->destination_errors[i].text;
	}
	if (first != NULL)
		take_failure(run, first);
}

/* Differences. */

void
run_take_differences(struct run *run, const struct lane *lane)
{
	struct run_result *result = &run->result;
	const struct copy_difference *from;
	struct run_difference *all;
	bool is_cut;
	size_t n;
	size_t i;

	from = lane_differences(lane, &n, &is_cut);
	result->differences_are_cut |= is_cut;
	if (n == 0)
		return;
	all = reallocarray(run->differences, result->n_differences + n,
	    sizeof *all);
	if (all == NULL) {
		result->differences_are_cut = true;
		return;
	}
	for (i = 0; i < n; i++)
		all[result->n_differences + i] = (struct run_difference){
			.destination = from[i].target,
			.offset = from[i].offset,
			.length = from[i].length,
			.is_zero_at_source = (from[i].zero_sides &
			    1U << COPY_SOURCE) != 0,
			.is_zero_at_destination = (from[i].zero_sides &
			    1U << COPY_DESTINATION) != 0,
		};
	run->differences = all;
	result->n_differences += n;
}

/* Those of several lanes and slots. */
static void
sort_differences(struct run *run)
{
	run->result.n_differences = differences_sort(run->differences,
	    run->result.n_differences);
	run->result.differences = run->differences;
}

/* Bad ranges. */

static void
take_bad_range(struct run *run, const struct copy_bad_range *from,
    unsigned target)
{
	run->bad_ranges[run->result.n_bad_ranges++] = (struct run_bad_range){
		.side = run_side_name(from->side),
		.destination = target,
		.offset = from->offset,
		.to = from->to,
		.length = from->length,
		.errnum = from->error,
	};
}

/* One for each destination.  They are counted, also without memory for them. */
void
run_take_bad_ranges(struct run *run, const struct lane *lane)
{
	const struct copy_bad_range *from;
	struct run_bad_range *all;
	unsigned target;
	size_t n;
	size_t i;

	from = lane_skipped(lane, &n);
	if (n == 0)
		return;
	all = reallocarray(run->bad_ranges,
	    run->result.n_bad_ranges + n * run->n_destinations, sizeof *all);
	if (all == NULL) {
		run_add_gave_up(run, "out of memory: not all bad ranges are "
		    "listed");
		return;
	}
	run->bad_ranges = all;
	for (i = 0; i < n; i++)
		for (target = 0; target < run->n_destinations; target++)
			if ((from[i].targets & (1U << target)) != 0)
				take_bad_range(run, &from[i], target);
}

static void
sort_bad_ranges(struct run *run)
{
	run->result.n_bad_ranges = bad_ranges_sort(run->bad_ranges,
	    run->result.n_bad_ranges);
	run->result.bad_ranges = run->bad_ranges;
}

/* What was not copied. */

static void
take_gap(struct run *run, const struct copy_gap *g, unsigned target)
{
	struct run_gap *out = &run->gaps[run->result.n_not_copied++];
	uint64_t source_size = atomic_load(&run->source_size);
	bool is_rest = g->offset >= source_size;

	out->destination = target;
	out->side = run_side_name(is_rest ? COPY_DESTINATION : COPY_SOURCE);
	out->offset = g->offset;
	out->length = g->length;
	(void)snprintf(out->reason, sizeof out->reason,
	    "the %s's server takes whole blocks of %" PRIu32 " bytes only, and "
	    "the %s ends inside one",
	    run_side_name(g->blocks), g->block,
	    is_rest && g->offset > source_size ? "destination" : "source");
}

/* One for each destination. */
static int
take_gaps(struct run *run)
{
	const struct copy_plan *plan = &run->plan;
	unsigned target;
	size_t i;

	if (plan->n_gaps == 0)
		return 0;
	run->gaps = calloc(plan->n_gaps * plan->n_targets, sizeof *run->gaps);
	if (run->gaps == NULL)
		return -ENOMEM;
	for (i = 0; i < plan->n_gaps; i++)
		for (target = 0; target < plan->n_targets; target++)
			if ((plan->gaps[i].targets & (1U << target)) != 0 &&
			    copy_ledger_is_live(&run->ledger, target))
				take_gap(run, &plan->gaps[i], target);
	run->result.not_copied = run->gaps;
	return 0;
}

/* Digests. */

static void
take_pieces(struct run *run)
{
	const struct copy_plan *plan = &run->plan;
	struct run_piece *v = calloc(plan->n_pieces + 1, sizeof *v);
	size_t n = 0;

	if (v == NULL)
		return;
	for (size_t i = 0; i < plan->n_pieces; i++)
		if (!plan->pieces[i].is_rest)
			v[n++] = (struct run_piece){
				.from = plan->pieces[i].from,
				.to = plan->pieces[i].to,
				.length = plan->pieces[i].length,
				.targets = plan->pieces[i].targets,
			};
	run->pieces = v;
	run->result.pieces = v;
	run->result.n_pieces = n;
	run->result.align = plan->align;
}

static void
take_block_digests(struct run *run)
{
	const struct copy_digests *all = &run->digests;
	struct run_block_digest *v;
	size_t i;

	if (all->blocks == NULL)
		return;
	v = calloc(all->n_blocks + 1, sizeof *v);
	if (v == NULL)
		return;
	for (i = 0; i < all->n_blocks; i++) {
		v[i].is_known = all->blocks[i].is_known;
		v[i].unlike = all->blocks[i].unlike;
		memcpy(v[i].value, all->blocks[i].value, sizeof v[i].value);
	}
	run->block_digests = v;
	run->result.block_digests = v;
	run->result.n_block_digests = all->n_blocks;
	take_pieces(run);
}

/* Was the gap read for none? */
static bool
is_unread(const struct copy_plan *plan, const struct copy_gap *g)
{
	const struct copy_piece *p;

	for (size_t i = 0; i < plan->n_pieces; i++) {
		p = &plan->pieces[i];
		if (!p->is_rest && g->offset >= p->from &&
		    g->offset - p->from < p->length)
			return false;
	}
	return true;
}

static bool
lacks_tail(const struct run *run)
{
	uint64_t source_size = atomic_load(&run->source_size);
	const struct copy_plan *plan = &run->plan;

	for (size_t i = 0; i < plan->n_gaps; i++)
		if (plan->gaps[i].offset < source_size &&
		    is_unread(plan, &plan->gaps[i]))
			return true;
	return false;
}

/* A digest that is missing, or is not of all that was asked for. */
static void
tell_digest(struct run *run)
{
	const struct run_digest *d = &run->result.digest;
	char sentence[ERROR_TEXT_SIZE];

	if (run->result.outcome == RUN_FAILED ||
	    run->result.outcome == RUN_CANCELLED ||
	    d->algorithm == DIGEST_NONE)
		return;
	if (!d->is_known) {
		run_add_gave_up(run, "there is no digest: not all of the "
		    "source was read");
	} else if (lacks_tail(run)) {
		(void)snprintf(sentence, sizeof sentence, "the digest is of "
		    "%" PRIu64 " bytes: the source's tail was not read",
		    d->bytes);
		run_add_gave_up(run, sentence);
	}
}

static void
take_digests(struct run *run)
{
	struct run_digest *out = &run->result.digest;

	out->algorithm = run->wish.digest;
	if (run->digests.whole != NULL &&
	    run->digests.whole_bytes == copy_plan_bytes_in(&run->plan, 0,
	    run->plan.line_length)) {
		out->bytes = run->digests.whole_bytes;
		out->is_known = digest_end(run->digests.whole, out->value) ==
		    0;
	}
	tell_digest(run);
	take_block_digests(run);
}

/* The verdict. */

static bool
any_differs(const struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (copy_ledger_get(
			&run->ledger.targets[i].differing_bytes) > 0)
			return true;
	return false;
}

static bool
any_failed(const struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (run->ledger.targets[i].n_failures > 0)
			return true;
	return run->ledger.n_failures > 0;
}

/* Those on which all is done, but for what was skipped. */
static unsigned
count_complete(const struct run *run)
{
	unsigned n = 0;
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (copy_ledger_is_complete(&run->ledger, i,
			run->plan.targets[i].use_flush))
			n++;
	return n;
}

static unsigned
count_successes(const struct run *run)
{
	unsigned n = 0;
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (copy_ledger_is_success(&run->ledger, i,
			run->plan.targets[i].use_flush))
			n++;
	return n;
}

/* Is there a destination that has neither all nor an error? */
static bool
any_is_unfinished(const struct run *run)
{
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (copy_ledger_is_live(&run->ledger, i) &&
		    !copy_ledger_is_complete(&run->ledger, i,
			run->plan.targets[i].use_flush))
			return true;
	return false;
}

static enum run_outcome
outcome_of(const struct run *run)
{
	unsigned n_complete = count_complete(run);
	unsigned n = count_successes(run);

	if (n_complete == 0 || any_is_unfinished(run))
		return any_failed(run) ? RUN_FAILED : RUN_CANCELLED;
	if (n_complete < run->n_destinations && run->requires_all)
		return RUN_FAILED;
	/* Worse than what nobody knows; the bad ranges are listed, too. */
	if (any_differs(run))
		return RUN_DIFFERENT;
	if (n_complete > n)
		return RUN_BAD_RANGES;
	return n < run->n_destinations || run->plan.n_gaps > 0 ?
	    RUN_PARTIAL :
	    RUN_SUCCEEDED;
}

void
run_judge(struct run *run)
{
	struct run_result *result = &run->result;

	result->outcome = outcome_of(run);
	take_failures(run);
	/* Without memory for the list, a sentence has to do. */
	if (take_gaps(run) < 0)
		run_add_gave_up(run, "what ends inside a block was not "
		    "copied");
	sort_differences(run);
	sort_bad_ranges(run);
	take_digests(run);
	run_note_gave_up(run);
	result->started_at_ms = run->started_at_ms;
	result->finished_at_ms = run_wall_clock_ms();
	result->gave_up = (const char *const *)run->gave_up;
	result->n_gave_up = run->n_gave_up;
}
