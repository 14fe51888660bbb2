/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a TLS connection is made of, read from files: whom to trust, who we
 * are, or a key that both sides know.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "net/tls-private.h"

/* Fast on what there is, and all of these forward secret. */
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!PSK:!aNULL"
/*
 * A pre-shared key of this kind goes with SHA-256.  Servers of TLS 1.2 may
 * know none but the last two, which are not forward secret: who learns the
 * key later can read what was recorded.
 */
#define PSK_SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
#define PSK_SUITES_1_2 "DHE-PSK-AES128-GCM-SHA256:" \
	"DHE-PSK-AES256-GCM-SHA384:ECDHE-PSK-CHACHA20-POLY1305:" \
	"DHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:" \
	"PSK-AES256-GCM-SHA384"

#define MAX_LINE 1024
#define QUOTE_SIZE 200

static void
close_file(FILE **file)
{
	if (*file != NULL)
		(void)fclose(*file);
}

/* Can it be read?  OpenSSL's words for it are nobody's language. */
static int
check_file(const char *what, const char *path, struct error *e)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	char quote[QUOTE_SIZE];

	if (file != NULL)
		return 0;
	return error_set(e, -errno, "cannot read the %s '%s': %s", what,
	    escape_text(path, strlen(path), quote, sizeof quote),
	    strerrordesc_np(errno));
}

static int
file_fault(const char *what, const char *path, struct error *e)
{
	char quote[QUOTE_SIZE];
	char words[QUOTE_SIZE];

	return error_set(e, -EINVAL, "cannot use the %s '%s': %s", what,
	    escape_text(path, strlen(path), quote, sizeof quote),
	    tls_library_error(words, sizeof words));
}

static int
load_crl(SSL_CTX *ctx, const char *path, struct error *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	int r;

	r = check_file("revocation list", path, e);
	if (r < 0)
		return r;
	if (X509_STORE_load_file(store, path) != 1 ||
	    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) != 1)
		return file_fault("revocation list", path, e);
	return 0;
}

static int
load_trust(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
	int r = 0;

	if (s->ca_file == NULL && s->ca_dir == NULL &&
	    SSL_CTX_set_default_verify_paths(ctx) != 1)
		return error_set(e, -EINVAL,
		    "cannot use the system's certificate authorities");
	if (s->ca_file != NULL) {
		r = check_file("CA certificates", s->ca_file, e);
		if (r < 0)
			return r;
		if (SSL_CTX_load_verify_file(ctx, s->ca_file) != 1)
			return file_fault("CA certificates", s->ca_file, e);
	}
	if (s->ca_dir != NULL &&
	    SSL_CTX_load_verify_dir(ctx, s->ca_dir) != 1)
		return file_fault("CA certificates", s->ca_dir, e);
	if (s->crl_file != NULL)
		r = load_crl(ctx, s->crl_file, e);
	return r;
}

struct password {
	const char *text;		/* NULL: there is none */
	bool was_asked_for;
};

/* Nobody is there to be asked: without this OpenSSL asks the terminal. */
static int
give_password(char *buf, int size, int writing, void *arg)
{
	struct password *password = arg;
	size_t len;

	(void)writing;
	password->was_asked_for = true;
	len = password->text != NULL ? strlen(password->text) : SIZE_MAX;
	if (len > (size_t)size)
		return -1;
	memcpy(buf, password->text, len);
	return (int)len;
}

static int
key_fault(const struct password *password, const char *path, struct error *e)
{
	char quote[QUOTE_SIZE];

	if (!password->was_asked_for)
		return file_fault("client key", path, e);
	ERR_clear_error();
	(void)escape_text(path, strlen(path), quote, sizeof quote);
	if (password->text == NULL)
		return error_set(e, -EINVAL, "the client key '%s' is "
		    "encrypted, and there is no password for it", quote);
	return error_set(e, -EINVAL, "the password does not open the client "
	    "key '%s'", quote);
}

static int
load_pair(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
	struct password password = { .text = s->key_password };
	int r = 0;

	SSL_CTX_set_default_passwd_cb(ctx, give_password);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &password);
	if (SSL_CTX_use_certificate_chain_file(ctx, s->cert_file) != 1)
		r = file_fault("client certificate", s->cert_file, e);
	else if (SSL_CTX_use_PrivateKey_file(ctx, s->key_file,
	    SSL_FILETYPE_PEM) != 1)
		r = key_fault(&password, s->key_file, e);
	SSL_CTX_set_default_passwd_cb(ctx, NULL);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	return r;
}

static int
load_identity(SSL_CTX *ctx, const struct tls_settings *s, struct error *e)
{
	int r;

	if (s->cert_file == NULL && s->key_file == NULL)
		return 0;
	if (s->cert_file == NULL || s->key_file == NULL)
		return error_set(e, -EINVAL, "a client's certificate and its "
		    "key are given both or not at all");
	r = check_file("client certificate", s->cert_file, e);
	if (r == 0)
		r = check_file("client key", s->key_file, e);
	if (r == 0)
		r = load_pair(ctx, s, e);
	if (r < 0)
		return r;
	if (SSL_CTX_check_private_key(ctx) != 1)
		return error_set(e, -EINVAL,
		    "the client's key does not belong to its certificate");
	return 0;
}

