/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS against OpenSSL as the server, both ends on this thread, with
 * certificates made for each test.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/stream.h"
#include "net/tls-private.h"
#include "net/tls.h"
#include "unit.h"

#define NAME "good.example"
#define ADDRESS "192.0.2.7"

enum {
	BIG = 3 * 1024 * 1024,
	DAY = 24 * 3600,
};

static char dir[64];
static char ca_file[96];
static char other_ca_file[96];
static char psk_file[96];
static char cert_file[96];
static char key_file[96];
static char pin[64];		/* of the server's key */

static EVP_PKEY *ca_key;
static X509 *ca;
static SSL_CTX *server_ctx;
static SSL *server;
static int fds[2];		/* the client's, the server's */
static struct tls *tls;
static struct stream stream;
static struct tls_settings settings;
static struct error e;

static X509 *
new_certificate(const char *name, const char *alternatives, EVP_PKEY *key,
    X509 *issuer, EVP_PKEY *issuer_key, long seconds)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_EXTENSION *ext;

	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -2L * DAY);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	(void)X509_set_issuer_name(cert,
	    issuer != NULL ? X509_get_subject_name(issuer) : subject);
	(void)X509_set_pubkey(cert, key);
	ext = issuer != NULL ? X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, alternatives) :
	    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
	    "critical,CA:TRUE");
	ck_assert_ptr_nonnull(ext);
	(void)X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	ck_assert_int_gt(X509_sign(cert, issuer_key, EVP_sha256()), 0);
	return cert;
}

static void
write_certificate(const char *path, X509 *cert)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_X509(file, cert), 1);
	(void)fclose(file);
}

/* A CA for the client to trust, and another. */
static void
make_authorities(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *other = new_certificate("Other", NULL, key, NULL, key, DAY);

	ca_key = EVP_EC_gen("P-256");
	ca = new_certificate("CA", NULL, ca_key, NULL, ca_key, DAY);
	write_certificate(ca_file, ca);
	write_certificate(other_ca_file, other);
	X509_free(other);
	EVP_PKEY_free(key);
}

/* What "openssl dgst -sha256 -binary | base64" says of the public key. */
static void
note_pin(EVP_PKEY *key)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(EVP_Digest(der, (size_t)len, md, NULL, EVP_sha256(),
	    NULL), 1);
	ck_assert_int_eq(EVP_EncodeBlock((unsigned char *)pin, md, 32), 44);
	OPENSSL_free(der);
}

