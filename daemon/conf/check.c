/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks across the values of a configuration.  Members that did not parse
 * are NULL here and have been complained about: they are passed over.
 */

#include "conf/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/lists.h"
#include "conf/nearest.h"
#include "conf/origin.h"
#include "conf/value.h"
#include "nbd/uri.h"
#include "net/tls.h"

struct check {
	struct conf *conf;
	struct conf_problems *problems;
};

/* Note a problem with what a job says under key. */
#define COMPLAIN_OF_JOB(c, job, key, ...)                                     \
	do {                                                                  \
		struct conf_origin origin_;                                   \
		(void)conf_job_origin((c)->conf, job, key, &origin_);         \
		conf_complain((c)->conf, (c)->problems, &origin_.place,       \
		    __VA_ARGS__);                                             \
	} while (0)

/* The same of another item. */
#define COMPLAIN_OF(c, item, key, ...)                                        \
	do {                                                                  \
		struct conf_origin origin_;                                   \
		(void)conf_item_origin(&(item)->place, key, &origin_);        \
		conf_complain((c)->conf, (c)->problems, &origin_.place,       \
		    __VA_ARGS__);                                             \
	} while (0)

/* It is there, and if it did not parse, that has been reported. */
static bool
says(const struct conf_place *item, const char *key)
{
	struct conf_origin origin;

	return conf_item_origin(item, key, &origin);
}

static void
complain_twice(const struct check *c, const struct conf_list *list,
    const void *item, const void *earlier)
{
	const struct conf_place *place = item, *first = earlier;
	const char *noun = option_group_noun(list->group);
	const char *name = conf_list_name(list, item);
	struct conf_origin at;

	(void)conf_item_origin(place, "name", &at);
	if (place->file == first->file)
		conf_complain(c->conf, c->problems, &at.place, "%s \"%s\": "
		    "there is one of this name in line %u", noun, name,
		    first->spot.line);
	else
		conf_complain(c->conf, c->problems, &at.place, "%s \"%s\": "
		    "there is one of this name in %s:%u", noun, name,
		    c->conf->files[first->file].name, first->spot.line);
}

static void
check_names(const struct check *c, enum conf_list_id id)
{
	const struct conf_list *list = &conf_lists[id];
	size_t n;
	const void *const *items = conf_lists_sorted(c->conf, id, &n);
	size_t first = 0;

	for (size_t i = 1; i < n; i++) {
		if (strcmp(conf_list_name(list, items[first]),
		    conf_list_name(list, items[i])) == 0)
			complain_twice(c, list, items[i], items[first]);
		else
			first = i;
	}
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

/*
 * Where systemd puts credentials.  Without it this is not the service; a
 * connection will fail then, but the configuration may be right.
 */
#define CREDENTIALS_FALLBACK "/run/credentials/nbdsync.service"

/* The path that text means, or NULL for NULL; *ret_own is the caller's. */
static int
resolve_file(const char *text, const char **ret_path, char **ret_own)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	*ret_path = text;
	if (text == NULL || value_credential(text) == NULL)
		return 0;
	if (asprintf(ret_own, "%s/%s", dir != NULL ? dir :
	    CREDENTIALS_FALLBACK, value_credential(text)) < 0) {
		*ret_own = NULL;
		return -ENOMEM;
	}
	*ret_path = *ret_own;
	return 0;
}

static int
set_tls(struct endpoint_spec *spec, const struct conf_tls *tls)
{
	CLEANUP(cleanup_free) char *ca = NULL;
	CLEANUP(cleanup_free) char *crl = NULL;
	CLEANUP(cleanup_free) char *cert = NULL;
	CLEANUP(cleanup_free) char *key = NULL;
	CLEANUP(cleanup_free) char *psk = NULL;
	struct tls_settings s = {
		.ca_dir = tls->ca_dir,
		.pin_sha256 = tls->pin_sha256,
		.key_password = tls->key_password,
		.user = tls->psk_user,
		.name = tls->hostname,
		.no_verify = !tls->verify,
		.only_1_3 = tls->min_version == CONF_TLS_1_3,
	};

	if (resolve_file(tls->ca, &s.ca_file, &ca) < 0 ||
	    resolve_file(tls->crl, &s.crl_file, &crl) < 0 ||
	    resolve_file(tls->cert, &s.cert_file, &cert) < 0 ||
	    resolve_file(tls->key, &s.key_file, &key) < 0 ||
	    resolve_file(tls->psk_file, &s.psk_file, &psk) < 0)
		return -ENOMEM;
	return endpoint_spec_set_tls(spec, &s);
}

/* Who can be heard by nobody else. */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

