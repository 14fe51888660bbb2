/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face's lists: one completion, once, never from inside a
 * call; and closing at any time.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "fake-server.h"
#include "nbd/protocol.h"
#include "unit.h"

static const char *const nbdkit[] = { "nbdkit", "memory", "1M", NULL };

static struct event_base *base;
static struct nbdclient_channel *channel;
static struct nbdclient_event_list *list;
static struct nbdclient_listing *listing;
static size_t n_rows;
static struct nbdclient_error err;
static struct nbdclient_error failure;
static int n_listed;
static int n_closed;
static bool closes_at_once;

static void
set_up(void)
{
	fake_set_up();
	base = event_base_new();
	channel = NULL;
	list = NULL;
	listing = NULL;
	n_rows = 0;
	n_listed = n_closed = 0;
	closes_at_once = false;
	memset(&failure, 0, sizeof failure);
}

static void
tear_down(void)
{
	nbdclient_listing_free(listing, n_rows);
	nbdclient_channel_free(channel);
	event_base_free(base);
	fake_tear_down();
	ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
	    "a server is left");
}

static void
on_closed(void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	ck_assert_int_eq(n_listed, 1);
	n_closed++;
}

static void
on_listed(void *arg, struct nbdclient_listing *rows, size_t n,
    const struct nbdclient_error *e)
{
	ck_assert_ptr_eq(arg, &list);
	ck_assert_int_eq(n_closed, 0);
	ck_assert((rows == NULL) == (e != NULL));
	n_listed++;
	listing = rows;
	n_rows = n;
	if (e != NULL)
		failure = *e;
	if (closes_at_once)
		nbdclient_event_list_close(list, on_closed, &base);
	(void)event_base_loopbreak(base);
}

/* Until nothing is left on the base, or a callback breaks it. */
static void
run(void)
{
	ck_assert_int_ge(event_base_dispatch(base), 0);
}

static void
close_list(void)
{
	nbdclient_event_list_close(list, on_closed, &base);
	ck_assert_int_eq(n_closed, 0);
	while (n_closed == 0)
		run();
	/* And nothing more comes. */
	run();
	ck_assert_int_eq(n_listed, 1);
	ck_assert_int_eq(n_closed, 1);
}

static void
start(int code)
{
	ck_assert_msg(code == 0, "%s", err.text);
	ck_assert_int_eq(n_listed, 0);
	nbdclient_channel_free(channel);
	channel = NULL;
}

static void
list_exports(void)
{
	start(nbdclient_event_list(base, channel, on_listed, &list, &list,
	    &err));
}

static void
start_command(const char *const argv[])
{
	ck_assert_msg(nbdclient_connect_command(argv, NULL, &channel, &err) ==
	    0, "%s", err.text);
}

static void
start_fake(void (*serve)(int fd), const struct nbdclient_options *options)
{
	ck_assert_msg(nbdclient_connect_fd(fake_start(serve), options,
	    &channel, &err) == 0, "%s", err.text);
}

START_TEST(the_exports_of_a_server_are_listed_once)
{
	start_command(nbdkit);
	list_exports();
	run();
	ck_assert_int_eq(n_listed, 1);
	ck_assert_msg(n_rows == 1, "%s", failure.text);
	ck_assert_str_eq(listing[0].name, "");
	close_list();
}
END_TEST

START_TEST(the_contexts_of_an_export_are_listed_once)
{
	static const char *const query = "base:";

	start_command(nbdkit);
	start(nbdclient_event_list_contexts(base, channel, "x", &query, 1,
	    on_listed, &list, &list, &err));
	run();
	ck_assert_int_eq(n_listed, 1);
	ck_assert_msg(n_rows == 1, "%s", failure.text);
	ck_assert_str_eq(listing[0].name, "base:allocation");
	close_list();
}
END_TEST

START_TEST(a_completion_may_close)
{
	closes_at_once = true;
	start_command(nbdkit);
	list_exports();
	while (n_closed == 0)
		run();
	ck_assert_int_eq(n_listed, 1);
	ck_assert_uint_eq(n_rows, 1);
}
END_TEST

