/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/run-map.h"

#include "unit.h"

static struct run_map map;

START_TEST(nothing_known_is_no_stretch)
{
	run_map_make(&map, 0, 0, 0, 0);
	ck_assert_uint_eq(map.n, 0);
	ck_assert_int_eq(run_map_cell(&map, 0, 10), RUN_CELL_TODO);
}
END_TEST

START_TEST(stretches_follow_each_other)
{
	run_map_make(&map, 100, 60, 40, 10);
	ck_assert_uint_eq(map.n, 4);
	ck_assert_uint_eq(map.v[0].from, 0);
	for (size_t i = 1; i < map.n; i++)
		ck_assert_uint_eq(map.v[i].from, map.v[i - 1].to);
	ck_assert_uint_eq(map.v[3].to, 100);
	ck_assert_int_eq(map.v[0].cell, RUN_CELL_DURABLE);
	ck_assert_int_eq(map.v[1].cell, RUN_CELL_DONE);
	ck_assert_int_eq(map.v[2].cell, RUN_CELL_CLAIMED);
	ck_assert_int_eq(map.v[3].cell, RUN_CELL_TODO);
}
END_TEST

START_TEST(figures_that_contradict_each_other_stay_inside)
{
	run_map_make(&map, 100, 20, 500, 700);
	ck_assert_uint_eq(map.n, 1);
	ck_assert_uint_eq(map.v[0].to, 100);
	ck_assert_int_eq(map.v[0].cell, RUN_CELL_DURABLE);
}
END_TEST

START_TEST(a_cell_is_what_most_of_it_is)
{
	run_map_make(&map, 100, 100, 53, 53);
	ck_assert_int_eq(run_map_cell(&map, 0, 10), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_cell(&map, 50, 60), RUN_CELL_CLAIMED);
	ck_assert_int_eq(run_map_cell(&map, 46, 56), RUN_CELL_DURABLE);
	ck_assert_int_eq(run_map_cell(&map, 90, 100), RUN_CELL_CLAIMED);
	/* Of two halves, the one that is less far. */
	ck_assert_int_eq(run_map_cell(&map, 52, 54), RUN_CELL_CLAIMED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/run-map");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, nothing_known_is_no_stretch);
	tcase_add_test(tc, stretches_follow_each_other);
	tcase_add_test(tc, figures_that_contradict_each_other_stay_inside);
	tcase_add_test(tc, a_cell_is_what_most_of_it_is);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
