/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When certificates of a file expire.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "net/tls.h"

/* Seconds since the epoch, or -1. */
static int64_t
expiry_of(const X509 *cert)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return -1;
	return (int64_t)timegm(&tm);
}

int
tls_certificates_expire(const char *path, int64_t *ret_at_s)
{
	FILE *file = fopen(path, "re");
	int64_t first = -1;
	X509 *cert;

	if (file == NULL)
		return -errno;
	while ((cert = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
		int64_t at = expiry_of(cert);

		X509_free(cert);
		if (at >= 0 && (first < 0 || at < first))
			first = at;
	}
	(void)fclose(file);
	ERR_clear_error();
	if (first < 0)
		return -EINVAL;
	*ret_at_s = first;
	return 0;
}
