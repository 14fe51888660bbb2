/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks across the values of a configuration.  Members that did not parse
 * are NULL here and have been complained about: they are passed over.
 */

#include "conf/check.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/escape.h"
#include "conf/nearest.h"

/* NULL unless an earlier endpoint has this name. */
static const struct conf_endpoint *
earlier_endpoint(const struct conf *conf, size_t i)
{
	const char *name = conf->endpoints[i].name;

	for (size_t j = 0; name != NULL && j < i; j++)
		if (conf->endpoints[j].name != NULL &&
		    strcmp(conf->endpoints[j].name, name) == 0)
			return &conf->endpoints[j];
	return NULL;
}

static const struct conf_job *
earlier_job(const struct conf *conf, size_t i)
{
	const char *name = conf->jobs[i].name;

	for (size_t j = 0; name != NULL && j < i; j++)
		if (conf->jobs[j].name != NULL &&
		    strcmp(conf->jobs[j].name, name) == 0)
			return &conf->jobs[j];
	return NULL;
}

static int
make_spec(struct conf_endpoint *endpoint, struct error *e)
{
	char printable[ERROR_TEXT_SIZE / 2];
	int r;

	if (endpoint->command.v != NULL)
		return endpoint_spec_from_command(endpoint->name,
		    endpoint->command.v, (int)endpoint->command.n,
		    &endpoint->spec, e);
	if (endpoint->path != NULL)
		return endpoint_spec_from_text(endpoint->name, endpoint->path,
		    &endpoint->spec, e);
	r = endpoint_spec_from_text(endpoint->name, endpoint->uri,
	    &endpoint->spec, e);
	if (r == 0 && endpoint->spec->type == ENDPOINT_PATH)
		return error_set(e, -EINVAL, "\"uri\" is \"%s\", which is no "
		    "NBD URI (a file is given as path = \"/...\")",
		    escape_text(endpoint->uri, strlen(endpoint->uri),
		    printable, sizeof printable));
	return r;
}

static int
check_endpoint(struct conf *conf, size_t i, struct conf_problems *problems)
{
	struct conf_endpoint *endpoint = &conf->endpoints[i];
	const struct conf_endpoint *earlier = earlier_endpoint(conf, i);
	int n_ways = (endpoint->uri != NULL) + (endpoint->path != NULL) +
	    (endpoint->command.v != NULL);
	struct error e;
	int r;

	if (endpoint->name == NULL)
		return 0;
	if (earlier != NULL)
		conf_problems_add(problems, endpoint->line,
		    "endpoint \"%s\": there is one of this name in line %u",
		    endpoint->name, earlier->line);
	if (n_ways != 1) {
		/* One that was there but did not parse has been reported. */
		if (n_ways > 1 || !conf_problems_has_line(problems,
		    endpoint->line))
			conf_problems_add(problems, endpoint->line,
			    "endpoint \"%s\": must have one of \"uri\", "
			    "\"command\" and \"path\", but has %s",
			    endpoint->name, n_ways == 0 ? "none" : "more");
		return 0;
	}
	r = make_spec(endpoint, &e);
	if (r == -EINVAL)
		conf_problems_add(problems, endpoint->line,
		    "endpoint \"%s\": %s", endpoint->name, e.text);
	return r == -EINVAL ? 0 : r;
}

static void
check_reference(const struct conf *conf, const struct conf_job *job,
    const char *key, const char *name, struct conf_problems *problems)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	if (name == NULL || conf_find_endpoint(conf, name) != NULL)
		return;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (conf->endpoints[i].name != NULL)
			nearest_offer(&nearest, conf->endpoints[i].name);
	conf_problems_add(problems, job->line,
	    "job \"%s\": \"%s\" names endpoint \"%s\", which does not "
	    "exist%s", job->name, key, name, nearest_hint(&nearest, hint));
}

static void
check_ranges(const struct conf_job *job, struct conf_problems *problems)
{
	for (size_t i = 0; i < job->ranges.n; i++) {
		const struct run_range *range = &job->ranges.v[i];

		if (range->length == 0)
			conf_problems_add(problems, job->line,
			    "job \"%s\": range %zu: the length is 0",
			    job->name, i + 1);
		else if (range->length != RUN_LENGTH_ALL &&
		    (range->from > UINT64_MAX - range->length ||
		    range->to > UINT64_MAX - range->length))
			conf_problems_add(problems, job->line,
			    "job \"%s\": range %zu: the end is too large",
			    job->name, i + 1);
	}
}

static void
check_how_many(const struct conf_job *job, struct conf_problems *problems)
{
	if (job->destination == NULL && job->destinations.n == 0)
		conf_problems_add(problems, job->line,
		    "job \"%s\": \"destination\" or \"destinations\" is "
		    "missing", job->name);
	else if (job->destination != NULL && job->destinations.n > 0)
		conf_problems_add(problems, job->line,
		    "job \"%s\": \"destination\" and \"destinations\" "
		    "exclude each other", job->name);
	else if (job->destinations.n > RUN_MAX_DESTINATIONS)
		conf_problems_add(problems, job->line,
		    "job \"%s\": at most %d destinations are possible",
		    job->name, RUN_MAX_DESTINATIONS);
}

/* No two of a job's disks are the same. */
static void
check_destinations(const struct conf *conf, const struct conf_job *job,
    struct conf_problems *problems)
{
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(job, names);

	check_how_many(job, problems);
	for (unsigned i = 0; i < n; i++) {
		check_reference(conf, job, "destination", names[i], problems);
		if (job->source != NULL && strcmp(job->source, names[i]) == 0)
			conf_problems_add(problems, job->line,
			    "job \"%s\": source and destination are the same "
			    "endpoint \"%s\"", job->name, job->source);
		for (unsigned k = 0; k < i; k++)
			if (strcmp(names[k], names[i]) == 0)
				conf_problems_add(problems, job->line,
				    "job \"%s\": destination \"%s\" is there "
				    "twice", job->name, names[i]);
	}
}

static void
check_job(const struct conf *conf, size_t i, struct conf_problems *problems)
{
	const struct conf_job *job = &conf->jobs[i];
	const struct conf_job *earlier = earlier_job(conf, i);

	if (job->name == NULL)
		return;
	if (earlier != NULL)
		conf_problems_add(problems, job->line,
		    "job \"%s\": there is one of this name in line %u",
		    job->name, earlier->line);
	check_reference(conf, job, "source", job->source, problems);
	check_destinations(conf, job, problems);
	if (job->request_size % 512 != 0)
		conf_problems_add(problems, job->line,
		    "job \"%s\": \"request_size\" must be a multiple of 512 "
		    "bytes", job->name);
	if (job->zero_rest && job->ranges.n > 0)
		conf_problems_add(problems, job->line,
		    "job \"%s\": \"zero_rest\" and \"ranges\" exclude each "
		    "other: nothing is written outside of ranges", job->name);
	check_ranges(job, problems);
}

int
check_conf(struct conf *conf, struct conf_problems *problems)
{
	int r;

	if (strlen(conf->control.socket) >=
	    sizeof ((struct sockaddr_un *)NULL)->sun_path)
		conf_problems_add(problems, 0, "control: \"socket\": the path "
		    "is too long for a socket");
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		r = check_endpoint(conf, i, problems);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < conf->n_jobs; i++)
		check_job(conf, i, problems);
	return problems->n > 0 ? -EINVAL : 0;
}
