/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_EXPORT_NAME, the oldest option: opens the export, and knows no
 * other refusal than hanging up.  The answer has no header.
 */

#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

enum {
	ANSWER_SIZE = 10,
	ZEROES_SIZE = 124,	/* behind it, unless NBD_FLAG_NO_ZEROES */
};

static bool
export_name_wanted(const struct nbd_session *s UNUSED)
{
	return true;
}

static void
export_name_send(struct nbd_session *s)
{
	size_t len = strlen(s->export_name);

	memcpy(nbd_option_append(s, NBD_OPT_EXPORT_NAME, len), s->export_name,
	    len);
	nbd_session_enter(s, SESSION_EXPORT_NAME_REPLY);
}

bool
nbd_export_name_step(struct nbd_session *s)
{
	bool zeroes = (s->handshake_flags & NBD_FLAG_NO_ZEROES) == 0;
	const uint8_t *p;

	p = nbd_session_take(s, ANSWER_SIZE + (zeroes ? ZEROES_SIZE : 0));
	if (p == NULL)
		return false;
	if (get_be64(p) == NBD_OPTION_REPLY_MAGIC) {
		nbd_session_violation(s,
		    "it answered NBD_OPT_EXPORT_NAME with an option reply");
		return true;
	}
	nbd_export_set(s, get_be64(p), get_be16(p + 8));
	if (s->state != SESSION_FAILED)
		nbd_export_ready(s);
	return true;
}

/*
 * Servers up to nbd-server 3.13 lose step after an option they do not know,
 * and then hang up on this one: worth another try with this one alone.
 */
void
nbd_export_name_eof(struct nbd_session *s)
{
	if (s->in.start != s->in.end)
		nbd_session_fail(s, NBD_FAILURE_CLOSED,
		    "the server closed the connection in the middle of its "
		    "answer to NBD_OPT_EXPORT_NAME");
	else if (s->option.refused_before)
		nbd_session_fail(s, NBD_FAILURE_CLOSED_ON_OPTION,
		    "the server closed the connection when sent "
		    "NBD_OPT_EXPORT_NAME");
	else
		nbd_session_fail(s, NBD_FAILURE_NO_EXPORT,
		    "cannot open export '%s': the server closed the "
		    "connection, so it may not have it",
		    s->quoted_name);
}

const struct nbd_option_kind nbd_option_export_name = {
	.number = NBD_OPT_EXPORT_NAME,
	.name = "NBD_OPT_EXPORT_NAME",
	.waiting_for = "the answer to NBD_OPT_EXPORT_NAME",
	.wanted = export_name_wanted,
	.send = export_name_send,
};
