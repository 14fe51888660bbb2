/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's half of the handshake.  The first byte says what we want of it,
 * the second how the rest is cut.
 */
#include "fuzz.h"

const char fuzz_target[] = "handshake";

enum {
	LIST = 1,
	NO_STRUCTURED = 2,
	EXPORT_NAME_ONLY = 4,
	NO_CONTEXTS = 8,
	EXTENDED = 16,		/* and a goodbye at the end */
	TLS = 32,		/* what is to go through it does */
	ASK_ONLY = 64,		/* LIST: the contexts; else: information */
};

static const char *const contexts[] = { "base:allocation", "x:dirty" };

static enum nbd_goal
goal_of(uint8_t kind)
{
	if (kind & ASK_ONLY)
		return kind & LIST ? NBD_GOAL_LIST_CONTEXTS : NBD_GOAL_INFO;
	return kind & LIST ? NBD_GOAL_LIST : NBD_GOAL_TRANSMISSION;
}

static void
check_export(const struct nbd_export *export)
{
	FUZZ_CHECK(export->size <= NBD_MAX_EXPORT_SIZE);
	FUZZ_CHECK(export->block_minimum >= 1 &&
	    export->block_minimum <= 65536 &&
	    export->block_minimum <= export->block_preferred &&
	    export->block_minimum <= export->block_maximum &&
	    export->block_maximum >= 512);
}

static void
check_answer(const struct nbd_session *s, enum nbd_goal goal)
{
	enum nbd_phase phase = nbd_session_phase(s);
	size_t n;

	FUZZ_CHECK(nbd_session_waiting_for(s) != NULL);
	if (phase == NBD_PHASE_READY ||
	    (phase == NBD_PHASE_LISTED && goal == NBD_GOAL_INFO))
		check_export(nbd_session_export(s));
	(void)nbd_session_list(s, &n);
	FUZZ_CHECK(n <= NBD_MAX_OPTION_REPLIES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nbd_session_options options = { .export_name = "disk" };
	struct nbd_session *s;
	const char *text;
	size_t n = 2;

	if (size < 2)
		return 0;
	options.goal = goal_of(data[0]);
	options.no_structured = (data[0] & NO_STRUCTURED) != 0;
	options.export_name_only = (data[0] & EXPORT_NAME_ONLY) != 0;
	options.no_extended = (data[0] & EXTENDED) == 0;
	options.tls_required = (data[0] & TLS) != 0;
	options.contexts = contexts;
	options.n_contexts = data[0] & NO_CONTEXTS ? 0 : 2;
	FUZZ_CHECK(nbd_session_new(&options, &s) == 0);
	n += fuzz_feed(s, data + n, size - n, data[1]);
	nbd_session_tls_started(s);
	(void)fuzz_feed(s, data + n, size - n, data[1]);
	check_answer(s, options.goal);
	if (data[0] & EXTENDED)
		nbd_session_disconnect(s);
	fuzz_drain(s);
	nbd_session_received_eof(s);
	if (nbd_session_phase(s) == NBD_PHASE_FAILED)
		FUZZ_CHECK(nbd_session_failure(s, &text) != NBD_FAILURE_NONE &&
		    text[0] != '\0');
	nbd_session_free(s);
	return 0;
}
