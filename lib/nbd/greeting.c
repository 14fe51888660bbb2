/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The greeting ("Newstyle negotiation"): NBDMAGIC, IHAVEOPT, 16 bits of
 * flags; we answer with ours.  Otherwise the second magic tells an oldstyle
 * server, and anything else is no NBD server: then its first words are
 * shown, which often say what it is instead.
 */

#include <string.h>

#include "base/bytes.h"
#include "base/escape.h"
#include "nbd/session-private.h"

#define MAX_WORDS 64U

/* p: where the greeting begins in the input buffer. */
static void
fail_not_nbd(struct nbd_session *s, const uint8_t *p)
{
	size_t len = (size_t)(s->in.buffer + s->in.end - p);
	char words[4 * MAX_WORDS + 8];
	size_t n = 0;

	while (n < len && n < MAX_WORDS && p[n] != '\r' && p[n] != '\n')
		n++;
	nbd_session_fail(s, NBD_FAILURE_NOT_NBD,
	    "the server is not an NBD server (it said '%s')",
	    escape_text(p, n, words, sizeof words));
}

bool
nbd_greeting_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 8);

	if (p == NULL)
		return false;
	if (get_be64(p) == NBD_MAGIC)
		nbd_session_enter(s, SESSION_GREETING_STYLE);
	else
		fail_not_nbd(s, p);
	return true;
}

bool
nbd_greeting_style_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 8);

	if (p == NULL)
		return false;
	switch (get_be64(p)) {
	case NBD_OPTION_MAGIC:
		nbd_session_enter(s, SESSION_GREETING_FLAGS);
		break;
	case NBD_OLDSTYLE_MAGIC:
		nbd_session_fail(s, s->tls_required ?
		    NBD_FAILURE_TLS_REFUSED : NBD_FAILURE_OLDSTYLE,
		    "the server speaks the oldstyle NBD protocol only, which "
		    "this version does not support");
		break;
	default:
		fail_not_nbd(s, p);
	}
	return true;
}

bool
nbd_greeting_flags_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 2);

	if (p == NULL)
		return false;
	/* A client that sets a flag the server did not is hung up on. */
	s->handshake_flags = get_be16(p) &
	    (NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
	if (s->tls_required && !nbd_option_is_fixed_newstyle(s)) {
		nbd_session_fail(s, NBD_FAILURE_TLS_REFUSED,
		    "TLS is required, and the server is too old for it");
		return true;
	}
	put_be32(nbd_session_append(s, 4), s->handshake_flags);
	if (s->goal != NBD_GOAL_TRANSMISSION &&
	    !nbd_option_is_fixed_newstyle(s))
		nbd_option_fail(s, NBD_REP_ERR_UNSUP, NULL, 0);
	else
		nbd_option_next(s);
	return true;
}

/* What came is less than a step takes. */
void
nbd_greeting_eof(struct nbd_session *s)
{
	const uint8_t *p = s->in.buffer + s->in.start;
	size_t len = s->in.end - s->in.start;
	uint8_t magic[8];

	put_be64(magic, NBD_MAGIC);
	if (s->state == SESSION_GREETING && len > 0 &&
	    memcmp(p, magic, len) != 0)
		fail_not_nbd(s, p);
	else
		nbd_session_fail(s, NBD_FAILURE_CLOSED,
		    "the server closed the connection without greeting");
}
