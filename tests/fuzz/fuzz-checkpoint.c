/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint from a file: what is accepted is written the same way again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "store/checkpoint.h"

const char fuzz_target[] = "checkpoint";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_checkpoint *c = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (store_checkpoint_decode(data, size, &c) < 0)
		return 0;
	FUZZ_CHECK(store_checkpoint_encode(c, &bytes, &len) == 0);
	FUZZ_CHECK(len == size && memcmp(bytes, data, size) == 0);
	free(bytes);
	store_checkpoint_free(c);
	return 0;
}
