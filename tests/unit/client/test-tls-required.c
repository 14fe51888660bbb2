/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection that requires TLS, against servers that would rather not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "client/conn.h"
#include "fake-server.h"
#include "net/tls.h"
#include "unit.h"

static struct net_loop *loop;
static struct conn *conn;
static struct error e;
static bool is_ready;
static bool is_closed;

static struct nbd_uri uri = {
	.transport = NBD_TRANSPORT_UNIX,
	.export_name = (char[]){ "" },
	.tls = true,
	.tls_hostname = (char[]){ "server.example" },
};

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	fake_set_up();
	is_ready = is_closed = false;
}

static void
tear_down(void)
{
	fake_tear_down();
	net_loop_free(loop);
}

static void
on_ready(void *arg)
{
	(void)arg;
	is_ready = true;
	net_loop_stop(loop);
}

static void
on_completions(void *arg)
{
	(void)arg;
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
	is_closed = true;
	net_loop_stop(loop);
}

static const struct conn_events events = {
	.on_ready = on_ready,
	.on_completions = on_completions,
	.on_failed = on_failed,
};

/* The connection fails so, and the server heard these options. */
static void
expect_failure(void (*serve)(int fd), enum nbd_failure why, int code,
    const char *text, const char *heard)
{
	const struct conn_options o = {
		.uri = &uri,
		.fd = fake_start(serve),
		.connect_timeout_ms = 3000,
	};

	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(!is_ready);
	ck_assert_int_eq(conn_failure(conn), why);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.text, text) != NULL, "%s", e.text);
	conn_close(conn, on_closed, NULL);
	while (!is_closed)
		ck_assert_int_eq(net_loop_run(loop), 0);
	fake_release();
	fake_join();
	ck_assert_str_eq(fake_notes, heard);
}

/* Notes the number of each option, and answers with this type. */
static void
answer_options(int fd, uint32_t type)
{
	uint32_t option;
	size_t n = 0;

	if (!fake_greet(fd))
		return;
	while ((option = fake_get_option(fd)) != 0) {
		fake_notes[n++] = (char)('0' + option);
		if (!fake_put_reply(fd, option, type, NULL, 0))
			return;
	}
}

static void
serve_refusing(int fd)
{
	answer_options(fd, NBD_REP_ERR_UNSUP);
}

static void
serve_hanging_up(int fd)
{
	if (fake_greet(fd))
		fake_notes[0] = (char)('0' + fake_get_option(fd));
}

/* As somebody in between would: answers to what is to come through TLS. */
static void
serve_plain_text(int fd)
{
	uint8_t b[40] = { 0 };

	if (!fake_greet(fd))
		return;
	fake_notes[0] = (char)('0' + fake_get_option(fd));
	put_be64(b, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 8, NBD_OPT_STARTTLS);
	put_be32(b + 12, NBD_REP_ACK);
	put_be64(b + 20, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 28, NBD_OPT_STRUCTURED_REPLY);
	put_be32(b + 32, NBD_REP_ACK);
	(void)fake_put(fd, b, sizeof b);
	fake_wait_for_eof(fd);
}

static void
serve_consent_only(int fd)
{
	if (!fake_greet(fd))
		return;
	fake_notes[0] = (char)('0' + fake_get_option(fd));
	(void)fake_put_reply(fd, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0);
	fake_wait_for_release();
}

static void
serve_consent_and_no_tls(int fd)
{
	char hello[5];

	if (!fake_greet(fd))
		return;
	fake_notes[0] = (char)('0' + fake_get_option(fd));
	if (fake_put_reply(fd, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0) &&
	    fake_get(fd, hello, sizeof hello))
		(void)fake_put(fd, "this is not TLS", 15);
	fake_wait_for_release();
}

START_TEST(a_refusal_is_the_end)
{
	expect_failure(serve_refusing, NBD_FAILURE_TLS_REFUSED, -EACCES,
	    "TLS is required, and the server refuses it", "5");
}
END_TEST

START_TEST(hanging_up_is_the_end)
{
	expect_failure(serve_hanging_up, NBD_FAILURE_CLOSED, -ECONNRESET,
	    "when sent NBD_OPT_STARTTLS", "5");
}
END_TEST

START_TEST(plain_text_behind_the_consent_is_the_end)
{
	expect_failure(serve_plain_text, NBD_FAILURE_PROTOCOL, -EPROTO,
	    "in plain text where TLS begins", "5");
}
END_TEST

START_TEST(the_handshake_has_the_deadline)
{
	expect_failure(serve_consent_only, NBD_FAILURE_LOCAL, -ETIMEDOUT,
	    "waiting for the TLS handshake", "5");
}
END_TEST

START_TEST(what_is_no_tls_is_a_failure_of_tls)
{
	expect_failure(serve_consent_and_no_tls, NBD_FAILURE_TLS, -EPROTO,
	    "TLS failed", "5");
}
END_TEST

START_TEST(without_a_name_nothing_is_dialled)
{
	struct nbd_uri nameless = uri;
	const struct conn_options o = { .uri = &nameless, .fd = -1 };

	nameless.tls_hostname = NULL;
	nameless.socket = (char[]){ "/nonexistent" };
	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "tls-hostname"));
}
END_TEST

static void
expect_no_conn(enum nbd_tls_type type, const struct tls_settings *tls,
    const char *says)
{
	struct nbd_uri typed = uri;
	const struct conn_options o = { .uri = &typed, .fd = -1, .tls = tls };

	typed.tls_type = type;
	typed.socket = (char[]){ "/nonexistent" };
	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e),
	    -EINVAL);
	ck_assert_msg(strstr(e.text, says) != NULL, "%s", e.text);
}

START_TEST(what_a_uri_wants_of_tls_is_there_or_nothing_is_dialled)
{
	const struct tls_settings with_key = {
		.psk_file = "/nonexistent",
		.user = "alice",
	};

	expect_no_conn(NBD_TLS_PSK, NULL, "needs a file of pre-shared keys");
	expect_no_conn(NBD_TLS_X509, &with_key, "excludes a pre-shared key");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls-required");
	TCase *tc = tcase_create("tls-required");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_refusal_is_the_end);
	tcase_add_test(tc, hanging_up_is_the_end);
	tcase_add_test(tc, plain_text_behind_the_consent_is_the_end);
	tcase_add_test(tc, the_handshake_has_the_deadline);
	tcase_add_test(tc, what_is_no_tls_is_a_failure_of_tls);
	tcase_add_test(tc, without_a_name_nothing_is_dialled);
	tcase_add_test(tc,
	    what_a_uri_wants_of_tls_is_there_or_nothing_is_dialled);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
