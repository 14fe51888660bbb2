/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers that misbehave where TLS is required: in their answer to
 * NBD_OPT_STARTTLS, in TLS's handshake, and under its protection.  Whatever
 * they do, the call returns in time and says what was wrong.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "base/bytes.h"
#include "client/nbdclient.h"
#include "fake-server.h"
#include "fake-tls.h"
#include "hostile.h"
#include "nbd/protocol.h"
#include "unit.h"

#define PROTOCOL NBDCLIENT_PROTOCOL
#define GONE	 NBDCLIENT_DISCONNECTED
#define LATE	 NBDCLIENT_TIMED_OUT
#define TLS	 NBDCLIENT_TLS
/* A deadline has to end it, or a limit of TLS's. */
#define LATE_OR_TLS 1

#define STARTTLS "\0\0\0\5"
#define CONSENT	 GREETING REPLY STARTTLS ACK NONE
/* Records of TLS. */
#define ALERT(level, what) "\x15\3\3\0\2" level what
/* Of TLS 1.1, with ECDHE-RSA-AES128-SHA. */
#define SERVER_HELLO_1_1 "\x16\3\2\0\x2a\2\0\0\x26\3\2" \
	"0123456789abcdef0123456789abcdef" "\0\xc0\x13\0"

enum {
	SHORT_MS = 300,		/* ten times that for one request */
	SHORT_CONNECT_MS = 1000,
	LONG_MS = 60000,
	MAX_S = 25,
	SECTOR = 512,
	HEADER = 28,		/* bytes of a chunk with data, before them */
	MAX_FLIGHT = 8192,
	TRICKLE_US = 20 * 1000,
};

struct row {
	const char *name;
	int code;		/* 0: it is harmless, and data are read */
	const char *text;	/* in what is said; not used with 0 */
	struct hostile_words words;
	void (*serve)(int fd);	/* instead of saying them */
};

static const struct row *row;
static void (*how)(int fd);
static struct nbdclient_error err;

/* In answer to NBD_OPT_STARTTLS. */
static const struct row consent_rows[] = {
	{ "TLS is not known", TLS, "refuses it",
	    SAYS(GREETING REPLY STARTTLS ERR("\1") NONE), NULL },
	{ "TLS is forbidden, with words", TLS, "(it says 'no\\x07')",
	    SAYS(GREETING REPLY STARTTLS ERR("\2") "\0\0\0\3" "no\a"), NULL },
	{ "TLS is called invalid", TLS, "refuses it",
	    SAYS(GREETING REPLY STARTTLS ERR("\3") NONE), NULL },
	{ "TLS requires TLS", TLS, "refuses it",
	    SAYS(GREETING REPLY STARTTLS ERR("\5") NONE), NULL },
	{ "it shuts down", TLS, "refuses it",
	    SAYS(GREETING REPLY STARTTLS ERR("\7") NONE), NULL },
	{ "the error is unknown", TLS, "refuses it",
	    SAYS(GREETING REPLY STARTTLS "\xff\xff\xff\xff" NONE), NULL },
	{ "the error's words are 2^32-1 long", PROTOCOL, "4294967295 bytes",
	    SAYS(GREETING REPLY STARTTLS ERR("\1") "\xff\xff\xff\xff"), NULL },
	{ "the answer is neither yes nor no", PROTOCOL, "of type 3",
	    SAYS(GREETING REPLY STARTTLS INFO NONE), NULL },
	{ "the answer is of type 0", PROTOCOL, "of type 0",
	    SAYS(GREETING REPLY STARTTLS NONE NONE), NULL },
	{ "the consent has data", PROTOCOL, "with 1 bytes",
	    SAYS(GREETING REPLY STARTTLS ACK "\0\0\0\1x"), NULL },
	{ "the consent is to something else", PROTOCOL, "instead of",
	    SAYS(GREETING REPLY SR ACK NONE), NULL },
	{ "the consent's magic is wrong", PROTOCOL, "begins with",
	    SAYS(GREETING "????????" STARTTLS ACK NONE), NULL },
	{ "a byte of plain text is behind the consent", PROTOCOL,
	    "in plain text", SAYS(CONSENT "x"), NULL },
	{ "a second consent is behind the first", PROTOCOL, "in plain text",
	    SAYS(CONSENT REPLY STARTTLS ACK NONE), NULL },
	{ "an export is behind the consent", PROTOCOL, "in plain text",
	    SAYS(CONSENT REPLY SR ACK NONE EXPORT REPLY GO ACK NONE), NULL },
	{ "TLS begins before we do", PROTOCOL, "in plain text",
	    SAYS(CONSENT SERVER_HELLO_1_1), NULL },
	{ "consent comes before the question", PROTOCOL,
	    "before it was asked", SAYS(CONSENT), NULL },
	{ "it is newstyle that is not fixed", TLS, "too old",
	    SAYS("NBDMAGICIHAVEOPT\0\2"), NULL },
	{ "it is oldstyle", TLS, "oldstyle", SAYS("NBDMAGIC"
	    "\0\0\x42\2\x81\x86\x12\x53\0\0\0\0\0\1\0\0"), NULL },
	{ "the consent never comes", LATE, "NBD_OPT_STARTTLS",
	    SAYS_THEN(GREETING, THEN_MUTE), NULL },
	{ "the consent is never finished", LATE, "NBD_OPT_STARTTLS",
	    SAYS_THEN(GREETING REPLY STARTTLS, THEN_MUTE), NULL },
	{ "it closes instead of consenting", GONE, "NBD_OPT_STARTTLS",
	    SAYS_THEN(GREETING, THEN_CLOSE), NULL },
	{ "it closes within the consent", GONE, "in the middle",
	    SAYS_THEN(GREETING REPLY STARTTLS, THEN_CLOSE), NULL },
};

