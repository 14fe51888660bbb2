/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which disks a job is about, by the names of its endpoints; and whether they
 * are those that a run of long ago has written, for which names will not do:
 * what an endpoint is called may lead somewhere else now.
 */

#include <inttypes.h>
#include <stdio.h>

#include "job/job-private.h"

/* FNV-1a; the terminator counts, too. */
static uint64_t
add_text(uint64_t hash, const char *text)
{
	if (text == NULL)
		text = "";
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++ != '\0');
	return hash;
}

static uint64_t
add_number(uint64_t hash, uint64_t n)
{
	return (hash ^ n) * 0x100000001b3;
}

static uint64_t
add_spec(uint64_t hash, const struct endpoint_spec *spec)
{
	hash = (hash ^ (unsigned)spec->type) * 0x100000001b3;
	hash = add_text(hash, spec->uri);
	hash = add_text(hash, spec->path);
	for (char **word = spec->argv; word != NULL && *word != NULL; word++)
		hash = add_text(hash, *word);
	return hash;
}

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/* From the first of the job's ranges to the last; all, without any. */
static struct job_disk
describe_disk(const struct conf *conf, const struct conf_job *cj,
    const char *name, bool is_source)
{
	const struct endpoint_spec *spec = conf_find_endpoint(conf, name)->spec;
	struct job_disk d = { .end = UINT64_MAX };
	uint64_t from, end;

	if (spec->type != ENDPOINT_NULL)
		d.id = add_spec(HASH_SEED, spec) | 1;
	for (size_t i = 0; i < cj->ranges.n; i++) {
		const struct run_range *r = &cj->ranges.v[i];

		from = is_source ? r->from : r->to;
		if (__builtin_add_overflow(from, r->length, &end))
			end = UINT64_MAX;
		if (i == 0 || from < d.from)
			d.from = from;
		if (i == 0 || end > d.end)
			d.end = end;
	}
	return d;
}

/* Two jobs may have the same limits, and other parts in between. */
static uint64_t
describe_parts(const struct conf_job *cj)
{
	uint64_t hash = add_number(HASH_SEED, cj->trim);

	for (size_t i = 0; i < cj->ranges.n; i++) {
		hash = add_number(hash, cj->ranges.v[i].from);
		hash = add_number(hash, cj->ranges.v[i].length);
		hash = add_number(hash, cj->ranges.v[i].to);
	}
	return hash;
}

static bool
is_same_disk(const struct job_disk *a, const struct job_disk *b)
{
	return a->id == b->id && a->from == b->from && a->end == b->end;
}

bool
job_disks_are_same(const struct job_disks *a, const struct job_disks *b)
{
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (!is_same_disk(&a->destinations[i], &b->destinations[i]))
			return false;
	return a->parts == b->parts && is_same_disk(&a->source, &b->source);
}

void
job_name_disks(const struct job_disks *disks, char ret_name[JOB_DISKS_SIZE])
{
	const struct job_disk *d = &disks->source;
	uint64_t hash = add_number(HASH_SEED, disks->parts);

	for (unsigned i = 0; i <= RUN_MAX_DESTINATIONS; i++) {
		hash = add_number(hash, d->id);
		hash = add_number(add_number(hash, d->from), d->end);
		d = &disks->destinations[i % RUN_MAX_DESTINATIONS];
	}
	(void)snprintf(ret_name, JOB_DISKS_SIZE, "%016" PRIx64, hash);
}

/*
 * What the last run has left is on other disks than the job is about now, or
 * is another part of them.
 */
static void
refresh_disks(struct job *job, const struct conf *conf,
    const struct conf_job *cj) ON_MAIN
{
	struct job_disks disks = { .parts = describe_parts(cj),
		.source = describe_disk(conf, cj, cj->source, true) };
	bool is_first = job->disks.source.end == 0;

	for (unsigned i = 0; i < job->n_destinations; i++)
		disks.destinations[i] = describe_disk(conf, cj,
		    job->destinations[i], false);
	if (!is_first && !job_disks_are_same(&disks, &job->disks)) {
		job->is_other_copy = true;
		run_map_done(&job->last_map);
		job->last_map = (struct run_map){ .v = NULL };
		ranges_clear(&job->differing);
	}
	job->disks = disks;
}

static void
refresh_destinations(struct job *job, const struct conf *conf,
    const struct conf_job *cj) ON_MAIN
{
	const char *names[RUN_MAX_DESTINATIONS];
	uint64_t hash = HASH_SEED;
	size_t used = 0;

	job->n_destinations = conf_job_destinations(cj, names);
	for (unsigned i = 0; i < job->n_destinations; i++) {
		(void)snprintf(job->destinations[i], CONF_NAME_SIZE, "%s",
		    names[i]);
		used += (size_t)snprintf(job->destination_names + used,
		    sizeof job->destination_names - used, "%s%s",
		    i > 0 ? ", " : "", job->destinations[i]);
		hash = add_spec(hash, conf_find_endpoint(conf,
		    names[i])->spec);
	}
	(void)snprintf(job->destinations_id, sizeof job->destinations_id,
	    "%016" PRIx64, hash);
}

void
job_refresh(struct job *job, const struct conf *conf)
{
	const struct conf_job *cj = conf_find_job(conf, job->name);

	/* While it runs, it is the run's endpoints that matter. */
	if (cj == NULL || job->run != NULL)
		return;
	(void)snprintf(job->source, sizeof job->source, "%s", cj->source);
	job->mode = cj->mode;
	refresh_destinations(job, conf, cj);
	refresh_disks(job, conf, cj);
}
