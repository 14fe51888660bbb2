/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/backoff.h"

#include "unit.h"

#define MIN 100
#define MAX 10000

/* Without chance: in the middle of what it may be. */
static uint64_t
middle(unsigned n_tries, uint32_t delay)
{
	return backoff_ms(MIN, MAX, n_tries, delay / 2);
}

START_TEST(each_try_waits_twice_as_long)
{
	ck_assert_uint_eq(middle(0, 100), 100);
	ck_assert_uint_eq(middle(1, 200), 200);
	ck_assert_uint_eq(middle(2, 400), 400);
	ck_assert_uint_eq(middle(6, 6400), 6400);
}
END_TEST

START_TEST(but_there_is_a_longest)
{
	ck_assert_uint_eq(middle(7, MAX), MAX);
	ck_assert_uint_eq(middle(1000000, MAX), MAX);
	ck_assert_uint_eq(middle(UINT32_MAX, MAX), MAX);
}
END_TEST

START_TEST(chance_makes_it_half_as_long_or_half_as_much_longer)
{
	ck_assert_uint_eq(backoff_ms(MIN, MAX, 2, 0), 200);
	ck_assert_uint_eq(backoff_ms(MIN, MAX, 2, 399), 599);
	ck_assert_uint_eq(backoff_ms(MIN, MAX, 2, 400), 200);
	for (uint32_t random = 0; random < 100000; random += 7)
		ck_assert(backoff_ms(MIN, MAX, 3, random) >= 400 &&
		    backoff_ms(MIN, MAX, 3, random) < 1200);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/backoff");
	TCase *t = tcase_create("backoff");

	tcase_add_test(t, each_try_waits_twice_as_long);
	tcase_add_test(t, but_there_is_a_longest);
	tcase_add_test(t, chance_makes_it_half_as_long_or_half_as_much_longer);
	suite_add_tcase(s, t);
	return unit_main(s);
}
