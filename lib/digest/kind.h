/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIGEST_KIND_H
#define DIGEST_KIND_H

#include <stddef.h>

/* What an algorithm is to digest.c: one row of its table, one file each. */
struct digest_kind {
	const char *name;
	size_t size;			/* of a value, bytes */
	void *(*open)(void);		/* NULL: there is no memory */
	void (*close)(void *state);
	int (*begin)(void *state);	/* these: 0, or -EIO */
	int (*add)(void *state, const void *bytes, size_t len);
	int (*end)(void *state, unsigned char *ret_value);
};

extern const struct digest_kind digest_kind_sha256;
extern const struct digest_kind digest_kind_xxh3;

#endif
