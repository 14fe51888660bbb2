/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_STRUCTURED_REPLY: holes in reads, errors with words, and what
 * block status needs.  A server that refuses is done without it.  Where there
 * are extended headers there are structured replies, and nothing to ask.
 */

#include "nbd/session-private.h"

static bool
structured_reply_wanted(const struct nbd_session *s)
{
	return nbd_option_is_fixed_newstyle(s) && !s->no_structured &&
	    !s->export.extended && !s->export_name_only;
}

static void
structured_reply_send(struct nbd_session *s)
{
	(void)nbd_option_append(s, NBD_OPT_STRUCTURED_REPLY, 0);
}

static void
structured_reply_on_ack(struct nbd_session *s)
{
	s->export.structured = true;
	nbd_option_next(s);
}

static bool
structured_reply_survives(struct nbd_session *s UNUSED, uint32_t error UNUSED)
{
	return true;
}

const struct nbd_option_kind nbd_option_structured_reply = {
	.number = NBD_OPT_STRUCTURED_REPLY,
	.name = "NBD_OPT_STRUCTURED_REPLY",
	.waiting_for = "the answer to NBD_OPT_STRUCTURED_REPLY",
	.wanted = structured_reply_wanted,
	.send = structured_reply_send,
	.on_ack = structured_reply_on_ack,
	.survives = structured_reply_survives,
};
