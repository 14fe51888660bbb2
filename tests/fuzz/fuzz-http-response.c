/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon, or who pretends to be it, answers to the command line.
 * As much of it has arrived as the first byte says, then all.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/http-response.h"

const char fuzz_target[] = "http-response";

/* The data lie at the end of their memory. */
static void
parse(const uint8_t *data, size_t size, bool at_end)
{
	struct http_response response = { 0 };
	struct error e = { 0 };
	char *copy = malloc(size > 0 ? size : 1);
	int r;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, size);
	r = http_response_parse(copy, size, at_end, &response, &e);
	if (r == 0)
		FUZZ_CHECK(response.body[response.len] == '\0');
	else
		FUZZ_CHECK(r == -EAGAIN ? !at_end : e.text[0] != '\0');
	free(response.body);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	parse(data + 1, (size - 1) * data[0] / 255, false);
	parse(data + 1, size - 1, false);
	parse(data + 1, size - 1, true);
	return 0;
}