/* What the server shows. */
static void
serve_certificate(const char *alternatives, long seconds)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = new_certificate("server", alternatives, key, ca, ca_key,
	    seconds);

	ck_assert_int_eq(SSL_CTX_use_certificate(server_ctx, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server_ctx, key), 1);
	note_pin(key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
set_up(void)
{
	FILE *file;

	(void)strcpy(dir, "/tmp/nbdsync-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(ca_file, sizeof ca_file, "%s/ca.pem", dir);
	(void)snprintf(other_ca_file, sizeof other_ca_file, "%s/o.pem", dir);
	(void)snprintf(psk_file, sizeof psk_file, "%s/keys.psk", dir);
	(void)snprintf(cert_file, sizeof cert_file, "%s/cert.pem", dir);
	(void)snprintf(key_file, sizeof key_file, "%s/key.pem", dir);
	make_authorities();
	file = fopen(psk_file, "we");
	(void)fprintf(file, "alice:0102030405060708\nbob:zz\nbobby:11\n");
	(void)fclose(file);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	server_ctx = SSL_CTX_new(TLS_server_method());
	server = NULL;
	tls = NULL;
	settings = (struct tls_settings){ .ca_file = ca_file, .name = NAME };
}

static void
close_server(void)
{
	if (fds[1] >= 0)
		(void)close(fds[1]);
	fds[1] = -1;
}

static void
tear_down(void)
{
	tls_free(tls);
	SSL_free(server);
	SSL_CTX_free(server_ctx);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	(void)close(fds[0]);
	close_server();
	(void)unlink(ca_file);
	(void)unlink(other_ca_file);
	(void)unlink(psk_file);
	(void)unlink(cert_file);
	(void)unlink(key_file);
	(void)rmdir(dir);
}

static void
open_both(void)
{
	ck_assert_int_eq(tls_new(&settings, &tls, &e), 0);
	ck_assert_int_eq(tls_attach(tls, fds[0]), 0);
	stream = (struct stream){ .fd = fds[0], .tls = tls };
	server = SSL_new(server_ctx);
	ck_assert_int_eq(SSL_set_fd(server, fds[1]), 1);
	SSL_set_accept_state(server);
}

/* Both ends in turn, until the client knows. */
static int
shake_hands(void)
{
	int r = -EAGAIN;

	open_both();
	for (int i = 0; r == -EAGAIN && i < 100; i++) {
		r = tls_handshake(tls);
		(void)SSL_do_handshake(server);
	}
	(void)SSL_do_handshake(server);
	return r;
}

static void
shake_hands_well(void)
{
	serve_certificate("DNS:" NAME ",IP:" ADDRESS, DAY);
	ck_assert_int_eq(shake_hands(), 0);
}

static void
expect_refusal(int code, const char *text)
{
	ck_assert_int_eq(shake_hands(), code);
	ck_assert_int_eq(tls_error(tls)->code, code);
	ck_assert_msg(strstr(tls_error(tls)->text, text) != NULL, "%s",
	    tls_error(tls)->text);
}

static void
expect_bad_settings(int code, const char *text)
{
	ck_assert_int_eq(tls_new(&settings, &tls, &e), code);
	ck_assert_msg(strstr(e.text, text) != NULL, "%s", e.text);
}

START_TEST(a_server_with_a_good_certificate_is_believed)
{
	shake_hands_well();
	ck_assert_str_eq(tls_version(tls), "TLSv1.3");
	ck_assert_str_eq(tls_cipher(tls), "TLS_AES_128_GCM_SHA256");
}
END_TEST

START_TEST(the_oldest_version_is_1_2)
{
	(void)SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	shake_hands_well();
	ck_assert_str_eq(tls_version(tls), "TLSv1.2");
	ck_assert_ptr_nonnull(strstr(tls_cipher(tls), "GCM"));
}
END_TEST

START_TEST(version_1_1_is_refused)
{
	SSL_CTX_set_security_level(server_ctx, 0);
	(void)SSL_CTX_set_min_proto_version(server_ctx, TLS1_VERSION);
	(void)SSL_CTX_set_max_proto_version(server_ctx, TLS1_1_VERSION);
	serve_certificate("DNS:" NAME, DAY);
	expect_refusal(-EPROTO, "refused the TLS handshake");
}
END_TEST

/* One that has several certificates can show the right one. */
START_TEST(the_server_is_told_the_name_it_is_wanted_for)
{
	shake_hands_well();
	ck_assert_str_eq(SSL_get_servername(server,
	    TLSEXT_NAMETYPE_host_name), NAME);
}
END_TEST

START_TEST(an_address_is_looked_for_among_addresses)
{
	settings.name = ADDRESS;
	shake_hands_well();
	ck_assert_ptr_null(SSL_get_servername(server,
	    TLSEXT_NAMETYPE_host_name));
}
END_TEST

START_TEST(another_address_is_refused)
{
	settings.name = "192.0.2.8";
	serve_certificate("IP:" ADDRESS ",DNS:192.0.2.8", DAY);
	expect_refusal(-EACCES, "not for '192.0.2.8'");
}
END_TEST

START_TEST(another_name_is_refused)
{
	serve_certificate("DNS:bad.example", DAY);
	expect_refusal(-EACCES, "the server's certificate is for "
	    "'bad.example', not for 'good.example'");
}
END_TEST

START_TEST(an_unknown_authority_is_refused)
{
	settings.ca_file = other_ca_file;
	serve_certificate("DNS:" NAME, DAY);
	expect_refusal(-EACCES, "not signed by an authority that is trusted");
}
END_TEST

START_TEST(the_system_trusts_no_authority_of_ours)
{
	settings.ca_file = NULL;
	serve_certificate("DNS:" NAME, DAY);
	expect_refusal(-EACCES, "not signed by an authority that is trusted");
}
END_TEST

START_TEST(an_expired_certificate_is_refused)
{
	serve_certificate("DNS:" NAME, -DAY);
	expect_refusal(-EACCES, "the server's certificate has expired");
}
END_TEST

START_TEST(who_does_not_verify_believes_anything)
{
	settings.no_verify = true;
	settings.ca_file = NULL;
	serve_certificate("DNS:bad.example", -DAY);
	ck_assert_int_eq(shake_hands(), 0);
}
END_TEST

/*
 * Pins.
 */

START_TEST(a_pinned_key_is_believed_when_all_else_is_right)
{
	serve_certificate("DNS:" NAME, DAY);
	settings.pin_sha256 = pin;
	ck_assert_int_eq(shake_hands(), 0);
}
END_TEST

/* In the older version, too, where the messages are others. */
START_TEST(another_key_than_the_pinned_one_is_refused)
{
	char want[256];
	char old[64];

	serve_certificate("DNS:" NAME, DAY);
	(void)strcpy(old, pin);
	serve_certificate("DNS:" NAME, DAY);
	settings.pin_sha256 = old;
	settings.no_verify = _i >= 2;
	if (_i % 2 == 1)
		(void)SSL_CTX_set_max_proto_version(server_ctx,
		    TLS1_2_VERSION);
	(void)snprintf(want, sizeof want, "the server's certificate has "
	    "another key than the pinned one: its pin is '%s'", pin);
	expect_refusal(-EACCES, want);
}
END_TEST

START_TEST(a_pin_does_not_stand_for_chain_or_name)
{
	static const char *const texts[] = { "is for 'bad.example'",
		"has expired", "not signed by an authority" };

	serve_certificate(_i == 0 ? "DNS:bad.example" : "DNS:" NAME,
	    _i == 1 ? -DAY : DAY);
	if (_i == 2)
		settings.ca_file = other_ca_file;
	settings.pin_sha256 = pin;
	expect_refusal(-EACCES, texts[_i]);
}
END_TEST

START_TEST(without_verifying_the_pin_alone_decides)
{
	serve_certificate("DNS:bad.example", -DAY);
	settings = (struct tls_settings){ .no_verify = true,
		.pin_sha256 = pin };
	ck_assert_int_eq(shake_hands(), 0);
}
END_TEST

START_TEST(a_pin_that_is_none_is_told)
{
	static const char *const pins[] = { "", "x",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==",
		"47DEQpj8HBSa-_TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		" 7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZ" };

	settings.pin_sha256 = pins[_i];
	expect_bad_settings(-EINVAL, "is not the SHA-256 of a public key");
}
END_TEST

/*
 * Who we are.
 */

static const char *cipher_password = "correct horse";

/* Our certificate, and its key, encrypted in one way or the other. */
static void
make_identity(const EVP_CIPHER *cipher, bool is_traditional)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = new_certificate("client", "DNS:client", key, ca, ca_key,
	    DAY);
	const unsigned char *password = cipher == NULL ? NULL :
	    (const unsigned char *)cipher_password;
	const int len = cipher == NULL ? 0 : (int)strlen(cipher_password);
	FILE *file = fopen(key_file, "we");

	write_certificate(cert_file, cert);
	if (is_traditional) {
		BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);

		ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(bio, key,
		    cipher, password, len, NULL, NULL), 1);
		BIO_free(bio);
	} else {
		ck_assert_int_eq(PEM_write_PrivateKey(file, key, cipher,
		    password, len, NULL, NULL), 1);
	}
	(void)fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
	settings.cert_file = cert_file;
	settings.key_file = key_file;
}

