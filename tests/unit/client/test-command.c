/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers that are started for a channel, and when they are ended.
 */
#include "client/nbdclient.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static const char *const nbdkit[] = { "nbdkit", "memory", "1M", NULL };

static struct nbdclient_channel *channel;
static struct nbdclient_error err;
static char tmp[64];

static void
set_up(void)
{
	(void)strcpy(tmp, "/tmp/nbdsync-command-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
	(void)setenv("TMPDIR", tmp, 1);
	channel = NULL;
	memset(&err, 0, sizeof err);
}

/* No child, running or a zombie, and nothing of its files. */
static void
expect_no_server(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_eq(rmdir(tmp), 0);
}

static void
expect_server(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
}

static void
start(const char *const argv[])
{
	int code = nbdclient_connect_command(argv, NULL, &channel, &err);

	ck_assert_msg(code == 0, "%s", err.text);
}

static void
start_stdio(const char *const argv[])
{
	int code = nbdclient_connect_command_stdio(argv, NULL, &channel,
	    &err);

	ck_assert_msg(code == 0, "%s", err.text);
}

static struct nbdclient_disk *
negotiate(void)
{
	struct nbdclient_disk *disk = NULL;

	ck_assert_msg(nbdclient_negotiate(channel, NULL, &disk, &err) == 0,
	    "%s", err.text);
	return disk;
}

static void
write_byte(struct nbdclient_disk *disk, char byte)
{
	char sector[512];
	struct iovec iov = { sector, sizeof sector };

	memset(sector, byte, sizeof sector);
	ck_assert_msg(nbdclient_write(disk, 7, &iov, 1, &err) == 0, "%s",
	    err.text);
}

static char
read_byte(struct nbdclient_disk *disk)
{
	char sector[512];
	struct iovec iov = { sector, sizeof sector };

	ck_assert_msg(nbdclient_read(disk, 7, &iov, 1, &err) == 0, "%s",
	    err.text);
	return sector[100];
}

START_TEST(a_command_is_listed_and_negotiated_many_times)
{
	struct nbdclient_listing *listing = NULL;
	struct nbdclient_disk *a;
	struct nbdclient_disk *b;
	size_t n = 0;

	start(nbdkit);
	ck_assert_msg(nbdclient_list(channel, &listing, &n, &err) == 0, "%s",
	    err.text);
	ck_assert_uint_eq(n, 1);
	nbdclient_listing_free(listing, n);
	a = negotiate();
	b = negotiate();
	/* One server, not two. */
	write_byte(a, 'x');
	ck_assert_int_eq(read_byte(b), 'x');
	nbdclient_disconnect(a);
	nbdclient_disconnect(b);
	expect_server();
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

START_TEST(a_disk_keeps_the_server_when_the_channel_is_gone)
{
	struct nbdclient_disk *disk;

	start(nbdkit);
	disk = negotiate();
	nbdclient_channel_free(channel);
	expect_server();
	write_byte(disk, 'y');
	ck_assert_int_eq(read_byte(disk), 'y');
	nbdclient_disconnect(disk);
	expect_no_server();
}
END_TEST

static void *
disconnect(void *arg)
{
	nbdclient_disconnect(arg);
	return NULL;
}

START_TEST(the_last_to_let_go_may_be_on_another_thread)
{
	struct nbdclient_disk *disk;
	pthread_t thread;

	start(nbdkit);
	disk = negotiate();
	ck_assert_int_eq(pthread_create(&thread, NULL, disconnect, disk), 0);
	nbdclient_channel_free(channel);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	expect_no_server();
}
END_TEST

START_TEST(a_channel_that_is_not_used_ends_its_server)
{
	start(nbdkit);
	expect_server();
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

START_TEST(a_command_that_does_not_exist_is_told_at_once)
{
	static const char *const argv[] = { "no-such\ncommand", NULL };

	ck_assert_int_eq(nbdclient_connect_command(argv, NULL, &channel, &err),
	    NBDCLIENT_CANNOT_CONNECT);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_str_eq(err.text, "cannot run command 'no-such\\x0Acommand':"
	    " No such file or directory");
	ck_assert_ptr_null(channel);
	expect_no_server();
}
END_TEST

START_TEST(no_command_is_invalid)
{
	static const char *const argv[] = { NULL };

	ck_assert_int_eq(nbdclient_connect_command(argv, NULL, &channel, &err),
	    NBDCLIENT_INVALID);
	ck_assert_str_eq(err.text, "the command is empty");
	expect_no_server();
}
END_TEST

/* The call may come before the command's end or, the second, after it. */
START_TEST(a_command_that_ends_is_told_with_its_status)
{
	static const char *const argv[] = { "sh", "-c", "sleep 0.2; exit 3",
		NULL };
	struct nbdclient_disk *disk = NULL;
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;

	start(argv);
	ck_assert_int_eq(nbdclient_list(channel, &listing, &n, &err),
	    NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(err.text, "cannot list the exports: command 'sh' "
	    "exited with status 3");
	ck_assert_int_eq(nbdclient_negotiate(channel, "a", &disk, &err),
	    NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(err.text, "cannot open export 'a': command 'sh' "
	    "exited with status 3");
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

START_TEST(a_command_that_never_answers_has_the_deadline)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	static const struct nbdclient_options options = {
		.connect_timeout_ms = 200,
	};
	struct nbdclient_disk *disk = NULL;

	ck_assert_int_eq(nbdclient_connect_command(argv, &options, &channel,
	    &err), 0);
	ck_assert_int_eq(nbdclient_negotiate(channel, NULL, &disk, &err),
	    NBDCLIENT_TIMED_OUT);
	ck_assert_ptr_eq(strstr(err.text, "command 'sleep': cannot open "),
	    err.text);
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

/*
 * On standard input and output.
 */

static const char *const nbdkit_stdio[] = { "nbdkit", "-s", "memory", "1M",
	NULL };

START_TEST(a_server_on_stdio_serves_one_disk)
{
	struct nbdclient_disk *disk;
	struct nbdclient_disk *other = NULL;

	start_stdio(nbdkit_stdio);
	disk = negotiate();
	ck_assert_int_eq(nbdclient_negotiate(channel, NULL, &other, &err),
	    NBDCLIENT_INVALID);
	ck_assert_str_eq(err.text, "command 'nbdkit' has been used by an "
	    "earlier call");
	nbdclient_channel_free(channel);
	expect_server();
	write_byte(disk, 'z');
	ck_assert_int_eq(read_byte(disk), 'z');
	nbdclient_disconnect(disk);
	expect_no_server();
}
END_TEST

START_TEST(a_server_on_stdio_serves_one_list)
{
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;

	start_stdio(nbdkit_stdio);
	if (_i == 0) {
		ck_assert_msg(nbdclient_list(channel, &listing, &n, &err) ==
		    0, "%s", err.text);
		ck_assert_str_eq(listing[0].name, "");
	} else {
		ck_assert_msg(nbdclient_list_contexts(channel, NULL, NULL, 0,
		    &listing, &n, &err) == 0, "%s", err.text);
		ck_assert_str_eq(listing[0].name, "base:allocation");
	}
	ck_assert_uint_eq(n, 1);
	nbdclient_listing_free(listing, n);
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

START_TEST(a_server_on_stdio_that_is_not_used_is_ended)
{
	start_stdio(nbdkit_stdio);
	expect_server();
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

START_TEST(a_server_on_stdio_that_ends_is_told_with_its_status)
{
	static const char *const argv[] = { "sh", "-c", "sleep 0.1; exit 3",
		NULL };
	static const char *const none[] = { "/no/such/command", NULL };
	struct nbdclient_disk *disk = NULL;

	start_stdio(argv);
	ck_assert_int_eq(nbdclient_negotiate(channel, "a", &disk, &err),
	    NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(err.text, "cannot open export 'a': command 'sh' "
	    "exited with status 3");
	nbdclient_channel_free(channel);
	channel = NULL;
	ck_assert_int_eq(nbdclient_connect_command_stdio(none, NULL, &channel,
	    &err), NBDCLIENT_CANNOT_CONNECT);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_ptr_null(channel);
	expect_no_server();
}
END_TEST

/* What it says there is data, and read as such. */
START_TEST(what_is_printed_on_stdio_is_no_nbd)
{
	static const char *const argv[] = { "sh", "-c",
		"echo hello, this is a shell; sleep 600", NULL };
	struct nbdclient_disk *disk = NULL;

	start_stdio(argv);
	ck_assert_int_eq(nbdclient_negotiate(channel, NULL, &disk, &err),
	    NBDCLIENT_NOT_NBD);
	ck_assert_ptr_nonnull(strstr(err.text, "hello, this is a shell"));
	nbdclient_channel_free(channel);
	expect_no_server();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/command");
	TCase *tc = tcase_create("command");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, a_command_is_listed_and_negotiated_many_times);
	tcase_add_test(tc, a_disk_keeps_the_server_when_the_channel_is_gone);
	tcase_add_test(tc, the_last_to_let_go_may_be_on_another_thread);
	tcase_add_test(tc, a_channel_that_is_not_used_ends_its_server);
	tcase_add_test(tc, a_command_that_does_not_exist_is_told_at_once);
	tcase_add_test(tc, no_command_is_invalid);
	tcase_add_test(tc, a_command_that_ends_is_told_with_its_status);
	tcase_add_test(tc, a_command_that_never_answers_has_the_deadline);
	tcase_add_test(tc, a_server_on_stdio_serves_one_disk);
	tcase_add_loop_test(tc, a_server_on_stdio_serves_one_list, 0, 2);
	tcase_add_test(tc, a_server_on_stdio_that_is_not_used_is_ended);
	tcase_add_test(tc,
	    a_server_on_stdio_that_ends_is_told_with_its_status);
	tcase_add_test(tc, what_is_printed_on_stdio_is_no_nbd);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
