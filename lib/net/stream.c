/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes in and out of a socket, plain or through TLS.
 */
#include "net/stream.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/tls.h"

ssize_t
stream_receive(const struct stream *s, const struct iovec *iov, int n_iov)
{
	ssize_t n;

	if (s->tls != NULL)
		return tls_receive(s->tls, iov, n_iov);
	do
		n = readv(s->fd, iov, n_iov);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t
stream_send(const struct stream *s, const struct iovec *iov, int n_iov)
{
	struct msghdr msg = { .msg_iovlen = (size_t)n_iov };
	ssize_t n;

	if (s->tls != NULL)
		return tls_send(s->tls, iov, n_iov);
	/* sendmsg() does not write to it. */
	msg.msg_iov = (struct iovec *)(uintptr_t)iov;
	do
		n = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool
stream_has_pending(const struct stream *s)
{
	return s->tls != NULL && tls_has_pending(s->tls);
}

bool
stream_wants_write(const struct stream *s)
{
	return s->tls != NULL && tls_wants_write(s->tls);
}

const struct error *
stream_error(const struct stream *s)
{
	return s->tls != NULL ? tls_error(s->tls) : NULL;
}
