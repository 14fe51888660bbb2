/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rates and the time left.
 *
 * Two averages: one that follows within seconds, for the eye, and a slow one
 * for the time left, which would jump otherwise.  Values count by the time
 * they stand for, not by the number of snapshots.
 */
#include "transfer/progress.h"

#include <string.h>

#define SECOND_MS	 UINT64_C(1000)
#define MINUTE_MS	 (60 * SECOND_MS)
#define HOUR_MS		 (60 * MINUTE_MS)

#define SHOWN_TAU_MS	 5000.0
#define SLOW_TAU_MS	 60000.0
#define NO_TIME_LEFT_MS	 (10 * SECOND_MS)
#define STALLED_MS	 (10 * SECOND_MS)
#define TIME_LEFT_MAX_MS (1000 * HOUR_MS)

void
progress_init(struct progress *p)
{
	memset(p, 0, sizeof *p);
}

/*
 * weight makes the first values count fully: without it the average would
 * rise slowly from 0.
 */
static void
average_add(struct progress_average *a, double tau, double value, double span)
{
	double alpha = span / (tau + span);

	a->sum += alpha * (value - a->sum);
	a->weight += alpha * (1.0 - a->weight);
}

static double
average_get(const struct progress_average *a)
{
	return a->weight > 0.0 ? a->sum / a->weight : 0.0;
}

static void
take_first(struct progress *p, uint64_t now_ms)
{
	p->has_last = true;
	p->first_ms = now_ms;
	p->moved_ms = now_ms;
}

uint64_t
progress_settled(const struct run_progress *snapshot)
{
	return snapshot->done_bytes + snapshot->failed_bytes;
}

static void
take_rates(struct progress *p, const struct run_progress *snapshot,
    uint64_t now_ms)
{
	double span = (double)(now_ms - p->last_ms);
	double moved = (double)(progress_settled(snapshot) -
	    progress_settled(&p->last));
	double rate = moved * 1000.0 / span;

	average_add(&p->shown, SHOWN_TAU_MS, rate, span);
	average_add(&p->slow, SLOW_TAU_MS, rate, span);
}

/* It copies, but for nothing that comes. */
static bool
stands_still(const struct run_progress *snapshot)
{
	return snapshot->phase == RUN_STALLED ||
	    snapshot->phase == RUN_RECONNECTING;
}

/* A mirror's next pass, which begins with nothing done. */
static bool
is_next_pass(const struct progress *p, const struct run_progress *snapshot)
{
	return snapshot->mirror.is_mirror && p->has_last &&
	    snapshot->mirror.pass != p->last.mirror.pass;
}

static bool
is_between_passes(const struct run_progress *snapshot)
{
	return snapshot->mirror.is_mirror &&
	    snapshot->mirror.next_pass_at_ms != 0;
}

/* What a mirror's pass does has no phase of its own. */
static bool
moves_bytes(const struct run_progress *snapshot)
{
	return snapshot->phase == RUN_COPYING || stands_still(snapshot) ||
	    (snapshot->phase == RUN_MIRRORING && snapshot->total_bytes > 0);
}

void
progress_update(struct progress *p, const struct run_progress *snapshot,
    uint64_t now_ms)
{
	if (is_next_pass(p, snapshot))
		progress_init(p);
	if (!p->has_last)
		take_first(p, now_ms);
	else if (progress_settled(snapshot) < progress_settled(&p->last) ||
	    now_ms <= p->last_ms)
		;			/* no span, or another run */
	else if (moves_bytes(snapshot) && !is_between_passes(snapshot))
		take_rates(p, snapshot, now_ms);
	if (progress_settled(snapshot) != progress_settled(&p->last) ||
	    snapshot->phase != p->last.phase)
		p->moved_ms = now_ms;
	p->last = *snapshot;
	p->last_ms = now_ms;
}

unsigned
progress_percent(const struct run_progress *snapshot)
{
	uint64_t done = progress_settled(snapshot);
	uint64_t total = snapshot->total_bytes;

	if (snapshot->phase == RUN_FINISHED && done >= total)
		return 100;
	if (total == 0)
		return 0;
	/* The last percent is the flush. */
	if (done >= total)
		return 99;
	return (unsigned)((double)done / (double)total * 100.0);
}

uint64_t
progress_rate(const struct progress *p)
{
	return is_between_passes(&p->last) ? 0 :
	    (uint64_t)average_get(&p->shown);
}

static uint64_t
round_to(uint64_t ms, uint64_t step)
{
	return (ms + step / 2) / step * step;
}

static uint64_t
quantise(uint64_t ms)
{
	if (ms > HOUR_MS)
		return round_to(ms, 5 * MINUTE_MS);
	if (ms > 10 * MINUTE_MS)
		return round_to(ms, MINUTE_MS);
	return ms < SECOND_MS ? SECOND_MS : round_to(ms, SECOND_MS);
}

bool
progress_is_too_early(const struct progress *p)
{
	return p->last_ms - p->first_ms < NO_TIME_LEFT_MS ||
	    progress_percent(&p->last) < 1;
}

bool
progress_time_left(const struct progress *p, uint64_t *ret_ms)
{
	const struct run_progress *s = &p->last;
	double rate = average_get(&p->slow);
	uint64_t settled = progress_settled(s);
	double ms;

	if (progress_is_too_early(p) || stands_still(s) ||
	    is_between_passes(s) ||
	    settled > s->total_bytes || rate < 1.0)
		return false;
	ms = (double)(s->total_bytes - settled) / rate * 1000.0;
	if (ms > (double)TIME_LEFT_MAX_MS)
		return false;
	*ret_ms = quantise((uint64_t)ms);
	return true;
}

uint64_t
progress_stalled_ms(const struct progress *p)
{
	uint64_t still = p->last_ms - p->moved_ms;

	/* The run may know of a longer time than we have looked at it. */
	if (p->last.phase == RUN_STALLED)
		return still > p->last.stalled_ms ? still : p->last.stalled_ms;
	if (p->last.phase != RUN_COPYING || still < STALLED_MS)
		return 0;
	return still;
}