/* In place of TLS's handshake. */
static const struct row hello_rows[] = {
	{ "it is mute", LATE, "waiting for the TLS handshake",
	    SAYS_THEN("", THEN_MUTE), NULL },
	{ "it closes", TLS, "without the end of TLS",
	    SAYS_THEN("", THEN_CLOSE), NULL },
	{ "it trickles what is not TLS", TLS, "TLS failed",
	    SAYS_THEN("", THEN_TRICKLE), NULL },
	{ "it speaks HTTP", TLS, "TLS failed",
	    SAYS("HTTP/1.1 400 Bad Request\r\n\r\n"), NULL },
	{ "it goes on in plain text", TLS, "TLS failed",
	    SAYS(REPLY SR ACK NONE EXPORT REPLY GO ACK NONE), NULL },
	{ "it speaks TLS 1.1", TLS, "TLS failed", SAYS(SERVER_HELLO_1_1),
	    NULL },
	{ "it alerts of a failure", TLS, "refused the TLS handshake",
	    SAYS(ALERT("\2", "\x28")), NULL },
	{ "it alerts that it closes", TLS, "",
	    SAYS(ALERT("\1", "\0")), NULL },
	{ "it warns without end", TLS, "TLS failed",
	    SAYS_AND_REPEATS("", ALERT("\1", "\x5a")), NULL },
	{ "records are empty without end", TLS, "TLS failed",
	    SAYS_AND_REPEATS("", "\x16\3\3\0\0"), NULL },
	{ "ciphers change without end", TLS, "TLS failed",
	    SAYS_AND_REPEATS("", "\x14\3\3\0\1\1"), NULL },
	{ "a record is 65535 long", TLS, "TLS failed",
	    SAYS("\x16\3\3\xff\xff"), NULL },
	{ "a message is 2^24-1 long", TLS, "TLS failed",
	    SAYS("\x16\3\3\0\x8" "\2\xff\xff\xff" "\3\3xx"), NULL },
	{ "data come before the handshake", TLS, "TLS failed",
	    SAYS("\x17\3\3\0\5hello"), NULL },
	{ "a record stops", LATE, "waiting for the TLS handshake",
	    SAYS_THEN("\x16\3\3\0\x7a\2", THEN_MUTE), NULL },
};

