/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBD_SESSION_H
#define NBD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "base/list.h"
#include "nbd/protocol.h"

/*
 * The client's side of one NBD connection as a state machine: bytes in,
 * bytes out.  It does no I/O, reads no clock and starts no thread; the owner
 * moves the bytes and keeps the deadlines.
 *
 *	s = nbd_session_new(options)
 *	loop:
 *		n = nbd_session_output(s, iov, max)
 *		send; nbd_session_sent(s, k)
 *		n = nbd_session_input(s, iov)
 *		receive; nbd_session_received(s, k)
 *		while ((req = nbd_session_reap(s))) the request is complete
 *	until nbd_session_phase(s) says so
 *
 * Payload is never copied or buffered here: reads arrive in the request's
 * own buffers, writes leave from them (but for the few bytes that share a
 * receive call with a header).  Nothing is allocated per request.
 *
 * Whatever the peer sends, the session answers by going to NBD_PHASE_FAILED
 * with a reason, or by completing a request with an error.  A session is
 * used by one thread at a time.
 */

struct nbd_session;

enum nbd_phase {
	NBD_PHASE_HANDSHAKE,	/* greeting and options */
	NBD_PHASE_STARTTLS,	/* TLS's handshake is the owner's turn: then
				   nbd_session_tls_started() */
	NBD_PHASE_LISTED,	/* any other goal than TRANSMISSION: the
				   answer is there */
	NBD_PHASE_READY,	/* transmission: requests may be submitted */
	NBD_PHASE_CLOSING,	/* we said goodbye; wait for the peer's EOF */
	NBD_PHASE_FAILED,	/* over: see nbd_session_failure(); what is
				   to be sent still is a goodbye, which a
				   closing owner may try once to send */
};

/*
 * Why a session is over, for callers that act on it.
 */
enum nbd_failure {
	NBD_FAILURE_NONE,
	NBD_FAILURE_NOT_NBD,		/* no NBD server answered */
	NBD_FAILURE_OLDSTYLE,		/* a server without options */
	NBD_FAILURE_PROTOCOL,		/* the server broke the protocol */
	NBD_FAILURE_CLOSED,		/* the server closed the connection */
	NBD_FAILURE_CLOSED_ON_OPTION,	/* ... when sent an option: try again
					   with export_name_only */
	NBD_FAILURE_POLICY,		/* the server's policy forbids it */
	NBD_FAILURE_UNSUPPORTED,	/* the server is too old for it */
	NBD_FAILURE_NO_EXPORT,		/* no export of that name */
	NBD_FAILURE_TLS_REQUIRED,
	NBD_FAILURE_SHUTDOWN,		/* the server is shutting down */
	NBD_FAILURE_REFUSED,		/* any other refusal of an option */
	NBD_FAILURE_LOCAL,		/* out of memory, I/O error, deadline */
	NBD_FAILURE_TLS_REFUSED,	/* the server does not do TLS */
	NBD_FAILURE_TLS,		/* TLS, for the owner to use: a
					   certificate, a key, a handshake */
};

enum nbd_goal {
	NBD_GOAL_TRANSMISSION,
	NBD_GOAL_LIST,		/* the exports: nbd_session_list() */
	NBD_GOAL_LIST_CONTEXTS, /* the export's: nbd_session_list() */
	NBD_GOAL_INFO,		/* of the export, without opening it:
				   nbd_session_export() */
};

struct nbd_session_options {
	enum nbd_goal goal;
	const char *export_name;	/* copied; at most NBD_MAX_STRING */
	const char *const *contexts;	/* meta contexts to ask for, or what to
					   list ("qemu:"; none: all); copied */
	size_t n_contexts;		/* at most NBD_MAX_CONTEXTS */
	bool no_structured;		/* do not ask for structured replies,
					   nor for extended headers */
	bool no_extended;		/* do not ask for extended headers */
	bool export_name_only;		/* send no option but EXPORT_NAME */
	bool tls_required;		/* NBD_OPT_STARTTLS first of all, and
					   nothing else without it */
};

/* What the server said of the export.  Strings are the session's. */
struct nbd_export {
	const char *name;		/* as asked for */
	const char *canonical_name;	/* escaped; NULL if not told */
	const char *description;	/* escaped; NULL if not told */
	uint64_t size;			/* bytes, at most NBD_MAX_EXPORT_SIZE */
	uint16_t flags;			/* NBD_FLAG_..., 0 if the server sent
					   none; SEND_DF, READ_ONLY etc. */
	bool block_size_told;		/* else the three below are defaults */
	uint32_t block_minimum;		/* power of two, 1 to 65536; 1 if
					   not told */
	uint32_t block_preferred;	/* power of two; 4096 if not told */
	uint32_t block_maximum;		/* payload; 32 MiB if not told, and
					   never less than block_minimum, nor
					   than 512 */
	bool structured;		/* structured replies agreed */
	bool extended;			/* extended headers agreed, and thus
					   structured replies */
	const char *const *contexts;	/* names, in the order asked for;
					   NULL entry: the server lacks it */
	size_t n_contexts;		/* as asked for */
};

