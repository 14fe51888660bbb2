/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log.  A line is built in a buffer on the stack and leaves with one
 * write(2), so that lines of several threads never mix.  A line too long for
 * the buffer is cut; a line that cannot be written is lost: there is nobody
 * left to tell.
 *
 * Nor is it waited for: a terminal may be stopped, and who reads a pipe busy or
 * hung.  O_NONBLOCK would be that of all who share standard error, so pipes and
 * terminals are opened once more for us.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"

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
/* Set by log_init(), before any thread: */
static bool to_journal;
static int own_fd = -1;		/* standard error, which never waits */

static void stderr_sink(const struct log_record *record);
static void (*_Atomic the_sink)(const struct log_record *) = stderr_sink;

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
	struct stat st;

	to_journal = stderr_is_journal();
	if (own_fd >= 0)
		(void)close(own_fd);
	own_fd = -1;
	if (fstat(STDERR_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		own_fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool
log_is_to_journal(void)
{
	return to_journal;
}

ssize_t
log_put(const char *line, size_t len)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;

	if (own_fd >= 0) {
		n = write(own_fd, line, len);
	} else {
		n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		/* Else it is a file, or what could not be opened. */
		if (n < 0 && errno == ENOTSOCK)
			n = poll(&fd, 1, 0) == 0 ? (errno = EAGAIN, -1) :
						   write(fd.fd, line, len);
	}
	return n < 0 ? -errno : n;
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

void
log_set_sink(void (*sink)(const struct log_record *record))
{
	atomic_store_explicit(&the_sink, sink == NULL ? stderr_sink : sink,
	    memory_order_release);
}

const char *
log_stamp(int64_t at_ms, char stamp[LOG_STAMP_SIZE])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;
	size_t len;

	stamp[0] = '\0';
	if (gmtime_r(&seconds, &tm) == NULL)
		return stamp;
	len = strftime(stamp, LOG_STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(stamp + len, LOG_STAMP_SIZE - len, ".%03dZ",
	    (int)(at_ms % 1000));
	return stamp;
}

int
log_to_stderr(const struct log_record *record)
{
	const struct level *level = &levels[record->level];
	char line[LINE_SIZE];
	char stamp[LOG_STAMP_SIZE];
	size_t len;
	ssize_t n;

	/* The journal has its own clock. */
	if (to_journal)
		(void)snprintf(line, sizeof line, "%s%s",
		    level->journal_prefix, record->text);
	else
		(void)snprintf(line, sizeof line, "%s %s: %s",
		    log_stamp(record->at_ms, stamp), level->name,
		    record->text);
	/* One byte may be the terminator's: it becomes the newline. */
	len = strlen(line);
	line[len++] = '\n';
	n = log_put(line, len);
	return n < 0 ? (int)n : 0;
}

static void
stderr_sink(const struct log_record *record)
{
	/* What cannot be written is lost. */
	(void)log_to_stderr(record);
}

void
log_write(const struct log_about *about, enum log_level level,
    const char *fmt, ...)
{
	char text[LINE_SIZE];
	struct log_record record = { level, 0, text, about };
	struct timespec now = { .tv_sec = 0 };
	int saved_errno = errno;
	va_list args;

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	atomic_fetch_add_explicit(&counts[level], 1, memory_order_relaxed);
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	escape_keep_line(text);
	/* It may have been cut, and the journal shows no such text at all. */
	escape_keep_utf8(text);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	record.at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	atomic_load_explicit(&the_sink, memory_order_acquire)(&record);
	errno = saved_errno;
}

uint64_t
log_count(enum log_level level)
{
	return atomic_load_explicit(&counts[level], memory_order_relaxed);
}
