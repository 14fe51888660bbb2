/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A TLS connection: the handshake, and bytes in and out.
 *
 * OpenSSL's own way to a socket writes without MSG_NOSIGNAL, and a library
 * must not count on SIGPIPE being ignored, so the socket is reached by a BIO
 * of ours.
 *
 * Received bytes are decrypted into the caller's buffers, as far as they
 * reach; while there are any, several records are taken from the socket at
 * once.  To be sent, small pieces are gathered, so that a record is not
 * spent on a header of 28 bytes.  A record that is under way when the socket
 * is full is finished by the next call, which is why that has to bring the
 * same bytes again.
 */
#include "net/tls.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/cleanup.h"
#include "net/tls-private.h"

enum {
	RECORD_SIZE = 16384,		/* the most that goes into one */
	MAX_SILENT = 64,		/* records without data, at a time */
};

/*
 * The socket, for OpenSSL.
 */

static int
moved(BIO *bio, ssize_t n, int retry, size_t *ret_n)
{
	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	*ret_n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static int
socket_write(BIO *bio, const char *p, size_t len, size_t *ret_n)
{
	struct tls *t = BIO_get_data(bio);

	return moved(bio, send(t->fd, p, len, MSG_NOSIGNAL), BIO_FLAGS_WRITE,
	    ret_n);
}

static bool
has_ahead(const struct tls *t)
{
	return t->ahead.start < t->ahead.end;
}

/* Some of what was received ahead. */
static size_t
take_ahead(struct tls_ahead *ahead, char *p, size_t len)
{
	size_t n = ahead->end - ahead->start;

	if (n > len)
		n = len;
	memcpy(p, ahead->bytes + ahead->start, n);
	ahead->start += n;
	return n;
}

static void
drop_ahead(struct tls_ahead *ahead)
{
	free(ahead->bytes);
	memset(ahead, 0, sizeof *ahead);
}

/* Room for more, if there is none, or it was too little; there may be none. */
static void
make_room_ahead(struct tls_ahead *ahead)
{
	size_t size = ahead->was_full ? TLS_MUCH_AHEAD : TLS_AHEAD;

	if (size <= ahead->size)
		return;
	drop_ahead(ahead);
	ahead->bytes = malloc(size);
	if (ahead->bytes != NULL)
		ahead->size = size;
}

/*
 * OpenSSL asks for a record's header, and then for the rest of it.  The rest
 * goes where OpenSSL wants it, and the next records come with it.  OpenSSL
 * could read ahead itself, but then it moves all that it has to the front of
 * its buffer for each record.
 */
static ssize_t
receive_and_ahead(struct tls *t, char *p, size_t len)
{
	struct tls_ahead *ahead = &t->ahead;
	struct iovec iov[2] = { { p, len }, { NULL, 0 } };
	ssize_t n;

	if (t->is_up)
		make_room_ahead(ahead);
	iov[1] = (struct iovec){ ahead->bytes, ahead->size };
	ahead->start = 0;
	ahead->end = 0;
	n = readv(t->fd, iov, 2);
	ahead->was_full = n == (ssize_t)(len + ahead->size);
	if (n <= (ssize_t)len)
		return n;
	ahead->end = (size_t)n - len;
	return (ssize_t)len;
}

static void
note_read(struct tls_record *rec, const char *p, size_t len)
{
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = rec->left > 0 ? rec->left :
				    sizeof rec->header - rec->n_header;
		if (n > len)
			n = len;
		if (rec->left > 0) {
			rec->left -= n;
			continue;
		}
		memcpy(rec->header + rec->n_header, p, n);
		rec->n_header += n;
		if (rec->n_header < sizeof rec->header)
			continue;
		rec->n_header = 0;
		rec->left = (size_t)rec->header[3] << 8 | rec->header[4];
	}
}

static int
socket_read(BIO *bio, char *p, size_t len, size_t *ret_n)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t n;

	if (has_ahead(t))
		n = (ssize_t)take_ahead(&t->ahead, p, len);
	else
		n = receive_and_ahead(t, p, len);
	if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	else if (n > 0)
		note_read(&t->record, p, (size_t)n);
	return moved(bio, n, BIO_FLAGS_READ, ret_n);
}

static long
socket_ctrl(BIO *bio, int command, long number, void *p)
{
	(void)number;
	(void)p;
	if (command == BIO_CTRL_FLUSH)
		return 1;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return 0;
}

static BIO *
socket_bio(struct tls *t)
{
	BIO_METHOD *method;
	BIO *bio;

	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
	if (method == NULL)
		return NULL;
	t->method = method;
	if (BIO_meth_set_write_ex(method, socket_write) != 1 ||
	    BIO_meth_set_read_ex(method, socket_read) != 1 ||
	    BIO_meth_set_ctrl(method, socket_ctrl) != 1)
		return NULL;
	bio = BIO_new(method);
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	return bio;
}

