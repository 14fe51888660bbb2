/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/dirty.h"

#include <stdlib.h>

#include "unit.h"

#define KiB UINT64_C(1024)
#define BLOCK (64 * KiB)

static void
add(struct dirty *d, uint64_t offset, uint64_t length)
{
	dirty_add(d, "qemu:dirty-bitmap:x", offset, length, 1);
}

static void
assert_range(const struct dirty *d, size_t i, uint64_t from, uint64_t length)
{
	ck_assert_uint_lt(i, d->n);
	ck_assert_uint_eq(d->v[i].from, from);
	ck_assert_uint_eq(d->v[i].length, length);
	ck_assert_uint_eq(d->v[i].to, from);
}

START_TEST(a_range_is_whole_blocks_within_the_disk)
{
	struct dirty d = { .size = 10 * BLOCK + 100 };

	add(&d, BLOCK + 512, 512);
	add(&d, 10 * BLOCK, 100);
	ck_assert_uint_eq(d.n, 2);
	assert_range(&d, 0, BLOCK, BLOCK);
	assert_range(&d, 1, 10 * BLOCK, 100);
	free(d.v);
}
END_TEST

START_TEST(what_is_clean_is_no_range)
{
	struct dirty d = { .size = 10 * BLOCK };

	dirty_add(&d, "", 0, 10 * BLOCK, 0);
	ck_assert_uint_eq(d.n, 0);
	free(d.v);
}
END_TEST

START_TEST(ranges_that_meet_or_overlap_become_one)
{
	struct dirty d = { .size = 10 * BLOCK };

	add(&d, 512, 512);
	add(&d, 2048, 512);
	add(&d, BLOCK, 2 * BLOCK + 1);
	add(&d, 5 * BLOCK, BLOCK);
	ck_assert_uint_eq(d.n, 2);
	assert_range(&d, 0, 0, 4 * BLOCK);
	assert_range(&d, 1, 5 * BLOCK, BLOCK);
	free(d.v);
}
END_TEST

/* No byte that is dirty is ever left out. */
START_TEST(too_many_ranges_get_coarser)
{
	struct dirty d = { .size = 4000 * BLOCK, .max = 8 };
	uint64_t covered = 0;

	for (unsigned i = 0; i < 1000; i++)
		add(&d, (4 * i + i % 3) * BLOCK, BLOCK);
	ck_assert_uint_le(d.n, 8);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t at = (4 * i + i % 3) * BLOCK;

		for (size_t k = 0; k < d.n; k++)
			if (at >= d.v[k].from &&
			    at + BLOCK <= d.v[k].from + d.v[k].length)
				covered++;
	}
	ck_assert_uint_eq(covered, 1000);
	for (size_t k = 1; k < d.n; k++)
		ck_assert_uint_gt(d.v[k].from,
		    d.v[k - 1].from + d.v[k - 1].length);
	free(d.v);
}
END_TEST

START_TEST(far_ones_stay_apart_when_near_ones_meet)
{
	struct dirty d = { .size = 4000 * BLOCK, .max = 3 };

	add(&d, 0, BLOCK);
	add(&d, 2 * BLOCK, BLOCK);
	add(&d, 1000 * BLOCK, BLOCK);
	add(&d, 2000 * BLOCK, BLOCK);
	ck_assert_uint_eq(d.n, 3);
	assert_range(&d, 0, 0, 3 * BLOCK);
	assert_range(&d, 1, 1000 * BLOCK, BLOCK);
	assert_range(&d, 2, 2000 * BLOCK, BLOCK);
	free(d.v);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/dirty");
	TCase *tc = tcase_create("dirty");

	tcase_add_test(tc, a_range_is_whole_blocks_within_the_disk);
	tcase_add_test(tc, what_is_clean_is_no_range);
	tcase_add_test(tc, ranges_that_meet_or_overlap_become_one);
	tcase_add_test(tc, too_many_ranges_get_coarser);
	tcase_add_test(tc, far_ones_stay_apart_when_near_ones_meet);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
