/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * After a copy or sync that has skipped what the source could not read: one
 * more pass for each destination, which writes a pattern there instead of
 * what it held before.  That is a run like any other, with its flush at the
 * end, but for its source; what it writes is counted apart, and is copied
 * neither for the result nor for the place to go on from, which is kept until
 * all is filled.  So a later run tries the source again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "transfer/series-private.h"

struct fill {
	struct run *copied;		/* that has skipped something; NULL:
					   nothing is being filled */
	struct run *last;		/* pass, which has ended */
	struct run_spec spec;		/* of the series */
	struct run_result result;	/* of the copy */
	struct endpoint_spec *source;
	unsigned target;		/* that is filled */
	struct run_range *ranges;	/* there */
	size_t n_ranges;
	struct run_bad_range *bad;	/* all */
	uint64_t bytes[RUN_MAX_DESTINATIONS];	/* filled */
	struct error errors[RUN_MAX_DESTINATIONS];
};

int
fill_init(struct series *s, struct error *e)
{
	if (s->spec.fill == RUN_FILL_LEAVE || s->asked == RUN_VERIFY)
		return 0;
	if (s->spec.on_read_error != RUN_SKIP)
		return error_set(e, -EINVAL, "what cannot be read is filled "
		    "where it is skipped, and not otherwise");
	s->fill = calloc(1, sizeof *s->fill);
	return s->fill == NULL ? error_set(e, -ENOMEM, "out of memory") : 0;
}

static void
forget_pass(struct fill *f)
{
	if (f->last != NULL)
		run_free(f->last);
	f->last = NULL;
	endpoint_spec_free(f->source);
	f->source = NULL;
	free(f->ranges);
	f->ranges = NULL;
	free(f->bad);
	f->bad = NULL;
}

void
fill_free(struct series *s)
{
	if (s->fill == NULL)
		return;
	if (s->fill->copied != NULL)
		run_free(s->fill->copied);
	forget_pass(s->fill);
	free(s->fill);
}

const struct run *
fill_copied(const struct series *s)
{
	return s->fill != NULL ? s->fill->copied : NULL;
}

void
fill_set_rate(struct series *s, uint64_t rate)
{
	if (s->fill != NULL)
		s->fill->spec.rate = rate;
}

static void
add_pass(const struct series *s, struct run_progress *ret)
{
	struct run_progress p;

	ret->phase = s->is_cancelled ? RUN_STOPPING : RUN_COPYING;
	ret->elapsed_ms = (uint64_t)(run_wall_clock_ms() - s->started_at_ms);
	if (!s->is_running)
		return;
	run_get_progress(s->run, &p);
	ret->destinations[s->fill->target].filled_bytes += p.done_bytes;
	ret->n_away = p.n_away;
	ret->stalled_ms = p.stalled_ms;
	if (p.phase == RUN_RECONNECTING || p.phase == RUN_STALLED)
		ret->phase = p.phase;
}

void
fill_add_progress(const struct series *s, struct run_progress *ret)
{
	const struct fill *f = s->fill;

	if (f == NULL)
		return;
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		ret->destinations[i].filled_bytes = f->bytes[i];
	if (f->copied != NULL)
		add_pass(s, ret);
}

bool
fill_place(const struct series *s, bool *is_destination,
    unsigned *destination)
{
	if (!*is_destination)
		return false;
	*destination = s->fill->target;
	return true;
}

/*
 * The copy has kept its place to go on from until here.  The store may not be
 * able to remove it: that is not waited for, and may be done again.
 */
static void
remove_checkpoint(struct series *s)
{
	struct store_call *call;

	if (s->spec.store == NULL || s->result.outcome == RUN_CANCELLED ||
	    s->result.outcome == RUN_FAILED)
		return;
	s->leaves_outdated = true;
	call = store_call_new(NULL, NULL, NULL);
	if (call != NULL)
		store_discard_checkpoint(s->spec.store, call,
		    s->spec.store_job);
}

/* The copy is again what the series shows, and what others go on from. */
static void
conclude(struct series *s)
{
	struct fill *f = s->fill;

	if (s->run != NULL)
		series_count_pass(s);
	f->last = s->run;
	s->run = f->copied;
	f->copied = NULL;
	s->spec = f->spec;
	s->spec.distrusted = s->distrusted;
	s->result = f->result;
	remove_checkpoint(s);
}

void
fill_stop(struct series *s)
{
	s->fill->result.outcome = RUN_CANCELLED;
	conclude(s);
}

static bool
is_of(const struct run_bad_range *b, unsigned target)
{
	return b->destination == target && strcmp(b->side, "source") == 0;
}

