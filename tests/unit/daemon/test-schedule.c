/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schedules: what cron's five fields mean, in summer, in winter and between;
 * windows, jitter, what was missed, and clocks that jump.
 */
#include "schedule/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"

#define HOUR 3600
#define DAY  86400

static void
set_up(void)
{
	/* As in Berlin: forward on March 29, 2026, back on October 25. */
	ck_assert_int_eq(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
}

/* "2026-11-23 02:00", of what comes twice the first. */
static int64_t
local(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return mktime(&tm);
}

static int64_t
utc(const char *text)
{
	struct tm tm = { .tm_sec = 0 };

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return timegm(&tm);
}

static struct cron
cron(const char *text)
{
	struct cron c = { .minutes = 0 };

	ck_assert_msg(cron_parse(text, &c) == 0, "%s", text);
	return c;
}

static const char *const wrong[] = {
	"", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *",
	"* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8",
	"-1 * * * *", "1- * * * *", "5-1 * * * *", "*/0 * * * *", "/5 * * * *",
	"1,,2 * * * *", "1, * * * *", "5/10 * * * *", "a * * * *",
	"* * * janu *", "* * * * mond", "0 2 * * *x", "@never", "@dailyx",
	"0 0 30 2 *", "0 0 31 4,6,9,11 *", "0000 * * * *", "1 2 3 4 5 ,",
};

START_TEST(text_that_is_no_time_is_refused)
{
	struct cron c;

	ck_assert_msg(cron_parse(wrong[_i], &c) == -EINVAL, "%s", wrong[_i]);
}
END_TEST

static const struct {
	const char *cron;
	const char *after;
	const char *next;
} nexts[] = {
	{ "* * * * *", "2026-11-23 02:00", "2026-11-23 02:01" },
	{ "0 2 * * *", "2026-11-23 01:59", "2026-11-23 02:00" },
	{ "0 2 * * *", "2026-11-23 02:00", "2026-11-24 02:00" },
	{ " 0\t2  * * * ", "2026-11-23 02:00", "2026-11-24 02:00" },
	{ "@daily", "2026-12-31 23:59", "2027-01-01 00:00" },
	{ "@Hourly", "2026-12-31 23:00", "2027-01-01 00:00" },
	{ "@weekly", "2026-11-23 00:00", "2026-11-29 00:00" },
	{ "@monthly", "2026-11-01 00:00", "2026-12-01 00:00" },
	{ "@yearly", "2026-01-01 00:00", "2027-01-01 00:00" },
	{ "*/15 * * * *", "2026-11-23 02:50", "2026-11-23 03:00" },
	{ "5-59/20 * * * *", "2026-11-23 02:26", "2026-11-23 02:45" },
	{ "0 8-18/5,22 * * *", "2026-11-23 13:00", "2026-11-23 18:00" },
	{ "0 8-18/5,22 * * *", "2026-11-23 18:00", "2026-11-23 22:00" },
	{ "0 0 * jan,MAR *", "2026-01-31 00:00", "2026-03-01 00:00" },
	{ "0 4 * * sun", "2026-11-23 00:00", "2026-11-29 04:00" },
	{ "0 4 * * 7", "2026-11-23 00:00", "2026-11-29 04:00" },
	{ "0 4 * * mon-fri", "2026-11-27 04:00", "2026-11-30 04:00" },
	/* Either day will do, if both are restricted. */
	{ "0 0 13 * fri", "2026-11-12 12:00", "2026-11-13 00:00" },
	{ "0 0 13 * fri", "2026-11-13 00:00", "2026-11-20 00:00" },
	{ "0 0 */2 * 1", "2026-11-23 00:00", "2026-12-07 00:00" },
	{ "0 0 31 * *", "2026-11-23 00:00", "2026-12-31 00:00" },
	{ "0 0 29 2 *", "2026-11-23 00:00", "2028-02-29 00:00" },
	{ "0 0 29 2 *", "2096-02-29 00:00", "2104-02-29 00:00" },
	/* The clock goes from 2:00 to 3:00. */
	{ "0 2 * * *", "2026-03-28 02:00", "2026-03-29 03:00" },
	{ "30 2 * * *", "2026-03-28 02:30", "2026-03-29 03:00" },
	{ "*/10 2 * * *", "2026-03-29 01:59", "2026-03-29 03:00" },
	{ "*/10 2 * * *", "2026-03-29 03:00", "2026-03-30 02:00" },
	{ "0 3 * * *", "2026-03-29 01:00", "2026-03-29 03:00" },
	{ "0 2,3 * * *", "2026-03-29 03:00", "2026-03-30 02:00" },
	{ "0 4 * * *", "2026-03-28 04:00", "2026-03-29 04:00" },
};

START_TEST(next_time_is_the_one_on_the_wall)
{
	struct cron c = cron(nexts[_i].cron);
	int64_t next = cron_next(&c, local(nexts[_i].after));

	ck_assert_msg(next == local(nexts[_i].next), "%s after %s: %ld, "
	    "wanted %s", nexts[_i].cron, nexts[_i].after, (long)next,
	    nexts[_i].next);
}
END_TEST

START_TEST(hour_that_comes_twice_counts_the_first_time)
{
	struct cron c = cron("30 2 * * *");
	/* 2:30 is 0:30 UTC in summer, and 1:30 UTC in winter. */
	int64_t first = cron_next(&c, utc("2026-10-24 20:00"));

	ck_assert_int_eq(first, utc("2026-10-25 00:30"));
	ck_assert_int_eq(cron_next(&c, first), utc("2026-10-26 01:30"));
	/* From between the two as well. */
	ck_assert_int_eq(cron_next(&c, utc("2026-10-25 01:10")),
	    utc("2026-10-26 01:30"));
	c = cron("*/30 * * * *");
	ck_assert_int_eq(cron_next(&c, utc("2026-10-25 00:30")),
	    utc("2026-10-25 02:00"));
}
END_TEST

START_TEST(clock_put_back_at_midnight_gives_a_day_its_times_once)
{
	struct cron c = cron("15 23 * * *");

	/* Back at 0:00 to 23:00, on October 25. */
	ck_assert_int_eq(setenv("TZ", "AAA3BBB,M10.4.0/0,M3.4.0/0", 1), 0);
	tzset();
	for (int64_t at = utc("2026-01-01 00:00"), n = 0; n < 300; n++) {
		int64_t next = cron_next(&c, at);

		ck_assert_int_ge(next - at, n == 0 ? 1 : DAY - HOUR);
		ck_assert_int_le(next - at, DAY + HOUR);
		at = next;
	}
}
END_TEST

static struct schedule
daily(void)
{
	return (struct schedule){ .has_cron = true,
		.cron = cron("0 2 * * *"), .catch_up = true };
}

/* Look every five minutes from `from` to `to`; returns how often it ran. */
static unsigned
count_runs(const struct schedule *s, int64_t from, int64_t to, int64_t *done)
{
	unsigned n = 0;

	for (int64_t now = from; now < to; now += 300) {
		enum schedule_verdict v = schedule_look(s, now, done);

		n += v == SCHEDULE_RUN || v == SCHEDULE_CATCH_UP;
	}
	return n;
}

START_TEST(year_of_days_has_as_many_runs)
{
	struct schedule s = daily();
	int64_t from = local("2026-01-01 00:00");
	int64_t done = from;

	ck_assert_uint_eq(count_runs(&s, from, local("2027-01-01 00:00"),
	    &done), 365);
}
END_TEST

START_TEST(clock_that_goes_back_a_day_runs_nothing_twice)
{
	struct schedule s = daily();
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon - DAY;

	ck_assert_uint_eq(count_runs(&s, noon - DAY, noon, &done), 1);
	/* It is yesterday again, until the day after tomorrow. */
	ck_assert_uint_eq(count_runs(&s, noon - DAY, noon, &done), 0);
	ck_assert_uint_eq(count_runs(&s, noon, noon + 2 * DAY, &done), 2);
}
END_TEST

START_TEST(clock_that_goes_forward_a_day_runs_what_it_missed_once)
{
	struct schedule s = daily();
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon;

	ck_assert_int_eq(schedule_look(&s, noon, &done), SCHEDULE_WAIT);
	ck_assert_int_eq(schedule_look(&s, noon + 5 * DAY, &done),
	    SCHEDULE_CATCH_UP);
	ck_assert_int_eq(schedule_look(&s, noon + 5 * DAY + 1, &done),
	    SCHEDULE_WAIT);
	/* And back. */
	ck_assert_uint_eq(count_runs(&s, noon + 4 * DAY, noon + 5 * DAY,
	    &done), 0);
	ck_assert_uint_eq(count_runs(&s, noon + 5 * DAY, noon + 6 * DAY,
	    &done), 1);
}
END_TEST

START_TEST(clock_that_was_far_ahead_does_not_stop_the_schedule)
{
	struct schedule s = daily();
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon + 3650 * (int64_t)DAY;

	ck_assert_uint_eq(count_runs(&s, noon, noon + 3 * DAY, &done), 3);
}
END_TEST

START_TEST(what_was_missed_is_only_said_if_it_is_not_to_be_caught_up)
{
	struct schedule s = daily();
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon - 3 * DAY;

	s.catch_up = false;
	ck_assert_int_eq(schedule_look(&s, noon, &done), SCHEDULE_MISSED);
	ck_assert_int_eq(schedule_look(&s, noon, &done), SCHEDULE_WAIT);
	ck_assert_int_eq(schedule_next(&s, done), local("2026-11-24 02:00"));
	/* A little late is not missed. */
	ck_assert_int_eq(schedule_look(&s, local("2026-11-24 02:04"), &done),
	    SCHEDULE_RUN);
}
END_TEST

/* Not even by what was missed before it. */
START_TEST(time_that_is_only_late_is_not_missed)
{
	struct schedule s = { .has_cron = true, .cron = cron("0 * * * *") };
	int64_t now = local("2026-11-23 12:02");
	int64_t done = local("2026-11-23 09:00");

	ck_assert_int_eq(schedule_look(&s, now, &done), SCHEDULE_MISSED);
	ck_assert_int_eq(schedule_look(&s, now, &done), SCHEDULE_RUN);
	ck_assert_int_eq(schedule_look(&s, now, &done), SCHEDULE_WAIT);
	ck_assert_int_eq(schedule_next(&s, done), local("2026-11-23 13:00"));
	/* Each within a quarter of an hour of its time. */
	s.jitter_s = 900;
	for (int i = 0; i < 100; i++) {
		int64_t due;

		s.seed = (uint64_t)i;
		due = schedule_next(&s, local("2026-11-23 11:00"));
		done = local("2026-11-23 09:00");
		ck_assert_int_eq(schedule_look(&s, due + 60, &done),
		    SCHEDULE_MISSED);
		ck_assert_int_eq(schedule_look(&s, due + 60, &done),
		    SCHEDULE_RUN);
	}
}
END_TEST

/* A machine that was off for a night. */
START_TEST(window_that_went_by_does_not_take_the_next_one_along)
{
	static const char *const times[] = { "0 22 * * *", "30 12 * * *",
		"*/30 * * * *" };
	struct schedule s = { .has_cron = true };
	int64_t opens = local("2026-11-24 22:00");

	ck_assert_int_eq(schedule_window_parse("22:00-06:00", &s.window), 0);
	for (int i = 0; i < 3; i++) {
		int64_t done = local("2026-11-22 22:00");

		s.cron = cron(times[i]);
		ck_assert_int_eq(schedule_look(&s, local("2026-11-24 08:00"),
		    &done), SCHEDULE_WAIT);
		ck_assert_int_eq(schedule_look(&s, opens, &done),
		    SCHEDULE_MISSED);
		ck_assert_int_eq(schedule_look(&s, opens, &done),
		    SCHEDULE_RUN);
		ck_assert_int_eq(schedule_look(&s, opens, &done),
		    SCHEDULE_WAIT);
	}
}
END_TEST

START_TEST(many_that_were_missed_take_no_time)
{
	struct schedule s = { .has_cron = true, .cron = cron("* * * * *"),
		.jitter_s = DAY };
	int64_t now = local("2026-11-24 22:00");
	int64_t done = local("2016-11-22 22:00");

	ck_assert_int_eq(schedule_window_parse("22:00-06:00", &s.window), 0);
	ck_assert_int_eq(schedule_look(&s, now, &done), SCHEDULE_MISSED);
	ck_assert_int_ge(done, now - 3 * DAY);
	ck_assert_int_le(done, now);
}
END_TEST

/* From 2:00 to 3:00. */
START_TEST(window_that_the_clock_leaves_out_opens_the_next_day)
{
	static const char *const times[] = { "0 1 * * *", "0 2 * * *" };
	struct schedule s = { .has_cron = true };
	int64_t done = local("2026-03-28 12:00");

	for (int i = 0; i < 2; i++) {
		s.cron = cron(times[i]);
		ck_assert_int_eq(schedule_window_parse("02:00-03:00",
		    &s.window), 0);
		ck_assert_int_eq(schedule_next(&s, done),
		    local("2026-03-30 02:00"));
		ck_assert_int_eq(schedule_window_parse("02:00-03:30",
		    &s.window), 0);
		ck_assert_int_eq(schedule_next(&s, done),
		    local("2026-03-29 03:00"));
	}
}
END_TEST

START_TEST(interval_goes_on_from_a_clock_that_was_put_back)
{
	struct schedule s = { .interval_s = HOUR, .catch_up = true };
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon;

	/* By a day, and in any case not at once. */
	ck_assert_int_eq(schedule_look(&s, noon - DAY, &done), SCHEDULE_WAIT);
	ck_assert_int_eq(schedule_next(&s, done), noon - DAY + HOUR);
	ck_assert_uint_eq(count_runs(&s, noon - DAY, noon, &done), 23);
}
END_TEST

START_TEST(interval_counts_from_the_last_time)
{
	struct schedule s = { .interval_s = 6 * HOUR, .catch_up = true };
	int64_t noon = local("2026-11-23 12:00");
	int64_t done = noon;

	ck_assert_int_eq(schedule_next(&s, done), noon + 6 * HOUR);
	ck_assert_uint_eq(count_runs(&s, noon, noon + DAY + HOUR, &done), 4);
}
END_TEST

START_TEST(nothing_set_is_never)
{
	struct schedule s = { .interval_s = 0 };
	int64_t done = 0;

	ck_assert(!schedule_is_set(&s));
	ck_assert_int_eq(schedule_next(&s, 0), -1);
	ck_assert_int_eq(schedule_look(&s, DAY, &done), SCHEDULE_WAIT);
}
END_TEST

START_TEST(jitter_is_within_its_limit_and_differs_between_jobs)
{
	struct schedule s = daily();
	int64_t least = INT64_MAX, most = 0;

	s.jitter_s = 600;
	for (int i = 0; i < 100; i++) {
		char name[16];
		int64_t late;

		(void)snprintf(name, sizeof name, "job%d", i);
		s.seed = schedule_seed(name);
		late = schedule_next(&s, local("2026-11-23 00:00")) -
		    local("2026-11-23 02:00");
		ck_assert_int_eq(late, schedule_next(&s,
		    local("2026-11-23 00:00")) - local("2026-11-23 02:00"));
		ck_assert_int_ge(late, 0);
		ck_assert_int_le(late, 600);
		least = late < least ? late : least;
		most = late > most ? late : most;
	}
	ck_assert_int_lt(least, 60);
	ck_assert_int_gt(most, 540);
}
END_TEST

START_TEST(time_outside_of_the_window_waits_until_it_opens)
{
	struct schedule s = { .interval_s = HOUR, .catch_up = true };
	int64_t done = local("2026-11-23 12:30");

	ck_assert_int_eq(schedule_window_parse("22:00-06:00", &s.window), 0);
	ck_assert(!schedule_window_has(&s.window, local("2026-11-23 21:59")));
	ck_assert(schedule_window_has(&s.window, local("2026-11-23 22:00")));
	ck_assert(schedule_window_has(&s.window, local("2026-11-24 05:59")));
	ck_assert(!schedule_window_has(&s.window, local("2026-11-24 06:00")));
	ck_assert_int_eq(schedule_next(&s, done), local("2026-11-23 22:00"));
	ck_assert_uint_eq(count_runs(&s, done, local("2026-11-23 22:00"),
	    &done), 0);
	ck_assert_uint_eq(count_runs(&s, local("2026-11-23 22:00"),
	    local("2026-11-24 22:00"), &done), 8);
	/* Due in a window that has gone by: in the next one. */
	done = local("2026-11-23 23:00");
	ck_assert_int_eq(schedule_look(&s, local("2026-11-24 08:00"), &done),
	    SCHEDULE_WAIT);
	ck_assert_int_eq(schedule_next_run(&s, schedule_next(&s, done),
	    local("2026-11-24 08:00")), local("2026-11-24 22:00"));
	ck_assert_int_eq(schedule_look(&s, local("2026-11-24 22:00"), &done),
	    SCHEDULE_CATCH_UP);
}
END_TEST

START_TEST(window_within_a_day_has_its_first_minute_and_not_its_last)
{
	struct schedule_window w = { .is_set = false };

	ck_assert(schedule_window_has(&w, 0));
	ck_assert_int_eq(schedule_window_parse("08:00-24:00", &w), 0);
	ck_assert(schedule_window_has(&w, local("2026-11-23 08:00")));
	ck_assert(schedule_window_has(&w, local("2026-11-23 23:59")));
	ck_assert(!schedule_window_has(&w, local("2026-11-24 00:00")));
}
END_TEST

static const char *const wrong_windows[] = { "", "22:00", "22:00-", "2-6",
	"22:00-22:00", "24:00-06:00", "22:60-06:00", "22:00-24:01",
	"22:00 - 06:00", "-1:00-06:00", "22:00-06:00x" };

START_TEST(text_that_is_no_window_is_refused)
{
	struct schedule_window w;

	ck_assert_int_eq(schedule_window_parse(wrong_windows[_i], &w),
	    -EINVAL);
}
END_TEST

START_TEST(rate_is_the_one_that_began_last_today_or_yesterday)
{
	static const char *const table[] = { "06:00 1MB/s", "22:00 0",
		"12:30 2MB/s" };

	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    local("2026-11-23 05:59")), 0);
	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    local("2026-11-23 06:00")), 1000000);
	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    local("2026-11-23 12:29")), 1000000);
	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    local("2026-11-23 12:30")), 2000000);
	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    local("2026-11-23 23:59")), 0);
	ck_assert_uint_eq(schedule_rate_at(table, 1,
	    local("2026-11-23 05:59")), 1000000);
}
END_TEST

