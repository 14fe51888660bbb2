/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/tuning.h"

#include <string.h>

/* A look that has seen fewer ends of a side's requests knows nothing new. */
#define MIN_SAMPLES	8

/* In relation to the fastest: below it nothing queues, above it much does. */
#define IDLE_RATIO	1.5
#define QUEUE_RATIO	4.0

/* A raise that brought less was for nothing. */
#define WORTH_IT	1.1

/* Of the time of lanes, and of their workers: it is what limits them. */
#define NETWORK_SHARE	0.7
#define TLS_SHARE	0.5

#define BASE_TURN_MS	5000	/* how long a fastest time is believed, twice */

/* After a raise was taken back; each time twice as long. */
#define HOLD_MS		5000
#define MAX_HOLD_MS	60000

/* Between two steps down, at most. */
#define MAX_SETTLE_MS	2000

/* What a rate is measured by, before a raise and after it. */
#define TRIAL_MS	1000
#define TRIAL_SAMPLES	64

static const char *const limit_names[] = {
	[COPY_LIMIT_NONE] = "none",
	[COPY_LIMIT_WINDOW] = "window",
	[COPY_LIMIT_SOURCE] = "source-latency",
	[COPY_LIMIT_DESTINATION] = "destination-latency",
	[COPY_LIMIT_RATE] = "rate-limit",
	[COPY_LIMIT_MEMORY] = "memory",
	[COPY_LIMIT_NETWORK] = "network",
	[COPY_LIMIT_TLS] = "cpu-tls",
};

const char *
copy_limit_name(enum copy_limit limit)
{
	return limit_names[limit];
}

void
copy_tuning_init(struct copy_tuning *t, const struct copy_plan *plan,
    uint64_t now_ms)
{
	int i;

	memset(t, 0, sizeof *t);
	t->plan = plan;
	t->n_workers = 1;
	atomic_init(&t->lanes, plan->lanes);
	atomic_init(&t->depth, plan->queue_depth);
	atomic_init(&t->request_size, plan->request_size);
	for (i = 0; i < 2; i++)
		atomic_init(&t->meters[i].min_us, UINT64_MAX);
	t->looked_ms = now_ms;
	t->base_turn_ms = now_ms + BASE_TURN_MS;
	t->hold_ms = HOLD_MS;
}

void
copy_tuning_note(struct copy_tuning *t, enum copy_side side, uint64_t took_us)
{
	struct copy_meter *m = &t->meters[side];
	uint64_t min = atomic_load_explicit(&m->min_us, memory_order_relaxed);

	atomic_fetch_add_explicit(&m->n, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->sum_us, took_us, memory_order_relaxed);
	while (took_us < min &&
	    !atomic_compare_exchange_weak_explicit(&m->min_us, &min, took_us,
		memory_order_relaxed, memory_order_relaxed))
		continue;
}

void
copy_tuning_note_load(struct copy_tuning *t, unsigned disk,
    uint64_t network_us, uint64_t tls_us)
{
	if (network_us != 0)
		atomic_fetch_add_explicit(&t->network_us[disk], network_us,
		    memory_order_relaxed);
	if (tls_us != 0)
		atomic_fetch_add_explicit(&t->tls_us, tls_us,
		    memory_order_relaxed);
}

/* Of two times, of which the first may not be known. */
static uint64_t
lesser(uint64_t a, uint64_t b)
{
	return a != 0 && a < b ? a : b;
}

/* Did this side have enough to say?  Then its figures are new. */
static bool
read_meter(struct copy_meter *m, struct copy_side_figures *f)
{
	uint64_t n = atomic_load_explicit(&m->n, memory_order_relaxed);
	uint64_t min_us;

	f->n = 0;
	if (n < MIN_SAMPLES)
		return false;
	/* A lane may note one in between: it counts half, once. */
	atomic_fetch_sub_explicit(&m->n, n, memory_order_relaxed);
	f->n = n;
	f->average_us = atomic_exchange_explicit(&m->sum_us, 0,
	    memory_order_relaxed) / n;
	min_us = atomic_exchange_explicit(&m->min_us, UINT64_MAX,
	    memory_order_relaxed);
	if (min_us == 0)
		min_us = 1;
	f->base_us = lesser(f->base_us, min_us);
	f->next_base_us = lesser(f->next_base_us, min_us);
	return true;
}

/* A server may move away, or become slow: no record stands for ever. */
static void
forget_bases(struct copy_tuning *t, uint64_t now_ms)
{
	int i;

	if (now_ms < t->base_turn_ms)
		return;
	t->base_turn_ms = now_ms + BASE_TURN_MS;
	t->trial.is_needed = true;
	for (i = 0; i < 2; i++) {
		if (t->sides[i].next_base_us != 0)
			t->sides[i].base_us = t->sides[i].next_base_us;
		t->sides[i].next_base_us = 0;
	}
}