/* Could some of the range not be written, either? */
static bool
is_touched(const struct run_result *r, const struct run_bad_range *b)
{
	for (size_t i = 0; i < r->n_bad_ranges; i++) {
		const struct run_bad_range *x = &r->bad_ranges[i];

		if (x->offset < b->offset + b->length &&
		    b->offset < x->offset + x->length)
			return true;
	}
	return false;
}

static void
note_filled(struct fill *f, const struct run_result *r)
{
	const struct run_destination_progress *d =
	    &r->progress.destinations[0];

	f->bytes[f->target] = d->done_bytes;
	f->result.filled_bytes += d->done_bytes;
	for (size_t i = 0; i < f->result.n_bad_ranges; i++)
		f->bad[i].is_filled |= is_of(&f->bad[i], f->target) &&
		    !is_touched(r, &f->bad[i]);
}

static void
note_pass(struct series *s)
{
	struct fill *f = s->fill;
	const struct run_result *r = run_result(s->run);

	switch (r->outcome) {
	case RUN_SUCCEEDED:
	case RUN_BAD_RANGES:
		note_filled(f, r);
		break;
	case RUN_CANCELLED:
		f->result.outcome = RUN_CANCELLED;
		break;
	case RUN_PARTIAL:
	case RUN_DIFFERENT:
	case RUN_FAILED:
	case RUN_STOPPED:
	case RUN_REPAIRED:
		/* What was asked for is not done there. */
		series_fail_destination(&f->spec, &f->result, f->target,
		    &r->failure, &f->errors[f->target]);
		break;
	}
}

/* The ranges of a destination that nothing was read for. */
static void
take_ranges(struct fill *f)
{
	f->n_ranges = 0;
	for (size_t i = 0; i < f->result.n_bad_ranges; i++)
		if (is_of(&f->bad[i], f->target))
			f->ranges[f->n_ranges++] = (struct run_range){
				.from = f->bad[i].offset,
				.length = f->bad[i].length,
				.to = f->bad[i].to,
			};
}

static void
describe_pass(struct series *s)
{
	struct fill *f = s->fill;

	s->spec = f->spec;
	s->spec.mode = RUN_COPY;
	s->spec.source = f->source;
	s->spec.destinations += f->target;
	s->spec.n_destinations = 1;
	s->spec.ranges = f->ranges;
	s->spec.n_ranges = f->n_ranges;
	s->spec.on_read_error = RUN_STOP;
	s->spec.max_bad_bytes = 0;
	s->spec.require_all = false;
	s->spec.destination_is_zero = false;
	s->spec.distrusted = 0;
	s->spec.trim = false;
	s->spec.zero_rest = false;
	s->spec.digest = DIGEST_NONE;
	s->spec.block_digests = false;
	s->spec.store = NULL;
	s->delay_ms = 0;
}

/* The next destination from target on that lacks something. */
static bool
begin_pass(struct series *s, unsigned target)
{
	struct fill *f = s->fill;

	for (; target < f->spec.n_destinations; target++) {
		f->target = target;
		take_ranges(f);
		if (f->n_ranges == 0 ||
		    f->result.destination_failures[target] != NULL)
			continue;
		describe_pass(s);
		return true;
	}
	conclude(s);
	return false;
}

static bool
begin(struct series *s)
{
	struct fill *f = s->fill;
	size_t n = s->result.n_bad_ranges;
	struct error e;

	/* What is read back had its turn, and its result is still shown. */
	if (readback_is_reading(s))
		return false;
	forget_pass(f);
	memset(f->bytes, 0, sizeof f->bytes);
	if (s->result.outcome != RUN_BAD_RANGES)
		return false;
	if (s->is_cancelled) {
		s->result.outcome = RUN_CANCELLED;
		return false;
	}
	f->ranges = calloc(n + 1, sizeof *f->ranges);
	f->bad = calloc(n + 1, sizeof *f->bad);
	if (f->ranges == NULL || f->bad == NULL ||
	    endpoint_spec_for_fill(s->result.progress.source_size,
		s->spec.fill == RUN_FILL_PATTERN, &f->source, &e) < 0) {
		s->result.outcome = RUN_FAILED;
		s->result.failure = (struct run_failure){ .errnum = -ENOMEM };
		(void)error_set(&s->result.failure.error, -ENOMEM,
		    "out of memory");
		return false;
	}
	if (n > 0)
		memcpy(f->bad, s->result.bad_ranges, n * sizeof *f->bad);
	f->spec = s->spec;
	f->result = s->result;
	f->result.bad_ranges = f->bad;
	f->copied = s->run;
	s->run = NULL;
	return begin_pass(s, 0);
}

bool
fill_next(struct series *s)
{
	struct fill *f = s->fill;

	if (f == NULL)
		return false;
	if (f->copied == NULL)
		return begin(s);
	note_pass(s);
	return begin_pass(s, f->result.outcome == RUN_CANCELLED ?
		f->spec.n_destinations :
		f->target + 1);
}
