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

void
copy_spots_init(struct copy_spots *spots, const struct copy_range *range,
    uint32_t ppm, uint64_t seed)
{
	uint64_t n = 100;
	uint64_t k;

	/* Of hundred, as many as in hundred; or one of more. */
	if (ppm < 10000)
		n = (1000000 + ppm - 1) / ppm;
	spots->range = *range;
	spots->stretch = n * COPY_SPOT_SIZE;
	spots->piece = ppm < 10000 ? COPY_SPOT_SIZE :
	    ((uint64_t)ppm + 9999) / 10000 * COPY_SPOT_SIZE;
	k = range->length / spots->stretch / COPY_MAX_SPOTS + 1;
	spots->stretch *= k;
	spots->piece *= k;
	spots->at = 0;
	spots->seed = seed;
}

bool
copy_spots_next(struct copy_spots *spots, struct copy_range *ret_spot)
{
	uint64_t rest = spots->range.length - spots->at;
	uint64_t take;
	uint64_t offset;

	if (rest == 0)
		return false;
	if (rest > spots->stretch)
		rest = spots->stretch;
	take = rest < spots->piece ? rest : spots->piece;
	spots->seed = mix(spots->seed);
	/* Any place may be taken, the last bytes as well. */
	offset = spots->seed % ((rest - take + COPY_SPOT_SIZE - 1) /
	    COPY_SPOT_SIZE + 1) * COPY_SPOT_SIZE;
	if (take > rest - offset)
		take = rest - offset;
	offset += spots->at;
	spots->at += rest;
	*ret_spot = (struct copy_range){
		.from = spots->range.from + offset,
		.length = take,
		.to = spots->range.to + offset,
	};
	return true;
}
