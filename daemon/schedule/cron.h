/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCHEDULE_CRON_H
#define SCHEDULE_CRON_H

#include <stdint.h>

/*
 * Times of the day and year as cron(8) writes them, in local time:
 *
 *	minute hour day-of-month month day-of-week
 *
 * each "*", a number, a range "1-5", with a step "0-30/10" or "*" "/15", or a
 * list of these; months and days of the week by name as well (jan, mon), and
 * 0 and 7 are Sunday.  If both days are restricted, either will do.  Or one
 * of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
 *
 * A calculation: the clock is the caller's, the time zone is the process's.
 */
struct cron {
	uint64_t minutes;		/* bit n: at minute n */
	uint32_t hours;
	uint32_t days;			/* of the month, from bit 1 */
	uint16_t months;		/* from bit 1 */
	uint8_t weekdays;		/* bit 0: Sunday */
	uint8_t days_any;		/* "*": the other one decides */
	uint8_t weekdays_any;
};

/* -EINVAL: no such text, or a day that never comes, such as February 30. */
int cron_parse(const char *text, struct cron *ret_cron);

/*
 * The first time after `after`, both in seconds since the epoch.
 *
 * Where the clock is put forward, what falls into the gap comes once, in the
 * first minute after it; where it is put back, what falls into the hour that
 * comes twice comes once, the first time.
 */
int64_t cron_next(const struct cron *cron, int64_t after);

/*
 * When a clock on the wall shows this time on the day that holds at; if it
 * never does, the first moment after the gap.  add_days moves the day.
 */
int64_t cron_wall_time(int64_t at, int add_days, unsigned hour,
    unsigned minute);

#endif