static void
want_identity(void)
{
	SSL_CTX_set_verify(server_ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	(void)X509_STORE_add_cert(SSL_CTX_get_cert_store(server_ctx), ca);
}

START_TEST(an_encrypted_key_is_opened_by_its_password)
{
	make_identity(EVP_aes_256_cbc(), _i == 1);
	settings.key_password = cipher_password;
	want_identity();
	shake_hands_well();
	ck_assert_int_eq(SSL_is_init_finished(server), 1);
	ck_assert_ptr_nonnull(SSL_get0_peer_certificate(server));
}
END_TEST

START_TEST(a_key_in_the_clear_needs_no_password)
{
	make_identity(NULL, false);
	settings.key_password = _i == 0 ? NULL : "not needed";
	want_identity();
	shake_hands_well();
	ck_assert_ptr_nonnull(SSL_get0_peer_certificate(server));
}
END_TEST

START_TEST(a_key_that_is_not_opened_is_told)
{
	char want[200];
	char *long_one = calloc(1, 100001);

	memset(long_one, 'x', 100000);
	make_identity(EVP_aes_256_cbc(), _i % 2 == 1);
	(void)snprintf(want, sizeof want, "the password does not open the "
	    "client key '%s'", key_file);
	settings.key_password = _i < 2 ? "wrong" : long_one;
	expect_bad_settings(-EINVAL, want);
	(void)snprintf(want, sizeof want, "the client key '%s' is encrypted, "
	    "and there is no password for it", key_file);
	settings.key_password = NULL;
	expect_bad_settings(-EINVAL, want);
	free(long_one);
}
END_TEST

START_TEST(what_is_no_key_is_not_blamed_on_the_password)
{
	make_identity(NULL, false);
	settings.key_file = ca_file;
	settings.key_password = "x";
	expect_bad_settings(-EINVAL, "cannot use the client key");
}
END_TEST

START_TEST(verifying_needs_a_name)
{
	settings.name = NULL;
	expect_bad_settings(-EINVAL, "tls-hostname");
}
END_TEST

START_TEST(files_are_read_before_anything_is_sent)
{
	settings.ca_file = "/nonexistent/ca.pem";
	expect_bad_settings(-ENOENT, "cannot read the CA certificates "
	    "'/nonexistent/ca.pem'");
	settings.ca_file = psk_file;
	expect_bad_settings(-EINVAL, "cannot use the CA certificates");
	settings.ca_file = ca_file;
	settings.cert_file = ca_file;
	expect_bad_settings(-EINVAL, "both or not at all");
}
END_TEST

START_TEST(a_peer_without_tls_is_a_failure)
{
	open_both();
	ck_assert_int_eq(write(fds[1], "NBDMAGICIHAVEOPT", 16), 16);
	ck_assert_int_eq(tls_handshake(tls), -EPROTO);
	ck_assert_ptr_nonnull(strstr(tls_error(tls)->text, "TLS failed"));
}
END_TEST

START_TEST(a_peer_that_hangs_up_in_the_handshake_is_a_failure)
{
	open_both();
	ck_assert_int_eq(tls_handshake(tls), -EAGAIN);
	(void)shutdown(fds[1], SHUT_WR);
	ck_assert_int_eq(tls_handshake(tls), -ECONNRESET);
}
END_TEST

/*
 * Pre-shared keys.
 */

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
use_keys(const char *user)
{
	SSL_CTX_set_psk_server_callback(server_ctx, know_alice);
	settings = (struct tls_settings){ .psk_file = psk_file,
		.user = user };
}

START_TEST(a_key_does_for_both_versions)
{
	use_keys("alice");
	if (_i == 1)
		(void)SSL_CTX_set_max_proto_version(server_ctx,
		    TLS1_2_VERSION);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(server_ctx, "PSK"), 1);
	(void)SSL_CTX_set_dh_auto(server_ctx, 1);
	ck_assert_int_eq(shake_hands(), 0);
	ck_assert_str_eq(tls_version(tls), _i == 1 ? "TLSv1.2" : "TLSv1.3");
	ck_assert_ptr_nonnull(strstr(tls_cipher(tls), "GCM"));
}
END_TEST

