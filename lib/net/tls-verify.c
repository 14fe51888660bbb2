/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is the peer who it should be?  OpenSSL decides; what it found wrong is put
 * into a sentence at once, while the certificate is at hand.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/escape.h"
#include "net/tls-private.h"

#define QUOTE_SIZE 160

const char *
tls_library_error(char *buf, size_t size)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	if (code != 0 && ERR_SYSTEM_ERROR(code))
		reason = strerrordesc_np(ERR_GET_REASON(code));
	(void)snprintf(buf, size, "%s",
	    reason != NULL ? reason : "unknown error of the TLS library");
	ERR_clear_error();
	return buf;
}

/* The first name of host kind that the certificate carries, escaped. */
static bool
first_alternative(X509 *cert, char quote[QUOTE_SIZE])
{
	GENERAL_NAMES *names;
	bool found = false;

	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		int type;
		const ASN1_STRING *text = GENERAL_NAME_get0_value(name, &type);

		if (type != GEN_DNS)
			continue;
		(void)escape_text(ASN1_STRING_get0_data(text),
		    (size_t)ASN1_STRING_length(text), quote, QUOTE_SIZE);
		found = true;
	}
	GENERAL_NAMES_free(names);
	return found;
}

static void
name_of(X509 *cert, char quote[QUOTE_SIZE])
{
	char name[QUOTE_SIZE];
	int len;

	if (first_alternative(cert, quote))
		return;
	len = X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
	    NID_commonName, name, sizeof name);
	if (len < 0)
		(void)snprintf(quote, QUOTE_SIZE, "somebody without a name");
	else
		(void)escape_text(name, strlen(name), quote, QUOTE_SIZE);
}

static void
refuse_name(struct tls *t, X509 *cert)
{
	char wanted[QUOTE_SIZE];
	char got[QUOTE_SIZE];

	name_of(cert, got);
	(void)error_set(&t->refused, -EACCES,
	    "the server's certificate is for '%s', not for '%s'", got,
	    escape_text(t->name, strlen(t->name), wanted, sizeof wanted));
}

static void
refuse(struct tls *t, int error, bool is_of_authority, X509 *cert)
{
	const char *whose = is_of_authority ? "the certificate of an "
	    "authority behind the server's" : "the server's certificate";
	const char *text;

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		refuse_name(t, cert);
		return;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		(void)error_set(&t->refused, -EACCES, "the server's "
		    "certificate is not signed by an authority that is "
		    "trusted");
		return;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		text = "has expired";
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		text = "is not valid yet";
		break;
	case X509_V_ERR_CERT_REVOKED:
		text = "has been revoked";
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		text = "is not one for servers";
		break;
	default:
		(void)error_set(&t->refused, -EACCES,
		    "%s is not accepted: %s", whose,
		    X509_verify_cert_error_string(error));
		return;
	}
	(void)error_set(&t->refused, -EACCES, "%s %s", whose, text);
}

/* OpenSSL's question whether a fault is one; it is. */
static int
on_verified(int is_good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (is_good || t->refused.code != 0)
		return is_good;
	if (t->is_psk)
		(void)error_set(&t->refused, -EACCES, "the server showed a "
		    "certificate instead of knowing the pre-shared key");
	else
		refuse(t, X509_STORE_CTX_get_error(store),
		    X509_STORE_CTX_get_error_depth(store) > 0,
		    X509_STORE_CTX_get0_cert(store));
	return is_good;
}

enum {
	DIGEST_SIZE = 32,
};

/* What is encoded again as it was is base64 of that many bytes. */
int
tls_verify_set_pin(struct tls *t, const char *text, struct error *e)
{
	const size_t len = strlen(text);
	unsigned char bytes[DIGEST_SIZE + 1];
	unsigned char again[TLS_PIN_SIZE] = "";
	char quote[QUOTE_SIZE];

	if (len == TLS_PIN_SIZE - 1 && EVP_DecodeBlock(bytes,
	    (const unsigned char *)text, (int)len) == DIGEST_SIZE + 1)
		(void)EVP_EncodeBlock(again, bytes, DIGEST_SIZE);
	if (again[0] == '\0' || strcmp((char *)again, text) != 0)
		return error_set(e, -EINVAL, "the pin '%s' is not the SHA-256 "
		    "of a public key in base64",
		    escape_text(text, len, quote, sizeof quote));
	(void)snprintf(t->pin, sizeof t->pin, "%s", text);
	return 0;
}

/* As "openssl x509 -pubkey | openssl pkey -pubin -outform DER" has it. */
static bool
pin_of(X509 *cert, char pin[TLS_PIN_SIZE])
{
	unsigned char digest[DIGEST_SIZE];
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int ok = 0;

	if (len > 0)
		ok = EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(),
		    NULL);
	OPENSSL_free(der);
	if (ok == 1)
		(void)EVP_EncodeBlock((unsigned char *)pin, digest,
		    DIGEST_SIZE);
	return ok == 1;
}

/*
 * With a pin: the chain and the name, unless that is off, and then the key.
 * That the peer has it is what the handshake proves.
 */
static int
check_all(X509_STORE_CTX *store, void *arg)
{
	struct tls *t = arg;
	char pin[TLS_PIN_SIZE] = "unknown";

	if (t->verify && X509_verify_cert(store) != 1)
		return 0;
	if (pin_of(X509_STORE_CTX_get0_cert(store), pin) &&
	    strcmp(pin, t->pin) == 0)
		return 1;
	(void)error_set(&t->refused, -EACCES, "the server's certificate has "
	    "another key than the pinned one: its pin is '%s'", pin);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool
is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 ||
	    inet_pton(AF_INET6, name, address) == 1;
}

int
tls_verify_init(struct tls *t)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
	char name[TLS_MAX_NAME];
	int ok = 1;

	SSL_set_verify(t->ssl, t->verify || t->pin[0] != '\0' ?
	    SSL_VERIFY_PEER : SSL_VERIFY_NONE,
	    t->verify ? on_verified : NULL);
	if (t->pin[0] != '\0')
		SSL_CTX_set_cert_verify_callback(t->ctx, check_all, t);
	(void)snprintf(name, sizeof name, "%s", t->name);
	if (strchr(name, ':') != NULL)
		name[strcspn(name, "%")] = '\0';
	if (name[0] == '\0' || t->is_psk)
		return 0;
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(name)) {
		if (t->verify)
			ok = X509_VERIFY_PARAM_set1_ip_asc(param, name);
	} else {
		if (t->verify)
			ok = SSL_set1_host(t->ssl, name);
		if (ok == 1)
			ok = (int)SSL_set_tlsext_host_name(t->ssl, name);
	}
	return ok == 1 ? 0 : -ENOMEM;
}
