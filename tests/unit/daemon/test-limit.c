/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/limit.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct limit limit;
static char job[CONF_NAME_SIZE];
static unsigned n;

static void
setup(void)
{
	memset(&limit, 0, sizeof limit);
}

static bool
passes(const char *name, const struct log_message *message, int64_t at_ms)
{
	const struct log_about about = { .job = name, .message = message };
	const struct log_record record = { LOG_LEVEL_INFO, at_ms, "text",
		&about };

	return limit_pass(&limit, &record);
}

/* How many of so many do. */
static unsigned
count(const char *name, unsigned n_tried, int64_t at_ms)
{
	unsigned n_passed = 0;

	for (unsigned i = 0; i < n_tried; i++)
		n_passed += passes(name, NULL, at_ms);
	return n_passed;
}

START_TEST(job_has_so_many_messages_in_its_time)
{
	ck_assert_uint_eq(count("a", LIMIT_MESSAGES, 5000), LIMIT_MESSAGES);
	ck_assert(!passes("a", NULL, 5000));
	ck_assert(!passes("a", NULL, 5000 + LIMIT_MS - 1));
	ck_assert(passes("a", NULL, 5000 + LIMIT_MS));
}
END_TEST

START_TEST(what_was_left_out_is_told_once_when_the_time_is_over)
{
	(void)count("a", LIMIT_MESSAGES + 7, 5000);
	ck_assert(!limit_next_over(&limit, 5000 + LIMIT_MS - 1, job, &n));
	ck_assert(limit_next_over(&limit, 5000 + LIMIT_MS, job, &n));
	ck_assert_str_eq(job, "a");
	ck_assert_uint_eq(n, 7);
	ck_assert(!limit_next_over(&limit, 5000 + LIMIT_MS, job, &n));
}
END_TEST

START_TEST(others_are_not_held_back)
{
	(void)count("a", LIMIT_MESSAGES + 1, 5000);
	ck_assert(passes("b", NULL, 5000));
	ck_assert_uint_eq(count(NULL, 2 * LIMIT_MESSAGES, 5000),
	    2 * LIMIT_MESSAGES);
}
END_TEST

START_TEST(who_did_what_is_never_left_out)
{
	(void)count("a", LIMIT_MESSAGES + 1, 5000);
	ck_assert(passes("a", &messages[MSG_CONTROL], 5000));
	ck_assert(!passes("a", &messages[MSG_RUN_FAILED], 5000));
}
END_TEST

START_TEST(a_clock_that_goes_back_holds_nothing_back)
{
	(void)count("a", LIMIT_MESSAGES + 1, 900000);
	ck_assert(passes("a", NULL, 5000));
}
END_TEST

START_TEST(of_many_jobs_the_one_that_spoke_first_is_forgotten)
{
	char name[16];

	for (int i = 0; i <= LIMIT_JOBS; i++) {
		(void)snprintf(name, sizeof name, "job%d", i);
		(void)count(name, LIMIT_MESSAGES, 5000 + i);
	}
	ck_assert(!passes(name, NULL, 5100));
	ck_assert(!passes("job1", NULL, 5100));
	ck_assert(passes("job0", NULL, 5100));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/limit");
	TCase *tc = tcase_create("limit");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, job_has_so_many_messages_in_its_time);
	tcase_add_test(tc,
	    what_was_left_out_is_told_once_when_the_time_is_over);
	tcase_add_test(tc, others_are_not_held_back);
	tcase_add_test(tc, who_did_what_is_never_left_out);
	tcase_add_test(tc, a_clock_that_goes_back_holds_nothing_back);
	tcase_add_test(tc, of_many_jobs_the_one_that_spoke_first_is_forgotten);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
