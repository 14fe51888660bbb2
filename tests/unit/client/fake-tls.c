/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's end of TLS, by OpenSSL with blocking calls.
 */
#include "fake-tls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fake-server.h"
#include "nbd/protocol.h"
#include "unit.h"

char fake_tls_uri[256];

static char key_file[] = "/tmp/nbdsync-key-XXXXXX";
static SSL_CTX *ctx;

static unsigned
know_alice(SSL *ssl, const char *identity, unsigned char *psk,
    unsigned max_len)
{
	(void)ssl;
	if (strcmp(identity, "alice") != 0 || max_len < 8)
		return 0;
	memcpy(psk, "\1\2\3\4\5\6\7\10", 8);
	return 8;
}

static void
write_key(void)
{
	static const char line[] = "alice:0102030405060708\n";
	int fd = mkstemp(key_file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, line, sizeof line - 1), sizeof line - 1);
	(void)close(fd);
}

void
fake_tls_set_up(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	write_key();
	fake_listen(4);
	(void)snprintf(fake_tls_uri, sizeof fake_tls_uri,
	    "nbds+unix://alice@/disk?socket=%s&tls-psk-file=%s", fake_path,
	    key_file);
	ctx = SSL_CTX_new(TLS_server_method());
	ck_assert_ptr_nonnull(ctx);
	SSL_CTX_set_psk_server_callback(ctx, know_alice);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(ctx, "PSK"), 1);
	(void)SSL_CTX_set_dh_auto(ctx, 1);
}

void
fake_tls_tear_down(void)
{
	fake_unlisten();
	SSL_CTX_free(ctx);
	(void)unlink(key_file);
}

bool
fake_tls_consent(int fd)
{
	return fake_greet(fd) && fake_get_option(fd) == NBD_OPT_STARTTLS &&
	    fake_put_reply(fd, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0);
}

SSL *
fake_tls_new(int fd, int max_version)
{
	SSL *ssl = SSL_new(ctx);

	(void)SSL_set_max_proto_version(ssl, max_version);
	(void)SSL_set_fd(ssl, fd);
	SSL_set_accept_state(ssl);
	return ssl;
}

SSL *
fake_tls_start(int fd, int max_version)
{
	SSL *ssl;

	if (!fake_tls_consent(fd))
		return NULL;
	ssl = fake_tls_new(fd, max_version);
	if (SSL_do_handshake(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

bool
fake_tls_put(SSL *ssl, const void *buf, size_t len)
{
	size_t n;

	return len == 0 || SSL_write_ex(ssl, buf, len, &n) == 1;
}

bool
fake_tls_get(SSL *ssl, void *buf, size_t len)
{
	size_t n;

	for (size_t got = 0; got < len; got += n) {
		if (SSL_read_ex(ssl, (char *)buf + got, len - got, &n) != 1)
			return false;
	}
	return true;
}

void
fake_tls_wait_for_eof(SSL *ssl)
{
	char byte;

	while (fake_tls_get(ssl, &byte, 1))
		continue;
}

uint32_t
fake_tls_get_option(SSL *ssl)
{
	uint8_t b[16];
	char scratch[8192];
	uint32_t len;

	if (!fake_tls_get(ssl, b, sizeof b))
		return 0;
	len = get_be32(b + 12);
	if (len > sizeof scratch || !fake_tls_get(ssl, scratch, len))
		return 0;
	return get_be32(b + 8);
}

static bool
put_reply(SSL *ssl, uint32_t option, uint32_t type, const void *data,
    uint32_t len)
{
	uint8_t b[20];

	put_be64(b, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 8, option);
	put_be32(b + 12, type);
	put_be32(b + 16, len);
	return fake_tls_put(ssl, b, sizeof b) && fake_tls_put(ssl, data, len);
}

static bool
put_export(SSL *ssl)
{
	uint8_t b[12];

	put_be16(b, NBD_INFO_EXPORT);
	put_be64(b + 2, FAKE_DISK_SIZE);
	put_be16(b + 10, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH);
	return put_reply(ssl, NBD_OPT_GO, NBD_REP_INFO, b, sizeof b) &&
	    put_reply(ssl, NBD_OPT_GO, NBD_REP_ACK, NULL, 0);
}

bool
fake_tls_negotiate(SSL *ssl)
{
	uint32_t option;
	uint32_t type;

	while ((option = fake_tls_get_option(ssl)) != 0) {
		if (option == NBD_OPT_GO)
			return put_export(ssl);
		type = option == NBD_OPT_STRUCTURED_REPLY ? NBD_REP_ACK :
							    NBD_REP_ERR_UNSUP;
		if (!put_reply(ssl, option, type, NULL, 0))
			return false;
	}
	return false;
}

bool
fake_tls_get_cookie(SSL *ssl, uint8_t cookie[8])
{
	uint8_t b[28];

	if (!fake_tls_get(ssl, b, sizeof b))
		return false;
	memcpy(cookie, b + 8, 8);
	return true;
}