/* Is line, of the user, a good one?  Its key becomes t's. */
static bool
parse_key(struct tls *t, const char *hex)
{
	size_t len = 0;

	if (OPENSSL_hexstr2buf_ex(t->key, sizeof t->key, &len, hex, '\0') != 1)
		return false;
	t->key_len = (unsigned)len;
	return len > 0;
}

/*
 * The line of the user: 0, -ENOENT without one, -EINVAL for a bad one, or -EIO
 * with errno, for a file that cannot be read.
 */
static int
find_key(struct tls *t, FILE *file)
{
	char line[MAX_LINE];
	size_t user_len = strlen(t->user);
	int r = -ENOENT;

	while (r == -ENOENT && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, t->user, user_len) == 0 &&
		    line[user_len] == ':')
			r = parse_key(t, line + user_len + 1) ? 0 : -EINVAL;
	}
	if (r == -ENOENT && ferror(file))
		r = -EIO;
	OPENSSL_cleanse(line, sizeof line);
	return r;
}

static int
load_key(struct tls *t, const char *path, struct error *e)
{
	CLEANUP(close_file) FILE *file = NULL;
	char quote[QUOTE_SIZE];
	char user[QUOTE_SIZE];
	char buffer[MAX_LINE];
	int r;

	(void)escape_text(path, strlen(path), quote, sizeof quote);
	(void)escape_text(t->user, strlen(t->user), user, sizeof user);
	file = fopen(path, "re");
	if (file == NULL)
		return error_set(e, -errno, "cannot read the keys '%s': %s",
		    quote, strerrordesc_np(errno));
	(void)setvbuf(file, buffer, _IOFBF, sizeof buffer);
	r = find_key(t, file);
	OPENSSL_cleanse(buffer, sizeof buffer);
	if (r == -EIO)
		return error_set(e, -errno, "cannot read the keys '%s': %s",
		    quote, strerrordesc_np(errno));
	if (r == -ENOENT)
		return error_set(e, -EINVAL, "there is no key for user '%s' "
		    "in '%s'", user, quote);
	if (r < 0)
		return error_set(e, -EINVAL, "the key for user '%s' in '%s' "
		    "is not 1 to %d bytes as hexadecimal digits", user, quote,
		    TLS_MAX_KEY);
	return 0;
}

static unsigned
give_key(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
    unsigned char *psk, unsigned max_psk)
{
	const struct tls *t = SSL_get_app_data(ssl);

	(void)hint;
	if (strlen(t->user) >= max_identity || t->key_len > max_psk)
		return 0;
	(void)snprintf(identity, max_identity, "%s", t->user);
	memcpy(psk, t->key, t->key_len);
	return t->key_len;
}

static int
use_key(struct tls *t, const struct tls_settings *s, struct error *e)
{
	int r;

	if (s->user == NULL || s->user[0] == '\0')
		return error_set(e, -EINVAL,
		    "a pre-shared key needs a user's name");
	if (strlen(s->user) >= sizeof t->user || strchr(s->user, ':') != NULL)
		return error_set(e, -EINVAL, "the user's name of the "
		    "pre-shared key is too long, or has a ':' in it");
	(void)snprintf(t->user, sizeof t->user, "%s", s->user);
	r = load_key(t, s->psk_file, e);
	if (r < 0)
		return r;
	SSL_CTX_set_psk_client_callback(t->ctx, give_key);
	return 0;
}

static int
set_versions(struct tls *t, bool only_1_3)
{
	SSL_CTX *ctx = t->ctx;

	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, only_1_3 ? TLS1_3_VERSION :
	    TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, 0) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx,
	    t->is_psk ? PSK_SUITES_1_3 : SUITES_1_3) != 1 ||
	    SSL_CTX_set_cipher_list(ctx,
	    t->is_psk ? PSK_SUITES_1_2 : SUITES_1_2) != 1)
		return -EINVAL;
	return 0;
}

int
tls_context_init(struct tls *t, const struct tls_settings *s, struct error *e)
{
	char words[QUOTE_SIZE];
	int r;

	ERR_clear_error();
	t->is_psk = s->psk_file != NULL;
	t->verify = t->is_psk || !s->no_verify;
	if (t->is_psk && (s->ca_file != NULL || s->ca_dir != NULL ||
	    s->cert_file != NULL || s->key_file != NULL ||
	    s->pin_sha256 != NULL))
		return error_set(e, -EINVAL, "a pre-shared key and "
		    "certificates exclude each other");
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	if (set_versions(t, s->only_1_3) < 0)
		return error_set(e, -EINVAL, "cannot set up TLS: %s",
		    tls_library_error(words, sizeof words));
	/* With a key there is no authority that any certificate is from. */
	if (t->is_psk)
		return use_key(t, s, e);
	r = t->verify ? load_trust(t->ctx, s, e) : 0;
	if (r == 0 && s->pin_sha256 != NULL)
		r = tls_verify_set_pin(t, s->pin_sha256, e);
	if (r == 0)
		r = load_identity(t->ctx, s, e);
	return r;
}
