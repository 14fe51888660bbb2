/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_JOB_MAPFILE_H
#define CLI_JOB_MAPFILE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What of a job's source is done, to the byte, as a mapfile.
 */

struct job_mapfile {
	struct job_mapfile_block {
		uint64_t offset;
		uint64_t length;
		char letter;		/* '+', '-' or '?' */
	} *v;				/* by offset */
	size_t n;
};

/*
 * The daemon's map with exact=1.  0, -EPROTO, -ENOMEM.  What it owns is freed
 * by job_mapfile_done().
 */
int job_mapfile_read(const json_t *json, struct job_mapfile *ret);
void job_mapfile_done(struct job_mapfile *m);

void job_mapfile_write(const struct job_mapfile *m, const char *job, FILE *f);

#endif