/* An export, or a meta context. */
struct nbd_listed_export {
	char *name;			/* as sent, to be asked for */
	char *description;		/* as sent; "" if none */
};

struct nbd_extent {
	uint64_t length;		/* bytes, not zero */
	uint64_t flags;			/* NBD_STATE_... for base:allocation */
};

/*
 * Extents of one context, from the request's offset on, consecutive.  They
 * may cover less than was asked for, and the last may reach beyond it, but
 * not beyond the end of the export.  Neighbours differ in their flags.
 */
struct nbd_extents {
	struct nbd_extent *v;
	size_t n;
	size_t room;
};

#define NBD_MESSAGE_SIZE 256

/*
 * A request: the caller's, from nbd_session_submit() until
 * nbd_session_reap() gives it back.
 */
struct nbd_request {
	/* Filled in by the caller. */
	enum nbd_command command;
	uint16_t flags;			/* NBD_CMD_FLAG_... */
	uint64_t offset;		/* bytes; 0 for FLUSH */
	uint64_t length;		/* bytes, not zero; 0 for FLUSH */
	const struct iovec *iov;	/* READ, WRITE: length bytes in all,
					   with n_piped; READ: NULL, say it
					   when they arrive, see
					   nbd_session_wants_place() */
	int n_iov;
	uint64_t n_piped;		/* so many at the end are not in iov,
					   but go past the session, see
					   nbd_session_input_piped() */
	bool tells_sent;		/* WRITE: nbd_session_reap_sent() is to
					   tell when it has left */
	struct nbd_extents *extents;	/* BLOCK_STATUS: one for each context
					   asked for; emptied at submission,
					   memory is the caller's to free */
	void *owner;			/* for the caller */
	struct net_pipe *pipe;		/* likewise: what n_piped go through */
	uint32_t epoch;			/* for the connection (lib/client) */

	/* Results, valid once reaped. */
	int error;			/* 0, or the server's error as a
					   negative errno; -ENOTCONN: the
					   connection ended, outcome unknown */
	char message[NBD_MESSAGE_SIZE];	/* the server's words, escaped */

	/* The session's. */
	struct list node;
	uint64_t cookie;
	bool got_chunk;			/* of a structured reply */
	bool got_content;		/* a READ: data or a hole */
	uint64_t contiguous;		/* bytes covered from the start on */
	uint32_t contexts_seen;		/* bit i: context i was answered */
	uint8_t header[32];
	uint8_t header_size;		/* bytes of header */
	uint64_t bytes_sent;		/* of header and payload */
};

/* *ret_s is the caller's.  -ENOMEM, -EINVAL (a name too long, ...). */
int nbd_session_new(const struct nbd_session_options *options,
    struct nbd_session **ret_s);

/*
 * In-flight requests are forgotten, and not looked at: end the session and
 * reap first.
 */
void nbd_session_free(struct nbd_session *s);

enum nbd_phase nbd_session_phase(const struct nbd_session *s);

/* Phase FAILED: why, and a sentence (*ret_text is the session's). */
enum nbd_failure nbd_session_failure(const struct nbd_session *s,
    const char **ret_text);

/* Phase READY or CLOSING; LISTED with goal INFO. */
const struct nbd_export *nbd_session_export(const struct nbd_session *s);

/*
 * Phase LISTED: the exports ("NBD_OPT_LIST") or the meta contexts of the
 * export ("NBD_OPT_LIST_META_CONTEXT"), the session's.
 */
const struct nbd_listed_export *nbd_session_list(const struct nbd_session *s,
    size_t *ret_n);

/*
 * What the session is waiting for, for messages: "the server's greeting",
 * "the answer to NBD_OPT_GO", ...
 */
const char *nbd_session_waiting_for(const struct nbd_session *s);

/*
 * Grows with every question of the handshake: as long as it stays, and with
 * it the phase, the session waits for the same answer.
 */
size_t nbd_session_step(const struct nbd_session *s);

/*
 * Where received bytes go: fills up to two iovecs and returns how many, 0
 * when nothing is to be received any more.  Valid until the next call that
 * takes s.  After a receive, say how many bytes arrived (more than offered
 * is a bug), or that the peer has closed.
 */
int nbd_session_input(struct nbd_session *s, struct iovec iov[2]);
void nbd_session_received(struct nbd_session *s, size_t n);
void nbd_session_received_eof(struct nbd_session *s);

