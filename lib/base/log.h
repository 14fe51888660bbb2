/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annotate.h"

/*
 * The log: one line a message, to standard error.  Under systemd, where
 * standard error is the journal (JOURNAL_STREAM), each line begins with the
 * priority as "<3>"; elsewhere with the time and the level.
 *
 *	error	something was lost; act now
 *	warning	we carry on, look at it
 *	info	changes of state
 *	debug	everything else
 *
 * lib/ logs at debug level only: it returns its errors.  Any thread may log;
 * a line is one write(2).
 */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* "error", "warning", "info", "debug"; -EINVAL for another word. */
int log_level_parse(const char *word, enum log_level *ret_level);
const char *log_level_name(enum log_level level);

/* Call before the first thread starts; later changes of level are atomic. */
void log_init(void);
void log_set_level(enum log_level level);

/* Messages of this level that were logged. */
uint64_t log_count(enum log_level level);

void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warning(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);

#endif
