/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies that come, through TLS, while more is being sent.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/conn.h"
#include "fake-server.h"
#include "fake-tls.h"
#include "nbd/protocol.h"
#include "unit.h"

enum {
	SMALL_BUFFER = 4608,	/* of the client's socket */
	LENGTH = 1024 * 1024,
	HEADER = 28,
};

static struct net_loop *loop;
static struct conn *conn;
static struct nbd_uri *uri;
static struct nbd_request requests[2];
static uint8_t data[LENGTH];
static struct error e;
static char trace[8];

static void
note(char c)
{
	size_t n = strlen(trace);

	ck_assert_uint_lt(n, sizeof trace - 1);
	trace[n] = c;
}

/*
 * Answers the first request at once, and reads on only when that has been
 * heard.
 */
static void
serve(int listener)
{
	static uint8_t got[LENGTH];
	int fd = accept(listener, NULL, NULL);
	SSL *ssl = fake_tls_start(fd, 0);
	uint8_t reply[16] = { 0x67, 0x44, 0x66, 0x98 };
	uint8_t header[HEADER];

	if (ssl != NULL && fake_tls_negotiate(ssl) &&
	    fake_tls_get_cookie(ssl, reply + 8)) {
		(void)fake_tls_put(ssl, reply, sizeof reply);
		fake_wait_for_release();
		if (fake_tls_get(ssl, header, HEADER) &&
		    fake_tls_get(ssl, got, LENGTH)) {
			fake_notes[0] = memcmp(got, data, LENGTH) == 0 ?
			    'y' : 'n';
			memcpy(reply + 8, header + 8, 8);
			(void)fake_tls_put(ssl, reply, sizeof reply);
		}
		fake_tls_wait_for_eof(ssl);
	}
	SSL_free(ssl);
	(void)close(fd);
}

static void
on_ready(void *arg)
{
	static const struct iovec iov = { data, LENGTH };

	(void)arg;
	requests[0] = (struct nbd_request){ .command = NBD_CMD_FLUSH };
	requests[1] = (struct nbd_request){ .command = NBD_CMD_WRITE,
		.length = LENGTH, .iov = &iov, .n_iov = 1 };
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(conn_submit(conn, &requests[i]), 0);
}

static void
on_completions(void *arg)
{
	struct nbd_request *req;

	(void)arg;
	while ((req = conn_reap(conn)) != NULL) {
		note(req == &requests[0] ? 'f' : 'w');
		ck_assert_msg(req->error == 0 || req->error == -ENOTCONN,
		    "%d", req->error);
		if (req->error != 0)
			note('!');
	}
	fake_release();
	if (strlen(trace) >= 2)
		net_loop_stop(loop);
}

static void
on_failed(void *arg, const struct error *error)
{
	(void)arg;
	e = *error;
	net_loop_stop(loop);
}

static void
on_closed(void *arg)
{
	(void)arg;
	conn = NULL;
	net_loop_stop(loop);
}

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	fake_set_up();
	fake_tls_set_up();
	fake_start_listening(serve);
	ck_assert_int_eq(nbd_uri_parse(fake_tls_uri, &uri, &e), 0);
	for (size_t i = 0; i < LENGTH; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	memset(trace, 0, sizeof trace);
	e.text[0] = '\0';
}

static void
tear_down(void)
{
	conn_close(conn, on_closed, NULL);
	while (conn != NULL)
		ck_assert_int_eq(net_loop_run(loop), 0);
	fake_join();
	fake_tls_tear_down();
	fake_tear_down();
	nbd_uri_free(uri);
	net_loop_free(loop);
}

static int
connect_with_small_buffer(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const int size = SMALL_BUFFER;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strcpy(sun.sun_path, fake_path);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof size), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

/* The record of the first request has left, those behind it are stuck. */
START_TEST(a_reply_is_right_though_the_next_request_is_being_sent)
{
	static const struct conn_events events = {
		.on_ready = on_ready,
		.on_completions = on_completions,
		.on_failed = on_failed,
	};
	const struct conn_options options = {
		.uri = uri,
		.fd = connect_with_small_buffer(),
	};

	ck_assert_int_eq(conn_open(loop, &options, &events, NULL, &conn, &e),
	    0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_msg(e.text[0] == '\0', "%s", e.text);
	ck_assert_str_eq(trace, "fw");
	ck_assert_str_eq(fake_notes, "y");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls-traffic");
	TCase *tc = tcase_create("tls-traffic");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    a_reply_is_right_though_the_next_request_is_being_sent);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