static void
say_words(int fd)
{
	hostile_say(fd, &row->words);
}

/* What comes before the client's hello is another matter. */
static void
consent_and_say_words(int fd)
{
	char byte;

	if (fake_tls_consent(fd) && recv(fd, &byte, 1, MSG_PEEK) == 1)
		hostile_say(fd, &row->words);
}

/*
 * What a server that knows TLS does in its handshake.
 */

/* What it answers to the client's hello; returns the length. */
static size_t
get_flight(int fd, char flight[MAX_FLIGHT])
{
	SSL *ssl = fake_tls_new(fd, 0);
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());
	char hello[MAX_FLIGHT];
	ssize_t n = -1;

	SSL_set_bio(ssl, in, out);
	if (fake_tls_consent(fd))
		n = recv(fd, hello, sizeof hello, 0);
	if (n > 0 && BIO_write(in, hello, (int)n) == n) {
		(void)SSL_accept(ssl);
		n = BIO_read(out, flight, MAX_FLIGHT);
	}
	SSL_free(ssl);
	return n > 0 ? (size_t)n : 0;
}

static void
serve_half_a_flight_and_stop(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);

	(void)fake_put(fd, flight, n / 2);
	fake_wait_for_eof(fd);
}

static void
serve_half_a_flight_and_close(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);

	(void)fake_put(fd, flight, n / 2);
}

static void
serve_a_flight_and_close(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);

	(void)fake_put(fd, flight, n);
	(void)shutdown(fd, SHUT_WR);
	fake_wait_for_eof(fd);
}

static void
serve_a_flight_twice(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);

	(void)fake_put(fd, flight, n);
	(void)fake_put(fd, flight, n);
	fake_wait_for_eof(fd);
}

static void
serve_a_changed_flight(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);

	if (n > 0)
		flight[n - 1] ^= 1;
	(void)fake_put(fd, flight, n);
	fake_wait_for_eof(fd);
}

static void
serve_a_flight_in_trickles(int fd)
{
	char flight[MAX_FLIGHT];
	size_t n = get_flight(fd, flight);
	size_t i = 0;

	while (i < n && fake_put(fd, flight + i, 1)) {
		i++;
		(void)usleep(TRICKLE_US);
	}
	fake_wait_for_eof(fd);
}

static void
serve_tls_1_1(int fd)
{
	SSL *ssl = fake_tls_start(fd, TLS1_1_VERSION);

	SSL_free(ssl);
	fake_wait_for_eof(fd);
}

/*
 * Among the options.  TLS's end is never said where the name does not say so.
 */

static void
serve_no_option(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);

	if (ssl != NULL)
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

static void
serve_a_cut(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);

	if (ssl != NULL)
		(void)fake_tls_get_option(ssl);
	SSL_free(ssl);
}

static void
serve_an_end(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);

	if (ssl != NULL && fake_tls_get_option(ssl) != 0 &&
	    SSL_shutdown(ssl) >= 0)
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

static void
serve_words_in_tls(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);

	if (ssl != NULL && fake_tls_put(ssl, row->words.p, row->words.n))
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

static void
serve_words_in_the_clear(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);

	if (ssl != NULL && fake_tls_get_option(ssl) != 0 &&
	    fake_put(fd, row->words.p, row->words.n))
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

/* Words as a record, and its length. */
static size_t
get_record(SSL *ssl, char record[MAX_FLIGHT])
{
	BIO *memory = BIO_new(BIO_s_mem());
	int n = 0;

	SSL_set0_wbio(ssl, memory);
	if (fake_tls_put(ssl, row->words.p, row->words.n))
		n = BIO_read(memory, record, MAX_FLIGHT);
	return n > 0 ? (size_t)n : 0;
}