/*
 * Beginning and end.
 */

static void
tls_freep(struct tls **t)
{
	tls_free(*t);
}

int
tls_new(const struct tls_settings *settings, struct tls **ret_tls,
    struct error *e)
{
	CLEANUP(tls_freep) struct tls *t = calloc(1, sizeof *t);
	const char *name = settings->name != NULL ? settings->name : "";
	int r;

	if (t == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	if (strlen(name) >= sizeof t->name)
		return error_set(e, -EINVAL, "the name that the server's "
		    "certificate must be for is too long");
	(void)snprintf(t->name, sizeof t->name, "%s", name);
	r = tls_context_init(t, settings, e);
	if (r < 0)
		return r;
	if (t->verify && !t->is_psk && name[0] == '\0')
		return error_set(e, -EINVAL, "there is no host name that the "
		    "server's certificate must be for: say which "
		    "(tls-hostname)");
	*ret_tls = STEAL(t);
	return 0;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->method);
	drop_ahead(&t->ahead);
	OPENSSL_cleanse(t->key, sizeof t->key);
	free(t);
}

int
tls_attach(struct tls *t, int fd)
{
	BIO *bio;

	t->ssl = SSL_new(t->ctx);
	if (t->ssl == NULL || SSL_set_app_data(t->ssl, t) != 1)
		return -ENOMEM;
	t->fd = fd;
	bio = socket_bio(t);
	if (bio == NULL)
		return -ENOMEM;
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_connect_state(t->ssl);
	return tls_verify_init(t);
}

/*
 * What went wrong.
 */

