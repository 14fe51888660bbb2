/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_EXTENDED_HEADERS: requests and replies with lengths of 64 bits, and
 * block status likewise.  It implies structured replies and comes before
 * anything that depends on them.  A server that refuses is done without it.
 */

#include "nbd/session-private.h"

static bool
extended_headers_wanted(const struct nbd_session *s)
{
	return nbd_option_is_fixed_newstyle(s) && !s->no_extended &&
	    !s->no_structured && !s->export_name_only;
}

static void
extended_headers_send(struct nbd_session *s)
{
	(void)nbd_option_append(s, NBD_OPT_EXTENDED_HEADERS, 0);
}

static void
extended_headers_on_ack(struct nbd_session *s)
{
	s->export.structured = true;
	s->export.extended = true;
	nbd_option_next(s);
}

static bool
extended_headers_survives(struct nbd_session *s UNUSED, uint32_t error UNUSED)
{
	return true;
}

const struct nbd_option_kind nbd_option_extended_headers = {
	.number = NBD_OPT_EXTENDED_HEADERS,
	.name = "NBD_OPT_EXTENDED_HEADERS",
	.waiting_for = "the answer to NBD_OPT_EXTENDED_HEADERS",
	.wanted = extended_headers_wanted,
	.send = extended_headers_send,
	.on_ack = extended_headers_on_ack,
	.survives = extended_headers_survives,
};
