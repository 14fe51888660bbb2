/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_MAP_H
#define CLI_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The extents of a metadata context, printed one by one as they come, or
 * summed up by kind: nothing is kept of a list, and of sums one row a kind.
 */

#define MAP_STATE_SIZE 32

/*
 * What flags mean in a context, in words: "hole,zero"; in buf or constant.
 * NULL: it is not a context that we know.
 */
const char *map_state(const char *context, uint64_t flags,
    char buf[MAP_STATE_SIZE]);

/* As many kinds can be summed; a server may make up more. */
#define MAP_MAX_KINDS 4096

struct map_extent {
	uint64_t offset;		/* bytes */
	uint64_t length;		/* bytes; 0: none */
	uint64_t flags;
};

struct map_kind {
	uint64_t flags;
	uint64_t length;		/* bytes, of all its extents */
};

struct map {
	/* The caller's, before map_add(). */
	FILE *out;
	const char *context;
	uint64_t size;			/* of the disk, bytes */
	bool json;
	bool totals;

	uint64_t n_added;		/* extents, up to now; may be reset */

	/* Ours; zero at first. */
	struct map_extent last;		/* may go on, so it is not printed */
	bool has_begun;
	int width;			/* of numbers, in columns; 0: not
					   known yet */
	struct map_kind *kinds;		/* by their flags */
	size_t n_kinds;
	size_t room;
	int error;			/* see map_end() */
};

/*
 * One more extent, behind the last one; arg is the map, context its own.
 * Neighbours of one kind become one.  An nbdclient_extent_cb.
 */
void map_add(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags);

/*
 * There are no more: print what is left.  0; -ENOMEM, or -E2BIG: over
 * MAP_MAX_KINDS, where there are sums to be printed.  Errors of out are the
 * caller's to look at.
 */
int map_end(struct map *m);

/* Free what it has, at any time. */
void map_done(struct map *m);

#endif
