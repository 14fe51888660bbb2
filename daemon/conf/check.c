/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks across the values of a configuration.  Members that did not parse
 * are NULL here and have been complained about: they are passed over.
 */

#include "conf/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/lists.h"
#include "conf/nearest.h"
#include "conf/value.h"
#include "nbd/uri.h"
#include "net/tls.h"

struct check {
	struct conf *conf;
	struct conf_problems *problems;
};

/* Note a problem of the item that stands there. */
static void PRINTF(3, 4)
complain(const struct check *c, const struct conf_place *place,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	conf_problems_set_file(c->problems, place->file,
	    c->conf->files[place->file].name);
	conf_problems_add(c->problems, place->line, "%s", text);
}

static void
complain_twice(const struct check *c, const struct conf_list *list,
    const void *item, const void *earlier)
{
	const struct conf_place *place = item, *first = earlier;
	const char *noun = option_group_noun(list->group);
	const char *name = conf_list_name(list, item);

	if (place->file == first->file)
		complain(c, place, "%s \"%s\": there is one of this name in "
		    "line %u", noun, name, first->line);
	else
		complain(c, place, "%s \"%s\": there is one of this name in "
		    "%s:%u", noun, name, c->conf->files[first->file].name,
		    first->line);
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
		complain(c, &endpoint->place, "endpoint \"%s\": keys and "
		    "certificates belong into a TLS set, and \"tls\" names "
		    "it; not into the URI", endpoint->name);
	if (uri->transport == NBD_TRANSPORT_TCP && !uri->tls &&
	    !endpoint->allow_plaintext && !is_loopback(uri->host))
		complain(c, &endpoint->place, "endpoint \"%s\": what goes to "
		    "another machine without TLS can be read and changed on "
		    "its way; use nbds, or say allow_plaintext = true",
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
	complain(c, &endpoint->place, "endpoint \"%s\": \"tls\" names \"%s\", "
	    "which does not exist%s", endpoint->name, endpoint->tls,
	    nearest_hint(&nearest, hint));
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
		complain(c, &endpoint->place, "endpoint \"%s\": \"tls\" is "
		    "for URIs that begin with nbds", endpoint->name);
	else
		return set_tls(endpoint->spec, tls);
	return 0;
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
	conf_problems_set_file(c->problems, endpoint->place.file,
	    c->conf->files[endpoint->place.file].name);
	if (n_ways != 1) {
		/* One that was there but did not parse has been reported. */
		if (n_ways > 1 || !conf_problems_has_line(c->problems,
		    endpoint->place.line))
			complain(c, &endpoint->place, "endpoint \"%s\": must "
			    "have one of \"uri\", \"command\" and \"path\", "
			    "but has %s", endpoint->name, n_ways == 0 ?
			    "none" : "more");
		return 0;
	}
	r = make_spec(endpoint, &e);
	if (r == -EINVAL) {
		complain(c, &endpoint->place, "endpoint \"%s\": %s",
		    endpoint->name, e.text);
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

static void
check_tls_set(const struct check *c, struct conf_tls *tls)
{
	if (tls->name == NULL)
		return;
	tls->cert_expires_s = expiry_of(tls->cert);
	tls->ca_expires_s = expiry_of(tls->ca);
	if ((tls->cert == NULL) != (tls->key == NULL))
		complain(c, &tls->place, "tls \"%s\": \"cert\" and \"key\" "
		    "need each other", tls->name);
	if ((tls->psk_file == NULL) != (tls->psk_user == NULL))
		complain(c, &tls->place, "tls \"%s\": \"psk_file\" and "
		    "\"psk_user\" need each other", tls->name);
	if (tls->psk_file != NULL && (tls->ca != NULL || tls->cert != NULL))
		complain(c, &tls->place, "tls \"%s\": certificates and a "
		    "pre-shared key exclude each other", tls->name);
}

static void
check_reference(const struct check *c, const struct conf_job *job,
    const char *key, const char *name, enum conf_role forbidden)
{
	const struct conf_endpoint *endpoint;
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];
	char shown[CONF_NAME_SIZE];

	if (name == NULL)
		return;
	endpoint = conf_find_endpoint(c->conf, name);
	if (endpoint != NULL) {
		if (endpoint->role == forbidden)
			complain(c, &job->place, "job \"%s\": \"%s\" names "
			    "endpoint \"%s\", whose role is \"%s\"",
			    job->name, key, name, forbidden ==
			    CONF_ROLE_SOURCE ? "source" : "destination");
		return;
	}
	nearest_init(&nearest, name);
	for (size_t i = 0; i < c->conf->n_endpoints; i++)
		if (c->conf->endpoints[i].name != NULL)
			nearest_offer(&nearest, c->conf->endpoints[i].name);
	complain(c, &job->place, "job \"%s\": \"%s\" names endpoint \"%s\", "
	    "which does not exist%s", job->name, key, escape_text(name,
	    strlen(name), shown, sizeof shown), nearest_hint(&nearest, hint));
}

static void
check_ranges(const struct check *c, const struct conf_job *job)
{
	for (size_t i = 0; i < job->ranges.n; i++) {
		const struct run_range *range = &job->ranges.v[i];

		if (range->length == 0)
			complain(c, &job->place, "job \"%s\": range %zu: the "
			    "length is 0", job->name, i + 1);
		else if (range->length != RUN_LENGTH_ALL &&
		    (range->from > UINT64_MAX - range->length ||
		    range->to > UINT64_MAX - range->length))
			complain(c, &job->place, "job \"%s\": range %zu: the "
			    "end is too large", job->name, i + 1);
	}
}

static void
check_how_many(const struct check *c, const struct conf_job *job)
{
	if (job->destination == NULL && job->destinations.n == 0)
		complain(c, &job->place, "job \"%s\": \"destination\" or "
		    "\"destinations\" is missing", job->name);
	else if (job->destination != NULL && job->destinations.n > 0)
		complain(c, &job->place, "job \"%s\": \"destination\" and "
		    "\"destinations\" exclude each other", job->name);
	else if (job->destinations.n > RUN_MAX_DESTINATIONS)
		complain(c, &job->place, "job \"%s\": at most %d destinations "
		    "are possible", job->name, RUN_MAX_DESTINATIONS);
}

/* No two of a job's disks are the same. */
static void
check_destinations(const struct check *c, const struct conf_job *job)
{
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(job, names);

	check_how_many(c, job);
	for (unsigned i = 0; i < n; i++) {
		check_reference(c, job, "destination", names[i],
		    CONF_ROLE_SOURCE);
		if (job->source != NULL && strcmp(job->source, names[i]) == 0)
			complain(c, &job->place, "job \"%s\": source and "
			    "destination are the same endpoint \"%s\"",
			    job->name, job->source);
		for (unsigned k = 0; k < i; k++)
			if (strcmp(names[k], names[i]) == 0)
				complain(c, &job->place, "job \"%s\": "
				    "destination \"%s\" is there twice",
				    job->name, names[i]);
	}
}

/* What was trimmed reads as anything. */
static void
check_trim(const struct check *c, const struct conf_job *job)
{
	if (!job->trim)
		return;
	if (job->mode != RUN_COPY)
		complain(c, &job->place, "job \"%s\": \"trim\" is for "
		    "\"mode\" copy: the others look at what the destination "
		    "holds in holes", job->name);
	if (job->digest != DIGEST_NONE)
		complain(c, &job->place, "job \"%s\": \"trim\" and "
		    "\"digest\" exclude each other: a digest is of what holes "
		    "hold, too", job->name);
	if (job->verify_after)
		complain(c, &job->place, "job \"%s\": \"trim\" and "
		    "\"verify\" exclude each other: what holes hold would be "
		    "read back, too", job->name);
	if (job->allocated)
		complain(c, &job->place, "job \"%s\": \"trim\" and "
		    "\"allocated\" exclude each other", job->name);
}

static void
check_fill(const struct check *c, const struct conf_job *job)
{
	if (job->fill == RUN_FILL_LEAVE)
		return;
	if (job->on_read_error != RUN_SKIP)
		complain(c, &job->place, "job \"%s\": \"fill\" is for "
		    "\"on_read_error\" skip: nothing is left out otherwise",
		    job->name);
	if (job->mode == RUN_VERIFY)
		complain(c, &job->place, "job \"%s\": \"fill\" is not for "
		    "\"mode\" verify, which writes nothing", job->name);
}

static void
check_job(const struct check *c, const struct conf_job *job)
{
	if (job->name == NULL)
		return;
	check_reference(c, job, "source", job->source, CONF_ROLE_DESTINATION);
	check_destinations(c, job);
	if (job->request_size % 512 != 0)
		complain(c, &job->place, "job \"%s\": \"request_size\" must "
		    "be a multiple of 512 bytes", job->name);
	if (job->zero_rest && job->ranges.n > 0)
		complain(c, &job->place, "job \"%s\": \"zero_rest\" and "
		    "\"ranges\" exclude each other: nothing is written "
		    "outside of ranges", job->name);
	if (job->destination_is_zero && job->mode != RUN_COPY)
		complain(c, &job->place, "job \"%s\": "
		    "\"destination_is_zero\" is for \"mode\" copy: the "
		    "others look at the destination", job->name);
	if (job->destination_is_zero && job->allocated)
		complain(c, &job->place, "job \"%s\": "
		    "\"destination_is_zero\" and \"allocated\" exclude each "
		    "other", job->name);
	if (job->verify_after && job->mode != RUN_COPY &&
	    job->mode != RUN_SYNC)
		complain(c, &job->place, "job \"%s\": \"verify\" is for "
		    "\"mode\" copy and sync: only what they have written can "
		    "be read back", job->name);
	check_trim(c, job);
	check_fill(c, job);
	if (job->schedule != NULL && job->interval_ms > 0)
		complain(c, &job->place, "job \"%s\": \"schedule\" and "
		    "\"interval\" exclude each other", job->name);
	if (job->interval_ms > 0 && job->interval_ms < 1000)
		complain(c, &job->place, "job \"%s\": \"interval\" must be "
		    "0, or 1s or more", job->name);
	if (job->rpo_warn_ms > 0 && job->rpo_crit_ms > 0 &&
	    job->rpo_crit_ms <= job->rpo_warn_ms)
		complain(c, &job->place, "job \"%s\": \"rpo_crit\" must be "
		    "longer than \"rpo_warn\"", job->name);
	check_ranges(c, job);
}

int
check_conf(struct conf *conf, struct conf_problems *problems)
{
	const struct check c = { conf, problems };
	int r;

	conf_problems_set_file(problems, 0, conf->files[0].name);
	if (strlen(conf->control.socket) >=
	    sizeof ((struct sockaddr_un *)NULL)->sun_path)
		conf_problems_add(problems, 0, "control: \"socket\": the path "
		    "is too long for a socket");
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
