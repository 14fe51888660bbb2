/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See failing-malloc.h.
 */
#include "failing-malloc.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned left;			/* 0: none is to fail */
static bool has_failed;
static pthread_t owner;
static enum failing_malloc_scope where;
static sqlite3_mem_methods sqlite;

static bool
fails(void)
{
	bool is_mine, fail = false;

	(void)pthread_mutex_lock(&mutex);
	is_mine = left > 0 && pthread_equal(pthread_self(), owner) != 0;
	if (left > 0 && is_mine == (where == FAIL_MY_THREAD) && --left == 0)
		fail = has_failed = true;
	(void)pthread_mutex_unlock(&mutex);
	if (fail)
		errno = ENOMEM;
	return fail;
}

void
failing_malloc_at(unsigned n, enum failing_malloc_scope scope)
{
	(void)pthread_mutex_lock(&mutex);
	left = n;
	where = scope;
	owner = pthread_self();
	has_failed = false;
	(void)pthread_mutex_unlock(&mutex);
}

bool
failing_malloc_has_failed(void)
{
	bool yes;

	(void)pthread_mutex_lock(&mutex);
	yes = has_failed;
	(void)pthread_mutex_unlock(&mutex);
	return yes;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return NULL;
	return __wrap_realloc(p, n * size);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = __wrap_malloc(len + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

static void *
sqlite_malloc(int size)
{
	return fails() ? NULL : sqlite.xMalloc(size);
}

static void *
sqlite_realloc(void *p, int size)
{
	return fails() ? NULL : sqlite.xRealloc(p, size);
}

void
failing_malloc_in_sqlite(void)
{
	sqlite3_mem_methods mine;

	(void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite);
	mine = sqlite;
	mine.xMalloc = sqlite_malloc;
	mine.xRealloc = sqlite_realloc;
	/* Small pieces come from here, too. */
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}
