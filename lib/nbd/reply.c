/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Replies ("Simple reply message"), and what all replies have in common: how
 * they find their request and how it ends.  Those in chunks are read in
 * chunk.c.
 *
 * Where the framing is wrong the stream cannot be trusted any more, and the
 * session fails.  Where only the answer is wrong, the request fails.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/escape.h"
#include "nbd/session-private.h"

/* Where extended headers were agreed on no other reply is one. */
static void
begin_extended(struct nbd_session *s, uint32_t magic)
{
	if (magic == NBD_EXTENDED_REPLY_MAGIC)
		nbd_session_enter(s, SESSION_CHUNK);
	else
		nbd_session_violation(s,
		    "a reply begins with 0x%08" PRIx32
		    ", after extended headers were agreed on",
		    magic);
}

bool
nbd_reply_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 4);
	uint32_t magic;

	if (p == NULL)
		return false;
	magic = get_be32(p);
	if (s->export.extended)
		begin_extended(s, magic);
	else if (magic == NBD_SIMPLE_REPLY_MAGIC)
		nbd_session_enter(s, SESSION_SIMPLE_REPLY);
	else if (magic == NBD_STRUCTURED_REPLY_MAGIC && s->export.structured)
		nbd_session_enter(s, SESSION_CHUNK);
	else if (magic == NBD_STRUCTURED_REPLY_MAGIC)
		nbd_session_violation(s,
		    "a structured reply, which was not agreed on");
	else
		nbd_session_violation(s, "a reply begins with 0x%08" PRIx32,
		    magic);
	return true;
}

/*
 * A server that answers a request it has not got in full has lost step, or
 * never had it.
 */
struct nbd_request *
nbd_reply_find(struct nbd_session *s, uint64_t cookie)
{
	struct nbd_request *req = nbd_inflight_find(s, cookie);

	if (req == NULL) {
		nbd_session_violation(s,
		    "a reply to a request that is not in flight (cookie "
		    "0x%016" PRIx64 ")",
		    cookie);
		return NULL;
	}
	if (!nbd_request_is_sent(req)) {
		nbd_session_violation(s,
		    "a reply to a %s that was not sent in full",
		    nbd_request_name(req));
		return NULL;
	}
	return req;
}

bool
nbd_reply_simple_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 12);
	struct nbd_request *req;
	uint32_t error;

	if (p == NULL)
		return false;
	error = get_be32(p);
	req = nbd_reply_find(s, get_be64(p + 4));
	if (req == NULL)
		return true;
	if (req->got_chunk ||
	    (s->export.structured && req->command == NBD_CMD_READ)) {
		nbd_session_violation(s,
		    "a simple reply to a %s where a structured one is due",
		    nbd_request_name(req));
		return true;
	}
	s->reply = (struct nbd_reply){ .req = req, .done = true };
	if (error != 0)
		nbd_reply_error(req, nbd_error_to_errno(error), "", 0);
	if (error != 0 || req->command != NBD_CMD_READ) {
		nbd_reply_end(s);
		return true;
	}
	req->contiguous = req->length;
	nbd_payload_begin(s, 0, req->length, false);
	return true;
}

bool
nbd_reply_payload_step(struct nbd_session *s)
{
	struct nbd_in *in = &s->in;

	if (!s->payload.is_placed) {
		if (s->reply.req->iov == NULL)
			return false;
		nbd_payload_place(&s->payload, s->reply.req);
	}
	if (s->payload.is_hole)
		nbd_payload_zero(&s->payload);
	else
		in->start += nbd_payload_copy(&s->payload,
		    in->buffer + in->start, in->end - in->start);
	if (s->payload.left > 0 || s->payload.piped > 0)
		return false;
	nbd_reply_end(s);
	return true;
}

void
nbd_reply_error(struct nbd_request *req, int error, const void *message,
    size_t len)
{
	if (req->error != 0)
		return;
	req->error = error;
	(void)escape_text(message, len, req->message, sizeof req->message);
}

static void
reply_incomplete(struct nbd_request *req, const char *what)
{
	nbd_reply_error(req, -EPROTO, what, strlen(what));
}

/* A read is done when every byte has come, not when enough have. */
static void
check_read(struct nbd_session *s, struct nbd_request *req)
{
	uint64_t left = req->length - req->contiguous;

	if (left > 0 &&
	    !ranges_cover(nbd_inflight_covered(s, req), req->contiguous, left))
		reply_incomplete(req, "the server left a part of the read out");
}

static void
check_status(struct nbd_session *s, struct nbd_request *req)
{
	for (uint32_t i = 0; i < s->n_contexts; i++) {
		if (s->contexts[i].selected &&
		    (req->contexts_seen & (1U << i)) == 0) {
			reply_incomplete(req,
			    "the server left the block status out");
			return;
		}
	}
}

void
nbd_reply_end(struct nbd_session *s)
{
	struct nbd_request *req = s->reply.req;

	nbd_session_enter(s, SESSION_REPLY);
	if (!s->reply.done)
		return;
	if (req->command == NBD_CMD_READ && req->error == 0)
		check_read(s, req);
	else if (req->command == NBD_CMD_BLOCK_STATUS && req->error == 0)
		check_status(s, req);
	if (req->error == -ESHUTDOWN)
		s->shutting_down = true;
	nbd_inflight_complete(s, req);
}
