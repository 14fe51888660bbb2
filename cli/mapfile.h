/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_MAPFILE_H
#define CLI_MAPFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ranges.h"
#include "transfer/run.h"

/*
 * A mapfile as GNU ddrescue keeps one: what of a disk has been copied, and
 * what could not be.  See "Mapfile structure" in its manual.  All offsets are
 * the source's.
 */
struct mapfile {
	const char *path;		/* the caller's */
	uint64_t end;			/* of what it tells about; 0: of
					   nothing, or there was none */
	struct ranges finished;		/* "+" */
};

/* It begins as all 0, but for its path. */
void mapfile_done(struct mapfile *m);

/*
 * Read it, and see that it can be replaced.  0, also if there is no such file;
 * -EINVAL with the line: it is no mapfile; -EFBIG; -ENOMEM; or what the system
 * says.
 */
int mapfile_read(struct mapfile *m, struct error *e);

/*
 * What is not finished, as ranges to be copied to the same place; the caller
 * frees them.  The last one begins where the map ends, and goes to the end of
 * the disk: a disk that ends before is not the map's.  0, or -ENOMEM.
 */
int mapfile_todo(const struct mapfile *m, struct run_range **ret_ranges,
    size_t *ret_n);

/*
 * Replace the file, as a whole, after a run that has done all there was to do
 * but for the result's bad ranges.  0; -ENOMEM; or what the system says.
 */
int mapfile_write(const struct mapfile *m, const struct run_result *result,
    struct error *e);

#endif