/* From 2:00 to 3:00: both begin at 3:00, the later one counts. */
START_TEST(rate_that_the_clock_leaves_out_begins_after_it)
{
	static const char *const table[] = { "02:45 9kB/s", "02:15 5kB/s",
		"12:00 0" };

	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    utc("2026-03-29 00:59")), 0);
	ck_assert_uint_eq(schedule_rate_at(table, 3,
	    utc("2026-03-29 01:00")), 9000);
}
END_TEST

/* From 3:00 to 2:00: the first 2:30 is 0:30 of the world's time. */
START_TEST(rate_that_the_clock_has_twice_begins_the_first_time)
{
	static const char *const table[] = { "02:30 5kB/s", "12:00 0" };

	ck_assert_uint_eq(schedule_rate_at(table, 2,
	    utc("2026-10-25 00:29")), 0);
	ck_assert_uint_eq(schedule_rate_at(table, 2,
	    utc("2026-10-25 00:30")), 5000);
	ck_assert_uint_eq(schedule_rate_at(table, 2,
	    utc("2026-10-25 01:15")), 5000);
}
END_TEST

static const char *const wrong_rates[] = { "", "06:00", "06:00 ", "6:00 1MB/s",
	"24:00 1MB/s", "06:60 1MB/s", "06:00 fast", "06:00 1MB", "06:001MB/s",
	"06:00  -1MB/s" };