START_TEST(a_certificate_is_no_substitute_for_a_key)
{
	settings = (struct tls_settings){ .psk_file = psk_file,
		.user = "alice", .no_verify = true };
	serve_certificate("DNS:" NAME, DAY);
	expect_refusal(-EACCES, "instead of knowing the pre-shared key");
}
END_TEST

START_TEST(a_user_must_have_a_good_line)
{
	use_keys("carol");
	expect_bad_settings(-EINVAL, "there is no key for user 'carol'");
	use_keys("bob");
	expect_bad_settings(-EINVAL, "hexadecimal");
	use_keys(NULL);
	expect_bad_settings(-EINVAL, "needs a user's name");
	use_keys("alice");
	settings.ca_file = ca_file;
	expect_bad_settings(-EINVAL, "exclude each other");
	use_keys("alice");
	settings.pin_sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	expect_bad_settings(-EINVAL, "exclude each other");
}
END_TEST

/*
 * Bytes.
 */

static char *
new_pattern(size_t len)
{
	char *p = malloc(len);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (char)((i * 7 + i / 251) % 253);
	return p;
}

/* What the server has received so far is appended to buf. */
static void
server_read(char *buf, size_t *n)
{
	size_t got;

	while (*n < BIG + 28 &&
	    SSL_read_ex(server, buf + *n, BIG + 28 - *n, &got) == 1)
		*n += got;
}

START_TEST(what_is_sent_arrives_whatever_the_pieces)
{
	char *p = new_pattern(BIG + 28);
	char *got = malloc(BIG + 28);
	struct iovec iov[3];
	size_t n = 0;
	size_t sent = 0;
	ssize_t r;

	shake_hands_well();
	while (sent < BIG + 28) {
		size_t head = sent < 28 ? 28 - sent : 0;
		size_t from = sent < 28 ? 28 : sent;

		iov[0] = (struct iovec){ p + sent, head };
		iov[1] = (struct iovec){ p, 0 };
		iov[2] = (struct iovec){ p + from, BIG + 28 - from };
		r = stream_send(&stream, iov, 3);
		if (r == -EAGAIN)
			server_read(got, &n);
		else
			sent += (size_t)r;
		ck_assert(r > 0 || r == -EAGAIN);
	}
	server_read(got, &n);
	ck_assert_uint_eq(n, BIG + 28);
	ck_assert_int_eq(memcmp(p, got, n), 0);
	free(p);
	free(got);
}
END_TEST

