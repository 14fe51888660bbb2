/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/limit.h"

#include <stdio.h>
#include <string.h>

static bool
is_over(const struct limit *limit, size_t i, int64_t now_ms)
{
	/* Also when the clock has been put back. */
	return now_ms < limit->v[i].since_ms ||
	    now_ms - limit->v[i].since_ms >= LIMIT_MS;
}

static size_t
find(const struct limit *limit, const char *job)
{
	size_t oldest = 0;

	for (size_t i = 0; i < LIMIT_JOBS; i++) {
		if (strcmp(limit->v[i].job, job) == 0)
			return i;
		if (limit->v[i].job[0] == '\0')
			oldest = i;
		else if (limit->v[oldest].job[0] != '\0' &&
		    limit->v[i].since_ms < limit->v[oldest].since_ms)
			oldest = i;
	}
	return oldest;
}

bool
limit_pass(struct limit *limit, const struct log_record *record)
{
	const struct log_about *about = record->about;
	size_t i;

	if (about->job == NULL || about->job[0] == '\0' ||
	    about->message == &messages[MSG_CONTROL])
		return true;
	i = find(limit, about->job);
	if (strcmp(limit->v[i].job, about->job) != 0 ||
	    is_over(limit, i, record->at_ms)) {
		(void)snprintf(limit->v[i].job, sizeof limit->v[i].job, "%s",
		    about->job);
		limit->v[i].since_ms = record->at_ms;
		limit->v[i].n_passed = 0;
		limit->v[i].n_held = 0;
	}
	if (limit->v[i].n_passed == LIMIT_MESSAGES) {
		limit->v[i].n_held++;
		return false;
	}
	limit->v[i].n_passed++;
	return true;
}

bool
limit_next_over(struct limit *limit, int64_t now_ms,
    char ret_job[CONF_NAME_SIZE], unsigned *ret_n)
{
	for (size_t i = 0; i < LIMIT_JOBS; i++) {
		if (limit->v[i].n_held == 0 || !is_over(limit, i, now_ms))
			continue;
		memcpy(ret_job, limit->v[i].job, CONF_NAME_SIZE);
		*ret_n = limit->v[i].n_held;
		memset(&limit->v[i], 0, sizeof limit->v[i]);
		return true;
	}
	return false;
}