/*
 * How long a slot's way takes, in relation to the shortest.  Both sides
 * together: answers of a distant source come in bursts, which then queue for
 * a moment at a near destination, and that is nothing.
 */
static double
queueing(const struct copy_tuning *t)
{
	uint64_t base = t->sides[COPY_SOURCE].base_us +
	    t->sides[COPY_DESTINATION].base_us;
	uint64_t average = t->sides[COPY_SOURCE].average_us +
	    t->sides[COPY_DESTINATION].average_us;

	return (double)average / (double)base;
}

static bool
raise_size(struct copy_tuning *t)
{
	uint32_t most = t->plan->max_request_size;
	uint32_t size = atomic_load(&t->request_size);

	atomic_store(&t->request_size, size > most / 4 ? most : size * 4);
	return size < most;
}

static bool
raise_lanes(struct copy_tuning *t)
{
	unsigned most = t->plan->max_lanes;
	unsigned lanes = t->lanes;

	if (t->trial.lanes_are_enough)
		return false;
	t->lanes = lanes > most / 2 ? most : lanes * 2;
	return lanes < most;
}

static bool
raise_depth(struct copy_tuning *t)
{
	unsigned most = t->plan->max_queue_depth;
	unsigned depth = atomic_load(&t->depth);

	atomic_store(&t->depth, depth > most / 2 ? most : depth * 2);
	return depth < most;
}

/* Larger requests cost nothing, and deeper queues the most latency. */
static bool (*const raises[])(struct copy_tuning *t) = {
	raise_size,
	raise_lanes,
	raise_depth,
};

#define N_RAISES (sizeof raises / sizeof raises[0])

static bool
raise_level(struct copy_tuning *t)
{
	struct copy_trial *trial = &t->trial;
	unsigned i;

	trial->old_size = atomic_load(&t->request_size);
	trial->old_depth = atomic_load(&t->depth);
	for (i = 0; i < N_RAISES; i++) {
		trial->raised = (trial->first + i) % N_RAISES;
		if (!raises[trial->raised](t))
			continue;
		t->level++;
		t->rate_before = t->rate;
		return true;
	}
	return false;
}

/* Two answers' time: until then what has been changed does not show. */
static uint64_t
settle_ms(const struct copy_tuning *t)
{
	return 2 * (t->sides[COPY_SOURCE].average_us +
	    t->sides[COPY_DESTINATION].average_us) / 1000;
}

/* Lanes stay; what each has in flight becomes less. */
static void
lower_flight(struct copy_tuning *t)
{
	const struct copy_plan *plan = t->plan;
	unsigned depth = atomic_load(&t->depth);
	uint32_t size = atomic_load(&t->request_size);

	if (depth > plan->min_queue_depth)
		atomic_store(&t->depth, depth / 2 > plan->min_queue_depth ?
			depth / 2 :
			plan->min_queue_depth);
	else if (size > plan->request_size)
		atomic_store(&t->request_size, size / 4 > plan->request_size ?
			size / 4 :
			plan->request_size);
}

static void
lower_level(struct copy_tuning *t, uint64_t now_ms)
{
	t->level--;
	lower_flight(t);
	t->trial.is_on = false;
	t->hold_until_ms = now_ms + HOLD_MS;
	t->settled_ms = now_ms + lesser(settle_ms(t), MAX_SETTLE_MS);
}

/* It was for nothing; the next will be of another kind. */
static void
take_back(struct copy_tuning *t, uint64_t now_ms)
{
	struct copy_trial *trial = &t->trial;

	t->level--;
	atomic_store(&t->request_size, trial->old_size);
	atomic_store(&t->depth, trial->old_depth);
	if (raises[trial->raised] == raise_lanes) {
		trial->lanes_are_enough = true;
		lower_flight(t);
	}
	trial->first = (trial->raised + 1) % N_RAISES;
	trial->is_on = false;
	t->hold_until_ms = now_ms + t->hold_ms;
	if (t->hold_ms < MAX_HOLD_MS)
		t->hold_ms *= 2;
}

/* Begin to measure: what was in flight until now counts for nothing. */
static void
restart_trial(struct copy_tuning *t, uint64_t now_ms)
{
	t->trial.begins_ms = now_ms + settle_ms(t);
	t->trial.n = 0;
}

/* Bytes/s.  What a lost connection has to do again is not done any more. */
static uint64_t
rate_of(uint64_t from_bytes, uint64_t to_bytes, uint64_t span_ms)
{
	if (to_bytes < from_bytes)
		return 0;
	return (to_bytes - from_bytes) * 1000 / (span_ms ? span_ms : 1);
}