static void
serve_a_record_twice(int fd)
{
	SSL *ssl = fake_tls_start(fd, 0);
	char record[MAX_FLIGHT];
	size_t n;

	if (ssl != NULL && fake_tls_get_option(ssl) != 0) {
		n = get_record(ssl, record);
		(void)fake_put(fd, record, n);
		(void)fake_put(fd, record, n);
		fake_wait_for_eof(fd);
	}
	SSL_free(ssl);
}

/* In TLS 1.2 a server may ask for another handshake. */
static void
serve_renegotiation(int fd)
{
	SSL *ssl = fake_tls_start(fd, TLS1_2_VERSION);

	if (ssl != NULL && fake_tls_get_option(ssl) != 0 &&
	    SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1)
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
	fake_wait_for_eof(fd);
}

static const struct row handshake_rows[] = {
	{ "half of TLS's handshake comes", LATE, "waiting for the TLS",
	    SAYS(""), serve_half_a_flight_and_stop },
	{ "half of TLS's handshake comes, and the end", TLS,
	    "without the end of TLS", SAYS(""),
	    serve_half_a_flight_and_close },
	{ "TLS's handshake is all that comes", GONE,
	    "without the end of TLS", SAYS(""), serve_a_flight_and_close },
	{ "TLS's handshake comes twice", TLS, "TLS failed", SAYS(""),
	    serve_a_flight_twice },
	{ "a byte of TLS's handshake is changed", TLS, "TLS failed",
	    SAYS(""), serve_a_changed_flight },
	{ "TLS's handshake trickles", LATE, "waiting for the TLS handshake",
	    SAYS(""), serve_a_flight_in_trickles },
	{ "it knows TLS 1.1 only", TLS, "refused the TLS handshake",
	    SAYS(""), serve_tls_1_1 },
	{ "it is mute behind TLS", LATE, "NBD_OPT_EXTENDED_HEADERS",
	    SAYS(""), serve_no_option },
	{ "it cuts the connection on an option", GONE,
	    "without the end of TLS", SAYS(""), serve_a_cut },
	{ "it ends TLS on an option", GONE, "NBD_OPT_EXTENDED_HEADERS",
	    SAYS(""), serve_an_end },
	{ "it greets again", PROTOCOL, "begins with 0x4e42444d41474943",
	    SAYS(GREETING REPLY EXTENDED ACK NONE), serve_words_in_tls },
	{ "it consents again", PROTOCOL, "instead of",
	    SAYS(REPLY STARTTLS ACK NONE), serve_words_in_tls },
	{ "it requires what it has", NBDCLIENT_TLS_REQUIRED, "requires TLS",
	    SAYS(REPLY EXTENDED ERR("\5") NONE), serve_words_in_tls },
	{ "an error's words are too long", PROTOCOL, "4097 bytes",
	    SAYS(REPLY EXTENDED ERR("\1") "\0\0\x10\1"), serve_words_in_tls },
	{ "the disk is too large", PROTOCOL, "more than any disk",
	    SAYS(REPLY EXTENDED ERR("\1") NONE REPLY SR ERR("\1") NONE
	    REPLY GO INFO "\0\0\0\xc\0\0" "\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\0\1"), serve_words_in_tls },
	{ "an answer is in the clear", TLS, "TLS failed",
	    SAYS(REPLY EXTENDED ERR("\1") NONE), serve_words_in_the_clear },
	{ "an answer comes twice, word for word", TLS, "TLS failed",
	    SAYS(REPLY EXTENDED ERR("\1") NONE), serve_a_record_twice },
	{ "it wants another handshake", TLS, "gave TLS up",
	    SAYS(""), serve_renegotiation },
};

/*
 * To a read.
 */

/* The beginning of its reply, and all of its data. */
struct chunk {
	uint8_t bytes[HEADER + SECTOR];
	uint8_t cookie[8];
};

