/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/*
 * A variable that owns something is born empty and carries its own cleanup:
 *
 *	CLEANUP(cleanup_free) char *copy = NULL;
 *
 * STEAL hands the value over and leaves the variable empty.
 */

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* clang-format off */
#define STEAL(p) ({ __typeof__(p) stolen_ = (p); (p) = NULL; stolen_; })
#define STEAL_FD(fd) ({ int stolen_ = (fd); (fd) = -1; stolen_; })
/* clang-format on */

static inline void
cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void
cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#endif
