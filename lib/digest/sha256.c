/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SHA-256, by OpenSSL. */

#include <errno.h>
#include <openssl/evp.h>

#include "digest/kind.h"

static void *
sha256_open(void)
{
	return EVP_MD_CTX_new();
}

static void
sha256_close(void *state)
{
	EVP_MD_CTX_free(state);
}

static int
sha256_begin(void *state)
{
	return EVP_DigestInit_ex(state, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

static int
sha256_add(void *state, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(state, bytes, len) == 1 ? 0 : -EIO;
}

static int
sha256_end(void *state, unsigned char *ret_value)
{
	return EVP_DigestFinal_ex(state, ret_value, NULL) == 1 ? 0 : -EIO;
}

const struct digest_kind digest_kind_sha256 = {
	.name = "sha256",
	.size = 32,
	.open = sha256_open,
	.close = sha256_close,
	.begin = sha256_begin,
	.add = sha256_add,
	.end = sha256_end,
};
