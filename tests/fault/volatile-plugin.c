/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk for nbdkit that is as bad as a disk may be, on a file:
 *
 *	nbdkit ./volatile-plugin.so file=FILE [log=LOG] [seed=N]
 *	    [survive=none|some] [crash-after=N] [control=FIFO]
 *	    [multi-conn=yes|no] [holes=yes|no] [fail=COMMAND:N:ERRNO[:COUNT]]...
 *
 * What is written stays in memory until a flush has taken it to the file:
 * killing the server loses the rest, also at an orderly end.  With
 * survive=some a power cut ("crash" written to FIFO, or the N-th write) first
 * lets a random half of the rest reach the file, in random order and torn
 * between sectors of 512 bytes.  Without multi-conn a flush covers what its
 * own connection, or one that is gone, has written.
 *
 * With holes what is zero is told to be a hole alone, which may hold anything.
 *
 * COMMAND (read, write, zero, trim, flush, status) fails from its N-th time on,
 * COUNT times (once; 0: for ever), before anything is done.
 *
 * What happened is a line of LOG each: "fail read 3", "crash lost BYTES of
 * PENDING in N writes" where LOST counts the bytes that the file now lacks.
 */
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL
#define SECTOR 512U
#define MAX_FAILURES 16

enum command { READ, WRITE, ZERO, TRIM, FLUSH, STATUS, N_COMMANDS };

static const char *const command_names[N_COMMANDS] = {
	"read", "write", "zero", "trim", "flush", "status",
};

static const struct {
	const char *name;
	int code;
} errnos[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EPERM", EPERM },
	{ "EOVERFLOW", EOVERFLOW }, { "ESHUTDOWN", ESHUTDOWN },
	{ "EINVAL", EINVAL }, { "ENOMEM", ENOMEM }, { "EROFS", EROFS },
	{ "ENOTSUP", ENOTSUP },
};

struct failure {
	enum command command;
	unsigned long from;
	unsigned long count;		/* 0: for ever */
	int code;
};

/* A write that no flush has covered. */
struct pending {
	struct pending *next;
	unsigned long connection;	/* 0: it is gone */
	uint64_t offset;
	uint32_t len;
	uint8_t data[];
};

struct connection {
	unsigned long number;
};

static char *file_name, *log_name, *control_name;
static bool is_multi_conn = true;
static bool some_survive;
static bool has_holes;
static unsigned long crash_after;
static uint64_t seed = 1;
static struct failure failures[MAX_FAILURES];
static unsigned n_failures;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int fd = -1;
static uint8_t *disk;			/* as it reads, flushed or not */
static uint64_t size;
static struct pending *oldest, **newest = &oldest;
static unsigned long n_calls[N_COMMANDS];
static unsigned long n_connections;

/* xorshift64*: the same on every machine. */
static uint64_t
random_below(uint64_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dULL >> 33) % n;
}

__attribute__((format(printf, 1, 2)))
static void
say(const char *format, ...)
{
	va_list args;
	char line[200];
	int log_fd;

	if (log_name == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	(void)strcat(line, "\n");
	log_fd = open(log_name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log_fd < 0 || write(log_fd, line, strlen(line)) < 0)
		abort();
	(void)close(log_fd);
}

/*
 * Settings.
 */

static int
parse_failure(const char *text)
{
	struct failure *f = &failures[n_failures];
	char command[16], code[16];

	f->count = 1;
	if (n_failures == MAX_FAILURES ||
	    sscanf(text, "%15[a-z]:%lu:%15[A-Z]:%lu", command, &f->from, code,
		&f->count) < 3)
		return -1;
	f->command = N_COMMANDS;
	for (int i = 0; i < N_COMMANDS; i++) {
		if (strcmp(command, command_names[i]) == 0)
			f->command = (enum command)i;
	}
	for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++) {
		if (strcmp(code, errnos[i].name) == 0)
			f->code = errnos[i].code;
	}
	n_failures++;
	return f->command == N_COMMANDS || f->code == 0 ? -1 : 0;
}

static int
volatile_config(const char *key, const char *value)
{
	if (strcmp(key, "file") == 0)
		file_name = nbdkit_realpath(value);
	else if (strcmp(key, "log") == 0)
		log_name = nbdkit_absolute_path(value);
	else if (strcmp(key, "control") == 0)
		control_name = nbdkit_absolute_path(value);
	else if (strcmp(key, "seed") == 0)
		seed = strtoull(value, NULL, 10) * 2 + 1;
	else if (strcmp(key, "crash-after") == 0)
		crash_after = strtoul(value, NULL, 10);
	else if (strcmp(key, "survive") == 0)
		some_survive = strcmp(value, "some") == 0;
	else if (strcmp(key, "multi-conn") == 0)
		is_multi_conn = nbdkit_parse_bool(value) == 1;
	else if (strcmp(key, "holes") == 0)
		has_holes = nbdkit_parse_bool(value) == 1;
	else if (strcmp(key, "fail") != 0 || parse_failure(value) < 0) {
		nbdkit_error("not understood: %s=%s", key, value);
		return -1;
	}
	return 0;
}

