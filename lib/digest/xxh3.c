/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XXH3 of 128 bits, by libxxhash; its canonical form, as xxhsum prints it. */

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "digest/kind.h"

static void *
xxh3_open(void)
{
	return XXH3_createState();
}

static void
xxh3_close(void *state)
{
	(void)XXH3_freeState(state);
}

static int
xxh3_begin(void *state)
{
	return XXH3_128bits_reset(state) == XXH_OK ? 0 : -EIO;
}

static int
xxh3_add(void *state, const void *bytes, size_t len)
{
	return XXH3_128bits_update(state, bytes, len) == XXH_OK ? 0 : -EIO;
}

static int
xxh3_end(void *state, unsigned char *ret_value)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	memcpy(ret_value, canonical.digest, sizeof canonical.digest);
	return 0;
}

const struct digest_kind digest_kind_xxh3 = {
	.name = "xxh3",
	.size = 16,
	.open = xxh3_open,
	.close = xxh3_close,
	.begin = xxh3_begin,
	.add = xxh3_add,
	.end = xxh3_end,
};