START_TEST(small_pieces_share_a_record)
{
	struct iovec iov[2] = { { (char[]){ "abc" }, 3 },
		{ (char[]){ "defg" }, 4 } };
	char got[16];
	size_t n;

	shake_hands_well();
	ck_assert_int_eq(stream_send(&stream, iov, 2), 7);
	ck_assert_int_eq(SSL_read_ex(server, got, sizeof got, &n), 1);
	ck_assert_uint_eq(n, 7);
	ck_assert_int_eq(memcmp(got, "abcdefg", 7), 0);
}
END_TEST

static void
server_write(const char *p, size_t len)
{
	size_t n;

	ck_assert_int_eq(SSL_write_ex(server, p, len, &n), 1);
	ck_assert_uint_eq(n, len);
}

/* Into buf, of room bytes. */
static ssize_t
receive(char *buf, size_t room)
{
	struct iovec iov[2] = { { buf, room / 3 },
		{ buf + room / 3, room - room / 3 } };

	return stream_receive(&stream, iov, 2);
}

START_TEST(what_was_decrypted_and_not_received_is_pending)
{
	char buf[32];

	shake_hands_well();
	server_write("0123456789", 10);
	server_write("abc", 3);
	ck_assert_int_eq(receive(buf, 4), 4);
	ck_assert(stream_has_pending(&stream));
	ck_assert_int_eq(receive(buf + 4, 20), 9);
	ck_assert_int_eq(memcmp(buf, "0123456789abc", 13), 0);
	ck_assert(!stream_has_pending(&stream));
	ck_assert_int_eq(receive(buf, 4), -EAGAIN);
}
END_TEST

/* Wherever the connection rests, in mid-record too, nothing gets lost. */
START_TEST(what_is_sent_arrives_though_the_connection_rests)
{
	enum { LEN = 100000 };
	BIO *memory = BIO_new(BIO_s_mem());
	char *p = new_pattern(LEN);
	char *records = malloc(2 * LEN);
	char *got = malloc(LEN);
	size_t n = 0;
	ssize_t r;
	int len;

	shake_hands_well();
	SSL_set0_wbio(server, memory);
	server_write(p, LEN);
	len = BIO_read(memory, records, 2 * LEN);
	/* Five bytes are a header, and the lengths have no common divisor. */
	for (int i = 0; i < len; i += 5) {
		ck_assert_int_gt(write(fds[1], records + i,
		    (size_t)(len - i < 5 ? len - i : 5)), 0);
		r = receive(got + n, LEN - n < 777 ? LEN - n : 777);
		ck_assert(r > 0 || r == -EAGAIN);
		n += r > 0 ? (size_t)r : 0;
		tls_rest(tls);
	}
	while (n < LEN && (r = receive(got + n, LEN - n)) > 0)
		n += (size_t)r;
	ck_assert_uint_eq(n, LEN);
	ck_assert_int_eq(memcmp(p, got, LEN), 0);
	free(p);
	free(records);
	free(got);
}
END_TEST

/* Bytes that OpenSSL has of the heap, in both ends. */
static size_t openssl_bytes;

static void *
count_malloc(size_t len, const char *file, int line)
{
	void *p = malloc(len);

	(void)file;
	(void)line;
	openssl_bytes += malloc_usable_size(p);
	return p;
}

static void *
count_realloc(void *old, size_t len, const char *file, int line)
{
	void *p;

	(void)file;
	(void)line;
	openssl_bytes -= malloc_usable_size(old);
	p = realloc(old, len);
	openssl_bytes += malloc_usable_size(p);
	return p;
}

static void
count_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	openssl_bytes -= malloc_usable_size(p);
	free(p);
}

/* 16 KiB to receive, 16 KiB to send, and what is received ahead. */
START_TEST(a_connection_that_rests_gives_its_buffers_back)
{
	char *p = new_pattern(50000);
	char *got = malloc(50000);
	size_t before;
	size_t n;

	shake_hands_well();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(stream_send(&stream,
		    &(struct iovec){ p, 20000 }, 1), 20000);
		n = 0;
		server_read(got, &n);
		ck_assert_uint_eq(n, 20000);
		server_write(p, 50000);
		ck_assert_int_eq(receive(got, 50000), 50000);
		ck_assert_int_eq(receive(got, 1), -EAGAIN);
		before = openssl_bytes;
		ck_assert_ptr_nonnull(tls->ahead.bytes);
		tls_rest(tls);
		ck_assert_ptr_null(tls->ahead.bytes);
		ck_assert_uint_gt(before - openssl_bytes, 32 * 1024);
	}
	free(p);
	free(got);
}
END_TEST