/* Up to the read; NULL: the client has gone. */
static SSL *
start_and_get_read(int fd, struct chunk *chunk)
{
	SSL *ssl = fake_tls_start(fd, 0);
	uint8_t *p = chunk->bytes;

	if (ssl == NULL || !fake_tls_negotiate(ssl) ||
	    !fake_tls_get_cookie(ssl, chunk->cookie)) {
		SSL_free(ssl);
		return NULL;
	}
	memset(p, 0, sizeof chunk->bytes);
	put_be32(p, NBD_STRUCTURED_REPLY_MAGIC);
	put_be16(p + 4, NBD_REPLY_FLAG_DONE);
	put_be16(p + 6, NBD_REPLY_TYPE_OFFSET_DATA);
	memcpy(p + 8, chunk->cookie, 8);
	put_be32(p + 16, 8 + SECTOR);
	memset(p + HEADER, 'd', SECTOR);
	return ssl;
}

static void
serve_bytes_one_by_one(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	for (size_t i = 0; ssl != NULL && i < sizeof chunk.bytes; i++)
		(void)fake_tls_put(ssl, &chunk.bytes[i], 1);
	if (ssl != NULL)
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

static void
serve_data_between_new_keys(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	for (size_t i = 0; ssl != NULL && i < sizeof chunk.bytes; i++) {
		(void)SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		(void)SSL_new_session_ticket(ssl);
		(void)fake_tls_put(ssl, &chunk.bytes[i], 1);
	}
	if (ssl != NULL)
		fake_tls_wait_for_eof(ssl);
	SSL_free(ssl);
}

static void
serve_half_and_cut(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL)
		(void)fake_tls_put(ssl, chunk.bytes, HEADER + SECTOR / 2);
	SSL_free(ssl);
}

static void
serve_half_and_end(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		(void)fake_tls_put(ssl, chunk.bytes, HEADER + SECTOR / 2);
		(void)SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

/* OpenSSL says nothing behind the end, so the end is put there late. */
static void
serve_an_end_and_data(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		(void)SSL_shutdown(ssl);
		SSL_set_shutdown(ssl, 0);
		(void)fake_tls_put(ssl, chunk.bytes, sizeof chunk.bytes);
		fake_wait_for_eof(fd);
	}
	SSL_free(ssl);
}

static void
serve_half_and_stop(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		(void)fake_tls_put(ssl, chunk.bytes, HEADER + SECTOR / 2);
		fake_tls_wait_for_eof(ssl);
	}
	SSL_free(ssl);
}

/* Half of a record: nothing of it can be had. */
static void
serve_half_a_record(int fd, bool closes)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);
	BIO *memory = BIO_new(BIO_s_mem());
	char record[MAX_FLIGHT];

	if (ssl != NULL) {
		SSL_set0_wbio(ssl, memory);
		(void)fake_tls_put(ssl, chunk.bytes, sizeof chunk.bytes);
		(void)BIO_read(memory, record, sizeof chunk.bytes / 2);
		(void)fake_put(fd, record, sizeof chunk.bytes / 2);
		if (!closes)
			fake_wait_for_eof(fd);
	}
	SSL_free(ssl);
}

static void
serve_half_a_record_and_cut(int fd)
{
	serve_half_a_record(fd, true);
}

static void
serve_half_a_record_and_stop(int fd)
{
	serve_half_a_record(fd, false);
}

static void
serve_garbage(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		(void)fake_put(fd, chunk.bytes, sizeof chunk.bytes);
		fake_wait_for_eof(fd);
	}
	SSL_free(ssl);
}

static void
serve_an_alert(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		/* What it gets now is no record, and it says so. */
		BIO *memory = BIO_new(BIO_s_mem());

		(void)BIO_write(memory, "\x17\3\3\0\x14" "01234567890123456789",
		    25);
		SSL_set0_rbio(ssl, memory);
		fake_tls_wait_for_eof(ssl);
		fake_wait_for_eof(fd);
	}
	SSL_free(ssl);
}