static int
volatile_config_complete(void)
{
	if (file_name != NULL)
		return 0;
	nbdkit_error("file=FILE is missing");
	return -1;
}

/*
 * Power.
 */

static bool
to_file(const uint8_t *data, uint64_t len, uint64_t offset)
{
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len;
}

/* Some of its sectors reach the file, or all. */
static void
let_survive(const struct pending *p)
{
	bool is_torn = random_below(4) == 0;
	uint32_t n;

	for (uint32_t at = 0; at < p->len; at += n) {
		n = SECTOR - (uint32_t)((p->offset + at) % SECTOR);
		if (n > p->len - at)
			n = p->len - at;
		if (!is_torn || random_below(2) == 0)
			(void)to_file(p->data + at, n, p->offset + at);
	}
}

/* One after the other, but not in the order in which they were written. */
static void
let_some_survive(unsigned long n)
{
	const struct pending **all = calloc(n + 1, sizeof *all);
	const struct pending *p = oldest;

	if (all == NULL)
		abort();
	for (unsigned long i = 0; i < n; i++, p = p->next) {
		unsigned long at = random_below(i + 1);

		all[i] = all[at];
		all[at] = p;
	}
	for (unsigned long i = 0; i < n; i++) {
		if (random_below(2) == 0)
			let_survive(all[i]);
	}
}

/* How many bytes of what has been written the file does not have. */
static uint64_t
count_lost(void)
{
	uint8_t on_file[SECTOR];
	uint64_t lost = 0;
	ssize_t n;

	for (uint64_t at = 0; at < size; at += (uint64_t)n) {
		n = pread(fd, on_file, sizeof on_file, (off_t)at);
		if (n <= 0)
			abort();
		if (memcmp(on_file, disk + at, (size_t)n) != 0)
			lost += (uint64_t)n;
	}
	return lost;
}

/* Under the mutex, which nobody gets any more. */
static void
lose_power(void)
{
	unsigned long n = 0;
	uint64_t bytes = 0;

	for (const struct pending *p = oldest; p != NULL; p = p->next) {
		n++;
		bytes += p->len;
	}
	if (some_survive)
		let_some_survive(n);
	say("crash lost %lu of %lu in %lu writes", (unsigned long)count_lost(),
	    (unsigned long)bytes, n);
	_exit(137);
}

static void *
wait_for_control(void *arg)
{
	char line[64];
	FILE *f;

	for (;;) {
		f = fopen(control_name, "r");
		if (f == NULL)
			return arg;
		while (fgets(line, sizeof line, f) != NULL) {
			(void)pthread_mutex_lock(&mutex);
			if (strcmp(line, "crash\n") == 0)
				lose_power();
			(void)pthread_mutex_unlock(&mutex);
		}
		(void)fclose(f);
	}
}

/* Started here, since nbdkit may have forked before. */
static int
volatile_after_fork(void)
{
	pthread_t thread;
	struct stat st;

	fd = open(file_name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		nbdkit_error("%s: %m", file_name);
		return -1;
	}
	size = (uint64_t)st.st_size;
	disk = malloc(size + 1);
	if (disk == NULL || pread(fd, disk, size, 0) != st.st_size) {
		nbdkit_error("%s: cannot be read", file_name);
		return -1;
	}
	if (control_name != NULL)
		(void)pthread_create(&thread, NULL, wait_for_control, NULL);
	return 0;
}

/*
 * Requests.
 */

/* Under the mutex.  True: this one fails, and the error is set. */
static bool
must_fail(enum command command)
{
	unsigned long n = ++n_calls[command];
	const struct failure *f;

	for (unsigned i = 0; i < n_failures; i++) {
		f = &failures[i];
		if (f->command != command || n < f->from ||
		    (f->count > 0 && n >= f->from + f->count))
			continue;
		say("fail %s %lu", command_names[command], n);
		nbdkit_set_error(f->code);
		return true;
	}
	return false;
}

/* No data: zeroes. */
static int
change(struct connection *conn, const void *data, uint32_t len,
    uint64_t offset)
{
	struct pending *p = calloc(1, sizeof *p + len);

	if (p == NULL)
		return -1;
	p->connection = conn->number;
	p->offset = offset;
	p->len = len;
	if (data != NULL)
		memcpy(p->data, data, len);
	memcpy(disk + offset, p->data, len);
	*newest = p;
	newest = &p->next;
	if (crash_after > 0 && n_calls[WRITE] + n_calls[ZERO] >= crash_after)
		lose_power();
	return 0;
}

