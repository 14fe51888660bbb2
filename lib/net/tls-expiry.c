/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When certificates of a file expire.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "net/tls.h"

#define FILE_MAX ((off_t)1024 * 1024)

/* Nothing that could keep who reads it waiting. */
static int
open_file(const char *path, FILE **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX)
		r = -EINVAL;
	else if ((*ret_file = fdopen(fd, "r")) == NULL)
		r = -ENOMEM;
	if (r < 0)
		(void)close(fd);
	return r;
}

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
	FILE *file = NULL;
	int64_t first = -1;
	X509 *cert;
	int r = open_file(path, &file);

	if (r < 0)
		return r;
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

void
tls_end_thread(void)
{
	OPENSSL_thread_stop();
}