static void
serve_a_foreign_chunk(int fd)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	if (ssl != NULL) {
		chunk.bytes[8] ^= 1;
		(void)fake_tls_put(ssl, chunk.bytes, sizeof chunk.bytes);
		fake_tls_wait_for_eof(ssl);
	}
	SSL_free(ssl);
}

/*
 * Floods, until the client has gone.
 */

static void
serve_errors_without_end(int fd)
{
	static uint8_t flood[600 * 26];
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);
	bool is_heard = ssl != NULL;

	for (size_t i = 0; i < sizeof flood; i += 26) {
		memset(flood + i, 0, 26);
		put_be32(flood + i, NBD_STRUCTURED_REPLY_MAGIC);
		put_be16(flood + i + 6, NBD_REPLY_TYPE_ERROR);
		memcpy(flood + i + 8, chunk.cookie, 8);
		put_be32(flood + i + 16, 6);
		put_be32(flood + i + 20, 5);
	}
	while (is_heard)
		is_heard = fake_tls_put(ssl, flood, sizeof flood);
	SSL_free(ssl);
}

static void
send_keys_without_end(int fd, int kind)
{
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);
	bool is_heard = ssl != NULL;

	while (is_heard)
		is_heard = SSL_key_update(ssl, kind) == 1 &&
		    SSL_do_handshake(ssl) == 1;
	SSL_free(ssl);
}

static void
serve_keys_without_end(int fd)
{
	send_keys_without_end(fd, SSL_KEY_UPDATE_NOT_REQUESTED);
}

static void
serve_wishes_for_keys_without_end(int fd)
{
	send_keys_without_end(fd, SSL_KEY_UPDATE_REQUESTED);
}

/* That nobody takes them is no failure for OpenSSL. */
static void
serve_tickets_without_end(int fd)
{
	struct pollfd client = { .fd = fd, .events = POLLRDHUP };
	struct chunk chunk;
	SSL *ssl = start_and_get_read(fd, &chunk);

	while (ssl != NULL && poll(&client, 1, 0) == 0) {
		(void)SSL_new_session_ticket(ssl);
		(void)SSL_do_handshake(ssl);
	}
	SSL_free(ssl);
}

static const struct row read_rows[] = {
	{ "each byte has a record of its own", 0, "", SAYS(""),
	    serve_bytes_one_by_one },
	{ "each byte has a key of its own", 0, "", SAYS(""),
	    serve_data_between_new_keys },
	{ "data are cut", GONE, "without the end of TLS", SAYS(""),
	    serve_half_and_cut },
	{ "TLS ends within data", GONE, "closed the connection", SAYS(""),
	    serve_half_and_end },
	{ "data come behind TLS's end", GONE, "closed the connection",
	    SAYS(""), serve_an_end_and_data },
	{ "data stop", LATE, "no answer for 0.3", SAYS(""),
	    serve_half_and_stop },
	{ "a record is cut", GONE, "without the end of TLS", SAYS(""),
	    serve_half_a_record_and_cut },
	{ "a record stops", LATE, "no answer for 0.3", SAYS(""),
	    serve_half_a_record_and_stop },
	{ "data are in the clear", TLS, "TLS failed", SAYS(""),
	    serve_garbage },
	{ "it alerts", TLS, "gave TLS up", SAYS(""), serve_an_alert },
	{ "data are not what was asked for", PROTOCOL, "not in flight",
	    SAYS(""), serve_a_foreign_chunk },
	{ "errors come without end", LATE, "not answered for 3.0 s",
	    SAYS(""), serve_errors_without_end },
	{ "new keys come without end", LATE_OR_TLS, "", SAYS(""),
	    serve_keys_without_end },
	{ "wishes for new keys come without end", LATE_OR_TLS, "",
	    SAYS(""), serve_wishes_for_keys_without_end },
	{ "tickets come without end", LATE_OR_TLS, "", SAYS(""),
	    serve_tickets_without_end },
};