/* Is the rate of late known?  Then a raise that was on trial is judged. */
static bool
try_rate(struct copy_tuning *t, uint64_t now_ms, uint64_t done_bytes)
{
	struct copy_trial *trial = &t->trial;
	uint64_t rate;

	if (now_ms < trial->begins_ms)
		return false;
	if (trial->n == 0) {
		trial->begins_ms = now_ms;
		trial->from_bytes = done_bytes;
		trial->n = 1;
		return false;
	}
	trial->n += t->sides[COPY_SOURCE].n + t->sides[COPY_DESTINATION].n;
	if (trial->n < TRIAL_SAMPLES || now_ms - trial->begins_ms < TRIAL_MS)
		return false;
	rate = rate_of(trial->from_bytes, done_bytes,
	    now_ms - trial->begins_ms);
	if (trial->is_on &&
	    (double)rate < WORTH_IT * (double)trial->rate_before) {
		take_back(t, now_ms);
	} else if (trial->is_on) {
		trial->is_on = false;
		trial->lanes_are_enough = false;
		t->hold_ms = HOLD_MS;
	}
	trial->rate_before = rate;
	trial->n = 0;
	return true;
}

/*
 * At first it goes up at once, since the fastest answer came when there was
 * nothing in flight.  Later that is forgotten, and the fastest may be one that
 * has stood in a queue: then only the rate tells what a raise is worth.
 */
static void
raise_or_try(struct copy_tuning *t, uint64_t now_ms, uint64_t done_bytes,
    double ratio)
{
	bool may_raise = ratio < IDLE_RATIO;

	if (t->trial.is_needed)
		may_raise = try_rate(t, now_ms, done_bytes) && may_raise;
	if (!may_raise || now_ms < t->hold_until_ms || !raise_level(t))
		return;
	t->trial.is_on = t->trial.is_needed;
	restart_trial(t, now_ms);
}

/*
 * What the lanes' time of the last span went into, if it is one thing.  Each
 * lane has a connection to each disk; TLS takes time of the workers.
 */
static enum copy_limit
what_fills(struct copy_tuning *t, uint64_t span_ms)
{
	double span_us = (double)span_ms * 1000;
	unsigned lanes = t->lanes;
	unsigned workers = lanes < t->n_workers ? lanes : t->n_workers;
	uint64_t tls_us = atomic_exchange(&t->tls_us, 0);
	uint64_t most_us = 0;
	uint64_t us;
	unsigned i;

	for (i = 0; i <= COPY_MAX_TARGETS; i++) {
		us = atomic_exchange(&t->network_us[i], 0);
		if (us > most_us)
			most_us = us;
	}
	if ((double)tls_us > TLS_SHARE * workers * span_us)
		return COPY_LIMIT_TLS;
	if ((double)most_us > NETWORK_SHARE * lanes * span_us)
		return COPY_LIMIT_NETWORK;
	return COPY_LIMIT_NONE;
}

static enum copy_limit
which_limit(const struct copy_tuning *t, double ratio, enum copy_limit fills)
{
	const struct copy_side_figures *s = &t->sides[COPY_SOURCE];
	const struct copy_side_figures *d = &t->sides[COPY_DESTINATION];

	if (fills != COPY_LIMIT_NONE)
		return fills;
	if (ratio < IDLE_RATIO)
		return t->looked_ms < t->hold_until_ms ? COPY_LIMIT_NONE :
							 COPY_LIMIT_WINDOW;
	return s->average_us - s->base_us > d->average_us - d->base_us ?
	    COPY_LIMIT_SOURCE :
	    COPY_LIMIT_DESTINATION;
}

static void
measure_rate(struct copy_tuning *t, uint64_t now_ms, uint64_t done_bytes)
{
	t->rate = rate_of(t->looked_bytes, done_bytes, now_ms - t->looked_ms);
	t->looked_ms = now_ms;
	t->looked_bytes = done_bytes;
}

unsigned
copy_tuning_look(struct copy_tuning *t, uint64_t now_ms, uint64_t done_bytes,
    enum copy_limit held_by)
{
	bool is_new = read_meter(&t->meters[COPY_SOURCE],
	    &t->sides[COPY_SOURCE]);
	uint64_t span_ms = now_ms - t->looked_ms;
	enum copy_limit fills;
	double ratio;

	is_new |= read_meter(&t->meters[COPY_DESTINATION],
	    &t->sides[COPY_DESTINATION]);
	if (held_by != COPY_LIMIT_NONE) {
		(void)what_fills(t, span_ms);
		measure_rate(t, now_ms, done_bytes);
		restart_trial(t, now_ms);
		atomic_store(&t->limit, (int)held_by);
		return t->lanes;
	}
	if (!is_new)
		return t->lanes;
	fills = what_fills(t, span_ms);
	measure_rate(t, now_ms, done_bytes);
	forget_bases(t, now_ms);
	ratio = queueing(t);
	if (ratio > QUEUE_RATIO && t->level > 0 &&
	    now_ms >= t->settled_ms &&
	    (double)t->rate < WORTH_IT * (double)t->rate_before)
		lower_level(t, now_ms);
	else
		raise_or_try(t, now_ms, done_bytes, ratio);
	atomic_store(&t->limit, (int)which_limit(t, ratio, fills));
	return t->lanes;
}
