/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_STARTTLS, where TLS is required: the first option, and the last if
 * it is refused, for whatever reason.  There is no going on without.
 *
 * What came along with the server's consent was not protected by TLS, and is
 * somebody's attempt to have it taken for what was.  Nor may anything of ours
 * be left to be sent, which would go through TLS and mean something else.
 */

#include "base/escape.h"
#include "nbd/session-private.h"

static bool
starttls_wanted(const struct nbd_session *s)
{
	return s->tls_required;
}

static void
starttls_send(struct nbd_session *s)
{
	(void)nbd_option_append(s, NBD_OPT_STARTTLS, 0);
}

static void
starttls_on_ack(struct nbd_session *s)
{
	if (s->in.start != s->in.end)
		nbd_session_violation(s,
		    "it went on in plain text where TLS begins");
	else if (s->out.sent < s->out.len)
		nbd_session_violation(s,
		    "it agreed to TLS before it was asked");
	else
		nbd_session_enter(s, SESSION_STARTTLS);
}

static void
starttls_on_refusal(struct nbd_session *s, const uint8_t *message)
{
	char words[NBD_MESSAGE_SIZE];
	size_t len = s->option.length;

	(void)escape_text(message, len, words, sizeof words);
	nbd_session_fail(s, NBD_FAILURE_TLS_REFUSED,
	    "TLS is required, and the server refuses it%s%s%s",
	    len > 0 ? " (it says '" : "", len > 0 ? words : "",
	    len > 0 ? "')" : "");
}

const struct nbd_option_kind nbd_option_starttls = {
	.number = NBD_OPT_STARTTLS,
	.name = "NBD_OPT_STARTTLS",
	.waiting_for = "the answer to NBD_OPT_STARTTLS",
	.wanted = starttls_wanted,
	.send = starttls_send,
	.on_ack = starttls_on_ack,
	.on_refusal = starttls_on_refusal,
};
