/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/latency.h"

#include "unit.h"

static struct latency latency;

static void
set_up(void)
{
	latency = (struct latency){ 0 };
}

static void
note(unsigned n, uint64_t us)
{
	for (unsigned i = 0; i < n; i++)
		latency_note(&latency, us);
}

START_TEST(nothing_is_known_before_the_first)
{
	ck_assert_uint_eq(latency_mean(&latency), 0);
	ck_assert_uint_eq(latency_percentile(&latency, 99), 0);
}
END_TEST

START_TEST(a_time_is_told_no_more_than_an_eighth_above)
{
	for (uint64_t us = 1; us < 100 * 1000 * 1000; us += us / 100 + 1) {
		uint64_t told;

		latency_forget(&latency);
		note(1, us);
		told = latency_percentile(&latency, 99);
		ck_assert_uint_ge(told, us);
		ck_assert_uint_le(told, us + us / 8);
		ck_assert_uint_eq(latency_mean(&latency), us);
	}
}
END_TEST

START_TEST(one_in_a_hundred_is_not_counted_and_two_are)
{
	note(99, 1000);
	note(1, 500 * 1000);
	ck_assert_uint_le(latency_percentile(&latency, 99), 1125);
	note(1, 500 * 1000);
	ck_assert_uint_ge(latency_percentile(&latency, 99), 500 * 1000);
	ck_assert_uint_le(latency_percentile(&latency, 50), 1125);
}
END_TEST

START_TEST(what_is_long_ago_is_forgotten)
{
	note(100, 500 * 1000);
	note(6 * 512, 1000);
	ck_assert_uint_le(latency_percentile(&latency, 99), 1125);
	ck_assert_uint_le(latency_mean(&latency), 1100);
}
END_TEST

START_TEST(no_count_overflows)
{
	note(1000 * 1000, 1000);
	ck_assert_uint_ge(latency_percentile(&latency, 99), 1000);
	ck_assert_uint_le(latency_percentile(&latency, 99), 1125);
}
END_TEST

START_TEST(any_time_has_a_bucket)
{
	note(1, UINT64_MAX);
	ck_assert_uint_ge(latency_percentile(&latency, 99), 120000000);
	latency_forget(&latency);
	ck_assert_uint_eq(latency_percentile(&latency, 99), 0);
	ck_assert_uint_eq(latency_mean(&latency), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/latency");
	TCase *t = tcase_create("latency");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, nothing_is_known_before_the_first);
	tcase_add_test(t, a_time_is_told_no_more_than_an_eighth_above);
	tcase_add_test(t, one_in_a_hundred_is_not_counted_and_two_are);
	tcase_add_test(t, what_is_long_ago_is_forgotten);
	tcase_add_test(t, no_count_overflows);
	tcase_add_test(t, any_time_has_a_bucket);
	suite_add_tcase(s, t);
	return unit_main(s);
}
