/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

/*
 * The client's side of TLS over a connected, non-blocking socket: 1.3, or
 * 1.2 at the least; AES-GCM first; no compression, no renegotiation.
 *
 * The peer proves who it is by a certificate, whose chain and name are
 * checked, or by a pre-shared key; with a key, no certificate is accepted in
 * its place.
 *
 * One connection is used by one thread at a time.  SIGPIPE is never raised.
 */

struct tls_settings {
	/*
	 * Certificates: whom to trust.  ca_file or ca_dir NULL: not from
	 * there; both NULL: the system's.
	 */
	const char *ca_file;		/* PEM */
	const char *ca_dir;		/* as c_rehash(1) makes them */
	const char *crl_file;		/* PEM; NULL: nothing is revoked */
	/*
	 * The key that the peer's certificate must have besides: the SHA-256
	 * of its SubjectPublicKeyInfo in base64, 44 characters.
	 */
	const char *pin_sha256;
	/* Who we are; both files or neither. */
	const char *cert_file;		/* PEM: ours first, then its chain */
	const char *key_file;		/* PEM */
	const char *key_password;	/* of an encrypted key_file */
	/*
	 * A pre-shared key instead: a file of lines "user:hexkey", as
	 * psktool(1) makes them, and whose line of it.
	 */
	const char *psk_file;
	const char *user;
	/*
	 * A host name, or an IP address (an IPv6 zone is ignored), that the
	 * certificate must be for.
	 */
	const char *name;
	bool only_1_3;			/* no TLS 1.2 */
	bool no_verify;			/* believe any certificate, or, with
					   a pin, any that has this key */
};

struct tls;

/*
 * Read the files; nothing is sent.  The settings are not needed afterwards.
 * *ret_tls is the caller's, for tls_free().
 * -EINVAL: certificates are to be verified, and there is no name; half of
 * what belongs together; a pin or a file that is not what it should be; a key
 * that its password does not open.  -ENOENT, -EACCES, ... of a file; -ENOMEM.
 * All with a sentence.
 */
int tls_new(const struct tls_settings *settings, struct tls **ret_tls,
    struct error *e);

/* Says nothing to the peer: see tls_say_goodbye().  NULL is fine. */
void tls_free(struct tls *t);

/*
 * Use fd, which stays the caller's.  Once, before anything below.
 * -ENOMEM.
 */
int tls_attach(struct tls *t, int fd);

/*
 * Go on with the handshake.  0: done.  -EAGAIN: come again when fd is
 * readable, or writable if tls_wants_write() says so.  Otherwise it has
 * failed, and tls_error() says why: -EACCES if the peer's certificate, or
 * ours, was not accepted, -ECONNRESET if the peer hung up, else -EPROTO or
 * what the socket said.
 */
int tls_handshake(struct tls *t);

/*
 * Receive into iov, as much as there is and fits.  Returns the number of
 * bytes; less than iov has room for: all was taken that had arrived.
 * 0: the peer has ended TLS.  -EAGAIN: nothing there.  -ECONNRESET: the
 * connection was cut, perhaps by somebody else: what was received may not
 * be all that was sent.  Otherwise as tls_handshake(): in TLS 1.3 that our
 * certificate was refused is heard here first, and a cut before the first
 * byte is taken for that (-EACCES).
 */
ssize_t tls_receive(struct tls *t, const struct iovec *iov, int n_iov);

/*
 * Send from iov.  Returns the number of bytes that are sent.  -EAGAIN: none,
 * the socket is full; call again with the same bytes, and perhaps more behind
 * them.  Otherwise as tls_handshake().
 */
ssize_t tls_send(struct tls *t, const struct iovec *iov, int n_iov);

/*
 * Is there something, bytes or the end, that was taken from the socket and
 * not yet received?  No event of the loop tells of it.
 */
bool tls_has_pending(const struct tls *t);

/*
 * Nothing is expected now: give back what bytes are moved with, 80 KiB or
 * more, until something comes.
 */
void tls_rest(struct tls *t);

/* What was called last goes on once fd is writable. */
bool tls_wants_write(const struct tls *t);

/* Tell the peer that nothing more will come, if the socket has room. */
void tls_say_goodbye(struct tls *t);

/* After a failure: a sentence without the peer's address. */
const struct error *tls_error(const struct tls *t);

/* After the handshake: "TLSv1.3", "TLS_AES_128_GCM_SHA256"; OpenSSL's own
   texts, which stay when the connection goes. */
const char *tls_version(const struct tls *t);
const char *tls_cipher(const struct tls *t);

/*
 * When the first of the certificates of a PEM file expires, in seconds since
 * the epoch.  -EINVAL: there is none in it, or it is no file of 1 MiB at most;
 * -ENOENT, -EACCES, ...
 */
int tls_certificates_expire(const char *path, int64_t *ret_at_s);

/* What TLS has kept for this thread, which ends now, and may outlive TLS. */
void tls_end_thread(void);

/* Of the library that is in use: "3.0.17". */
const char *tls_library_version(void);

#endif
