/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "nbd/session.h"
#include "net/stream.h"

/*
 * The bytes between a session and its socket: what the session wants to send
 * and receive is moved by as few system calls as there can be, never
 * blocking.  Both belong to the owner.
 */
struct wire {
	struct stream stream;		/* connected */
	struct nbd_session *session;
	uint64_t n_moved;		/* bytes, both ways together */
	bool is_at_end;			/* the peer's EOF, or an error */
	int error;			/* negative errno of a failed receive */
	int send_error;			/* likewise: nothing can be sent any
					   more, the peer's last words may
					   still be there to read */

	/*
	 * Where the data of a READ without an iov go; see
	 * nbd_session_wants_place().  False: not now, the owner comes back
	 * to wire_receive() when there is a place.
	 */
	bool (*find_place)(void *arg, const struct nbd_arrival *arrival);
	/*
	 * A READ's pipe is full: give it an iov for the whole of its length,
	 * to which what has arrived is moved, with n_piped as it is.
	 * -ENOMEM: the connection fails.
	 */
	int (*leave_pipe)(void *arg, struct nbd_request *req);
	void *place_arg;
	bool is_starving;		/* find_place() said no */

	/* Microseconds, since the beginning. */
	uint64_t waited_us;		/* amid data of a READ, or of anything
					   that is sent: for the socket */
	uint64_t tls_us;		/* went into TLS */
	uint64_t receive_since_us;	/* it waits so since; 0: it does not */
	uint64_t send_since_us;
};

/*
 * Take what has arrived, up to a share that is fair to other connections.
 * EOF and errors are told to the session.  True: there may be more.
 */
bool wire_receive(struct wire *w);

/*
 * Send what the session has.  True: the socket is full, wait until it is
 * writable.
 */
bool wire_send(struct wire *w);

/* Throw away what has arrived.  True: the peer's side is closed. */
bool wire_discard(struct wire *w);

#endif
