/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MANY 100

static struct ranges set;

static void
setup(void)
{
	ranges_init(&set);
}

static void
teardown(void)
{
	ranges_done(&set);
}

START_TEST(the_empty_set_covers_nothing_but_nothing)
{
	ck_assert(!ranges_cover(&set, 0, 1));
	ck_assert(ranges_cover(&set, 5, 0));
}
END_TEST

START_TEST(neighbours_become_one_range)
{
	ck_assert_int_eq(ranges_add_new(&set, 10, 10, MANY), 0);
	ck_assert_int_eq(ranges_add_new(&set, 30, 10, MANY), 0);
	ck_assert_uint_eq(set.n, 2);
	ck_assert(!ranges_cover(&set, 10, 30));
	ck_assert_int_eq(ranges_add_new(&set, 20, 10, MANY), 0);
	ck_assert_uint_eq(set.n, 1);
	ck_assert(ranges_cover(&set, 10, 30));
	ck_assert(!ranges_cover(&set, 10, 31));
	ck_assert(!ranges_cover(&set, 9, 2));
}
END_TEST

START_TEST(a_range_grows_to_either_side)
{
	ck_assert_int_eq(ranges_add_new(&set, 10, 10, MANY), 0);
	ck_assert_int_eq(ranges_add_new(&set, 5, 5, MANY), 0);
	ck_assert_int_eq(ranges_add_new(&set, 20, 5, MANY), 0);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.v[0].offset, 5);
	ck_assert_uint_eq(set.v[0].len, 20);
}
END_TEST

START_TEST(an_overlap_is_refused_and_changes_nothing)
{
	static const struct range overlaps[] = { { 9, 2 }, { 10, 1 },
		{ 19, 1 }, { 15, 100 }, { 0, 100 } };

	ck_assert_int_eq(ranges_add_new(&set, 10, 10, MANY), 0);
	for (size_t i = 0; i < sizeof overlaps / sizeof overlaps[0]; i++)
		ck_assert_int_eq(ranges_add_new(&set, overlaps[i].offset,
		    overlaps[i].len, MANY), -EEXIST);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.v[0].len, 10);
}
END_TEST

START_TEST(an_end_that_wraps_is_refused)
{
	ck_assert_int_eq(ranges_add_new(&set, UINT64_MAX, 2, MANY),
	    -EOVERFLOW);
	ck_assert_int_eq(ranges_add_new(&set, UINT64_MAX - 1, 1, MANY), 0);
	ck_assert(ranges_cover(&set, UINT64_MAX - 1, 1));
	ck_assert(!ranges_cover(&set, UINT64_MAX - 1, UINT64_MAX));
}
END_TEST

START_TEST(a_peer_cannot_make_the_set_grow_without_bound)
{
	ck_assert_int_eq(ranges_add_new(&set, 0, 1, 2), 0);
	ck_assert_int_eq(ranges_add_new(&set, 2, 1, 2), 0);
	ck_assert_int_eq(ranges_add_new(&set, 4, 1, 2), -E2BIG);
	/* What merges needs no room. */
	ck_assert_int_eq(ranges_add_new(&set, 3, 1, 2), 0);
	ck_assert_int_eq(ranges_add_new(&set, 1, 1, 2), 0);
	ck_assert(ranges_cover(&set, 0, 4));
}
END_TEST

START_TEST(an_empty_range_is_nothing)
{
	ck_assert_int_eq(ranges_add_new(&set, 3, 0, MANY), 0);
	ck_assert_uint_eq(set.n, 0);
}
END_TEST

START_TEST(a_cleared_set_can_be_filled_again)
{
	ck_assert_int_eq(ranges_add_new(&set, 3, 3, MANY), 0);
	ranges_clear(&set);
	ck_assert(!ranges_cover(&set, 3, 1));
	ck_assert_int_eq(ranges_add_new(&set, 3, 3, MANY), 0);
}
END_TEST

/* Against the simplest model there is, a byte per byte. */
START_TEST(random_ranges_agree_with_a_plain_map)
{
	bool map[256] = { false };
	unsigned seed = (unsigned)_i;

	for (int step = 0; step < 300; step++) {
		size_t offset = (size_t)rand_r(&seed) % 240;
		size_t len = (size_t)rand_r(&seed) % 16;
		bool is_free = true;
		int r = ranges_add_new(&set, offset, len, 1000);

		for (size_t i = offset; i < offset + len; i++)
			is_free = is_free && !map[i];
		ck_assert_int_eq(r, is_free ? 0 : -EEXIST);
		for (size_t i = offset; is_free && i < offset + len; i++)
			map[i] = true;
	}
	for (size_t i = 0; i < 256; i++)
		ck_assert_int_eq(ranges_cover(&set, i, 1), map[i]);
	for (size_t i = 1; i < set.n; i++)
		ck_assert_uint_lt(set.v[i - 1].offset + set.v[i - 1].len,
		    set.v[i].offset);
}
END_TEST

