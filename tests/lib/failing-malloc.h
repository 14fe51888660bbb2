/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <stdbool.h>

/*
 * Memory that runs out at the nth allocation.  Whose test links it has
 *
 *	X_LDFLAGS = $(AM_LDFLAGS) $(failing_malloc_wrap)
 *
 * and then malloc, calloc, realloc, reallocarray, strdup and strndup of all
 * that is linked statically are these; of shared libraries, SQLite asks for
 * its memory here after failing_malloc_in_sqlite().  A loop over n until
 * nothing fails any more has seen each allocation fail.
 */

enum failing_malloc_scope {
	FAIL_MY_THREAD,
	FAIL_OTHER_THREADS,
};

/* The nth allocation from now fails, counted from 1, once.  0: none. */
void failing_malloc_at(unsigned n, enum failing_malloc_scope scope);

/* Has it? */
bool failing_malloc_has_failed(void);

/* Before anything is done with SQLite. */
void failing_malloc_in_sqlite(void);

#endif
