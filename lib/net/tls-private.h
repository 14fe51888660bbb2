/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "net/tls.h"

/*
 * What the files of TLS share.
 */

enum {
	TLS_MAX_KEY = 256,		/* bytes of a pre-shared key */
	TLS_MAX_NAME = 256,
	TLS_AHEAD = 3 * 16416,		/* three full records; where there
					   are more, so much at a time: */
	TLS_MUCH_AHEAD = 5 * TLS_AHEAD,
	TLS_PIN_SIZE = 45,		/* 32 bytes as base64, and a zero */
};

/* What was received and OpenSSL has not asked for yet: [start, end). */
struct tls_ahead {
	unsigned char *bytes;		/* NULL: not needed now */
	size_t size;			/* of that */
	size_t start;
	size_t end;
	bool was_full;			/* the last time */
};

/* Where in a record OpenSSL is, with what it has got. */
struct tls_record {
	unsigned char header[5];
	size_t n_header;		/* of these; 0: it is not in one */
	size_t left;			/* bytes that follow the header */
};

struct tls {
	int fd;
	struct tls_ahead ahead;
	struct tls_record record;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO_METHOD *method;
	bool wants_write;
	bool has_failed;		/* no goodbye any more */
	bool is_at_end;			/* of what can be received ... */
	int end;			/* ... 0, or a negative errno */
	bool is_up;			/* the handshake is done */
	bool has_received;		/* anything after it */
	bool may_have_more;		/* the last receive was a full one */
	struct error error;
	struct error refused;		/* why the peer was not believed */

	/* Who the peer must be, as tls_settings has it. */
	char name[TLS_MAX_NAME];
	char pin[TLS_PIN_SIZE];		/* "": none */
	bool is_psk;
	bool verify;

	/* The pre-shared key. */
	char user[TLS_MAX_NAME];
	unsigned char key[TLS_MAX_KEY];
	unsigned key_len;
};

/* tls-context.c: make t->ctx of the settings. */
int tls_context_init(struct tls *t, const struct tls_settings *settings,
    struct error *e);

/* tls-verify.c */
/* Have the chain checked, and the name; before the handshake.  -ENOMEM. */
int tls_verify_init(struct tls *t);
/* text becomes t->pin.  -EINVAL, with a sentence. */
int tls_verify_set_pin(struct tls *t, const char *text, struct error *e);
/* The oldest word of OpenSSL's own queue of errors, for people. */
const char *tls_library_error(char *buf, size_t size);

#endif
