/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving bytes between a session and a socket.
 *
 * Receiving goes on while receives come back full, since a full one says
 * nothing about what is left; a short one has emptied the socket, and asking
 * again would only cost a system call.  Sending goes on until there is
 * nothing left or the socket is full.
 *
 * A failed send does not end the session: a server that refused something
 * and hung up has said why before, and that is still to be read.
 */
#include "client/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum {
	MAX_RECEIVES = 16,		/* in one turn of the loop */
	MAX_IOVECS = 256,		/* in one send; the kernel allows 1024 */
	DISCARD_SIZE = 4096,
};

/*
 * A cut is a failure like any lost connection, but for a listed server, which
 * has said all it had to say.
 */
static void
wire_lost_tls(struct wire *w, const struct error *e)
{
	enum nbd_failure why = NBD_FAILURE_LOCAL;

	if (e->code == -ECONNRESET)
		why = NBD_FAILURE_CLOSED;
	else if (e->code == -EPROTO || e->code == -EACCES)
		why = NBD_FAILURE_TLS;
	if (nbd_session_phase(w->session) == NBD_PHASE_LISTED)
		nbd_session_received_eof(w->session);
	else
		nbd_session_fail(w->session, why, "%s", e->text);
}

/*
 * A reset in the middle of the options is how some servers hang up on an
 * option they do not know, with our bytes unread: to the session it is EOF.
 */
static void
wire_lost(struct wire *w, int errnum)
{
	const struct error *e = stream_error(&w->stream);

	w->error = -errnum;
	if (e != NULL)
		wire_lost_tls(w, e);
	else if (errnum == ECONNRESET &&
	    nbd_session_phase(w->session) == NBD_PHASE_HANDSHAKE)
		nbd_session_received_eof(w->session);
	else if (errnum == ECONNRESET)
		nbd_session_fail(w->session, NBD_FAILURE_CLOSED,
		    "connection reset by peer");
	else
		nbd_session_fail(w->session, NBD_FAILURE_LOCAL,
		    "cannot receive: %s", strerrordesc_np(errnum));
}

static size_t
iovecs_total(const struct iovec *iov, int n)
{
	size_t total = 0;
	int i;

	for (i = 0; i < n; i++)
		total += iov[i].iov_len;
	return total;
}

/* One receive.  True: it was full, there may be more. */
static bool
wire_receive_once(struct wire *w)
{
	struct iovec iov[2];
	size_t wanted;
	ssize_t n;
	int n_iov;

	n_iov = nbd_session_input(w->session, iov);
	wanted = iovecs_total(iov, n_iov);
	if (wanted == 0)
		return false;
	n = stream_receive(&w->stream, iov, n_iov);
	if (n > 0) {
		w->n_moved += (uint64_t)n;
		nbd_session_received(w->session, (size_t)n);
		return (size_t)n == wanted;
	}
	if (n == -EAGAIN)
		return false;
	w->is_at_end = true;
	if (n == 0)
		nbd_session_received_eof(w->session);
	else
		wire_lost(w, (int)-n);
	return false;
}

bool
wire_receive(struct wire *w)
{
	int i;

	for (i = 0; i < MAX_RECEIVES; i++)
		if (!wire_receive_once(w))
			return false;
	return true;
}

bool
wire_send(struct wire *w)
{
	struct iovec iov[MAX_IOVECS];
	ssize_t n;
	int n_iov;

	while (w->send_error == 0) {
		n_iov = nbd_session_output(w->session, iov, MAX_IOVECS);
		if (n_iov == 0)
			return false;
		n = stream_send(&w->stream, iov, n_iov);
		if (n >= 0) {
			w->n_moved += (uint64_t)n;
			nbd_session_sent(w->session, (size_t)n);
		} else if (n == -EAGAIN) {
			return true;
		} else {
			w->send_error = (int)n;
		}
	}
	return false;
}

bool
wire_discard(struct wire *w)
{
	char scratch[DISCARD_SIZE];
	const struct iovec iov = { scratch, sizeof scratch };
	ssize_t n;
	int i;

	for (i = 0; i < MAX_RECEIVES; i++) {
		n = stream_receive(&w->stream, &iov, 1);
		if (n <= 0)
			return n != -EAGAIN;
	}
	return false;
}
