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

size_t
fuzz_feed(struct nbd_session *s, const uint8_t *data, size_t size, uint8_t cut)
{
	struct iovec iov[2];
	uint32_t state = cut;
	size_t fed = 0;
	size_t n;
	int n_iov;

	fuzz_drain(s);
	while (fed < size && (n_iov = nbd_session_input(s, iov)) > 0) {
		state = state * 1664525U + 1013904223U;
		n = cut == 0 ? size - fed : 1 + (state >> 16) % cut;
		n = scatter(iov, n_iov, data + fed,
		    n < size - fed ? n : size - fed);
		FUZZ_CHECK(n > 0);
		nbd_session_received(s, n);
		fed += n;
		fuzz_drain(s);
	}
	return fed;
}
