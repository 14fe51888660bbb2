/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is right in a configuration, and most likely not meant: what nobody
 * uses, what has no effect, what is a risk.  Only who asks is told.
 */

#include "conf/strict.h"

#include <string.h>
#include <time.h>

#include "conf/origin.h"

#define EXPIRES_SOON_S (21 * 86400)

static bool
is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

static bool
tls_is_used(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (is(conf->endpoints[i].tls, name))
			return true;
	return false;
}

static bool
template_is_used(const struct conf *conf, const char *name)
{
	if (strcmp(name, CONF_TEMPLATE_DEFAULT) == 0)
		return true;
	for (size_t i = 0; i < conf->n_templates; i++)
		if (is(conf->templates[i].inherit, name))
			return true;
	for (size_t i = 0; i < conf->n_jobs; i++)
		if (is(conf->jobs[i].template, name))
			return true;
	return false;
}

static bool
endpoint_is_used(const struct conf *conf, const char *name)
{
	const char *names[RUN_MAX_DESTINATIONS];

	for (size_t i = 0; i < conf->n_jobs; i++) {
		const struct conf_job *job = &conf->jobs[i];
		unsigned n = conf_job_destinations(job, names);

		if (is(job->source, name))
			return true;
		for (unsigned k = 0; k < n; k++)
			if (is(names[k], name))
				return true;
	}
	return false;
}

static bool
expires_soon(int64_t expires_s)
{
	return expires_s > 0 && expires_s < time(NULL) + EXPIRES_SOON_S;
}

static void
check_tls(const struct conf *conf, const struct conf_tls *tls,
    struct conf_problems *problems)
{
	struct conf_origin at;

	if (!tls_is_used(conf, tls->name))
		conf_complain(conf, problems, &tls->place, "tls \"%s\": no "
		    "endpoint uses it", tls->name);
	(void)conf_item_origin(&tls->place, "verify", &at);
	if (!tls->verify)
		conf_complain(conf, problems, &at.place, "tls \"%s\": any "
		    "certificate is believed", tls->name);
	if (expires_soon(tls->expires.cert_s) ||
	    expires_soon(tls->expires.ca_s))
		conf_complain(conf, problems, &tls->place, "tls \"%s\": a "
		    "certificate expires within 21 days", tls->name);
}

static void
check_endpoint(const struct conf *conf, const struct conf_endpoint *e,
    struct conf_problems *problems)
{
	struct conf_origin at;

	if (!endpoint_is_used(conf, e->name))
		conf_complain(conf, problems, &e->place, "endpoint \"%s\": no "
		    "job uses it", e->name);
	(void)conf_item_origin(&e->place, "allow_plaintext", &at);
	if (e->allow_plaintext)
		conf_complain(conf, problems, &at.place, "endpoint \"%s\": "
		    "what goes there goes without TLS", e->name);
}

/* without: what it would have an effect with. */
static void
say_no_effect(const struct conf *conf, const struct conf_job *job,
    const char *key, const char *without, struct conf_problems *problems)
{
	struct conf_origin origin;

	(void)conf_job_origin(conf, job, key, &origin);
	conf_complain(conf, problems, &origin.place, "job \"%s\": \"%s\" has "
	    "no effect without %s", job->name, key, without);
}

static void
check_job(const struct conf *conf, const struct conf_job *job,
    struct conf_problems *problems)
{
	bool runs_by_itself = job->schedule != NULL || job->interval_ms > 0;
	bool has_rpo = job->rpo_warn_ms > 0 || job->rpo_crit_ms > 0;

	if (job->window != NULL && !runs_by_itself)
		say_no_effect(conf, job, "window", "\"schedule\" or "
		    "\"interval\"", problems);
	if (job->jitter_ms > 0 && !runs_by_itself)
		say_no_effect(conf, job, "jitter", "\"schedule\" or "
		    "\"interval\"", problems);
	if (job->on_rpo.n > 0 && !has_rpo)
		say_no_effect(conf, job, "on_rpo", "\"rpo_warn\" or "
		    "\"rpo_crit\"", problems);
	if (job->rpo_repeat_ms > 0 && !has_rpo)
		say_no_effect(conf, job, "rpo_repeat", "\"rpo_warn\" or "
		    "\"rpo_crit\"", problems);
}

void
conf_check_strictly(const struct conf *conf, struct conf_problems *problems)
{
	for (size_t i = 0; i < conf->n_tls; i++)
		check_tls(conf, &conf->tls[i], problems);
	for (size_t i = 0; i < conf->n_templates; i++)
		if (!template_is_used(conf, conf->templates[i].name))
			conf_complain(conf, problems, &conf->templates[i].place,
			    "template \"%s\": no job uses it",
			    conf->templates[i].name);
	for (size_t i = 0; i < conf->n_endpoints; i++)
		check_endpoint(conf, &conf->endpoints[i], problems);
	for (size_t i = 0; i < conf->n_jobs; i++)
		check_job(conf, &conf->jobs[i], problems);
	conf_problems_sort(problems);
}
