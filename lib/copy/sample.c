/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/sample.h"

/* splitmix64: even for seeds that are alike. */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The block with the byte that is number n of what the destination gets. */
static struct copy_sample
sample_at(const struct copy_plan *plan, unsigned target, uint64_t n)
{
	uint64_t block = plan->align > COPY_SAMPLE_SIZE ? plan->align :
							  COPY_SAMPLE_SIZE;
	const struct copy_piece *p = plan->pieces;
	uint64_t left;

	while ((p->targets & ((uint32_t)1 << target)) == 0 || n >= p->length) {
		if ((p->targets & ((uint32_t)1 << target)) != 0)
			n -= p->length;
		p++;
	}
	n -= n % block;
	left = p->length - n;
	return (struct copy_sample){
		.offset = p->to + n,
		.length = (uint32_t)(left < block ? left : block),
	};
}

size_t
copy_samples(const struct copy_plan *plan, unsigned target, uint64_t seed,
    struct copy_sample samples[COPY_MAX_SAMPLES])
{
	uint64_t total = plan->targets[target].total_bytes;
	size_t n = 0;

	if (total == 0)
		return 0;
	samples[n++] = sample_at(plan, target, 0);
	samples[n++] = sample_at(plan, target, total - 1);
	while (n < COPY_MAX_SAMPLES)
		samples[n++] = sample_at(plan, target,
		    (seed = mix(seed)) % total);
	return n;
}
