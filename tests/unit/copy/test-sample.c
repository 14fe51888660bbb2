/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/sample.h"

#include "unit.h"

static struct copy_piece pieces[] = {
	{ .to = 8192, .length = 4096 + 100, .targets = 1 },
	{ .to = 65536, .length = 1 << 20, .targets = 2 },
	{ .to = 16384, .length = 10000, .targets = 3 },
};

static struct copy_plan plan = {
	.n_targets = 2,
	.pieces = pieces,
	.n_pieces = 3,
	.align = 1,
	.targets = { { .total_bytes = 4096 + 100 + 10000 },
	    { .total_bytes = (1 << 20) + 10000 } },
};

static struct copy_sample samples[COPY_MAX_SAMPLES];

START_TEST(the_first_and_the_last_block_are_among_them)
{
	ck_assert_uint_eq(copy_samples(&plan, 0, 1, samples),
	    COPY_MAX_SAMPLES);
	ck_assert_uint_eq(samples[0].offset, 8192);
	ck_assert_uint_eq(samples[0].length, 4096);
	ck_assert_uint_eq(samples[1].offset, 16384 + 8192);
	ck_assert_uint_eq(samples[1].length, 10000 - 8192);
}
END_TEST

START_TEST(they_lie_in_what_the_destination_gets)
{
	size_t i;

	(void)copy_samples(&plan, 0, 7, samples);
	for (i = 0; i < COPY_MAX_SAMPLES; i++) {
		const struct copy_sample *s = &samples[i];

		ck_assert((s->offset >= 8192 &&
			      s->offset + s->length <= 8192 + 4096 + 100) ||
		    (s->offset >= 16384 &&
			s->offset + s->length <= 16384 + 10000));
		ck_assert_uint_gt(s->length, 0);
	}
}
END_TEST

START_TEST(they_are_whole_blocks)
{
	size_t i;

	plan.align = 65536;
	(void)copy_samples(&plan, 1, 7, samples);
	for (i = 0; i < COPY_MAX_SAMPLES; i++)
		if (samples[i].offset >= 65536)
			ck_assert(samples[i].offset % 65536 == 0 &&
			    samples[i].length == 65536);
}
END_TEST

START_TEST(a_seed_decides_which)
{
	struct copy_sample others[COPY_MAX_SAMPLES];
	unsigned n_same = 0;
	size_t i;

	(void)copy_samples(&plan, 1, 7, samples);
	(void)copy_samples(&plan, 1, 7, others);
	ck_assert_mem_eq(samples, others, sizeof others);
	(void)copy_samples(&plan, 1, 8, others);
	for (i = 2; i < COPY_MAX_SAMPLES; i++)
		n_same += samples[i].offset == others[i].offset;
	ck_assert_uint_lt(n_same, COPY_MAX_SAMPLES / 2);
}
END_TEST

START_TEST(nothing_has_no_samples)
{
	const struct copy_plan empty = { .n_targets = 1, .align = 1 };

	ck_assert_uint_eq(copy_samples(&empty, 0, 1, samples), 0);
}
END_TEST

/* All spots of a range; checks that they are in order and in the range. */
static uint64_t
walk(const struct copy_range *range, uint32_t ppm, uint64_t seed,
    uint64_t *ret_n, uint64_t *ret_end)
{
	struct copy_spots spots;
	struct copy_range spot;
	uint64_t end = range->from;
	uint64_t total = 0;

	*ret_n = 0;
	copy_spots_init(&spots, range, ppm, seed);
	while (copy_spots_next(&spots, &spot)) {
		ck_assert_uint_ge(spot.from, end);
		ck_assert_uint_gt(spot.length, 0);
		ck_assert_uint_eq((spot.from - range->from) % COPY_SPOT_SIZE,
		    0);
		ck_assert_uint_eq(spot.from - range->from,
		    spot.to - range->to);
		end = spot.from + spot.length;
		total += spot.length;
		++*ret_n;
	}
	ck_assert_uint_le(end, range->from + range->length);
	*ret_end = end;
	return total;
}

START_TEST(a_sample_is_as_large_as_was_wished)
{
	static const struct {
		uint64_t length;
		uint32_t ppm;
		uint64_t n;
		uint64_t mib;
	} cases[] = {
		{ 10ULL << 30, 10000, 103, 103 },
		{ 100ULL << 20, 10000, 1, 1 },
		{ 100ULL << 20, 600000, 1, 60 },
		{ 1000ULL << 20, 100, 1, 1 },
		{ 100000ULL << 20, 100, 10, 10 },
		{ 5ULL << 20, 1000000, 1, 5 },
		/* 16 TiB in at most so many pieces. */
		{ 16ULL << 40, 10000, 7990, 7990 * 21 },
	};
	uint64_t n, end;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct copy_range range = { 512, cases[i].length, 1 };
		uint64_t total = walk(&range, cases[i].ppm, 7, &n, &end);

		ck_assert_uint_le(n, COPY_MAX_SPOTS);
		ck_assert_uint_eq(n, cases[i].n);
		ck_assert_uint_eq(total >> 20, cases[i].mib);
	}
}
END_TEST

START_TEST(any_place_may_be_in_a_sample)
{
	const struct copy_range range = { 0, (3 << 20) + 100, 0 };
	bool seen[4] = { false };
	uint64_t n, end;

	for (uint64_t seed = 0; seed < 200; seed++) {
		(void)walk(&range, 1, seed, &n, &end);
		ck_assert_uint_eq(n, 1);
		seen[(end - 1) >> 20] = true;
	}
	ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
}
END_TEST

START_TEST(the_smallest_range_has_a_sample)
{
	const struct copy_range range = { 0, 1, 0 };
	const struct copy_range none = { 0, 0, 0 };
	uint64_t n, end;

	ck_assert_uint_eq(walk(&range, 1, 1, &n, &end), 1);
	ck_assert_uint_eq(walk(&none, 1, 1, &n, &end), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/sample");
	TCase *t = tcase_create("sample");

	tcase_add_test(t, a_sample_is_as_large_as_was_wished);
	tcase_add_test(t, any_place_may_be_in_a_sample);
	tcase_add_test(t, the_smallest_range_has_a_sample);
	tcase_add_test(t, the_first_and_the_last_block_are_among_them);
	tcase_add_test(t, they_lie_in_what_the_destination_gets);
	tcase_add_test(t, they_are_whole_blocks);
	tcase_add_test(t, a_seed_decides_which);
	tcase_add_test(t, nothing_has_no_samples);
	suite_add_tcase(s, t);
	return unit_main(s);
}
