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
add_spec(uint64_t hash, const struct endpoint_spec *spec)
{
	hash = (hash ^ (unsigned)spec->type) * 0x100000001b3;
	hash = add_text(hash, spec->uri);
	hash = add_text(hash, spec->path);
	for (char **word = spec->argv; word != NULL && *word != NULL; word++)
		hash = add_text(hash, *word);
	return hash;
}

static void
refresh_destinations(struct job *job, const struct conf *conf,
    const struct conf_job *cj) ON_MAIN
{
	const char *names[RUN_MAX_DESTINATIONS];
	uint64_t hash = 0xcbf29ce484222325;
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
}
