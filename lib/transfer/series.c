/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One pass after the other: each is a run of its own, which opens its disks
 * anew, so that nothing that went wrong in one is left over for the next.
 */

#include "transfer/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/series-private.h"

static void begin_pass(struct series *s);

/* One pass, and that is all. */
static enum series_step
after_single(struct series *s UNUSED)
{
	return SERIES_END;
}

static const struct series_kind series_single = {
	.after = after_single,
};

static const struct series_kind *const kinds[] = {
	[RUN_COPY] = &series_single,
	[RUN_SYNC] = &series_single,
	[RUN_VERIFY] = &series_verify,
	[RUN_MIRROR] = &series_mirror,
};

/* What was compared may not be what is on the disk. */
static void
doubt(struct series *s)
{
	if (s->asked == RUN_VERIFY && s->distrusted != 0 &&
	    (s->result.outcome == RUN_SUCCEEDED ||
		s->result.outcome == RUN_REPAIRED))
		s->result.outcome = RUN_PARTIAL;
}

static void
finish(struct series *s)
{
	struct run_progress *p = &s->result.progress;

	doubt(s);
	s->result.started_at_ms = s->started_at_ms;
	s->result.finished_at_ms = run_wall_clock_ms();
	/* Of any pass: the last one may have nothing to do with it. */
	s->result.leaves_outdated = s->leaves_outdated;
	s->result.has_begun = s->has_begun;
	s->result.distrusted = s->distrusted;
	s->result.refused = s->refused;
	series_get_progress(s, p);
	p->phase = RUN_FINISHED;
	s->is_over = true;
	s->on_finished(s, s->arg);
}

static void
take_result(struct series *s, const struct run *run)
{
	s->result = *run_result(run);
	/* A comparison's further passes are of a part only. */
	if (s->n_passes == 1)
		s->digest = s->result.digest;
	else if (s->asked == RUN_VERIFY)
		s->result.digest = s->digest;
}

/*
 * Who has refused a flush is trusted again when all has been written to him
 * once more, and been flushed.
 */
static void
note_distrust(struct series *s, const struct run *run)
{
	const struct run_result *r = run_result(run);
	bool is_whole = s->asked != RUN_VERIFY &&
	    (r->outcome == RUN_SUCCEEDED || r->outcome == RUN_PARTIAL);
	bool is_destination = true;
	unsigned target = 0;
	uint32_t bit;

	if (readback_is_reading(s))
		return;
	if (fill_copied(s) != NULL) {
		/* Of a part, and for one destination. */
		if (r->distrusted != 0 &&
		    fill_place(s, &is_destination, &target))
			s->distrusted |= s->refused |= 1U << target;
		return;
	}
	for (unsigned i = 0; i < s->spec.n_destinations; i++) {
		bit = 1U << i;
		if (is_whole && r->destination_failures[i] == NULL) {
			s->distrusted &= ~bit;
			s->refused &= ~bit;
		}
	}
	s->refused |= r->distrusted;
	s->distrusted |= r->distrusted;
	s->spec.distrusted = s->distrusted;
}

static void
pass_on_finished(struct run *run, void *arg)
{
	struct series *s = arg;

	s->is_running = false;
	s->leaves_outdated |= run_result(run)->leaves_outdated;
	s->has_begun |= run_result(run)->has_begun;
	if (fill_copied(s) == NULL)
		take_result(s, run);
	note_distrust(s, run);
	if (fill_next(s))
		net_timer_start(&s->timer, 0);
	else if (s->kind->after(s) == SERIES_END)
		finish(s);
	else if (s->is_cancelled)
		net_timer_start(&s->timer, 0);
	else
		net_timer_start(&s->timer, s->delay_ms);
}

/* A pass cannot be begun: that is how the last one ended. */
static void
fail_pass(struct series *s, int error, const char *text)
{
	if (fill_copied(s) != NULL)
		fill_stop(s);
	s->result.outcome = RUN_FAILED;
	s->result.failure.errnum = error;
	(void)error_set(&s->result.failure.error, error, "%s", text);
	finish(s);
}

void
series_count_pass(struct series *s)
{
	struct run_progress p;

	run_get_progress(s->run, &p);
	s->counts.n_reconnects += p.n_reconnects;
	s->counts.n_retries += p.n_retries;
	s->counts.n_checkpoint_failures += p.n_checkpoint_failures;
	/* What was filled was not copied. */
	if (fill_copied(s) != NULL)
		return;
	s->earlier.read += p.read_bytes;
	/* What was read back was written nowhere. */
	if (readback_is_reading(s))
		return;
	s->earlier.written += p.written_bytes;
	s->earlier.zeroed += p.zeroed_bytes;
	s->earlier.equal += p.equal_bytes;
	s->earlier.differing += p.differing_bytes;
	s->earlier.trimmed += p.trimmed_bytes;
	for (unsigned i = 0; i < p.n_destinations; i++) {
		s->earlier.resumed += p.destinations[i].resumed_bytes;
		s->earlier.failed += p.destinations[i].failed_bytes;
	}
}

