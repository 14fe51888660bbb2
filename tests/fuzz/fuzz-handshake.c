/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's half of the handshake.  The first byte says what we want of it,
 * the second how the rest is cut.
 */
#include "fuzz.h"

const char fuzz_target[] = "handshake";

static const char *const contexts[] = { "base:allocation", "x:dirty" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nbd_session_options options = { .export_name = "disk" };
	struct nbd_session *s;
	const char *text;

	if (size < 2)
		return 0;
	options.goal = data[0] & 1 ? NBD_GOAL_LIST : NBD_GOAL_TRANSMISSION;
	options.no_structured = (data[0] & 2) != 0;
	options.export_name_only = (data[0] & 4) != 0;
	options.no_extended = (data[0] & 16) == 0;
	options.contexts = contexts;
	options.n_contexts = data[0] & 8 ? 0 : 2;
	FUZZ_CHECK(nbd_session_new(&options, &s) == 0);
	fuzz_feed(s, data + 2, size - 2, data[1]);
	FUZZ_CHECK(nbd_session_waiting_for(s) != NULL);
	if (nbd_session_phase(s) == NBD_PHASE_READY) {
		const struct nbd_export *export = nbd_session_export(s);

		FUZZ_CHECK(export->size <= NBD_MAX_EXPORT_SIZE);
		FUZZ_CHECK(export->block_minimum >= 1 &&
		    export->block_minimum <= 65536 &&
		    export->block_minimum <= export->block_preferred &&
		    export->block_minimum <= export->block_maximum);
	}
	if (data[0] & 16)
		nbd_session_disconnect(s);
	fuzz_drain(s);
	nbd_session_received_eof(s);
	if (nbd_session_phase(s) == NBD_PHASE_FAILED)
		FUZZ_CHECK(nbd_session_failure(s, &text) != NBD_FAILURE_NONE &&
		    text[0] != '\0');
	nbd_session_free(s);
	return 0;
}
