/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times are looked for on the wall, day by day and minute by minute, and each
 * is then turned into a time since the epoch.  That, and not adding seconds,
 * is what gets daylight saving time right.
 */

#include "schedule/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_S	   86400
/* No zone has ever moved its clocks by more, but for skipping a day. */
#define SHIFT_S	   (4 * 3600)
/* February 29, across a year such as 2100. */
#define DAYS_AHEAD (9 * 366)

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed",
	"thu", "fri", "sat", NULL };

struct field {
	unsigned min;
	unsigned max;
	const char *const *names;	/* of min and those that follow */
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, N_FIELDS };

static const struct field fields[N_FIELDS] = {
	[MINUTE] = { 0, 59, NULL },
	[HOUR] = { 0, 23, NULL },
	[DAY] = { 1, 31, NULL },
	[MONTH] = { 1, 12, month_names },
	[WEEKDAY] = { 0, 7, weekday_names },
};

static const struct {
	const char *name;
	const char *means;
} nicknames[] = {
	{ "@hourly", "0 * * * *" },
	{ "@daily", "0 0 * * *" },
	{ "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" },
	{ "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};

/* A number or a name; *text moves on. */
static int
parse_value(const struct field *field, const char **text, unsigned *ret_value)
{
	unsigned value = 0;
	size_t n = 0;

	for (size_t i = 0; field->names != NULL && field->names[i] != NULL;
	    i++) {
		if (strncasecmp(*text, field->names[i], 3) == 0 &&
		    !isalnum((unsigned char)(*text)[3])) {
			*text += 3;
			*ret_value = field->min + (unsigned)i;
			return 0;
		}
	}
	while (isdigit((unsigned char)(*text)[n]) && n < 3)
		value = value * 10 + (unsigned)((*text)[n++] - '0');
	if (n == 0 || n == 3 || value < field->min || value > field->max)
		return -EINVAL;
	*text += n;
	*ret_value = value;
	return 0;
}

static int
parse_step(const char **text, unsigned *ret_step)
{
	static const struct field steps = { 1, 59, NULL };

	*ret_step = 1;
	if (**text != '/')
		return 0;
	++*text;
	return parse_value(&steps, text, ret_step);
}

/* "*", "3", "1-5", any of them with a step. */
static int
parse_item(const struct field *field, const char **text, uint64_t *bits)
{
	unsigned first = field->min, last = field->max, step;
	bool is_single = false;

	if (**text == '*') {
		++*text;
	} else {
		if (parse_value(field, text, &first) < 0)
			return -EINVAL;
		last = first;
		is_single = **text != '-';
		if (!is_single) {
			++*text;
			if (parse_value(field, text, &last) < 0)
				return -EINVAL;
		}
	}
	/* "5/10" is a slip: cron(8) takes it for "5", others for "5-59/10". */
	if (parse_step(text, &step) < 0 || last < first ||
	    (is_single && step != 1))
		return -EINVAL;
	for (unsigned i = first; i <= last; i += step)
		*bits |= (uint64_t)1 << i;
	return 0;
}

/* One field, up to its end, which is returned; NULL: it is wrong. */
static const char *
parse_field(const struct field *field, const char *text, uint64_t *ret_bits)
{
	uint64_t bits = 0;

	for (;;) {
		if (parse_item(field, &text, &bits) < 0)
			return NULL;
		if (*text != ',')
			break;
		text++;
	}
	*ret_bits = bits;
	return text;
}

static int
parse_fields(const char *text, struct cron *cron)
{
	uint64_t bits[N_FIELDS];
	bool is_any[N_FIELDS];

	for (unsigned i = 0; i < N_FIELDS; i++) {
		text += strspn(text, " \t");
		is_any[i] = *text == '*';
		text = parse_field(&fields[i], text, &bits[i]);
		if (text == NULL || strchr(" \t", *text) == NULL)
			return -EINVAL;
	}
	text += strspn(text, " \t");
	if (*text != '\0')
		return -EINVAL;
	cron->minutes = bits[MINUTE];
	cron->hours = (uint32_t)bits[HOUR];
	cron->days = (uint32_t)bits[DAY];
	cron->months = (uint16_t)bits[MONTH];
	/* Seven is Sunday, too. */
	cron->weekdays = (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) &
	    0x7f);
	cron->days_any = is_any[DAY];
	cron->weekdays_any = is_any[WEEKDAY];
	return 0;
}

int
cron_parse(const char *text, struct cron *ret_cron)
{
	struct cron cron;

	for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++)
		if (strcasecmp(text, nicknames[i].name) == 0)
			text = nicknames[i].means;
	if (parse_fields(text, &cron) < 0 || cron_next(&cron, 0) < 0)
		return -EINVAL;
	*ret_cron = cron;
	return 0;
}

