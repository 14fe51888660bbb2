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
#define HOLD_MS		5000	/* after a raise was taken back */

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

	if (n < MIN_SAMPLES)
		return false;
	/* A lane may note one in between: it counts half, once. */
	atomic_fetch_sub_explicit(&m->n, n, memory_order_relaxed);
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

/* First larger requests, which cost nothing, then lanes, then depth. */
static bool
raise_level(struct copy_tuning *t)
{
	const struct copy_plan *plan = t->plan;
	uint32_t size = atomic_load(&t->request_size);
	unsigned depth = atomic_load(&t->depth);

	if (size < plan->max_request_size)
		atomic_store(&t->request_size,
		    size > plan->max_request_size / 4 ?
			plan->max_request_size :
			size * 4);
	else if (t->lanes < plan->max_lanes)
		t->lanes = t->lanes > plan->max_lanes / 2 ? plan->max_lanes :
							    t->lanes * 2;
	else if (depth < plan->max_queue_depth)
		atomic_store(&t->depth, depth > plan->max_queue_depth / 2 ?
			plan->max_queue_depth :
			depth * 2);
	else
		return false;
	t->level++;
	t->rate_before = t->rate;
	return true;
}

/* Lanes stay; what each has in flight becomes less. */
static void
lower_level(struct copy_tuning *t, uint64_t now_ms)
{
	const struct copy_plan *plan = t->plan;
	unsigned depth = atomic_load(&t->depth);
	unsigned less = depth / 2 > plan->min_queue_depth ?
	    depth / 2 :
	    plan->min_queue_depth;

	t->level--;
	t->hold_until_ms = now_ms + HOLD_MS;
	if (less < depth)
		atomic_store(&t->depth, less);
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
		return COPY_LIMIT_WINDOW;
	return s->average_us - s->base_us > d->average_us - d->base_us ?
	    COPY_LIMIT_SOURCE :
	    COPY_LIMIT_DESTINATION;
}

static void
measure_rate(struct copy_tuning *t, uint64_t now_ms, uint64_t done_bytes)
{
	uint64_t span = now_ms - t->looked_ms;

	t->rate = (done_bytes - t->looked_bytes) * 1000 / (span ? span : 1);
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
		atomic_store(&t->limit, (int)held_by);
		return t->lanes;
	}
	if (!is_new)
		return t->lanes;
	fills = what_fills(t, span_ms);
	measure_rate(t, now_ms, done_bytes);
	forget_bases(t, now_ms);
	ratio = queueing(t);
	if (ratio < IDLE_RATIO) {
		if (now_ms >= t->hold_until_ms)
			(void)raise_level(t);
	} else if (ratio > QUEUE_RATIO && t->level > 0 &&
	    (double)t->rate < WORTH_IT * (double)t->rate_before) {
		lower_level(t, now_ms);
	}
	atomic_store(&t->limit, (int)which_limit(t, ratio, fills));
	return t->lanes;
}
