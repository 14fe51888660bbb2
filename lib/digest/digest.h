/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIGEST_DIGEST_H
#define DIGEST_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Digests of bytes that come in pieces, the same that `sha256sum` and
 * `xxhsum -H2` print: SHA-256 by OpenSSL where somebody may wish to deceive,
 * XXH3 of 128 bits by libxxhash where speed matters.
 */

enum digest_algorithm {
	DIGEST_NONE,
	DIGEST_SHA256,		/* "sha256" */
	DIGEST_XXH3,		/* "xxh3" */
};

#define DIGEST_MAX_SIZE	 32
#define DIGEST_TEXT_SIZE (2 * DIGEST_MAX_SIZE + 1)

struct digest;

/* -ENOMEM: also where the library has none. */
int digest_new(enum digest_algorithm algorithm, struct digest **ret_digest);
void digest_free(struct digest *d);

/* In their order.  What fails is told by digest_end(). */
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_add_zeroes(struct digest *d, uint64_t len);

/*
 * The digest of all that was added, digest_size() bytes; then it begins anew.
 * -EIO: the library has failed on the way.
 */
int digest_end(struct digest *d, unsigned char ret_value[DIGEST_MAX_SIZE]);

/* Bytes. */
size_t digest_size(enum digest_algorithm algorithm);

/* "sha256", "xxh3" */
const char *digest_name(enum digest_algorithm algorithm);
/* -EINVAL: there is none of that name. */
int digest_find(const char *name, enum digest_algorithm *ret_algorithm);

/* In hexadecimal digits.  Returns text. */
const char *digest_format(enum digest_algorithm algorithm,
    const unsigned char value[DIGEST_MAX_SIZE], char text[DIGEST_TEXT_SIZE]);

#endif