static void
holds_what_the_map_does(const bool map[256])
{
	uint64_t total = 0;

	for (size_t i = 0; i < 256; i++) {
		ck_assert_int_eq(ranges_cover(&set, i, 1), map[i]);
		total += map[i];
	}
	ck_assert_uint_eq(ranges_total(&set), total);
	for (size_t i = 1; i < set.n; i++)
		ck_assert_uint_lt(set.v[i - 1].offset + set.v[i - 1].len,
		    set.v[i].offset);
}

START_TEST(adding_and_removing_agree_with_a_plain_map)
{
	unsigned seed = (unsigned)_i;
	bool map[256] = { false };

	for (unsigned n = 0; n < 300; n++) {
		size_t offset = (size_t)rand_r(&seed) % 240;
		size_t len = (size_t)rand_r(&seed) % 16;
		bool adds = rand_r(&seed) % 2;

		ck_assert_int_eq(adds ? ranges_add(&set, offset, len) :
					ranges_remove(&set, offset, len), 0);
		memset(map + offset, adds, len);
		holds_what_the_map_does(map);
	}
}
END_TEST

START_TEST(runs_tell_where_the_set_begins_and_ends)
{
	bool is_in;

	ck_assert_int_eq(ranges_add(&set, 10, 10), 0);
	ck_assert_uint_eq(ranges_run_at(&set, 0, 100, &is_in), 10);
	ck_assert(!is_in);
	ck_assert_uint_eq(ranges_run_at(&set, 12, 100, &is_in), 8);
	ck_assert(is_in);
	ck_assert_uint_eq(ranges_run_at(&set, 12, 3, &is_in), 3);
	ck_assert(is_in);
	ck_assert_uint_eq(ranges_run_at(&set, 20, 7, &is_in), 7);
	ck_assert(!is_in);
}
END_TEST

START_TEST(one_set_is_added_to_another)
{
	struct ranges other;

	ranges_init(&other);
	ck_assert_int_eq(ranges_add(&set, 10, 10), 0);
	ck_assert_int_eq(ranges_add(&other, 0, 5), 0);
	ck_assert_int_eq(ranges_add(&other, 15, 15), 0);
	ck_assert_int_eq(ranges_add_all(&set, &other), 0);
	ck_assert_uint_eq(set.n, 2);
	ck_assert(ranges_cover(&set, 10, 20));
	ck_assert_uint_eq(ranges_total(&set), 25);
	ranges_done(&other);
}
END_TEST

START_TEST(bounds_are_checked_without_wrapping)
{
	ck_assert(range_is_within(10, 5, 10, 5));
	ck_assert(range_is_within(15, 0, 10, 5));
	ck_assert(!range_is_within(16, 0, 10, 5));
	ck_assert(!range_is_within(9, 5, 10, 5));
	ck_assert(!range_is_within(11, 5, 10, 5));
	ck_assert(!range_is_within(UINT64_MAX, 2, 0, UINT64_MAX));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/ranges");
	TCase *tc = tcase_create("ranges");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_empty_set_covers_nothing_but_nothing);
	tcase_add_test(tc, neighbours_become_one_range);
	tcase_add_test(tc, a_range_grows_to_either_side);
	tcase_add_test(tc, an_overlap_is_refused_and_changes_nothing);
	tcase_add_test(tc, an_end_that_wraps_is_refused);
	tcase_add_test(tc, a_peer_cannot_make_the_set_grow_without_bound);
	tcase_add_test(tc, an_empty_range_is_nothing);
	tcase_add_test(tc, a_cleared_set_can_be_filled_again);
	tcase_add_loop_test(tc, random_ranges_agree_with_a_plain_map, 0, 20);
	tcase_add_loop_test(tc, adding_and_removing_agree_with_a_plain_map, 0,
	    20);
	tcase_add_test(tc, runs_tell_where_the_set_begins_and_ends);
	tcase_add_test(tc, one_set_is_added_to_another);
	tcase_add_test(tc, bounds_are_checked_without_wrapping);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
