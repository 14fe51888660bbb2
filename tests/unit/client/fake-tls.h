/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_TLS_H
#define FAKE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/*
 * TLS for the servers of fake-server.h, on a Unix socket and with a
 * pre-shared key, so that no certificates are needed.  The calls that move
 * bytes block, and say false when the client has gone.
 */

/* What the client is to connect to. */
extern char fake_tls_uri[256];

/* After fake_set_up() and before fake_tear_down(); SIGPIPE is ignored. */
void fake_tls_set_up(void);
void fake_tls_tear_down(void);

/* For server functions, with the connection of the one client. */

/* Up to the consent to NBD_OPT_STARTTLS. */
bool fake_tls_consent(int fd);
/* The server's end of TLS, 1.3 or at most what is said; no handshake yet. */
SSL *fake_tls_new(int fd, int max_version);
/* All of that, and the handshake.  NULL: the client has gone. */
SSL *fake_tls_start(int fd, int max_version);

bool fake_tls_put(SSL *ssl, const void *buf, size_t len);
bool fake_tls_get(SSL *ssl, void *buf, size_t len);
void fake_tls_wait_for_eof(SSL *ssl);

/* The next option, its payload thrown away; 0 at the end. */
uint32_t fake_tls_get_option(SSL *ssl);
/*
 * Answer all options, up to NBD_OPT_GO: structured replies, no contexts, a
 * disk of FAKE_DISK_SIZE bytes.
 */
bool fake_tls_negotiate(SSL *ssl);
/* The cookie of the next request, as it comes. */
bool fake_tls_get_cookie(SSL *ssl, uint8_t cookie[8]);

#endif