void
series_fail_destination(const struct run_spec *asked,
    struct run_result *result, unsigned target,
    const struct run_failure *failure, struct error *ret_error)
{
	unsigned i;

	*ret_error = failure->error;
	result->destination_failures[target] = ret_error->text;
	for (i = 0; i < asked->n_destinations; i++)
		if (result->destination_failures[i] == NULL)
			break;
	if (i == asked->n_destinations || asked->require_all) {
		result->outcome = RUN_FAILED;
		result->failure = *failure;
		result->failure.destination = target;
	} else if (result->outcome == RUN_SUCCEEDED) {
		result->outcome = RUN_PARTIAL;
	}
}

/* The next pass takes the place of the last. */
static int
make_run(struct series *s, struct error *e)
{
	struct run *run = NULL;
	int r;

	r = run_new(&s->spec, s->pool, s->owner, pass_on_finished, s, &run,
	    e);
	if (r < 0)
		return r;
	if (s->run != NULL) {
		series_count_pass(s);
		run_free(s->run);
	}
	s->run = run;
	return 0;
}

static void
begin_pass(struct series *s)
{
	if (fill_copied(s) == NULL)
		s->n_passes++;
	s->mirror.next_pass_at_ms = 0;
	s->is_running = true;
	run_start(s->run);
}

static void
timer_on_timeout(void *arg)
{
	struct series *s = arg;
	struct error e;
	int r;

	if (s->is_cancelled) {
		if (fill_copied(s) != NULL)
			fill_stop(s);
		else
			s->kind->on_stopped(s);
		finish(s);
		return;
	}
	r = make_run(s, &e);
	if (r < 0)
		fail_pass(s, r, e.text);
	else
		begin_pass(s);
}

/* Calls of the owner. */

/* Which of other destinations that was is not known any more. */
static uint32_t
distrusted_of(const struct run_spec *spec)
{
	uint32_t all = (1U << spec->n_destinations) - 1;

	return (spec->distrusted & ~all) == 0 ? spec->distrusted : all;
}

static int
copy_spec(struct series *s, const struct run_spec *spec)
{
	size_t size = spec->n_ranges * sizeof *spec->ranges;

	s->spec = *spec;
	s->spec.distrusted = s->distrusted = distrusted_of(spec);
	s->asked = spec->mode;
	s->source = endpoint_spec_copy(spec->source);
	s->all_ranges = malloc(size + 1);
	if (s->source == NULL || s->all_ranges == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < spec->n_destinations &&
	     i < RUN_MAX_DESTINATIONS; i++) {
		s->destinations[i] = endpoint_spec_copy(spec->destinations[i]);
		if (s->destinations[i] == NULL)
			return -ENOMEM;
	}
	if (size > 0)
		memcpy(s->all_ranges, spec->ranges, size);
	s->n_all_ranges = spec->n_ranges;
	s->sample_ppm = spec->sample_ppm;
	s->spec.source = s->source;
	s->spec.destinations =
	    (const struct endpoint_spec *const *)s->destinations;
	s->spec.ranges = s->all_ranges;
	if (spec->mode == RUN_MIRROR) {
		s->spec.mode = spec->syncs_first ? RUN_SYNC : RUN_COPY;
		/* A pass is of its own time, and goes on from no other. */
		s->spec.store = NULL;
	}
	return 0;
}

int
series_new(const struct run_spec *spec, struct worker_pool *pool,
    struct mailbox *owner, struct net_loop *loop,
    void (*on_finished)(struct series *series, void *arg), void *arg,
    struct series **ret_series, struct error *e)
{
	struct series *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	s->kind = kinds[spec->mode];
	s->pool = pool;
	s->owner = owner;
	s->on_finished = on_finished;
	s->arg = arg;
	s->mirror.is_mirror = spec->mode == RUN_MIRROR;
	r = copy_spec(s, spec);
	if (r == 0)
		r = net_timer_init(&s->timer, loop, timer_on_timeout, s);
	if (r < 0)
		(void)error_set(e, r, "out of memory");
	if (r == 0)
		r = fill_init(s, e);
	if (r == 0 && (spec->verify_after || spec->line != NULL)) {
		s->kind = &series_readback;
		r = readback_init(s, e);
	}
	if (r == 0)
		r = make_run(s, e);
	if (r < 0) {
		series_free(s);
		return r;
	}
	*ret_series = s;
	return 0;
}

void
series_start(struct series *s)
{
	s->started_at_ms = run_wall_clock_ms();
	begin_pass(s);
}

static void
end(struct series *s, void (*end_run)(struct run *run))
{
	if (s->is_over)
		return;
	s->is_cancelled = true;
	if (s->is_running)
		end_run(s->run);
	else
		net_timer_start(&s->timer, 0);
}

void
series_cancel(struct series *s)
{
	end(s, run_cancel);
}

