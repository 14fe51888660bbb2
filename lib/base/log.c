/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log.  A line is built in a buffer on the stack and leaves with one
 * write(2), so that lines of several threads never mix.  A line too long for
 * the buffer is cut; a line that cannot be written is lost: there is nobody
 * left to tell.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

struct level {
	const char *name;
	const char *journal_prefix;	/* as in sd-daemon(3) */
};

static const struct level levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};

#define N_LEVELS (sizeof levels / sizeof levels[0])

static _Atomic(enum log_level) max_level = LOG_LEVEL_INFO;
static _Atomic uint64_t counts[N_LEVELS];
static bool to_journal;		/* set by log_init(), before any thread */

int
log_level_parse(const char *word, enum log_level *ret_level)
{
	for (size_t i = 0; i < N_LEVELS; i++) {
		if (strcmp(word, levels[i].name) == 0) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

/*
 * systemd sets JOURNAL_STREAM to the device and inode of the stream.  They
 * are compared because the variable is inherited by children whose standard
 * error goes elsewhere (systemd.exec(5)).
 */
static bool
stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	uintmax_t device;
	uintmax_t inode;
	struct stat st;
	char *rest;

	if (text == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	device = strtoumax(text, &rest, 10);
	if (*rest != ':')
		return false;
	inode = strtoumax(rest + 1, &rest, 10);
	return *rest == '\0' && device == st.st_dev && inode == st.st_ino;
}

void
log_init(void)
{
	to_journal = stderr_is_journal();
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

/* "2026-11-23T02:13:05.120Z error: "; the journal has its own clock. */
static size_t
put_prefix(enum log_level level, char *line, size_t size)
{
	struct timespec now = { .tv_sec = 0 };
	struct tm tm;
	size_t len;

	if (to_journal)
		return (size_t)snprintf(line, size, "%s",
		    levels[level].journal_prefix);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL)
		return 0;
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return len + (size_t)snprintf(line + len, size - len, ".%03ldZ %s: ",
	    now.tv_nsec / 1000000, levels[level].name);
}

static void PRINTF(2, 0)
log_line(enum log_level level, const char *fmt, va_list args)
{
	char line[LINE_SIZE];
	int saved_errno = errno;
	size_t len;

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	atomic_fetch_add_explicit(&counts[level], 1, memory_order_relaxed);
	len = put_prefix(level, line, sizeof line);
	(void)vsnprintf(line + len, sizeof line - len, fmt, args);
	/* One byte may be the terminator's: it becomes the newline. */
	len = strlen(line);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0) {
		/* Lost. */
	}
	errno = saved_errno;
}

uint64_t
log_count(enum log_level level)
{
	return atomic_load_explicit(&counts[level], memory_order_relaxed);
}

void
log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
}

void
log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_WARNING, fmt, args);
	va_end(args);
}

void
log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_INFO, fmt, args);
	va_end(args);
}

void
log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}
