/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/run-map.h"

#include "unit.h"

static struct run_map map;

static void
tear_down(void)
{
	run_map_done(&map);
}

static void
add(uint64_t offset, uint64_t length, enum run_cell cell)
{
	const struct run_map_stretch s = { offset, length, cell, false };

	ck_assert_int_eq(run_map_add(&map, &s), 0);
}

START_TEST(nothing_known_is_no_stretch)
{
	struct run_map_walk walk = { .map = &map };

	add(0, 0, RUN_CELL_DONE);
	ck_assert_uint_eq(map.n, 0);
	ck_assert_int_eq(run_map_fold(&walk, 10), RUN_CELL_TODO);
}
END_TEST

START_TEST(neighbours_that_are_alike_become_one)
{
	add(0, 10, RUN_CELL_DURABLE);
	add(10, 20, RUN_CELL_DURABLE);
	ck_assert_uint_eq(map.n, 1);
	ck_assert_uint_eq(map.v[0].length, 30);
	add(30, 5, RUN_CELL_DONE);
	/* Not next to it on the source. */
	add(40, 5, RUN_CELL_DONE);
	ck_assert_uint_eq(map.n, 3);
	ck_assert_uint_eq(map.size, 40);
}
END_TEST

START_TEST(zeroes_behind_the_source_are_kept_apart)
{
	const struct run_map_stretch rest = { 10, 10, RUN_CELL_DONE, true };

	add(0, 10, RUN_CELL_DONE);
	ck_assert_int_eq(run_map_add(&map, &rest), 0);
	ck_assert_uint_eq(map.n, 2);
}
END_TEST

START_TEST(zeroes_are_durable_and_told_apart_where_they_are_most)
{
	struct run_map_walk walk = { .map = &map };

	add(0, 40, RUN_CELL_TODO);
	add(40, 25, RUN_CELL_DURABLE);
	add(65, 35, RUN_CELL_ZERO);
	add(100, 60, RUN_CELL_DURABLE);
	add(160, 40, RUN_CELL_ZERO);
	add(200, 60, RUN_CELL_TODO);
	add(260, 40, RUN_CELL_ZERO);
	ck_assert_int_eq(run_map_fold(&walk, 100), RUN_CELL_ZERO);
	ck_assert_int_eq(run_map_fold(&walk, 200), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 300), RUN_CELL_TODO);
}
END_TEST

START_TEST(a_cell_is_what_most_of_it_is)
{
	struct run_map_walk walk = { .map = &map };

	add(0, 53, RUN_CELL_DURABLE);
	add(53, 47, RUN_CELL_CLAIMED);
	ck_assert_int_eq(run_map_fold(&walk, 10), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 46), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 52), RUN_CELL_DURABLE);
	/* Of two halves, the one that is less far. */
	ck_assert_int_eq(run_map_fold(&walk, 54), RUN_CELL_CLAIMED);
	ck_assert_int_eq(run_map_fold(&walk, 100), RUN_CELL_CLAIMED);
	ck_assert_int_eq(run_map_fold(&walk, 110), RUN_CELL_TODO);
}
END_TEST

START_TEST(a_byte_that_was_skipped_is_seen_in_any_cell)
{
	struct run_map_walk walk = { .map = &map };

	add(0, 70, RUN_CELL_DURABLE);
	add(70, 1, RUN_CELL_ERROR);
	add(71, 129, RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 50), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 100), RUN_CELL_ERROR);
	ck_assert_int_eq(run_map_fold(&walk, 200), RUN_CELL_DURABLE);
}
END_TEST

START_TEST(so_is_one_that_differs_but_where_another_was_skipped)
{
	struct run_map_walk walk = { .map = &map };

	add(0, 99, RUN_CELL_DURABLE);
	add(99, 2, RUN_CELL_DIFFERS);
	add(101, 98, RUN_CELL_DURABLE);
	add(199, 1, RUN_CELL_ERROR);
	ck_assert_int_eq(run_map_fold(&walk, 99), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_fold(&walk, 100), RUN_CELL_DIFFERS);
	ck_assert_int_eq(run_map_fold(&walk, 200), RUN_CELL_ERROR);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/run-map");
	TCase *tc = tcase_create("map");

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, nothing_known_is_no_stretch);
	tcase_add_test(tc, neighbours_that_are_alike_become_one);
	tcase_add_test(tc, zeroes_behind_the_source_are_kept_apart);
	tcase_add_test(tc,
	    zeroes_are_durable_and_told_apart_where_they_are_most);
	tcase_add_test(tc, a_cell_is_what_most_of_it_is);
	tcase_add_test(tc, a_byte_that_was_skipped_is_seen_in_any_cell);
	tcase_add_test(tc,
	    so_is_one_that_differs_but_where_another_was_skipped);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