void
series_abort(struct series *s)
{
	end(s, run_abort);
}

void
series_set_rate(struct series *s, uint64_t rate)
{
	s->spec.rate = rate;
	if (s->run != NULL)
		run_set_rate(s->run, rate);
	readback_set_rate(s, rate);
	fill_set_rate(s, rate);
}

void
series_outdate(struct series *s, int64_t resume_after_ms)
{
	s->spec.resume_after_ms = resume_after_ms;
	if (s->run != NULL)
		run_outdate(s->run, resume_after_ms);
}

void
series_disturb(struct series *s)
{
	if (s->run != NULL)
		run_disturb(s->run);
}

/* From a disk of the pass to that of the series; false: it is none of it. */
static bool
place(const struct series *s, bool *is_destination, unsigned *destination)
{
	if (readback_is_reading(s))
		return readback_place(s, is_destination, destination);
	if (fill_copied(s) != NULL)
		return fill_place(s, is_destination, destination);
	return true;
}

struct run_loss *
series_take_loss(struct series *s)
{
	struct run_loss *loss = s->run == NULL ? NULL : run_take_loss(s->run);

	if (loss != NULL)
		(void)place(s, &loss->is_destination, &loss->destination);
	return loss;
}

size_t
series_get_connections(const struct series *s, struct run_connection *ret,
    size_t room)
{
	size_t n_all = s->run == NULL ? 0 : run_get_connections(s->run, ret,
	    room);
	size_t n = 0;

	for (size_t i = 0; i < n_all; i++) {
		ret[n] = ret[i];
		n += place(s, &ret[n].is_destination, &ret[n].destination);
	}
	return n;
}

/* The pass that stands for all. */
static const struct run *
shown_run(const struct series *s)
{
	const struct run *copied = readback_copied(s);

	if (copied == NULL)
		copied = fill_copied(s);
	return copied != NULL ? copied : s->run;
}

int
series_get_map(const struct series *s, struct run_map *ret_map)
{
	const struct run *run = shown_run(s);

	return run_get_map(run, run != s->run || !s->is_running, ret_map);
}

/* What a mirror does: the same, and then always the same. */
static enum run_phase
mirror_phase(const struct series *s, enum run_phase phase)
{
	if (s->is_over)
		return RUN_FINISHED;
	if (!s->is_running)
		return s->is_cancelled ? RUN_STOPPING : RUN_MIRRORING;
	return s->n_passes <= 1 || s->is_cancelled ||
		phase == RUN_RECONNECTING || phase == RUN_STALLED ?
	    phase :
	    RUN_MIRRORING;
}

/* Of all passes, also those that are shown as a part of another. */
static void
add_counts(const struct series *s, struct run_progress *ret)
{
	struct run_progress p;

	ret->n_reconnects += s->counts.n_reconnects;
	ret->n_retries += s->counts.n_retries;
	ret->n_checkpoint_failures += s->counts.n_checkpoint_failures;
	if (s->run == NULL || s->run == shown_run(s))
		return;
	run_get_progress(s->run, &p);
	ret->n_reconnects += p.n_reconnects;
	ret->n_retries += p.n_retries;
	if (readback_is_reading(s))
		ret->earlier.read += p.read_bytes;
}

void
series_get_progress(const struct series *s, struct run_progress *ret)
{
	struct run_mirror *m = &ret->mirror;

	if (s->is_over && readback_is_reading(s)) {
		*ret = s->result.progress;
		return;
	}
	run_get_progress(shown_run(s), ret);
	ret->earlier = s->earlier;
	ret->refused = s->refused | ret->distrusted;
	ret->distrusted |= s->distrusted;
	add_counts(s, ret);
	fill_add_progress(s, ret);
	if (readback_is_reading(s))
		readback_add_progress(s, ret);
	*m = s->mirror;
	m->pass = s->n_passes;
	if (!m->is_mirror) {
		if (ret->phase == RUN_FINISHED && !s->is_over && !s->is_running)
			ret->phase = s->is_cancelled ? RUN_STOPPING :
						       RUN_WAITING;
		return;
	}
	ret->phase = mirror_phase(s, ret->phase);
	/* A clock that was put back makes nothing younger than now. */
	if (m->consistent_at_ms != 0 &&
	    run_wall_clock_ms() > m->consistent_at_ms)
		m->consistent_age_ms = (uint64_t)(run_wall_clock_ms() -
		    m->consistent_at_ms);
}

const struct run_result *
series_result(const struct series *s)
{
	return &s->result;
}

void
series_free(struct series *s)
{
	if (s == NULL)
		return;
	if (s->run != NULL)
		run_free(s->run);
	readback_free(s);
	fill_free(s);
	net_timer_done(&s->timer);
	endpoint_spec_free(s->source);
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		endpoint_spec_free(s->destinations[i]);
	free(s->all_ranges);
	free(s->ranges);
	free(s->differences);
	free(s->gaps);
	free(s->bad);
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		free(s->failures[i]);
	free(s);
}