/* What the file would tell everybody who reads it, or the wire. */
static void
check_uri(const struct check *c, const struct conf_endpoint *endpoint,
    const struct nbd_uri *uri)
{
	if (uri->tls_psk_file != NULL || uri->tls_certificates != NULL)
		COMPLAIN_OF(c, endpoint, "uri", "endpoint \"%s\": keys and "
		    "certificates belong into a TLS set, and \"tls\" names "
		    "it; not into the URI", endpoint->name);
	if (uri->transport == NBD_TRANSPORT_TCP && !uri->tls &&
	    !endpoint->allow_plaintext && !is_loopback(uri->host))
		COMPLAIN_OF(c, endpoint, "uri", "endpoint \"%s\": what goes "
		    "to another machine without TLS can be read and changed "
		    "on its way; use nbds, or say allow_plaintext = true",
		    endpoint->name);
}

static void
complain_no_tls(const struct check *c, const struct conf_endpoint *endpoint)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, endpoint->tls);
	for (size_t i = 0; i < c->conf->n_tls; i++)
		if (c->conf->tls[i].name != NULL)
			nearest_offer(&nearest, c->conf->tls[i].name);
	COMPLAIN_OF(c, endpoint, "tls", "endpoint \"%s\": \"tls\" names "
	    "\"%s\", which does not exist%s",
	    endpoint->name, endpoint->tls, nearest_hint(&nearest, hint));
}

/* Its URI, and its TLS set, which is for URIs. */
static int
check_tls(const struct check *c, const struct conf_endpoint *endpoint)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	const struct conf_tls *tls;

	if (endpoint->spec->type == ENDPOINT_NBD &&
	    nbd_uri_parse(endpoint->uri, &uri, NULL) < 0)
		return -ENOMEM;
	if (uri != NULL)
		check_uri(c, endpoint, uri);
	if (endpoint->tls == NULL)
		return 0;
	tls = conf_find_tls(c->conf, endpoint->tls);
	if (tls == NULL)
		complain_no_tls(c, endpoint);
	else if (uri == NULL || !uri->tls)
		COMPLAIN_OF(c, endpoint, "tls", "endpoint \"%s\": \"tls\" is "
		    "for URIs that begin with nbds", endpoint->name);
	else
		return set_tls(endpoint->spec, tls);
	return 0;
}

static const char *
way_of(const struct conf_endpoint *endpoint)
{
	return endpoint->uri != NULL ? "uri" :
	    endpoint->path != NULL ? "path" : "command";
}

/* One that did not parse has been reported. */
static bool
says_any_way(const struct conf_place *place)
{
	return says(place, "uri") || says(place, "path") ||
	    says(place, "command");
}

static int
check_endpoint(const struct check *c, struct conf_endpoint *endpoint)
{
	int n_ways = (endpoint->uri != NULL) + (endpoint->path != NULL) +
	    (endpoint->command.v != NULL);
	struct error e;
	int r;

	if (endpoint->name == NULL)
		return 0;
	if (n_ways > 1 || (n_ways == 0 && !says_any_way(&endpoint->place)))
		COMPLAIN_OF(c, endpoint, NULL, "endpoint \"%s\": must have "
		    "one of \"uri\", \"command\" and \"path\", but has %s",
		    endpoint->name, n_ways == 0 ? "none" : "more");
	if (n_ways != 1)
		return 0;
	r = make_spec(endpoint, &e);
	if (r == -EINVAL) {
		COMPLAIN_OF(c, endpoint, way_of(endpoint), "endpoint \"%s\": "
		    "%s", endpoint->name, e.text);
		return 0;
	}
	return r < 0 ? r : check_tls(c, endpoint);
}

/* 0 where the file cannot be read: who connects will say so. */
static int64_t
expiry_of(const char *text)
{
	CLEANUP(cleanup_free) char *own = NULL;
	const char *path = NULL;
	int64_t at_s = 0;

	if (text != NULL && resolve_file(text, &path, &own) == 0)
		(void)tls_certificates_expire(path, &at_s);
	return at_s;
}

struct conf_expiry
conf_read_expiry(const struct conf_tls *tls)
{
	return (struct conf_expiry){ expiry_of(tls->cert),
		expiry_of(tls->ca) };
}

static void
check_pair(const struct check *c, const struct conf_tls *tls, const char *a,
    const char *b)
{
	bool says_a = says(&tls->place, a);

	if (says_a != says(&tls->place, b))
		COMPLAIN_OF(c, tls, says_a ? a : b, "tls \"%s\": \"%s\" and "
		    "\"%s\" need each other", tls->name, a, b);
}

