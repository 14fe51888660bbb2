/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_LIMIT_H
#define LOG_LIMIT_H

#include <stdbool.h>

#include "conf/conf.h"
#include "log/log.h"

/*
 * A job that has very much to say, whatever it is: it gets LIMIT_MESSAGES in
 * LIMIT_MS, so that the log has room for the others.  How many were left out
 * is told when that time is over.
 */

#define LIMIT_MS       10000
#define LIMIT_MESSAGES 1000
/* How many jobs are looked at; of more, who spoke first is forgotten. */
#define LIMIT_JOBS     64

struct limit {
	struct {
		char job[CONF_NAME_SIZE];	/* "": free */
		int64_t since_ms;
		unsigned n_passed;
		unsigned n_held;
	} v[LIMIT_JOBS];
};

/*
 * false: leave it out.  Who did what at the control socket always passes, and
 * so does what is about no job.
 */
bool limit_pass(struct limit *limit, const struct log_record *record);

/*
 * A job whose time is over by now_ms, *ret_n of whose messages were left out,
 * and which is no longer known then; false: there is none.
 */
bool limit_next_over(struct limit *limit, int64_t now_ms,
    char ret_job[CONF_NAME_SIZE], unsigned *ret_n);

#endif