/* Part of a record cannot be received: a loop would run for ever. */
START_TEST(half_a_record_is_not_pending)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char record[256];
	char buf[8];
	int n;

	shake_hands_well();
	ck_assert_int_eq(receive(buf, 4), -EAGAIN);
	SSL_set0_wbio(server, memory);
	server_write("0123456789", 10);
	n = BIO_read(memory, record, sizeof record);
	ck_assert_int_gt(n, 20);
	ck_assert_int_eq(write(fds[1], record, 20), 20);
	ck_assert_int_eq(receive(buf, 4), -EAGAIN);
	ck_assert(!stream_has_pending(&stream));
	ck_assert_int_eq(write(fds[1], record + 20, (size_t)n - 20), n - 20);
	ck_assert_int_eq(receive(buf, 4), 4);
	ck_assert(stream_has_pending(&stream));
}
END_TEST

/* TLS may say things of its own in between. */
START_TEST(data_behind_a_message_of_tls_is_received)
{
	char buf[16];
	ssize_t n = 0;

	shake_hands_well();
	if (_i == 0)
		ck_assert_int_eq(SSL_key_update(server,
		    SSL_KEY_UPDATE_NOT_REQUESTED), 1);
	else
		ck_assert_int_eq(SSL_new_session_ticket(server), 1);
	server_write("0123456789", 10);
	/* The socket has nothing more to tell a loop. */
	do
		n = receive(buf, 10);
	while (n == -EAGAIN && stream_has_pending(&stream));
	ck_assert_int_eq(n, 10);
	ck_assert_int_eq(memcmp(buf, "0123456789", 10), 0);
}
END_TEST

/* New keys again and again: size bytes, or what the socket has room for. */
static void
send_new_keys(size_t size)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char records[4096];
	int n = 1;

	SSL_set0_wbio(server, memory);
	for (size_t sent = 0; sent < size && n > 0; sent += (size_t)n) {
		while (BIO_pending(memory) < (int)sizeof records) {
			ck_assert_int_eq(SSL_key_update(server,
			    SSL_KEY_UPDATE_NOT_REQUESTED), 1);
			ck_assert_int_eq(SSL_do_handshake(server), 1);
		}
		n = BIO_read(memory, records, sizeof records);
		n = (int)write(fds[1], records, (size_t)n);
	}
}

/* Whoever sends them without end must not keep us for ever. */
START_TEST(records_without_data_are_left_for_later_after_a_while)
{
	const int size = 256 * 1024;
	int n_before = 0;
	int n = 0;
	char buf[8];

	shake_hands_well();
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	send_new_keys((size_t)size);
	ck_assert_int_eq(ioctl(fds[0], FIONREAD, &n_before), 0);
	ck_assert_int_gt(n_before, 128 * 1024);
	ck_assert_int_lt(receive(buf, 8), 0);
	ck_assert_int_eq(ioctl(fds[0], FIONREAD, &n), 0);
	ck_assert_int_gt(n, 0);
	ck_assert_int_lt(n, n_before);
}
END_TEST

START_TEST(the_end_of_tls_is_told_from_a_cut)
{
	char buf[8];

	shake_hands_well();
	server_write("abc", 3);
	if (_i == 0)
		(void)SSL_shutdown(server);
	close_server();
	ck_assert_int_eq(receive(buf, 8), 3);
	ck_assert(stream_has_pending(&stream));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(receive(buf, 8), _i == 0 ? 0 : -ECONNRESET);
	if (_i == 1)
		ck_assert_ptr_nonnull(strstr(stream_error(&stream)->text,
		    "without the end of TLS"));
}
END_TEST

START_TEST(a_changed_byte_is_a_failure)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char record[256];
	char buf[8];
	int n;

	shake_hands_well();
	SSL_set0_wbio(server, memory);
	server_write("0123456789", 10);
	n = BIO_read(memory, record, sizeof record);
	record[n - 1] ^= 1;
	ck_assert_int_eq(write(fds[1], record, (size_t)n), n);
	ck_assert_int_eq(receive(buf, 8), -EPROTO);
	ck_assert_int_eq(receive(buf, 8), -EPROTO);
}
END_TEST