static void
check_tls_set(const struct check *c, struct conf_tls *tls)
{
	if (tls->name == NULL)
		return;
	tls->expires = conf_read_expiry(tls);
	check_pair(c, tls, "cert", "key");
	check_pair(c, tls, "psk_file", "psk_user");
	if (tls->psk_file != NULL && (tls->ca != NULL || tls->cert != NULL))
		COMPLAIN_OF(c, tls, "psk_file", "tls \"%s\": certificates and "
		    "a pre-shared key exclude each other", tls->name);
}

/* at: where name is said, under key. */
static void
check_reference(const struct check *c, const struct conf_job *job,
    const struct conf_origin *at, const char *key, const char *name,
    enum conf_role forbidden)
{
	const struct conf_endpoint *endpoint =
	    conf_find_endpoint(c->conf, name);
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];
	char shown[CONF_NAME_SIZE];

	if (endpoint != NULL) {
		if (endpoint->role == forbidden)
			conf_complain(c->conf, c->problems, &at->place,
			    "job \"%s\": \"%s\" names endpoint \"%s\", whose "
			    "role is \"%s\"", job->name, key, name,
			    forbidden == CONF_ROLE_SOURCE ? "source" :
			    "destination");
		return;
	}
	nearest_init(&nearest, name);
	for (size_t i = 0; i < c->conf->n_endpoints; i++)
		if (c->conf->endpoints[i].name != NULL)
			nearest_offer(&nearest, c->conf->endpoints[i].name);
	conf_complain(c->conf, c->problems, &at->place, "job \"%s\": \"%s\" "
	    "names endpoint \"%s\", which does not exist%s", job->name, key,
	    escape_text(name, strlen(name), shown, sizeof shown),
	    nearest_hint(&nearest, hint));
}

static void
check_source(const struct check *c, const struct conf_job *job)
{
	struct conf_origin at;

	if (job->source == NULL)
		return;
	(void)conf_job_origin(c->conf, job, "source", &at);
	check_reference(c, job, &at, "source", job->source,
	    CONF_ROLE_DESTINATION);
}

static void
check_range(const struct check *c, const struct conf_job *job, unsigned i)
{
	const struct run_range *range = &job->ranges.v[i];
	struct conf_origin at;

	(void)conf_job_origin(c->conf, job, "ranges", &at);
	conf_origin_of_item(&at, i);
	if (range->length == 0)
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "range %u: the length is 0", job->name, i + 1);
	else if (range->length != RUN_LENGTH_ALL &&
	    (range->from > UINT64_MAX - range->length ||
	    range->to > UINT64_MAX - range->length))
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "range %u: the end is too large", job->name, i + 1);
}

static void
check_how_many(const struct check *c, const struct conf_job *job)
{
	struct conf_origin at;
	bool says_one = conf_job_origin(c->conf, job, "destination", &at);
	bool says_some = conf_job_origin(c->conf, job, "destinations", &at);

	if (!says_one && !says_some)
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "\"destination\" or \"destinations\" is missing",
		    job->name);
	else if (says_one && says_some)
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "\"destination\" and \"destinations\" exclude each other",
		    job->name);
	else if (job->destinations.n > RUN_MAX_DESTINATIONS)
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "at most %d destinations are possible", job->name,
		    RUN_MAX_DESTINATIONS);
}

/* The ith of them, no other of a job's disks. */
static void
check_destination(const struct check *c, const struct conf_job *job,
    const char *const *names, unsigned i)
{
	const char *key = job->destination != NULL ? "destination" :
	    "destinations";
	struct conf_origin at;

	(void)conf_job_origin(c->conf, job, key, &at);
	/* Of one that is no name the others have moved up. */
	if (config_setting_length(at.place.setting) ==
	    (int)job->destinations.n)
		conf_origin_of_item(&at, i);
	check_reference(c, job, &at, key, names[i], CONF_ROLE_SOURCE);
	if (job->source != NULL && strcmp(job->source, names[i]) == 0)
		conf_complain(c->conf, c->problems, &at.place, "job \"%s\": "
		    "source and destination are the same endpoint \"%s\"",
		    job->name, job->source);
	for (unsigned k = 0; k < i; k++)
		if (strcmp(names[k], names[i]) == 0)
			conf_complain(c->conf, c->problems, &at.place,
			    "job \"%s\": destination \"%s\" is there twice",
			    job->name, names[i]);
}

static void
check_destinations(const struct check *c, const struct conf_job *job)
{
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(job, names);

	check_how_many(c, job);
	for (unsigned i = 0; i < n; i++)
		check_destination(c, job, names, i);
}

