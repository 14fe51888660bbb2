/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The data of a READ on its way to the request's own buffers.  The buffers
 * add up to the request's length, less what is piped, and what is placed lies
 * within it: both were checked before, so the walk along them needs no end.
 *
 * A request may get its buffers as late as when the first of its data are
 * here, so that many can be in flight with few buffers.  What is piped is
 * moved by the owner, and only counted here.
 */

#include <string.h>

#include "nbd/session-private.h"

/* Buffers may be empty. */
static void
skip_full(struct nbd_payload *payload)
{
	while (payload->left > 0 && payload->offset == payload->iov->iov_len) {
		payload->iov++;
		payload->offset = 0;
	}
}

void
nbd_payload_begin(struct nbd_session *s, uint64_t offset, size_t len,
    bool is_hole)
{
	s->payload = (struct nbd_payload){
		.start = offset,
		.length = len,
		.is_hole = is_hole,
	};
	/* The next ones are likely to be like this one. */
	s->in.usual = len <= NBD_SMALL_PAYLOAD ? NBD_IN_SMALL : NBD_IN_USUAL;
	nbd_session_enter(s, SESSION_PAYLOAD);
}

/* What comes from start on, less what is piped at the end of it. */
static void
place_from(struct nbd_payload *payload, const struct nbd_request *req,
    uint64_t start)
{
	const struct iovec *iov = req->iov;

	payload->left = payload->length - (size_t)(start - payload->start) -
	    payload->piped;
	if (payload->left == 0)
		return;
	while (start >= iov->iov_len) {
		start -= iov->iov_len;
		iov++;
	}
	payload->iov = iov;
	payload->offset = (size_t)start;
}

void
nbd_payload_place(struct nbd_payload *payload, const struct nbd_request *req)
{
	payload->is_placed = true;
	payload->piped = (size_t)req->n_piped;
	place_from(payload, req, payload->start);
}

struct iovec
nbd_payload_piece(const struct nbd_payload *payload)
{
	size_t len = payload->iov->iov_len - payload->offset;

	return (struct iovec){
		.iov_base = (uint8_t *)payload->iov->iov_base +
		    payload->offset,
		.iov_len = len < payload->left ? len : payload->left,
	};
}

void
nbd_payload_advance(struct nbd_payload *payload, size_t n)
{
	payload->offset += n;
	payload->left -= n;
	skip_full(payload);
}

size_t
nbd_payload_copy(struct nbd_payload *payload, const uint8_t *p, size_t n)
{
	size_t copied = 0;

	while (payload->left > 0 && copied < n) {
		struct iovec piece = nbd_payload_piece(payload);

		if (piece.iov_len > n - copied)
			piece.iov_len = n - copied;
		memcpy(piece.iov_base, p + copied, piece.iov_len);
		copied += piece.iov_len;
		nbd_payload_advance(payload, piece.iov_len);
	}
	return copied;
}

bool
nbd_session_wants_place(const struct nbd_session *s,
    struct nbd_arrival *ret_arrival)
{
	const struct nbd_payload *payload = &s->payload;
	size_t n = s->in.end - s->in.start;

	if (s->state != SESSION_PAYLOAD || payload->is_placed)
		return false;
	if (payload->is_hole)
		n = 0;
	ret_arrival->req = s->reply.req;
	ret_arrival->head = s->in.buffer + s->in.start;
	ret_arrival->n_head = n < payload->length ? n : payload->length;
	ret_arrival->is_whole = !payload->is_hole &&
	    payload->length == s->reply.req->length;
	return true;
}

bool
nbd_session_is_amid_data(const struct nbd_session *s)
{
	return s->state == SESSION_PAYLOAD && s->payload.is_placed &&
	    (s->payload.left > 0 || s->payload.piped > 0);
}

uint64_t
nbd_session_input_piped(const struct nbd_session *s,
    struct nbd_request **ret_req)
{
	if (s->state != SESSION_PAYLOAD || !s->payload.is_placed ||
	    s->payload.left > 0)
		return 0;
	*ret_req = s->reply.req;
	return s->payload.piped;
}

void
nbd_session_unpiped(struct nbd_session *s)
{
	struct nbd_payload *payload = &s->payload;
	uint64_t here = payload->length - payload->piped;

	if (s->state != SESSION_PAYLOAD)
		return;
	payload->piped = 0;
	place_from(payload, s->reply.req, payload->start + here);
}

void
nbd_payload_zero(struct nbd_payload *payload)
{
	while (payload->left > 0) {
		struct iovec piece = nbd_payload_piece(payload);

		memset(piece.iov_base, 0, piece.iov_len);
		nbd_payload_advance(payload, piece.iov_len);
	}
}
