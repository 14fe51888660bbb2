/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's list of exports, behind a greeting that is right.  The first
 * byte says how it is cut.
 */
#include "fuzz.h"

#include <string.h>

const char fuzz_target[] = "list";

static const uint8_t greeting[] = "NBDMAGICIHAVEOPT\0\3";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nbd_session_options options = { .goal = NBD_GOAL_LIST };
	const struct nbd_listed_export *list;
	struct nbd_session *s;
	size_t n;

	if (size < 1)
		return 0;
	FUZZ_CHECK(nbd_session_new(&options, &s) == 0);
	(void)fuzz_feed(s, greeting, sizeof greeting - 1, 0);
	(void)fuzz_feed(s, data + 1, size - 1, data[0]);
	if (nbd_session_phase(s) == NBD_PHASE_LISTED) {
		list = nbd_session_list(s, &n);
		FUZZ_CHECK(n <= NBD_MAX_OPTION_REPLIES);
		for (size_t i = 0; i < n; i++)
			FUZZ_CHECK(strlen(list[i].name) <= NBD_MAX_STRING &&
			    strlen(list[i].description) <= NBD_MAX_STRING);
	}
	nbd_session_disconnect(s);
	fuzz_drain(s);
	nbd_session_received_eof(s);
	nbd_session_free(s);
	return 0;
}
