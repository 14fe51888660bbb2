/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/latency.h"

#include <stddef.h>

/* How much of the mean a single one is: that of the last dozens. */
#define WEIGHT 16

/* Each bucket is halved after so many: what is old is forgotten. */
#define HALVED_AFTER 512

#define SUB_BITS 3
#define SUBS (1U << SUB_BITS)

/* Those below 2 * SUBS have a bucket of their own each. */
static unsigned
bucket_of(uint64_t us)
{
	unsigned shift, i;

	if (us < SUBS)
		return (unsigned)us;
	shift = 63 - (unsigned)__builtin_clzll(us) - SUB_BITS;
	if (shift >= LATENCY_BUCKETS / SUBS)
		return LATENCY_BUCKETS - 1;
	i = shift * SUBS + (unsigned)(us >> shift);
	return i < LATENCY_BUCKETS ? i : LATENCY_BUCKETS - 1;
}

/* The most that is counted there. */
static uint64_t
limit_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * SUBS)
		return bucket;
	shift = bucket / SUBS - 1;
	return ((bucket % SUBS + SUBS + 1ULL) << shift) - 1;
}

static unsigned
get(const struct latency *l, unsigned i)
{
	return atomic_load_explicit(&l->buckets[i], memory_order_relaxed);
}

/* Nobody else writes it. */
static void
set(struct latency *l, unsigned i, unsigned n)
{
	atomic_store_explicit(&l->buckets[i], (uint16_t)n,
	    memory_order_relaxed);
}

static void
set_mean(struct latency *l, uint64_t us)
{
	atomic_store_explicit(&l->mean_us, us, memory_order_relaxed);
}

void
latency_note(struct latency *l, uint64_t took_us)
{
	uint64_t mean = latency_mean(l);
	unsigned i = bucket_of(took_us);

	set_mean(l, mean == 0 ? took_us :
	    (mean * (WEIGHT - 1) + took_us) / WEIGHT);
	if (l->n_since++ == HALVED_AFTER) {
		for (unsigned k = 0; k < LATENCY_BUCKETS; k++)
			set(l, k, get(l, k) / 2);
		l->n_since = 1;
	}
	set(l, i, get(l, i) + 1);
}

void
latency_forget(struct latency *l)
{
	set_mean(l, 0);
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		set(l, i, 0);
	l->n_since = 0;
}

uint64_t
latency_mean(const struct latency *l)
{
	return atomic_load_explicit(&l->mean_us, memory_order_relaxed);
}

uint64_t
latency_percentile(const struct latency *l, unsigned percent)
{
	unsigned n = 0, above, i = LATENCY_BUCKETS;

	for (unsigned k = 0; k < LATENCY_BUCKETS; k++)
		n += get(l, k);
	if (n == 0)
		return 0;
	/* As many may be above it, and no more. */
	above = n * (100 - percent) / 100;
	for (n = 0; i > 0; i--) {
		n += get(l, i - 1);
		if (n > above)
			return limit_of(i - 1);
	}
	return 0;
}
