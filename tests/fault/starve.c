/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linked into our programs with --wrap, it lets one of their allocations
 * fail: the one whose number, counted from the start, is in STARVE_AT.  Says
 * so in the file STARVE_LOG, where the number of all of them is told at the
 * end: "starved 7", "allocated 412".  JSON is allocated through here, too.
 * What libevent and OpenSSL allocate never fails, and is counted apart: "by
 * libraries 90".
 *
 * With a file STARVE_NEXT, which begins with a number of 16 bits in the
 * machine's order: while that is not 0 each allocation takes one off it, and
 * the one that makes it 0 fails.  So it can be written while we run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
int __real_vasprintf(char **ret, const char *format, va_list args);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **ret, const char *format, ...);
int __wrap_vasprintf(char **ret, const char *format, va_list args);

static atomic_ulong n_allocations;
static atomic_ulong n_by_libraries;
static unsigned long starve_at;
static _Atomic uint16_t *n_before_next;	/* NULL: no such file */
static int log_fd = -1;

static void
say(const char *what, unsigned long n)
{
	char line[64];
	const int len = snprintf(line, sizeof line, "%s %lu\n", what, n);

	if (log_fd >= 0 && write(log_fd, line, (size_t)len) < 0)
		abort();
}

static bool
is_next(void)
{
	uint16_t n;

	if (n_before_next == NULL)
		return false;
	n = atomic_load(n_before_next);
	do
		if (n == 0)
			return false;
	while (!atomic_compare_exchange_weak(n_before_next, &n,
	    (uint16_t)(n - 1)));
	return n == 1;
}

static bool
is_starved(void)
{
	const unsigned long n = atomic_fetch_add(&n_allocations, 1) + 1;

	if (!is_next() && n != starve_at)
		return false;
	say("starved", n);
	errno = ENOMEM;
	return true;
}

static void
tell_number(void)
{
	say("by libraries", n_by_libraries);
	say("allocated", n_allocations);
}

static void *
event_malloc(size_t size)
{
	(void)atomic_fetch_add(&n_by_libraries, 1);
	return __real_malloc(size);
}

static void *
event_realloc(void *p, size_t size)
{
	(void)atomic_fetch_add(&n_by_libraries, 1);
	return __real_realloc(p, size);
}

static void *
tls_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return event_malloc(size);
}

static void *
tls_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return event_realloc(p, size);
}

static void
tls_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static void
map_next(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0)
		p = mmap(NULL, sizeof *n_before_next, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	(void)close(fd);
	n_before_next = p;
}

__attribute__((constructor))
static void
prepare(void)
{
	const char *at = getenv("STARVE_AT");
	const char *log = getenv("STARVE_LOG");
	const char *next = getenv("STARVE_NEXT");

	if (log == NULL)
		return;
	log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	json_set_alloc_funcs(__wrap_malloc, free);
	event_set_mem_functions(event_malloc, event_realloc, free);
	if (CRYPTO_set_mem_functions(tls_malloc, tls_realloc, tls_free) != 1)
		abort();
	if (next != NULL)
		map_next(next);
	if (at != NULL)
		starve_at = strtoul(at, NULL, 10);
	(void)atexit(tell_number);
}

void *
__wrap_malloc(size_t size)
{
	return is_starved() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_starved() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return is_starved() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return is_starved() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *text)
{
	return is_starved() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return is_starved() ? NULL : __real_strndup(text, len);
}

int
__wrap_vasprintf(char **ret, const char *format, va_list args)
{
	return is_starved() ? -1 : __real_vasprintf(ret, format, args);
}

int
__wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return n;
}