static void
serve_policy(int fd)
{
	if (fake_greet(fd))
		(void)fake_put_reply(fd, fake_get_option(fd),
		    NBD_REP_ERR_POLICY, "not you", 7);
	fake_wait_for_eof(fd);
}

START_TEST(a_refusal_is_told_as_the_blocking_call_tells_it)
{
	start_fake(serve_policy, NULL);
	list_exports();
	run();
	ck_assert_int_eq(failure.code, NBDCLIENT_POLICY);
	ck_assert_ptr_nonnull(strstr(failure.text, "cannot list the exports"));
	ck_assert_ptr_nonnull(strstr(failure.text, "not you"));
	close_list();
	fake_join();
}
END_TEST

static void
serve_list_and_leave(int fd)
{
	static const char row[] = "\0\0\0\1a";

	if (!fake_greet(fd) || fake_get_option(fd) != NBD_OPT_LIST)
		return;
	(void)fake_put_reply(fd, NBD_OPT_LIST, NBD_REP_SERVER, row, 5);
	(void)fake_put_reply(fd, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0);
}

START_TEST(a_server_that_leaves_after_its_answer_has_answered)
{
	start_fake(serve_list_and_leave, NULL);
	list_exports();
	run();
	ck_assert_msg(n_rows == 1, "%s", failure.text);
	ck_assert_str_eq(listing[0].name, "a");
	fake_join();
	/* What there is to be heard of it is heard. */
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(n_listed, 1);
	close_list();
}
END_TEST

START_TEST(closing_before_the_answer_is_told_and_disconnects)
{
	start_fake(fake_serve_greeting_only, NULL);
	list_exports();
	if (_i == 1)
		(void)event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(n_listed, 0);
	close_list();
	ck_assert_int_eq(failure.code, NBDCLIENT_DISCONNECTED);
	ck_assert_int_eq(failure.errnum, ECANCELED);
	ck_assert_ptr_nonnull(strstr(failure.text, "closed before"));
	fake_join();
}
END_TEST

START_TEST(a_silent_server_has_the_deadline)
{
	static const struct nbdclient_options options = {
		.option_timeout_ms = 200,
	};

	start_fake(fake_serve_nothing, &options);
	list_exports();
	run();
	ck_assert_int_eq(failure.code, NBDCLIENT_TIMED_OUT);
	close_list();
	fake_join();
}
END_TEST

START_TEST(a_server_that_ends_at_once_is_told_with_its_status)
{
	static const char *const argv[] = { "sh", "-c", "exit 3", NULL };

	start_command(argv);
	list_exports();
	run();
	ck_assert_int_eq(failure.code, NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(failure.text, "cannot list the exports: command 'sh' "
	    "exited with status 3");
	close_list();
}
END_TEST

START_TEST(what_cannot_be_asked_is_told_at_once)
{
	const char *queries[17];

	for (int i = 0; i < 17; i++)
		queries[i] = "x:";
	ck_assert_int_eq(nbdclient_connect("nbd+unix:///?socket=/nonexistent",
	    NULL, &channel, &err), 0);
	ck_assert_int_eq(nbdclient_event_list_contexts(base, channel, NULL,
	    queries, 17, on_listed, &list, &list, &err), NBDCLIENT_INVALID);
	ck_assert_int_eq(nbdclient_event_list_contexts(base, channel, NULL,
	    queries, 2, on_listed, &list, &list, &err), NBDCLIENT_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "twice"));
	ck_assert_ptr_null(list);
	run();
	ck_assert_int_eq(n_listed, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/event-list");
	TCase *tc = tcase_create("event-list");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_exports_of_a_server_are_listed_once);
	tcase_add_test(tc, the_contexts_of_an_export_are_listed_once);
	tcase_add_test(tc, a_completion_may_close);
	tcase_add_test(tc, a_refusal_is_told_as_the_blocking_call_tells_it);
	tcase_add_test(tc, a_server_that_leaves_after_its_answer_has_answered);
	tcase_add_loop_test(tc,
	    closing_before_the_answer_is_told_and_disconnects, 0, 2);
	tcase_add_test(tc, a_silent_server_has_the_deadline);
	tcase_add_test(tc, a_server_that_ends_at_once_is_told_with_its_status);
	tcase_add_test(tc, what_cannot_be_asked_is_told_at_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