/*
 * Data that are about to arrive, of a READ that has no iov.
 */
struct nbd_arrival {
	struct nbd_request *req;
	const void *head;	/* what is here of them, valid until the next
				   call that takes s */
	size_t n_head;
	bool is_whole;		/* they are all of the request's, in order: the
				   rest behind the head may be piped */
};

/* Has a part of some READ's data come, and is the rest to follow? */
bool nbd_session_is_amid_data(const struct nbd_session *s);

/*
 * True: the session takes nothing more until such a READ has a place for its
 * data.  Give the request an iov, for all of its length, or if is_whole for
 * the head only and n_piped for the rest, and call nbd_session_placed().
 */
bool nbd_session_wants_place(const struct nbd_session *s,
    struct nbd_arrival *ret_arrival);
void nbd_session_placed(struct nbd_session *s);

/*
 * Bytes that the owner moves between the socket and a place of its own,
 * without the session seeing them: how many are next, 0 if none are, and of
 * which request.  While there are, nbd_session_input() or
 * nbd_session_output() offers nothing.  Say with nbd_session_received_piped()
 * or nbd_session_sent() how many were moved.
 */
uint64_t nbd_session_input_piped(const struct nbd_session *s,
    struct nbd_request **ret_req);
void nbd_session_received_piped(struct nbd_session *s, size_t n);
uint64_t nbd_session_output_piped(const struct nbd_session *s,
    struct nbd_request **ret_req);

/*
 * The bytes of a READ are not piped after all: its iov has room for the whole
 * of it now, and holds what has arrived so far; n_piped is 0.
 */
void nbd_session_unpiped(struct nbd_session *s);

/*
 * What is to be sent: fills up to max iovecs and returns how many, 0 when
 * there is nothing to send.  After sending, say how many bytes went.
 */
int nbd_session_output(struct nbd_session *s, struct iovec *iov, int max);
void nbd_session_sent(struct nbd_session *s, size_t n);
bool nbd_session_has_output(const struct nbd_session *s);

/*
 * Phase STARTTLS: from now on what is received and sent goes through TLS.  The
 * session takes no byte in that phase, so that all that comes behind the
 * server's consent is TLS's ("NBD_OPT_STARTTLS"); whatever was buffered when
 * it came has ended the session.
 */
void nbd_session_tls_started(struct nbd_session *s);

/*
 * Queue a request.  0: it is in flight, and nbd_session_reap() will return
 * it exactly once, never from inside this call.  Otherwise nothing was sent
 * and the request is the caller's again:
 *
 *	-EOPNOTSUPP	the export does not offer the command or a flag
 *	-EROFS		it would write, and the export is read-only
 *	-EINVAL		zero length (but for FLUSH), beyond the end, not a
 *			multiple of the minimum block size, iovecs that do
 *			not add up
 *	-EMSGSIZE	READ or WRITE over the maximum payload; more than
 *			UINT32_MAX bytes without extended headers
 *	-ENOTCONN	the session is not in phase READY, or the server said
 *			that it is shutting down
 *	-ENOMEM
 */
int nbd_session_submit(struct nbd_session *s, struct nbd_request *req);

/* The next completed request, or NULL. */
struct nbd_request *nbd_session_reap(struct nbd_session *s);

/*
 * The next WRITE with tells_sent that has been sent in full, or NULL: its
 * buffers are the caller's again, the request is not.  One that completes
 * before it is taken from here does not come.
 */
struct nbd_request *nbd_session_reap_sent(struct nbd_session *s);
bool nbd_session_has_sent(const struct nbd_session *s);

/* Requests whose reply is outstanding; completed ones do not count. */
size_t nbd_session_in_flight(const struct nbd_session *s);

/*
 * Say goodbye: NBD_OPT_ABORT during the handshake, NBD_CMD_DISC after it,
 * once nothing is in flight ("Terminating the transmission phase").  Submit
 * nothing afterwards.  The phase becomes CLOSING at once; requests in flight
 * still complete.  When none is in flight and nothing is left to send, wait a
 * short while for EOF, then close.
 *
 * A refusal of an option (where the session fails of it) is followed by
 * NBD_OPT_ABORT, and a request that failed with -ESHUTDOWN, once all others
 * have completed, by NBD_CMD_DISC and NBD_FAILURE_SHUTDOWN.
 */
void nbd_session_disconnect(struct nbd_session *s);

/*
 * End the session from outside: an I/O error, a deadline.  fmt makes
 * the sentence.  Everything in flight completes with -ENOTCONN.  The first
 * reason stays.
 */
void nbd_session_fail(struct nbd_session *s, enum nbd_failure why,
    const char *fmt, ...) PRINTF(3, 4);

#endif
