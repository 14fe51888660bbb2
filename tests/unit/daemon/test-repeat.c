/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/repeat.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct repeat repeat;
static unsigned n_held;

static void
setup(void)
{
	memset(&repeat, 0, sizeof repeat);
}

static bool
passes(enum log_level level, int64_t at_ms, const char *text)
{
	const struct log_about about = { .line = 0 };
	const struct log_record record = { level, at_ms, text, &about };

	return repeat_pass(&repeat, &record, &n_held);
}

START_TEST(the_same_error_passes_once_a_second)
{
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, "full"));
	ck_assert_uint_eq(n_held, 0);
	ck_assert(!passes(LOG_LEVEL_ERROR, 5000, "full"));
	ck_assert(!passes(LOG_LEVEL_ERROR, 5999, "full"));
	ck_assert(passes(LOG_LEVEL_ERROR, 6000, "full"));
	ck_assert_uint_eq(n_held, 2);
	ck_assert(passes(LOG_LEVEL_ERROR, 7000, "full"));
	ck_assert_uint_eq(n_held, 0);
}
END_TEST

START_TEST(another_error_passes_at_once)
{
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, "full"));
	ck_assert(passes(LOG_LEVEL_WARNING, 5000, "empty"));
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, "ful"));
	ck_assert(!passes(LOG_LEVEL_ERROR, 5001, "full"));
}
END_TEST

START_TEST(texts_that_differ_late_are_different)
{
	char a[600], b[600];

	memset(a, 'a', sizeof a);
	a[sizeof a - 1] = '\0';
	memcpy(b, a, sizeof b);
	b[sizeof b - 2] = 'b';
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, a));
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, b));
	ck_assert(!passes(LOG_LEVEL_ERROR, 5000, a));
}
END_TEST

START_TEST(information_is_not_held_back)
{
	ck_assert(passes(LOG_LEVEL_INFO, 5000, "started"));
	ck_assert(passes(LOG_LEVEL_INFO, 5000, "started"));
}
END_TEST

START_TEST(a_clock_that_goes_back_holds_nothing_back)
{
	ck_assert(passes(LOG_LEVEL_ERROR, 900000, "full"));
	ck_assert(passes(LOG_LEVEL_ERROR, 5000, "full"));
}
END_TEST

START_TEST(of_many_texts_the_oldest_is_forgotten)
{
	char text[32];

	for (int i = 0; i <= REPEAT_TEXTS; i++) {
		(void)snprintf(text, sizeof text, "text %d", i);
		ck_assert(passes(LOG_LEVEL_ERROR, 5000 + i, text));
	}
	ck_assert(!passes(LOG_LEVEL_ERROR, 5100, text));
	ck_assert(passes(LOG_LEVEL_ERROR, 5100, "text 0"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/repeat");
	TCase *tc = tcase_create("repeat");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_same_error_passes_once_a_second);
	tcase_add_test(tc, another_error_passes_at_once);
	tcase_add_test(tc, texts_that_differ_late_are_different);
	tcase_add_test(tc, information_is_not_held_back);
	tcase_add_test(tc, a_clock_that_goes_back_holds_nothing_back);
	tcase_add_test(tc, of_many_texts_the_oldest_is_forgotten);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