static void
serve(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd >= 0) {
		how(fd);
		(void)close(fd);
	}
}

static int
read_sector(struct nbdclient_disk *disk)
{
	char buf[SECTOR] = "";
	char wanted[SECTOR];
	const struct iovec iov = { buf, sizeof buf };
	int code;

	memset(wanted, 'd', sizeof wanted);
	code = nbdclient_read(disk, 0, &iov, 1, &err);
	if (code == 0)
		ck_assert_mem_eq(buf, wanted, sizeof buf);
	return code;
}

/* Negotiate, and read; the first of it that fails. */
static int
use_server(const struct nbdclient_options *options)
{
	struct nbdclient_channel *channel;
	struct nbdclient_disk *disk = NULL;
	int code;

	ck_assert_int_eq(nbdclient_connect(fake_tls_uri, options, &channel,
	    &err), 0);
	code = nbdclient_negotiate(channel, NULL, &disk, &err);
	if (code == 0)
		code = read_sector(disk);
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return code;
}

static void
try_row(const struct row *which, void (*server)(int fd), uint64_t connect_ms,
    uint64_t io_ms)
{
	const struct nbdclient_options options = {
		.connect_timeout_ms = connect_ms,
		.io_timeout_ms = io_ms,
	};
	time_t start = time(NULL);
	int code;

	row = which;
	how = server;
	fake_set_up();
	fake_tls_set_up();
	fake_start_listening(serve);
	code = use_server(&options);
	fake_join();
	fake_tls_tear_down();
	fake_tear_down();
	if (row->code == LATE_OR_TLS)
		ck_assert_msg(code == LATE || code == TLS, "%s: %d: %s",
		    row->name, code, err.text);
	else
		ck_assert_msg(code == row->code, "%s: %d: %s", row->name,
		    code, err.text);
	ck_assert_msg(code == 0 || strstr(err.text, row->text) != NULL,
	    "%s: '%s' is not in '%s'", row->name, row->text, err.text);
	ck_assert_msg(time(NULL) - start <= MAX_S, "%s: late", row->name);
}

static void
try_to_open(const struct row *which, void (*server)(int fd))
{
	try_row(which, server,
	    which->code == LATE ? SHORT_CONNECT_MS : LONG_MS, LONG_MS);
}

START_TEST(anything_but_consent_to_tls_is_the_end)
{
	try_to_open(&consent_rows[_i], say_words);
}
END_TEST

START_TEST(what_is_no_tls_is_the_end)
{
	try_to_open(&hello_rows[_i], consent_and_say_words);
}
END_TEST

START_TEST(a_hostile_handshake_with_tls_ends_in_time_with_the_reason)
{
	try_to_open(&handshake_rows[_i], handshake_rows[_i].serve);
}
END_TEST

START_TEST(a_hostile_reply_through_tls_ends_the_connection_in_time)
{
	const struct row *r = &read_rows[_i];
	bool is_slow = r->code == LATE || r->code == LATE_OR_TLS;

	try_row(r, r->serve, LONG_MS, is_slow ? SHORT_MS : LONG_MS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostile-tls");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, anything_but_consent_to_tls_is_the_end, 0,
	    sizeof consent_rows / sizeof consent_rows[0]);
	tcase_add_loop_test(tcase, what_is_no_tls_is_the_end, 0,
	    sizeof hello_rows / sizeof hello_rows[0]);
	tcase_add_loop_test(tcase,
	    a_hostile_handshake_with_tls_ends_in_time_with_the_reason, 0,
	    sizeof handshake_rows / sizeof handshake_rows[0]);
	tcase_add_loop_test(tcase,
	    a_hostile_reply_through_tls_ends_the_connection_in_time, 0,
	    sizeof read_rows / sizeof read_rows[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
