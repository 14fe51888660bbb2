/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The data of a READ on its way to the request's own buffers.  The buffers
 * add up to the request's length and what is placed lies within it: both
 * were checked before, so the walk along them needs no end.
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
nbd_payload_place(struct nbd_payload *payload, const struct nbd_request *req,
    uint64_t offset, size_t len)
{
	const struct iovec *iov = req->iov;

	while (offset >= iov->iov_len) {
		offset -= iov->iov_len;
		iov++;
	}
	payload->iov = iov;
	payload->offset = (size_t)offset;
	payload->left = len;
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

void
nbd_payload_zero(struct nbd_payload *payload)
{
	while (payload->left > 0) {
		struct iovec piece = nbd_payload_piece(payload);

		memset(piece.iov_base, 0, piece.iov_len);
		nbd_payload_advance(payload, piece.iov_len);
	}
}