/* Minutes on the wall, to be compared; days are 24 hours of them. */
static int64_t
wall_minutes(const struct tm *tm)
{
	struct tm utc = *tm;

	return (int64_t)timegm(&utc) / 60;
}

static int64_t
wall_at(int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm = { .tm_sec = 0 };

	(void)localtime_r(&t, &tm);
	tm.tm_sec = 0;
	return wall_minutes(&tm);
}

/* The first moment from low on, up to high, at which the wall is there. */
static int64_t
search(int64_t low, int64_t high, int64_t wanted)
{
	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (wall_at(middle) >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The time of what tm says, whose is_dst is not asked for. */
static int64_t
time_of(const struct tm *tm)
{
	struct tm local = *tm;
	int64_t wanted = wall_minutes(tm);
	int64_t at;

	local.tm_isdst = -1;
	at = (int64_t)mktime(&local);
	if (wall_at(at) != wanted)
		return search(at - SHIFT_S, at + SHIFT_S, wanted);
	/* The clock may have shown it before: by an hour, or by half of one. */
	for (int64_t earlier = at - SHIFT_S; earlier < at; earlier += 1800)
		if (wall_at(earlier) == wanted)
			return earlier;
	return at;
}

int64_t
cron_wall_time(int64_t at, int add_days, unsigned hour, unsigned minute)
{
	time_t t = (time_t)at;
	struct tm tm = { .tm_sec = 0 };

	(void)localtime_r(&t, &tm);
	tm.tm_mday += add_days;
	tm.tm_hour = (int)hour;
	tm.tm_min = (int)minute;
	tm.tm_sec = 0;
	return time_of(&tm);
}

static bool
matches_day(const struct cron *cron, const struct tm *tm)
{
	bool is_day = cron->days >> tm->tm_mday & 1;
	bool is_weekday = cron->weekdays >> tm->tm_wday & 1;

	if ((cron->months >> (tm->tm_mon + 1) & 1) == 0)
		return false;
	if (cron->days_any || cron->weekdays_any)
		return is_day && is_weekday;
	return is_day || is_weekday;
}

/* The first time of the day after `after`, or -1. */
static int64_t
next_of_day(const struct cron *cron, const struct tm *day, int64_t after)
{
	/* Sooner on the wall is sooner, for all that clocks are moved by. */
	int64_t soonest = wall_at(after) - SHIFT_S / 60;
	int64_t midnight = wall_minutes(day);
	struct tm tm = *day;

	for (unsigned hour = 0; hour < 24; hour++) {
		if ((cron->hours >> hour & 1) == 0)
			continue;
		for (unsigned minute = 0; minute < 60; minute++) {
			int64_t at;

			if ((cron->minutes >> minute & 1) == 0 ||
			    midnight + hour * 60 + minute < soonest)
				continue;
			tm.tm_hour = (int)hour;
			tm.tm_min = (int)minute;
			at = time_of(&tm);
			if (at > after)
				return at;
		}
	}
	return -1;
}

int64_t
cron_next(const struct cron *cron, int64_t after)
{
	/* At midnight the clock may be put back into the day before. */
	time_t t = (time_t)(after - DAY_S);
	struct tm tm = { .tm_sec = 0 };

	(void)localtime_r(&t, &tm);
	/* As if in UTC, where all days are 24 hours. */
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	t = timegm(&tm);
	for (int i = 0; i < DAYS_AHEAD; i++, t += DAY_S) {
		int64_t at;

		(void)gmtime_r(&t, &tm);
		if (!matches_day(cron, &tm))
			continue;
		at = next_of_day(cron, &tm, after);
		if (at >= 0)
			return at;
	}
	return -1;
}