/* A record that comes again, behind one that is right. */
START_TEST(sending_does_not_change_why_receiving_ended)
{
	BIO *memory = BIO_new(BIO_s_mem());
	struct iovec iov = { (char[]){ "abc" }, 3 };
	char record[256];
	char buf[16];
	int n;

	shake_hands_well();
	SSL_set0_wbio(server, memory);
	server_write("0123456789", 10);
	n = BIO_read(memory, record, sizeof record);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(write(fds[1], record, (size_t)n), n);
	ck_assert_int_eq(receive(buf, sizeof buf), 10);
	ck_assert_int_lt(stream_send(&stream, &iov, 1), 0);
	ck_assert_int_eq(receive(buf, sizeof buf), -EPROTO);
	ck_assert_int_eq(stream_error(&stream)->code, -EPROTO);
	ck_assert_ptr_nonnull(strstr(stream_error(&stream)->text,
	    "TLS failed"));
}
END_TEST

START_TEST(that_our_certificate_is_wanted_is_heard_when_receiving)
{
	char buf[8];

	SSL_CTX_set_verify(server_ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	shake_hands_well();
	ck_assert_int_eq(receive(buf, 8), -EACCES);
	ck_assert_ptr_nonnull(strstr(stream_error(&stream)->text,
	    "does not accept our certificate"));
}
END_TEST

/* It may be one, where the peer is the last to know us. */
START_TEST(a_cut_at_the_start_is_taken_for_a_refusal)
{
	ssize_t r = -EAGAIN;
	char buf[8];

	if (_i % 2 == 1)
		(void)SSL_CTX_set_max_proto_version(server_ctx,
		    TLS1_2_VERSION);
	shake_hands_well();
	if (_i >= 2) {
		server_write("abc", 3);
		ck_assert_int_eq(receive(buf, 8), 3);
	}
	close_server();
	/* Tickets, which are nothing to receive, come before. */
	for (int i = 0; r == -EAGAIN && i < 10; i++)
		r = receive(buf, 8);
	ck_assert_int_eq(r, _i == 0 ? -EACCES : -ECONNRESET);
	ck_assert(_i != 0 || strstr(stream_error(&stream)->text,
	    "may want a certificate") != NULL);
}
END_TEST

START_TEST(an_alert_after_the_handshake_is_not_one_of_it)
{
	char buf[8];
	size_t n;

	use_keys("alice");
	ck_assert_int_eq(SSL_CTX_set_cipher_list(server_ctx, "PSK"), 1);
	ck_assert_int_eq(shake_hands(), 0);
	ck_assert_int_eq(receive(buf, 8), -EAGAIN);
	/* What is no record makes the server alert. */
	ck_assert_int_eq(write(fds[0], "0123456789abcdef", 16), 16);
	ck_assert_int_eq(SSL_read_ex(server, buf, sizeof buf, &n), 0);
	ck_assert_int_eq(receive(buf, 8), -EPROTO);
	ck_assert_ptr_nonnull(strstr(stream_error(&stream)->text,
	    "the server gave TLS up"));
}
END_TEST

START_TEST(goodbye_is_heard_as_the_end_of_tls)
{
	char buf[8];
	size_t n;

	shake_hands_well();
	tls_say_goodbye(tls);
	ck_assert_int_eq(SSL_read_ex(server, buf, sizeof buf, &n), 0);
	ck_assert_int_eq(SSL_get_shutdown(server), SSL_RECEIVED_SHUTDOWN);
}
END_TEST

/* SIGPIPE would end this process. */
START_TEST(a_peer_that_is_gone_raises_no_signal)
{
	struct iovec iov = { (char[]){ "abc" }, 3 };

	ck_assert_ptr_ne(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	if (_i == 0) {
		shake_hands_well();
		close_server();
		ck_assert_int_eq(stream_send(&stream, &iov, 1), -EPIPE);
		tls_say_goodbye(tls);
	} else {
		open_both();
		close_server();
		ck_assert_int_lt(tls_handshake(tls), 0);
		ck_assert_int_ne(tls_error(tls)->code, 0);
	}
}
END_TEST

START_TEST(a_plain_stream_moves_bytes_as_they_are)
{
	struct iovec iov[2] = { { (char[]){ "abc" }, 3 },
		{ (char[]){ "defg" }, 4 } };
	char buf[8];

	stream = (struct stream){ .fd = fds[0] };
	ck_assert_int_eq(stream_send(&stream, iov, 2), 7);
	ck_assert_int_eq(read(fds[1], buf, sizeof buf), 7);
	ck_assert_int_eq(receive(buf, 8), -EAGAIN);
	ck_assert_int_eq(write(fds[1], "xy", 2), 2);
	ck_assert_int_eq(receive(buf, 8), 2);
	ck_assert(!stream_has_pending(&stream));
	ck_assert(!stream_wants_write(&stream));
	ck_assert_ptr_null(stream_error(&stream));
	close_server();
	ck_assert_int_eq(receive(buf, 8), 0);
	ck_assert_int_eq(stream_send(&stream, iov, 2), -EPIPE);
}
END_TEST

static TCase *
handshake_case(void)
{
	TCase *tc = tcase_create("handshake");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_server_with_a_good_certificate_is_believed);
	tcase_add_test(tc, the_oldest_version_is_1_2);
	tcase_add_test(tc, version_1_1_is_refused);
	tcase_add_test(tc, the_server_is_told_the_name_it_is_wanted_for);
	tcase_add_test(tc, an_address_is_looked_for_among_addresses);
	tcase_add_test(tc, another_address_is_refused);
	tcase_add_test(tc, another_name_is_refused);
	tcase_add_test(tc, an_unknown_authority_is_refused);
	tcase_add_test(tc, the_system_trusts_no_authority_of_ours);
	tcase_add_test(tc, an_expired_certificate_is_refused);
	tcase_add_test(tc, who_does_not_verify_believes_anything);
	tcase_add_test(tc, verifying_needs_a_name);
	tcase_add_test(tc, files_are_read_before_anything_is_sent);
	tcase_add_test(tc, a_peer_without_tls_is_a_failure);
	tcase_add_test(tc, a_peer_that_hangs_up_in_the_handshake_is_a_failure);
	tcase_add_loop_test(tc, a_key_does_for_both_versions, 0, 2);
	tcase_add_test(tc, a_certificate_is_no_substitute_for_a_key);
	tcase_add_test(tc, a_user_must_have_a_good_line);
	return tc;
}

static TCase *
pin_case(void)
{
	TCase *tc = tcase_create("pin");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_pinned_key_is_believed_when_all_else_is_right);
	tcase_add_loop_test(tc, another_key_than_the_pinned_one_is_refused, 0,
	    4);
	tcase_add_loop_test(tc, a_pin_does_not_stand_for_chain_or_name, 0, 3);
	tcase_add_test(tc, without_verifying_the_pin_alone_decides);
	tcase_add_loop_test(tc, a_pin_that_is_none_is_told, 0, 9);
	return tc;
}