static int
volatile_pwrite(void *handle, const void *buf, uint32_t count,
    uint64_t offset, uint32_t flags)
{
	int r = -1;

	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	if (!must_fail(WRITE))
		r = change(handle, buf, count, offset);
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

static int
volatile_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	int r = -1;

	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	if (!must_fail(ZERO))
		r = change(handle, NULL, count, offset);
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

/* What is trimmed may be anything. */
static int
volatile_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	int r;

	(void)handle;
	(void)count;
	(void)offset;
	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	r = must_fail(TRIM) ? -1 : 0;
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

static int
volatile_pread(void *handle, void *buf, uint32_t count, uint64_t offset,
    uint32_t flags)
{
	int r = -1;

	(void)handle;
	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	if (!must_fail(READ)) {
		memcpy(buf, disk + offset, count);
		r = 0;
	}
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

/* Under the mutex. */
static int
flush_of(const struct connection *conn)
{
	struct pending **link = &oldest, *p;

	while ((p = *link) != NULL) {
		if (!is_multi_conn && p->connection != 0 &&
		    p->connection != conn->number) {
			link = &p->next;
			continue;
		}
		if (!to_file(p->data, p->len, p->offset))
			return -1;
		*link = p->next;
		free(p);
	}
	newest = link;
	return 0;
}

static int
volatile_flush(void *handle, uint32_t flags)
{
	int r = -1;

	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	if (!must_fail(FLUSH))
		r = flush_of(handle);
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

static bool
is_zero(uint64_t at, uint64_t end)
{
	while (at < end && disk[at] == 0)
		at++;
	return at == end;
}

/* In sectors of 4 KiB. */
static int
volatile_extents(void *handle, uint32_t count, uint64_t offset,
    uint32_t flags, struct nbdkit_extents *extents)
{
	const uint64_t end = offset + count;
	uint64_t at, next;
	int r = -1;

	(void)handle;
	(void)flags;
	(void)pthread_mutex_lock(&mutex);
	if (!must_fail(STATUS))
		r = 0;
	for (at = offset; r == 0 && at < end; at = next) {
		next = (at / 4096 + 1) * 4096;
		if (next > end)
			next = end;
		r = nbdkit_add_extent(extents, at, next - at,
		    !is_zero(at, next) ? 0 : NBDKIT_EXTENT_HOLE |
			(has_holes ? 0 : NBDKIT_EXTENT_ZERO));
	}
	(void)pthread_mutex_unlock(&mutex);
	return r;
}

/*
 * Connections.
 */

static void *
volatile_open(int readonly)
{
	struct connection *conn = calloc(1, sizeof *conn);

	(void)readonly;
	if (conn == NULL)
		return NULL;
	(void)pthread_mutex_lock(&mutex);
	conn->number = ++n_connections;
	(void)pthread_mutex_unlock(&mutex);
	return conn;
}

static void
volatile_close(void *handle)
{
	struct connection *conn = handle;

	(void)pthread_mutex_lock(&mutex);
	for (struct pending *p = oldest; p != NULL; p = p->next) {
		if (p->connection == conn->number)
			p->connection = 0;
	}
	(void)pthread_mutex_unlock(&mutex);
	free(conn);
}

static int64_t
volatile_get_size(void *handle)
{
	(void)handle;
	return (int64_t)size;
}

static int
volatile_can_multi_conn(void *handle)
{
	(void)handle;
	return is_multi_conn;
}

static int
volatile_yes(void *handle)
{
	(void)handle;
	return 1;
}

static struct nbdkit_plugin plugin = {
	.name = "volatile",
	.description = "a disk that forgets what was not flushed",
	.config = volatile_config,
	.config_complete = volatile_config_complete,
	.after_fork = volatile_after_fork,
	.open = volatile_open,
	.close = volatile_close,
	.get_size = volatile_get_size,
	.can_write = volatile_yes,
	.can_flush = volatile_yes,
	.can_zero = volatile_yes,
	.can_trim = volatile_yes,
	.can_fast_zero = volatile_yes,
	.can_extents = volatile_yes,
	.can_multi_conn = volatile_can_multi_conn,
	.pread = volatile_pread,
	.pwrite = volatile_pwrite,
	.zero = volatile_zero,
	.trim = volatile_trim,
	.flush = volatile_flush,
	.extents = volatile_extents,
	.errno_is_preserved = 1,
};

NBDKIT_REGISTER_PLUGIN(plugin)
