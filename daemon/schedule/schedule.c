/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A schedule remembers one thing: up to when it has been dealt with.  A run
 * follows from that and the time alone, so a daemon that was down, a machine
 * that slept and a clock that was set are the same to it.
 */

#include "schedule/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

/* Up to here a time is late, beyond it has been missed. */
#define LATE_S	   300
#define GONE_BACK_S (2 * 86400)
/* A window is closed for no longer, whatever is done to clocks. */
#define CLOSED_S (28 * 3600)
/* Where so many were missed the next one is not far. */
#define MISSED_MAX 64

int
schedule_window_parse(const char *text, struct schedule_window *ret)
{
	static const char digits[] = "dd:dd-dd:dd";
	unsigned n[4];

	if (strlen(text) != strlen(digits))
		return -EINVAL;
	for (size_t i = 0; digits[i] != '\0'; i++)
		if (digits[i] == 'd' ? text[i] < '0' || text[i] > '9' :
		    text[i] != digits[i])
			return -EINVAL;
	if (sscanf(text, "%2u:%2u-%2u:%2u", &n[0], &n[1], &n[2], &n[3]) != 4 ||
	    n[0] > 23 || n[1] > 59 || n[3] > 59 || n[2] * 60 + n[3] > 1440)
		return -EINVAL;
	*ret = (struct schedule_window){ true, n[0] * 60 + n[1],
	    n[2] * 60 + n[3] };
	return ret->from_minute == ret->to_minute ? -EINVAL : 0;
}

bool
schedule_window_has(const struct schedule_window *window, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm = { .tm_sec = 0 };
	unsigned minute;

	if (!window->is_set)
		return true;
	(void)localtime_r(&t, &tm);
	minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min);
	if (window->from_minute < window->to_minute)
		return minute >= window->from_minute &&
		    minute < window->to_minute;
	return minute >= window->from_minute || minute < window->to_minute;
}

int
schedule_rate_parse(const char *text, struct schedule_rate *ret)
{
	static const char form[] = "dd:dd ";
	unsigned hour, minute;
	uint64_t rate;
	int r;

	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' :
		    text[i] != form[i])
			return -EINVAL;
	if (sscanf(text, "%2u:%2u", &hour, &minute) != 2 || hour > 23 ||
	    minute > 59)
		return -EINVAL;
	r = units_parse_rate(text + strlen(form), &rate);
	if (r == 0)
		*ret = (struct schedule_rate){ hour * 60 + minute, rate };
	return r;
}

/* Of two that a gap of the clock has begin at once it is the later one. */
uint64_t
schedule_rate_at(const char *const *texts, size_t n, int64_t at)
{
	struct schedule_rate one = { 0, 0 };
	struct schedule_rate best = { 0, 0 };
	int64_t began = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		(void)schedule_rate_parse(texts[i], &one);
		for (int day = -1; day <= 0; day++) {
			int64_t from = cron_wall_time(at, day,
			    one.minute / 60, one.minute % 60);

			if (from > at || from < began ||
			    (from == began && one.minute < best.minute))
				continue;
			began = from;
			best = one;
		}
	}
	return best.rate;
}

/* At, or when the window opens after it. */
static int64_t
into_window(const struct schedule_window *window, int64_t at)
{
	if (schedule_window_has(window, at))
		return at;
	for (int day = 0; day < 3; day++) {
		int64_t opens = cron_wall_time(at, day,
		    window->from_minute / 60, window->from_minute % 60);

		/* One that the clock leaves out never does. */
		if (opens > at && schedule_window_has(window, opens))
			return opens;
	}
	return at;
}

/* Well spread, and the same for the same number. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccd;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

uint64_t
schedule_seed(const char *name)
{
	uint64_t seed = 0;

	for (; *name != '\0'; name++)
		seed = mix(seed ^ (unsigned char)*name);
	return seed;
}

bool
schedule_is_set(const struct schedule *s)
{
	return s->has_cron || s->interval_s > 0;
}

uint64_t
schedule_id(const struct schedule *s)
{
	const struct cron *c = &s->cron;
	const uint64_t parts[] = { c->minutes, c->hours, c->days, c->months,
		c->weekdays, c->days_any, c->weekdays_any };
	uint64_t id = 1;

	for (size_t i = 0; s->has_cron && i < sizeof parts / sizeof parts[0];
	     i++)
		id = mix(id ^ mix(parts[i] + i + 1));
	/* As a number of JSON. */
	return id & INT64_MAX ? id & INT64_MAX : 1;
}

/* The same before jitter and window. */
static int64_t
next_time(const struct schedule *s, int64_t done)
{
	return s->has_cron ? cron_next(&s->cron, done) :
	    done + (int64_t)s->interval_s;
}

int64_t
schedule_next(const struct schedule *s, int64_t done)
{
	int64_t at;

	if (!schedule_is_set(s))
		return -1;
	at = next_time(s, done);
	if (at < 0)
		return -1;
	if (s->jitter_s > 0)
		at += (int64_t)(mix(s->seed ^ (uint64_t)at) %
		    (s->jitter_s + 1));
	return into_window(&s->window, at);
}

int64_t
schedule_next_run(const struct schedule *s, int64_t at, int64_t now)
{
	return at < 0 || at > now ? at : into_window(&s->window, now);
}

/*
 * Up to when all is missed: now, or just before a time of day that is only
 * late.
 */
static int64_t
missed_up_to(const struct schedule *s, int64_t done, int64_t now)
{
	int64_t from = now - LATE_S - (int64_t)s->jitter_s -
	    (s->window.is_set ? CLOSED_S : 0) - 1;

	if (!s->has_cron)
		return now;
	if (from < done)
		from = done;
	for (int i = 0; i < MISSED_MAX && from >= 0 && from < now; i++) {
		int64_t due = schedule_next(s, from);

		if (due <= now && now - due <= LATE_S)
			return from;
		from = next_time(s, from);
	}
	return now;
}

enum schedule_verdict
schedule_look(const struct schedule *s, int64_t now, int64_t *done)
{
	/* An interval has no times that could come twice. */
	int64_t ahead_max = s->has_cron ? GONE_BACK_S : 0;
	int64_t before, due;

	if (*done > now + ahead_max)
		*done = now;
	before = *done;
	due = schedule_next(s, *done);
	if (due < 0 || due > now)
		return SCHEDULE_WAIT;
	if (!schedule_window_has(&s->window, now))
		/* It was due in a window that has gone by. */
		return SCHEDULE_WAIT;
	if (*done < now)
		*done = now;
	if (now - due <= LATE_S)
		return SCHEDULE_RUN;
	if (s->catch_up)
		return SCHEDULE_CATCH_UP;
	if (before < now)
		*done = missed_up_to(s, before, now);
	return SCHEDULE_MISSED;
}
