/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What client/wire.c does between a session and its socket, without one.
 */
#include "fuzz.h"

#include <string.h>

enum {
	MAX_IOVECS = 8,
};

void
fuzz_drain(struct nbd_session *s)
{
	struct iovec iov[MAX_IOVECS];
	int n_iov;

	while ((n_iov = nbd_session_output(s, iov, MAX_IOVECS)) > 0) {
		size_t n = 0;

		for (int i = 0; i < n_iov; i++)
			n += iov[i].iov_len;
		FUZZ_CHECK(n > 0);
		nbd_session_sent(s, n);
	}
	FUZZ_CHECK(!nbd_session_has_output(s));
}

/* Copy up to n bytes to where the session wants them; returns how many. */
static size_t
scatter(const struct iovec *iov, int n_iov, const uint8_t *data, size_t n)
{
	size_t copied = 0;

	for (int i = 0; i < n_iov && copied < n; i++) {
		size_t len = iov[i].iov_len;

		if (len > n - copied)
			len = n - copied;
		memcpy(iov[i].iov_base, data + copied, len);
		copied += len;
	}
	return copied;
}

/* What of size bytes comes in the next receive. */
static size_t
cut_off(uint8_t cut, uint32_t *state, size_t size)
{
	size_t n;

	*state = *state * 1664525U + 1013904223U;
	n = cut == 0 ? size : 1 + (*state >> 16) % cut;
	return n < size ? n : size;
}

static void
place(const struct nbd_arrival *arrival)
{
	struct nbd_request *req = arrival->req;
	struct fuzz_place *p = req->owner;

	p->iov = (struct iovec){ p->buffer, (size_t)req->length };
	if (p->pipes && arrival->is_whole) {
		p->iov.iov_len = arrival->n_head;
		req->n_piped = req->length - arrival->n_head;
		p->n_here = arrival->n_head;
	}
	req->iov = &p->iov;
	req->n_iov = 1;
}

static void
take_piped(struct nbd_session *s, struct nbd_request *req,
    const uint8_t *data, size_t n)
{
	struct fuzz_place *p = req->owner;

	memcpy(p->buffer + p->n_here, data, n);
	p->n_here += n;
	nbd_session_received_piped(s, n);
	if (!p->leaves || nbd_session_input_piped(s, &req) == 0)
		return;
	p->iov = (struct iovec){ p->buffer, (size_t)req->length };
	req->n_piped = 0;
	nbd_session_unpiped(s);
}

/* The session, or the place of what is piped, takes up to n; how many? */
static size_t
take(struct nbd_session *s, const uint8_t *data, size_t n)
{
	struct nbd_request *req;
	struct iovec iov[2];
	uint64_t n_piped = nbd_session_input_piped(s, &req);
	int n_iov;

	if (n_piped > 0) {
		n = n < n_piped ? n : (size_t)n_piped;
		take_piped(s, req, data, n);
		return n;
	}
	n_iov = nbd_session_input(s, iov);
	if (n_iov == 0)
		return 0;
	n = scatter(iov, n_iov, data, n);
	FUZZ_CHECK(n > 0);
	nbd_session_received(s, n);
	return n;
}

size_t
fuzz_feed(struct nbd_session *s, const uint8_t *data, size_t size, uint8_t cut)
{
	struct nbd_arrival arrival;
	uint32_t state = cut;
	size_t fed = 0;
	size_t n = 1;

	fuzz_drain(s);
	while (fed < size && n > 0) {
		n = take(s, data + fed, cut_off(cut, &state, size - fed));
		fed += n;
		while (nbd_session_wants_place(s, &arrival)) {
			place(&arrival);
			nbd_session_placed(s);
		}
		fuzz_drain(s);
	}
	return fed;
}