/* What was trimmed reads as anything. */
static void
check_trim(const struct check *c, const struct conf_job *job)
{
	if (!job->trim)
		return;
	if (job->mode != RUN_COPY)
		COMPLAIN_OF_JOB(c, job, "trim", "job \"%s\": \"trim\" is for "
		    "\"mode\" copy: the others look at what the destination "
		    "holds in holes", job->name);
	if (job->digest != DIGEST_NONE)
		COMPLAIN_OF_JOB(c, job, "trim", "job \"%s\": \"trim\" and "
		    "\"digest\" exclude each other: a digest is of what holes "
		    "hold, too", job->name);
	if (job->verify_after)
		COMPLAIN_OF_JOB(c, job, "trim", "job \"%s\": \"trim\" and "
		    "\"verify\" exclude each other: what holes hold would be "
		    "read back, too", job->name);
	if (job->allocated)
		COMPLAIN_OF_JOB(c, job, "trim", "job \"%s\": \"trim\" and "
		    "\"allocated\" exclude each other", job->name);
}

static void
check_fill(const struct check *c, const struct conf_job *job)
{
	if (job->fill == RUN_FILL_LEAVE)
		return;
	if (job->on_read_error != RUN_SKIP)
		COMPLAIN_OF_JOB(c, job, "fill", "job \"%s\": \"fill\" is for "
		    "\"on_read_error\" skip: nothing is left out otherwise",
		    job->name);
	if (job->mode == RUN_VERIFY)
		COMPLAIN_OF_JOB(c, job, "fill", "job \"%s\": \"fill\" is not "
		    "for \"mode\" verify, which writes nothing", job->name);
}

static void
check_job(const struct check *c, const struct conf_job *job)
{
	if (job->name == NULL)
		return;
	check_source(c, job);
	check_destinations(c, job);
	if (job->request_size % 512 != 0)
		COMPLAIN_OF_JOB(c, job, "request_size", "job \"%s\": "
		    "\"request_size\" must be a multiple of 512 bytes",
		    job->name);
	if (job->zero_rest && job->ranges.n > 0)
		COMPLAIN_OF_JOB(c, job, "zero_rest", "job \"%s\": "
		    "\"zero_rest\" and \"ranges\" exclude each other: nothing "
		    "is written outside of ranges", job->name);
	if (job->destination_is_zero && job->mode != RUN_COPY)
		COMPLAIN_OF_JOB(c, job, "destination_is_zero", "job \"%s\": "
		    "\"destination_is_zero\" is for \"mode\" copy: the others "
		    "look at the destination", job->name);
	if (job->destination_is_zero && job->allocated)
		COMPLAIN_OF_JOB(c, job, "destination_is_zero", "job \"%s\": "
		    "\"destination_is_zero\" and \"allocated\" exclude each "
		    "other", job->name);
	if (job->verify_after && job->mode != RUN_COPY &&
	    job->mode != RUN_SYNC)
		COMPLAIN_OF_JOB(c, job, "verify", "job \"%s\": \"verify\" is "
		    "for \"mode\" copy and sync: only what they have written "
		    "can be read back", job->name);
	check_trim(c, job);
	check_fill(c, job);
	if (job->schedule != NULL && job->interval_ms > 0)
		COMPLAIN_OF_JOB(c, job, "schedule", "job \"%s\": \"schedule\" "
		    "and \"interval\" exclude each other", job->name);
	if (job->interval_ms > 0 && job->interval_ms < 1000)
		COMPLAIN_OF_JOB(c, job, "interval", "job \"%s\": \"interval\" "
		    "must be 0, or 1s or more", job->name);
	if (job->rpo_warn_ms > 0 && job->rpo_crit_ms > 0 &&
	    job->rpo_crit_ms <= job->rpo_warn_ms)
		COMPLAIN_OF_JOB(c, job, "rpo_crit", "job \"%s\": \"rpo_crit\" "
		    "must be longer than \"rpo_warn\"", job->name);
	for (unsigned i = 0; i < job->ranges.n; i++)
		check_range(c, job, i);
}

int
check_conf(struct conf *conf, struct conf_problems *problems)
{
	const struct check c = { conf, problems };
	int r;

	conf_problems_set_file(problems, 0, conf->files[0].name);
	if (strlen(conf->control.socket) >=
	    sizeof ((struct sockaddr_un *)NULL)->sun_path)
		conf_problems_add(problems, conf_spot_of(config_lookup(
		    conf->files[0].tree, "control.socket")), "control: "
		    "\"socket\": the path is too long for a socket");
	for (int id = 0; id < CONF_LISTS; id++)
		check_names(&c, (enum conf_list_id)id);
	for (size_t i = 0; i < conf->n_tls; i++)
		check_tls_set(&c, &conf->tls[i]);
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		r = check_endpoint(&c, &conf->endpoints[i]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < conf->n_jobs; i++)
		check_job(&c, &conf->jobs[i]);
	return problems->n > 0 ? -EINVAL : 0;
}
