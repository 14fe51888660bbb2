/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The digests by name, and what they have in common.  An error of a library
 * is kept until the end, where somebody looks at it.
 */

#include "digest/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "digest/kind.h"

static const struct digest_kind *const kinds[] = {
	[DIGEST_SHA256] = &digest_kind_sha256,
	[DIGEST_XXH3] = &digest_kind_xxh3,
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

struct digest {
	const struct digest_kind *kind;
	void *state;
	int error;
};

int
digest_new(enum digest_algorithm algorithm, struct digest **ret_digest)
{
	CLEANUP(cleanup_free) struct digest *d = calloc(1, sizeof *d);

	if (d == NULL)
		return -ENOMEM;
	d->kind = kinds[algorithm];
	d->state = d->kind->open();
	if (d->state == NULL)
		return -ENOMEM;
	d->error = d->kind->begin(d->state);
	*ret_digest = STEAL(d);
	return 0;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	d->kind->close(d->state);
	free(d);
}

void
digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (d->error == 0)
		d->error = d->kind->add(d->state, bytes, len);
}

void
digest_add_zeroes(struct digest *d, uint64_t len)
{
	/* Small enough to stay in the processor's cache. */
	static const unsigned char zeroes[64 * 1024];
	size_t n;

	for (; len > 0; len -= n) {
		n = len < sizeof zeroes ? (size_t)len : sizeof zeroes;
		digest_add(d, zeroes, n);
	}
}

int
digest_end(struct digest *d, unsigned char ret_value[DIGEST_MAX_SIZE])
{
	int r = d->error;

	if (r == 0)
		r = d->kind->end(d->state, ret_value);
	d->error = d->kind->begin(d->state);
	return r;
}

size_t
digest_size(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_NONE ? 0 : kinds[algorithm]->size;
}

const char *
digest_name(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_NONE ? "none" : kinds[algorithm]->name;
}

int
digest_find(const char *name, enum digest_algorithm *ret_algorithm)
{
	for (size_t i = DIGEST_NONE + 1; i < N_KINDS; i++) {
		if (strcmp(kinds[i]->name, name) != 0)
			continue;
		*ret_algorithm = (enum digest_algorithm)i;
		return 0;
	}
	return -EINVAL;
}

const char *
digest_format(enum digest_algorithm algorithm,
    const unsigned char value[DIGEST_MAX_SIZE], char text[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t size = digest_size(algorithm);
	size_t i;

	for (i = 0; i < size; i++) {
		text[2 * i] = digits[value[i] >> 4];
		text[2 * i + 1] = digits[value[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}