static TCase *
identity_case(void)
{
	TCase *tc = tcase_create("identity");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, an_encrypted_key_is_opened_by_its_password, 0,
	    2);
	tcase_add_loop_test(tc, a_key_in_the_clear_needs_no_password, 0, 2);
	tcase_add_loop_test(tc, a_key_that_is_not_opened_is_told, 0, 4);
	tcase_add_test(tc, what_is_no_key_is_not_blamed_on_the_password);
	return tc;
}

static TCase *
bytes_case(void)
{
	TCase *tc = tcase_create("bytes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_sent_arrives_whatever_the_pieces);
	tcase_add_test(tc, small_pieces_share_a_record);
	tcase_add_test(tc, what_was_decrypted_and_not_received_is_pending);
	tcase_add_test(tc, what_is_sent_arrives_though_the_connection_rests);
	tcase_add_test(tc, a_connection_that_rests_gives_its_buffers_back);
	tcase_add_test(tc, half_a_record_is_not_pending);
	tcase_add_loop_test(tc, data_behind_a_message_of_tls_is_received, 0,
	    2);
	tcase_add_test(tc,
	    records_without_data_are_left_for_later_after_a_while);
	tcase_add_loop_test(tc, the_end_of_tls_is_told_from_a_cut, 0, 2);
	tcase_add_test(tc, a_changed_byte_is_a_failure);
	tcase_add_test(tc, sending_does_not_change_why_receiving_ended);
	tcase_add_test(tc,
	    that_our_certificate_is_wanted_is_heard_when_receiving);
	tcase_add_loop_test(tc, a_cut_at_the_start_is_taken_for_a_refusal, 0,
	    4);
	tcase_add_test(tc, an_alert_after_the_handshake_is_not_one_of_it);
	tcase_add_test(tc, goodbye_is_heard_as_the_end_of_tls);
	tcase_add_loop_test(tc, a_peer_that_is_gone_raises_no_signal, 0, 2);
	tcase_add_test(tc, a_plain_stream_moves_bytes_as_they_are);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("tls");

	(void)CRYPTO_set_mem_functions(count_malloc, count_realloc,
	    count_free);
	suite_add_tcase(suite, handshake_case());
	suite_add_tcase(suite, pin_case());
	suite_add_tcase(suite, identity_case());
	suite_add_tcase(suite, bytes_case());
	return unit_main(suite);
}
