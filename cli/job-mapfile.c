/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of a job as a mapfile, which ddrescue and ddrescueview read.
 *
 * Such a file has the whole disk in it, in order and without gaps: what the
 * job does not copy was not tried.
 */
#include "cli/job-mapfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/job-map.h"

#define STRETCHES_MAX (1U << 20)

static int
read_number(const json_t *json, uint64_t *ret)
{
	json_int_t n = json_integer_value(json);

	if (!json_is_integer(json) || n < 0)
		return -EPROTO;
	*ret = (uint64_t)n;
	return 0;
}

static int
read_block(const json_t *json, struct job_mapfile_block *b)
{
	b->letter = job_map_letter(json_string_value(json_array_get(json, 2)));
	if (read_number(json_array_get(json, 0), &b->offset) < 0 ||
	    read_number(json_array_get(json, 1), &b->length) < 0)
		return -EPROTO;
	return b->offset + b->length < b->offset ? -EPROTO : 0;
}

static int
compare_blocks(const void *a, const void *b)
{
	const struct job_mapfile_block *x = a;
	const struct job_mapfile_block *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int
job_mapfile_read(const json_t *json, struct job_mapfile *ret)
{
	const json_t *list = json_object_get(json, "stretches");
	struct job_mapfile m = { .n = json_array_size(list) };
	int r = 0;

	if (!json_is_array(list) || m.n > STRETCHES_MAX)
		return -EPROTO;
	m.v = calloc(m.n + 1, sizeof *m.v);
	if (m.v == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < m.n; i++)
		r = read_block(json_array_get(list, i), &m.v[i]);
	if (r < 0) {
		job_mapfile_done(&m);
		return r;
	}
	qsort(m.v, m.n, sizeof *m.v, compare_blocks);
	*ret = m;
	return 0;
}

void
job_mapfile_done(struct job_mapfile *m)
{
	free(m->v);
}

static bool
is_finished(const struct job_mapfile *m)
{
	bool is_whole = m->n > 0;

	for (size_t i = 0; i < m->n; i++)
		is_whole = is_whole && m->v[i].letter == '+';
	return is_whole;
}

static void
write_block(FILE *f, uint64_t offset, uint64_t end, char letter)
{
	if (end > offset)
		(void)fprintf(f, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n",
		    offset, end - offset, letter);
}

void
job_mapfile_write(const struct job_mapfile *m, const char *job, FILE *f)
{
	uint64_t at = 0;

	(void)fprintf(f, "# Mapfile. Created by nbdsync, job %s\n"
	    "# current_pos  current_status  current_pass\n"
	    "0x00000000     %c               1\n"
	    "#      pos        size  status\n", job,
	    is_finished(m) ? '+' : '?');
	for (size_t i = 0; i < m->n; i++) {
		const struct job_mapfile_block *b = &m->v[i];
		uint64_t end = b->offset + b->length;

		/* A place may be copied to several. */
		if (end <= at)
			continue;
		write_block(f, at, b->offset, '?');
		write_block(f, b->offset > at ? b->offset : at, end,
		    b->letter);
		at = end;
	}
}
