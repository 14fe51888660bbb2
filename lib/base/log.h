/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/annotate.h"

/*
 * The log: one line a message, to standard error, or to a sink that knows of
 * more places.  Under systemd, where standard error is the journal
 * (JOURNAL_STREAM), each line begins with the priority as "<3>"; elsewhere
 * with the time and the level.
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
/* Is standard error the journal? */
bool log_is_to_journal(void);

/* Messages of this level that were logged. */
uint64_t log_count(enum log_level level);

/* A kind of message that programs can tell from others. */
struct log_message {
	const char *name;		/* "run-failed" */
	const char *id;			/* 32 digits, for the journal */
};

/* Where a message comes from, and what it is about; what is not known is 0. */
struct log_about {
	const char *file;
	int line;
	const struct log_message *message;
	const char *job;
	const char *job_uuid;
	const char *run;
	const char *endpoint;
	unsigned connection;		/* of the run to it, from 1 */
	int errnum;			/* positive */
	uint64_t offset;
	uint64_t length;		/* 0: it is about no range */
};

#define LOG_HERE .file = __FILE__, .line = __LINE__

struct log_record {
	enum log_level level;
	int64_t at_ms;			/* since the epoch */
	const char *text;		/* one line, without its end */
	const struct log_about *about;
};

/*
 * Who gets all records up to the level from now on, on the thread of who
 * logs; it does not log itself.  NULL: standard error.
 */
void log_set_sink(void (*sink)(const struct log_record *record));

/* One line to standard error.  A negative errno: it is lost. */
int log_to_stderr(const struct log_record *record);
/* As write(2) to standard error, but -EAGAIN, or less, instead of waiting. */
ssize_t log_put(const char *line, size_t len);

#define LOG_STAMP_SIZE 32

/* "2026-11-23T02:13:05.120Z"; returns stamp. */
const char *log_stamp(int64_t at_ms, char stamp[LOG_STAMP_SIZE]);

void log_write(const struct log_about *about, enum log_level level,
    const char *fmt, ...) PRINTF(3, 4);

#define LOG_AT(level, ...)                                                    \
	log_write(&(const struct log_about){ LOG_HERE }, level, __VA_ARGS__)
/* The same of a kind of message. */
#define log_message(kind, level, ...)                                         \
	log_write(&(const struct log_about){ LOG_HERE, .message = (kind) },   \
	    level, __VA_ARGS__)
#define log_error(...)	 LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
