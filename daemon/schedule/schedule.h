/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/cron.h"

/*
 * When a job runs by itself.  Calculations only: what time it is, the caller
 * says, and it may be any time, as clocks jump.  All times are seconds since
 * the epoch.
 */

/* Hours of the day, local time, from the first minute to before the last. */
struct schedule_window {
	bool is_set;
	unsigned from_minute;		/* of the day */
	unsigned to_minute;		/* smaller: over midnight */
};

/* "22:00-06:00".  -EINVAL: is not such a text. */
int schedule_window_parse(const char *text, struct schedule_window *ret);
bool schedule_window_has(const struct schedule_window *window, int64_t at);

/* "06:00 50MB/s": from when on, as minute of the day, and how fast. */
struct schedule_rate {
	unsigned minute;
	uint64_t rate;			/* bytes/s; 0: no limit */
};

/* -EINVAL: is not such a text; -ERANGE: too fast. */
int schedule_rate_parse(const char *text, struct schedule_rate *ret);

/*
 * Which of n texts counts at this time, local: the last one that has begun,
 * today or else yesterday, as cron_wall_time() has it where the clock is
 * changed.  n is not 0; all can be parsed.
 */
uint64_t schedule_rate_at(const char *const *texts, size_t n, int64_t at);

struct schedule {
	bool has_cron;			/* else interval_s */
	struct cron cron;
	uint64_t interval_s;		/* 0 without cron: never */
	uint64_t jitter_s;		/* each time is up to this later */
	uint64_t seed;			/* by how much; see schedule_seed() */
	struct schedule_window window;	/* a time outside of it waits */
	bool catch_up;			/* run what was missed, once */
};

/* Jobs of different names do not start all at once. */
uint64_t schedule_seed(const char *name);

bool schedule_is_set(const struct schedule *s);

/* The same for all intervals, and for the same times of day; never 0. */
uint64_t schedule_id(const struct schedule *s);

/*
 * When it runs next, if all times up to done have been dealt with.  -1:
 * never.
 */
int64_t schedule_next(const struct schedule *s, int64_t done);

/* That time, at, as people want to know it: not before now. */
int64_t schedule_next_run(const struct schedule *s, int64_t at, int64_t now);

enum schedule_verdict {
	SCHEDULE_WAIT,
	SCHEDULE_RUN,
	SCHEDULE_CATCH_UP,		/* run what should have run long ago */
	SCHEDULE_MISSED,		/* likewise, but that is not wanted */
};

/*
 * What is to be done now?  Unless that is SCHEDULE_WAIT, *done becomes now:
 * however many times were missed, they are dealt with, and none of them comes
 * again if the clock goes back.  After SCHEDULE_MISSED it may be earlier: the
 * last of them is only late, and what to look for next.  A clock that went
 * back by more than two days was wrong before, and an interval counts anew
 * from any that went back: then *done is now, too.
 */
enum schedule_verdict schedule_look(const struct schedule *s, int64_t now,
    int64_t *done);

#endif
