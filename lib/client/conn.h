/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "nbd/session.h"
#include "nbd/uri.h"
#include "net/loop.h"

/*
 * One NBD connection on an event loop: dialling, the session of lib/nbd, the
 * socket, and the deadlines.  This is the event-driven face of the client;
 * the blocking one (<nbdclient.h>) is built on it.
 *
 * Everything happens on the loop's thread.  No callback comes from inside a
 * call to this module.
 */

struct conn;
struct tls_settings;

#define CONN_CONNECT_TIMEOUT_MS 10000
#define CONN_IO_TIMEOUT_MS	60000
#define CONN_REQUEST_IO_TIMEOUTS 10

struct conn_options {
	const struct nbd_uri *uri;	/* read during conn_open() only */
	int fd;				/* >= 0: a connected stream socket,
					   taken over (also when conn_open()
					   fails), instead of dialling the
					   uri's host; else -1 */
	enum nbd_goal goal;
	const char *const *contexts;
	size_t n_contexts;
	uint64_t connect_timeout_ms;	/* dialling and handshake together;
					   0: CONN_CONNECT_TIMEOUT_MS */
	uint64_t tls_timeout_ms;	/* the part of it that is TLS's own;
					   0: no other limit */
	uint64_t option_timeout_ms;	/* the greeting, and all answers to
					   one option; 0: likewise */
	uint64_t io_timeout_ms;		/* no byte moved while requests are in
					   flight; 0: CONN_IO_TIMEOUT_MS */
	uint64_t request_timeout_ms;	/* any one request; 0: CONN_REQUEST_IO_
					   TIMEOUTS times io_timeout_ms */
	const struct tls_settings *tls;	/* not NULL: TLS is required, with
					   these before those of the uri */
};

struct conn_events {
	/*
	 * The handshake is over: conn_export() (or conn_list()) has the
	 * answer, requests may be submitted.
	 */
	void (*on_ready)(void *arg);
	/*
	 * Requests have completed: take them with conn_reap() until NULL.
	 * One call for all that arrived together; what is submitted from
	 * here goes out in one send when it returns.
	 */
	void (*on_completions)(void *arg);
	/*
	 * The connection failed, before or after on_ready; e is a sentence
	 * without the name of the server, and its code is -ETIMEDOUT if a
	 * deadline passed.  conn_failure() tells the kind.
	 * Requests in flight have completed with -ENOTCONN: on_completions
	 * came first if there were any.  Only conn_close() and reading
	 * accessors are allowed from here on.
	 */
	void (*on_failed)(void *arg, const struct error *e);

	/*
	 * The rest is for owners that submit READs without an iov, or WRITEs
	 * with tells_sent; else NULL.
	 *
	 * Data have arrived that have no place yet: give them one, as
	 * nbd_session_wants_place() has it, and return true.  False: not now;
	 * nothing is received until conn_place_found().  May submit nothing.
	 */
	bool (*find_place)(void *arg, const struct nbd_arrival *arrival);
	/*
	 * The pipe of a READ is full before all of it has come: give req an
	 * iov of one buffer for all of its length, into which what has come
	 * is moved.  0 or -ENOMEM, which is the connection's end.
	 */
	int (*leave_pipe)(void *arg, struct nbd_request *req);
	/* WRITEs have been sent: take them with conn_reap_sent() until NULL. */
	void (*on_sent)(void *arg);
};

/*
 * Start a connection.  A server that hangs up on an option it does not know
 * is tried a second time with NBD_OPT_EXPORT_NAME alone; not so where TLS is
 * required, by the uri or by options->tls: then NBD_OPT_STARTTLS is all that
 * is ever said without it.
 * -ENOMEM, -EINVAL, or what tls_new() says of its files, with a sentence.
 */
int conn_open(struct net_loop *loop, const struct conn_options *options,
    const struct conn_events *events, void *arg, struct conn **ret_conn,
    struct error *e);

/* The connection's, from on_ready on; NULL before, and where it lists. */
const struct nbd_export *conn_export(const struct conn *c);
/* As nbd_session_list(), from on_ready on. */
const struct nbd_listed_export *conn_list(const struct conn *c, size_t *ret_n);
/* What has failed, from on_failed on; NBD_FAILURE_NONE before. */
enum nbd_failure conn_failure(const struct conn *c);

/*
 * Equal for connections to the same server; see net_peer_identity().  NULL:
 * not connected yet, or never.
 */
const char *conn_peer(const struct conn *c);

/*
 * False: not through TLS.  Else its version and cipher suite, "TLSv1.3" and
 * "TLS_AES_128_GCM_SHA256", which stay; once on_ready came.
 */
bool conn_tls(const struct conn *c, const char **ret_version,
    const char **ret_cipher);

/*
 * What the connection's time went into, in microseconds since it began: waits
 * for the network, with the data of a READ or what is to be sent only half
 * across (0 where there is no network between), and TLS.
 */
void conn_load(const struct conn *c, uint64_t *ret_network_us,
    uint64_t *ret_tls_us);

/*
 * As nbd_session_submit().  What is submitted in one turn of the loop is sent
 * together.
 */
int conn_submit(struct conn *c, struct nbd_request *req);
struct nbd_request *conn_reap(struct conn *c);
struct nbd_request *conn_reap_sent(struct conn *c);

/* find_place() said no, and is to be asked again, from the loop. */
void conn_place_found(struct conn *c);

/*
 * Can data of READs and WRITEs go through a net_pipe?  Not those of TLS.  Once
 * on_ready came.
 */
bool conn_can_pipe(const struct conn *c);

/*
 * Close: goodbye and a short wait for the peer's EOF if the connection is
 * healthy and nothing is in flight, else at once.  Requests still in flight
 * are forgotten without completing.  on_closed (may be NULL) comes exactly
 * once, from the loop; c is gone then, and no other callback comes.
 */
void conn_close(struct conn *c, void (*on_closed)(void *arg), void *arg);

/*
 * Where the loop has failed, and will run no more: c is gone, also if it was
 * about to be closed, and no callback comes.
 */
void conn_drop(struct conn *c);

#endif
