/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

struct tls;

/*
 * The bytes of a connected, non-blocking socket, as they are or through TLS,
 * for users that do not care which.  Both belong to the owner, who also does
 * the handshake of TLS (net/tls.h) before it is used here.
 */
struct stream {
	int fd;
	struct tls *tls;		/* NULL: the bytes as they are */
};

/*
 * Receive into iov, by one system call if there is no TLS.  Returns the
 * number of bytes; less than iov has room for: all was taken that had
 * arrived.  0: the peer's end.  -EAGAIN: nothing there.  Otherwise a negative
 * errno; see stream_error().
 */
ssize_t stream_receive(const struct stream *s, const struct iovec *iov,
    int n_iov);

/*
 * Send from iov, without raising SIGPIPE.  Returns the number of bytes that
 * are sent.  -EAGAIN: the socket is full; call again with the same bytes, and
 * perhaps more behind them.  Otherwise a negative errno.
 */
ssize_t stream_send(const struct stream *s, const struct iovec *iov,
    int n_iov);

/*
 * Is there something to receive that the socket's becoming readable will not
 * tell of?
 */
bool stream_has_pending(const struct stream *s);

/* Receiving goes on once the socket is writable. */
bool stream_wants_write(const struct stream *s);

/* What TLS says about its last failure; NULL without TLS. */
const struct error *stream_error(const struct stream *s);

#endif