START_TEST(text_that_is_no_time_and_rate_is_refused)
{
	struct schedule_rate rate;

	ck_assert_int_lt(schedule_rate_parse(wrong_rates[_i], &rate), 0);
}
END_TEST

#define N(table) ((int)(sizeof(table) / sizeof(table)[0]))

int
main(void)
{
	Suite *s = suite_create("daemon/schedule");
	TCase *tc = tcase_create("schedule");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, text_that_is_no_time_is_refused, 0, N(wrong));
	tcase_add_loop_test(tc, next_time_is_the_one_on_the_wall, 0, N(nexts));
	tcase_add_test(tc, hour_that_comes_twice_counts_the_first_time);
	tcase_add_test(tc,
	    clock_put_back_at_midnight_gives_a_day_its_times_once);
	tcase_add_test(tc, year_of_days_has_as_many_runs);
	tcase_add_test(tc, clock_that_goes_back_a_day_runs_nothing_twice);
	tcase_add_test(tc,
	    clock_that_goes_forward_a_day_runs_what_it_missed_once);
	tcase_add_test(tc,
	    clock_that_was_far_ahead_does_not_stop_the_schedule);
	tcase_add_test(tc,
	    what_was_missed_is_only_said_if_it_is_not_to_be_caught_up);
	tcase_add_test(tc, time_that_is_only_late_is_not_missed);
	tcase_add_test(tc,
	    window_that_went_by_does_not_take_the_next_one_along);
	tcase_add_test(tc, many_that_were_missed_take_no_time);
	tcase_add_test(tc,
	    window_that_the_clock_leaves_out_opens_the_next_day);
	tcase_add_test(tc, interval_goes_on_from_a_clock_that_was_put_back);
	tcase_add_test(tc, interval_counts_from_the_last_time);
	tcase_add_test(tc, nothing_set_is_never);
	tcase_add_test(tc,
	    jitter_is_within_its_limit_and_differs_between_jobs);
	tcase_add_test(tc, time_outside_of_the_window_waits_until_it_opens);
	tcase_add_test(tc,
	    window_within_a_day_has_its_first_minute_and_not_its_last);
	tcase_add_loop_test(tc, text_that_is_no_window_is_refused, 0,
	    N(wrong_windows));
	tcase_add_test(tc, rate_is_the_one_that_began_last_today_or_yesterday);
	tcase_add_loop_test(tc, text_that_is_no_time_and_rate_is_refused, 0,
	    N(wrong_rates));
	tcase_add_test(tc, rate_that_the_clock_leaves_out_begins_after_it);
	tcase_add_test(tc,
	    rate_that_the_clock_has_twice_begins_the_first_time);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
