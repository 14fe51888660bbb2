/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard error, a file, and the two sockets that take a record as one
 * datagram: the journal's and syslog's.  One that is full loses the record,
 * since nobody may wait for it: that is why neither sd_journal_send() nor
 * syslog(3) is used, which do.  Where standard error is the journal, that gets
 * its records with fields, and lines only if it cannot.
 */

#include "log/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "log/format.h"

#define RETRY_MS 1000

static const char *
usual_path(enum conf_log_type type)
{
	if (type == CONF_LOG_JOURNAL)
		return "/run/systemd/journal/socket";
	return type == CONF_LOG_SYSLOG ? "/dev/log" : NULL;
}

int
outlet_init(struct outlet *outlet, const struct conf_log *conf)
{
	bool is_journal = conf->type == CONF_LOG_STDERR &&
	    conf->format == CONF_LOG_HUMAN && log_is_to_journal();
	enum conf_log_type type = is_journal ? CONF_LOG_JOURNAL : conf->type;
	const char *path = conf->path != NULL ? conf->path : usual_path(type);

	*outlet = (struct outlet){
		.type = type,
		.is_stderr = is_journal,
		.level = conf->level,
		.format = conf->format,
		.path = path == NULL ? NULL : strdup(path),
		.fd = -1,
	};
	return path != NULL && outlet->path == NULL ? -ENOMEM : 0;
}

void
outlet_done(struct outlet *outlet)
{
	if (outlet->fd >= 0)
		(void)close(outlet->fd);
	free(outlet->path);
	outlet->fd = -1;
	outlet->path = NULL;
}

void
outlet_reopen(struct outlet *outlet)
{
	if (outlet->fd >= 0)
		(void)close(outlet->fd);
	outlet->fd = -1;
	outlet->retry_at_ms = 0;
}

/* O_NONBLOCK: opening a fifo must not wait for a reader. */
static int
open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK, 0640);

	return fd < 0 ? -errno : fd;
}

static int
open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	CLEANUP(cleanup_close) int fd = -1;

	if (strlen(path) >= sizeof sun.sun_path)
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0)
		return -errno;
	return STEAL_FD(fd);
}

/* What it was at the last try, while it is too early for another. */
static int
make_ready(struct outlet *outlet, int64_t now_ms)
{
	int r;

	if (outlet->fd >= 0)
		return 0;
	if (now_ms < outlet->retry_at_ms &&
	    outlet->retry_at_ms - now_ms <= RETRY_MS)
		return -EAGAIN;
	r = outlet->type == CONF_LOG_FILE ? open_file(outlet->path) :
	    open_socket(outlet->path);
	outlet->retry_at_ms = now_ms + RETRY_MS;
	if (r < 0)
		return r;
	outlet->fd = r;
	return 0;
}

static void
format(const struct outlet *outlet, const struct log_record *record, FILE *f)
{
	if (outlet->type == CONF_LOG_JOURNAL)
		format_journal(record, f);
	else if (outlet->type == CONF_LOG_SYSLOG)
		format_syslog(record, f);
	else if (outlet->format == CONF_LOG_JSON)
		format_json(record, f);
	else if (outlet->format == CONF_LOG_LOGFMT)
		format_logfmt(record, f);
	else
		format_human(record, f);
}

/* All of it with one call, or it is lost. */
static int
put(const struct outlet *outlet, int fd, const struct log_record *record)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	ssize_t n;

	if (f == NULL)
		return -ENOMEM;
	format(outlet, record, f);
	if (fclose(f) != 0 || text == NULL)
		return -ENOMEM;
	n = fd == STDERR_FILENO ? log_put(text, len) : write(fd, text, len);
	if (n < 0)
		return fd == STDERR_FILENO ? (int)n : -errno;
	return (size_t)n == len ? 0 : -ENOSPC;
}

static int
write_opened(struct outlet *outlet, const struct log_record *record)
{
	int r = make_ready(outlet, record->at_ms);

	if (r < 0)
		return r;
	r = put(outlet, outlet->fd, record);
	/* Who listens may have been started again; a full one is only full. */
	if (r < 0 && r != -EAGAIN && outlet->type != CONF_LOG_FILE) {
		(void)close(outlet->fd);
		outlet->fd = -1;
		if (make_ready(outlet, outlet->retry_at_ms) == 0)
			r = put(outlet, outlet->fd, record);
	}
	return r;
}

int
outlet_write(struct outlet *outlet, const struct log_record *record)
{
	int r;

	if (outlet->type == CONF_LOG_STDERR)
		return outlet->format == CONF_LOG_HUMAN ?
		    log_to_stderr(record) :
		    put(outlet, STDERR_FILENO, record);
	r = write_opened(outlet, record);
	return r < 0 && outlet->is_stderr ? log_to_stderr(record) : r;
}