/* What the peer says of us when it does not believe us. */
static bool
is_refusal(int reason)
{
	switch (reason) {
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

static int
library_failed(struct tls *t)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	bool is_ours = ERR_GET_LIB(code) == ERR_LIB_SSL;
	char words[160];

	if (t->refused.code != 0) {
		t->error = t->refused;
		return t->error.code;
	}
	if (is_ours && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return error_set(&t->error, -ECONNRESET, "the connection was "
		    "cut: it ended without the end of TLS");
	(void)tls_library_error(words, sizeof words);
	if (is_ours && is_refusal(reason))
		return error_set(&t->error, -EACCES,
		    "the server does not accept our certificate (%s)", words);
	if (is_ours && reason > SSL_AD_REASON_OFFSET && t->is_up)
		return error_set(&t->error, -EPROTO,
		    "the server gave TLS up (%s)", words);
	if (is_ours && reason > SSL_AD_REASON_OFFSET)
		return error_set(&t->error, t->is_psk ? -EACCES : -EPROTO,
		    "the server refused the TLS handshake%s (%s)",
		    t->is_psk ? ": it may not know the user, or the key" : "",
		    words);
	return error_set(&t->error, -EPROTO, "TLS failed: %s", words);
}

static int
socket_failed(struct tls *t, int errnum)
{
	if (errnum == 0 || errnum == ECONNRESET)
		return error_set(&t->error, -ECONNRESET,
		    "connection reset by peer");
	return error_set(&t->error, -errnum, "the connection failed: %s",
	    strerrordesc_np(errnum));
}

/*
 * In TLS 1.3 our side of the handshake is over before the peer has seen our
 * certificate, and some that refuse it just hang up.
 */
static int
explain_cut(struct tls *t, int r)
{
	if (r != -ECONNRESET || !t->is_up || t->has_received || t->is_psk ||
	    SSL_version(t->ssl) != TLS1_3_VERSION)
		return r;
	return error_set(&t->error, -EACCES, "the server ended the connection "
	    "right after the TLS handshake: it may want a certificate of us, "
	    "or another one");
}

/*
 * What a call that did not succeed meant: 0 for the peer's orderly end,
 * or a negative errno as the callers have it.
 */
static int
tls_result(struct tls *t, int result)
{
	int errnum = errno;

	t->wants_write = false;
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		t->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		t->has_failed = true;
		return explain_cut(t, socket_failed(t, errnum));
	default:
		t->has_failed = true;
		return explain_cut(t, library_failed(t));
	}
}

int
tls_handshake(struct tls *t)
{
	int result;
	int r;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(t->ssl);
	if (result == 1) {
		t->is_up = true;
		t->wants_write = false;
		t->may_have_more = true;
		return 0;
	}
	r = tls_result(t, result);
	if (r == 0)
		return error_set(&t->error, -ECONNRESET,
		    "the server ended TLS in the middle of its handshake");
	return r;
}

/*
 * Bytes.
 */

/*
 * One call of OpenSSL's, or a few where records come that are no data.  0, or
 * why there is nothing.  How it ended is kept:
 * asked again, OpenSSL may call a failure an orderly end.
 */
static int
receive_some(struct tls *t, char *p, size_t len, size_t *ret_n)
{
	int n_silent = 0;
	int r;

	if (t->is_at_end)
		return -EPIPE;
	do {
		errno = 0;
		r = SSL_read_ex(t->ssl, p, len, ret_n);
		if (r == 1) {
			t->has_received = true;
			return 0;
		}
		r = tls_result(t, r);
	} while (r == -EAGAIN && has_ahead(t) && n_silent++ < MAX_SILENT);
	if (r == -EAGAIN)
		return r;
	t->is_at_end = true;
	t->end = r;
	return -EPIPE;
}

ssize_t
tls_receive(struct tls *t, const struct iovec *iov, int n_iov)
{
	size_t total = 0;
	size_t offset = 0;
	size_t n;
	int i = 0;
	int r = 0;

	ERR_clear_error();
	while (r == 0 && i < n_iov) {
		if (offset == iov[i].iov_len) {
			offset = 0;
			i++;
			continue;
		}
		r = receive_some(t, (char *)iov[i].iov_base + offset,
		    iov[i].iov_len - offset, &n);
		if (r == 0) {
			offset += n;
			total += n;
		}
	}
	t->may_have_more = r == 0;
	if (total > 0 || r == 0)
		return (ssize_t)total;
	return t->is_at_end ? t->end : r;
}

/* Small pieces from *iov on, up to size bytes; returns how many. */
static size_t
gather(const struct iovec *iov, int n_iov, size_t offset, char *buf)
{
	size_t n = 0;
	size_t piece;

	for (int i = 0; i < n_iov && n < RECORD_SIZE; i++) {
		piece = iov[i].iov_len - offset;
		if (piece > RECORD_SIZE - n)
			piece = RECORD_SIZE - n;
		memcpy(buf + n, (char *)iov[i].iov_base + offset, piece);
		n += piece;
		offset = 0;
	}
	return n;
}

/* One call of OpenSSL's, from offset in *iov on; returns its answer. */
static int
send_some(struct tls *t, const struct iovec *iov, int n_iov, size_t offset,
    size_t *ret_n)
{
	char buf[RECORD_SIZE];
	const char *p = (char *)iov->iov_base + offset;
	size_t len = iov->iov_len - offset;

	if (len < RECORD_SIZE && n_iov > 1) {
		len = gather(iov, n_iov, offset, buf);
		p = buf;
	}
	ERR_clear_error();
	errno = 0;
	return SSL_write_ex(t->ssl, p, len, ret_n);
}

ssize_t
tls_send(struct tls *t, const struct iovec *iov, int n_iov)
{
	size_t total = 0;
	size_t offset = 0;
	size_t n;
	int r;

	/* OpenSSL would find another reason than the one there was. */
	if (t->is_at_end && t->end < 0)
		return t->end;
	while (n_iov > 0) {
		if (offset >= iov->iov_len) {
			offset -= iov->iov_len;
			iov++;
			n_iov--;
			continue;
		}
		r = send_some(t, iov, n_iov, offset, &n);
		if (r != 1) {
			r = tls_result(t, r);
			if (r == 0)
				r = -EPIPE;
			return total > 0 ? (ssize_t)total : r;
		}
		offset += n;
		total += n;
	}
	t->wants_write = false;
	return (ssize_t)total;
}

/*
 * OpenSSL could give its buffers back after each record, but getting them
 * anew is a tenth of what it costs to receive.  What it has a part of a record
 * in must be left alone: some releases would free that, too (CVE-2024-4741).
 */
void
tls_rest(struct tls *t)
{
	if (has_ahead(t))
		return;
	drop_ahead(&t->ahead);
	if (t->ssl != NULL && t->record.n_header == 0 && t->record.left == 0 &&
	    SSL_has_pending(t->ssl) == 0)
		(void)SSL_free_buffers(t->ssl);
}

/* A part of a record is pending, too, for OpenSSL: nothing can be had of it. */
bool
tls_has_pending(const struct tls *t)
{
	return t->is_at_end || has_ahead(t) ||
	    (t->may_have_more && SSL_has_pending(t->ssl) == 1);
}

bool
tls_wants_write(const struct tls *t)
{
	return t->wants_write;
}

void
tls_say_goodbye(struct tls *t)
{
	if (t->ssl == NULL || t->has_failed || !SSL_is_init_finished(t->ssl) ||
	    (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const struct error *
tls_error(const struct tls *t)
{
	return &t->error;
}

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_cipher(const struct tls *t)
{
	return SSL_get_cipher_name(t->ssl);
}

const char *
tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
