/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving bytes between a session and a socket.
 *
 * Receiving goes on while receives come back full, since a full one says
 * nothing about what is left; a short one has emptied the socket, and asking
 * again would only cost a system call.  Sending goes on until there is
 * nothing left or the socket is full.
 *
 * The data of a READ may be waiting for a place, and those of a READ or WRITE
 * may go through a pipe of the owner's.
 *
 * A failed send does not end the session: a server that refused something
 * and hung up has said why before, and that is still to be read.
 */
#include "client/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "net/pipe.h"

enum {
	MAX_RECEIVES = 16,		/* in one turn of the loop */
	MAX_IOVECS = 256,		/* in one send; the kernel takes 1024 */
	DISCARD_SIZE = 4096,
};

static void
wire_lost_tls(struct wire *w, const struct error *e)
{
	enum nbd_failure why = NBD_FAILURE_LOCAL;

	if (e->code == -ECONNRESET)
		why = NBD_FAILURE_CLOSED;
	else if (e->code == -EPROTO || e->code == -EACCES)
		why = NBD_FAILURE_TLS;
	nbd_session_fail(w->session, why, "%s", e->text);
}

/*
 * A server that was listed has said all it had to say, however it leaves.  A
 * reset in the middle of the options is how some servers hang up on an option
 * they do not know, with our bytes unread: to the session it is EOF.
 */
static void
wire_lost(struct wire *w, int errnum)
{
	const struct error *e = stream_error(&w->stream);
	enum nbd_phase phase = nbd_session_phase(w->session);

	w->error = -errnum;
	if (phase == NBD_PHASE_LISTED)
		nbd_session_received_eof(w->session);
	else if (e != NULL)
		wire_lost_tls(w, e);
	else if (errnum == ECONNRESET && phase == NBD_PHASE_HANDSHAKE)
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

/* Nothing was received: n says why.  False. */
static bool
wire_received_nothing(struct wire *w, ssize_t n)
{
	if (n == -EAGAIN)
		return false;
	w->is_at_end = true;
	if (n == 0)
		nbd_session_received_eof(w->session);
	else
		wire_lost(w, (int)-n);
	return false;
}

/* What the pipe holds goes to memory, and so does the rest. */
static bool
wire_leave_pipe(struct wire *w, struct nbd_request *req)
{
	const struct iovec head = req->iov[0];
	struct net_pipe *pipe = req->pipe;
	char *to;
	int r;

	r = w->leave_pipe(w->place_arg, req);
	if (r == 0) {
		to = req->iov[0].iov_base;
		if (head.iov_len > 0)
			memcpy(to, head.iov_base, head.iov_len);
		r = net_pipe_drain(pipe, to + head.iov_len);
	}
	if (r < 0) {
		nbd_session_fail(w->session, NBD_FAILURE_LOCAL, "%s",
		    strerrordesc_np(-r));
		return false;
	}
	req->pipe = NULL;
	req->n_piped = 0;
	nbd_session_unpiped(w->session);
	return true;
}

static bool
wire_receive_piped(struct wire *w, struct nbd_request *req, uint64_t wanted)
{
	ssize_t n;

	n = net_pipe_receive(req->pipe, w->stream.fd, wanted);
	if (n == -ENOBUFS)
		return wire_leave_pipe(w, req);
	if (n <= 0)
		return wire_received_nothing(w, n);
	w->n_moved += (uint64_t)n;
	nbd_session_received_piped(w->session, (size_t)n);
	return (uint64_t)n == wanted;
}

/* True: there is no READ whose data wait for a place. */
static bool
wire_find_places(struct wire *w)
{
	struct nbd_arrival arrival;

	w->is_starving = false;
	while (nbd_session_wants_place(w->session, &arrival)) {
		if (!w->find_place(w->place_arg, &arrival)) {
			w->is_starving = true;
			return false;
		}
		nbd_session_placed(w->session);
	}
	return true;
}

/* One receive.  True: it was full, there may be more. */
static bool
wire_receive_once(struct wire *w)
{
	struct nbd_request *req;
	struct iovec iov[2];
	uint64_t n_piped;
	size_t wanted;
	ssize_t n;
	int n_iov;

	if (!wire_find_places(w))
		return false;
	n_piped = nbd_session_input_piped(w->session, &req);
	if (n_piped > 0)
		return wire_receive_piped(w, req, n_piped);
	n_iov = nbd_session_input(w->session, iov);
	wanted = iovecs_total(iov, n_iov);
	if (wanted == 0)
		return false;
	n = stream_receive(&w->stream, iov, n_iov);
	if (n <= 0)
		return wire_received_nothing(w, n);
	w->n_moved += (uint64_t)n;
	nbd_session_received(w->session, (size_t)n);
	return (size_t)n == wanted || nbd_session_wants_place(w->session,
	    &(struct nbd_arrival){ .req = NULL });
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A wait of this direction is over: the socket is tried.  The time. */
static uint64_t
begin_turn(struct wire *w, uint64_t *since_us)
{
	uint64_t now = now_us();

	if (*since_us != 0)
		w->waited_us += now - *since_us;
	*since_us = 0;
	return now;
}

static void
end_turn(struct wire *w, uint64_t begun_us, bool waits, uint64_t *since_us)
{
	uint64_t now = now_us();

	if (w->stream.tls != NULL)
		w->tls_us += now - begun_us;
	if (waits)
		*since_us = now;
}

static bool
receive_share(struct wire *w)
{
	int i;

	for (i = 0; i < MAX_RECEIVES; i++)
		if (!wire_receive_once(w))
			return false;
	/* What is here already no event of the socket will tell of. */
	(void)wire_find_places(w);
	return true;
}

bool
wire_receive(struct wire *w)
{
	uint64_t begun_us = begin_turn(w, &w->receive_since_us);
	bool may_be_more = receive_share(w);

	end_turn(w, begun_us, !may_be_more && !w->is_starving &&
		!w->is_at_end && nbd_session_is_amid_data(w->session),
	    &w->receive_since_us);
	return may_be_more;
}

/*
 * Send what is next.  Returns the number of bytes, or a negative errno;
 * *ret_is_all: there was nothing.
 */
static ssize_t
wire_send_once(struct wire *w, bool *ret_is_all)
{
	struct iovec iov[MAX_IOVECS];
	struct nbd_request *req;
	uint64_t n_piped;
	int n_iov;

	n_piped = nbd_session_output_piped(w->session, &req);
	if (n_piped > 0)
		return net_pipe_send(req->pipe, w->stream.fd, n_piped);
	n_iov = nbd_session_output(w->session, iov, MAX_IOVECS);
	*ret_is_all = n_iov == 0;
	return n_iov == 0 ? 0 : stream_send(&w->stream, iov, n_iov);
}

static bool
send_all(struct wire *w)
{
	bool is_all = false;
	ssize_t n;

	while (w->send_error == 0) {
		n = wire_send_once(w, &is_all);
		if (is_all)
			return false;
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
wire_send(struct wire *w)
{
	uint64_t begun_us = begin_turn(w, &w->send_since_us);
	bool is_full = send_all(w);

	end_turn(w, begun_us, is_full, &w->send_since_us);
	return is_full;
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
