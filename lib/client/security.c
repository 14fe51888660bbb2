/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings of TLS.  A directory of certificates has the file names that
 * libnbd, qemu and nbdkit agree on; ca-cert.pem must be there, the others are
 * used if they are.
 */
#include "client/security.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	CA,
	CRL,
	CERT,
	KEY,
	N_FILES,
};

static const char *const file_names[N_FILES] = {
	[CA] = "ca-cert.pem",
	[CRL] = "ca-crl.pem",
	[CERT] = "client-cert.pem",
	[KEY] = "client-key.pem",
};

struct certificates {
	char *files[N_FILES];		/* NULL: is not there */
};

static void
certificates_done(struct certificates *c)
{
	for (int i = 0; i < N_FILES; i++)
		free(c->files[i]);
}

/* A file that is there and cannot be read is found out later. */
static int
certificates_find(struct certificates *c, const char *dir)
{
	for (int i = 0; i < N_FILES; i++) {
		if (asprintf(&c->files[i], "%s/%s", dir, file_names[i]) < 0) {
			c->files[i] = NULL;
			return -ENOMEM;
		}
		if (i != CA && access(c->files[i], F_OK) < 0 &&
		    errno == ENOENT)
			free(STEAL(c->files[i]));
	}
	return 0;
}

static const char *
either(const char *first, const char *second)
{
	return first != NULL ? first : second;
}

void
security_free(struct security *security)
{
	size_t i;

	if (security == NULL)
		return;
	for (i = 0; i < security->n_texts; i++) {
		explicit_bzero(security->texts[i],
		    strlen(security->texts[i]));
		free(security->texts[i]);
	}
	free(security);
}

/* For CLEANUP(). */
static void
security_freep(struct security **security)
{
	security_free(*security);
}

static bool
keep(struct security *security, const char *text, const char **ret_text)
{
	char *copy;

	if (text == NULL)
		return true;
	copy = strdup(text);
	if (copy == NULL)
		return false;
	security->texts[security->n_texts++] = copy;
	*ret_text = copy;
	return true;
}

int
security_copy(const struct nbdclient_tls *tls, struct security **ret_security)
{
	CLEANUP(security_freep) struct security *security = NULL;
	struct tls_settings *s;

	security = calloc(1, sizeof *security);
	if (security == NULL)
		return -ENOMEM;
	s = &security->settings;
	s->no_verify = tls->no_verify;
	if (!keep(security, tls->ca_file, &s->ca_file) ||
	    !keep(security, tls->ca_dir, &s->ca_dir) ||
	    !keep(security, tls->crl_file, &s->crl_file) ||
	    !keep(security, tls->cert_file, &s->cert_file) ||
	    !keep(security, tls->key_file, &s->key_file) ||
	    !keep(security, tls->key_password, &s->key_password) ||
	    !keep(security, tls->psk_file, &s->psk_file) ||
	    !keep(security, tls->psk_user, &s->user) ||
	    !keep(security, tls->hostname, &s->name) ||
	    !keep(security, tls->pin_sha256, &s->pin_sha256))
		return -ENOMEM;
	*ret_security = STEAL(security);
	return 0;
}

/* What the URI wants to be used is there, and nothing else is. */
static int
check_type(enum nbd_tls_type type, const struct tls_settings *s,
    struct error *e)
{
	if (type == NBD_TLS_PSK && s->psk_file == NULL)
		return error_set(e, -EINVAL, "tls-type=psk needs a file of "
		    "pre-shared keys (tls-psk-file)");
	if (type == NBD_TLS_X509 && s->psk_file != NULL)
		return error_set(e, -EINVAL, "tls-type=x509 excludes a "
		    "pre-shared key");
	return 0;
}

int
security_new(const struct conn_options *options, struct tls **ret_tls,
    struct error *e)
{
	static const struct tls_settings none = { .name = NULL };
	CLEANUP(certificates_done) struct certificates c = { { NULL } };
	const struct tls_settings *own = options->tls != NULL ?
	    options->tls : &none;
	const struct nbd_uri *uri = options->uri;
	struct tls_settings s = *own;

	if (uri->tls_certificates != NULL &&
	    certificates_find(&c, uri->tls_certificates) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	s.ca_file = either(s.ca_file, c.files[CA]);
	s.crl_file = either(s.crl_file, c.files[CRL]);
	if (s.cert_file == NULL && s.key_file == NULL) {
		s.cert_file = c.files[CERT];
		s.key_file = c.files[KEY];
	}
	s.psk_file = either(s.psk_file, uri->tls_psk_file);
	s.user = either(s.user, uri->user);
	s.name = either(s.name, either(uri->tls_hostname, uri->host));
	s.no_verify = s.no_verify || uri->tls_no_verify;
	if (check_type(uri->tls_type, &s, e) < 0)
		return -EINVAL;
	return tls_new(&s, ret_tls, e);
}
