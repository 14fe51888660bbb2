/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face on channels of every kind, and when the server that
 * was started for one is ended.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "fake-server.h"
#include "unit.h"

static const char *const nbdkit[] = { "nbdkit", "memory", "1M", NULL };

static struct event_base *base;
static struct nbdclient_channel *channel;
static struct nbdclient_event_disk *disk;
static struct nbdclient_error err;
static struct nbdclient_error failure;
static int n_ready;
static int n_failed;
static int n_closed;
static int n_ticks;
static bool was_gone;		/* the server, when on_closed came */
static char tmp[64];

static void
set_up(void)
{
	(void)strcpy(tmp, "/tmp/nbdsync-event-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
	(void)setenv("TMPDIR", tmp, 1);
	fake_set_up();
	base = event_base_new();
	channel = NULL;
	disk = NULL;
	n_ready = n_failed = n_closed = n_ticks = 0;
	was_gone = false;
}

/* No child, running or a zombie. */
static bool
is_gone(void)
{
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static void
tear_down(void)
{
	ck_assert_msg(is_gone(), "a server is left");
	ck_assert_int_eq(rmdir(tmp), 0);
	event_base_free(base);
	fake_tear_down();
}

static void
run(void)
{
	ck_assert_int_ge(event_base_dispatch(base), 0);
}

static void
on_ready(void *arg)
{
	ck_assert_ptr_eq(arg, &disk);
	n_ready++;
	(void)event_base_loopbreak(base);
}

static void
on_failed(void *arg, const struct nbdclient_error *e)
{
	ck_assert_ptr_eq(arg, &disk);
	n_failed++;
	failure = *e;
	(void)event_base_loopbreak(base);
}

static const struct nbdclient_event_callbacks callbacks = {
	.on_ready = on_ready,
	.on_failed = on_failed,
};

static void
on_closed(void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	n_closed++;
	was_gone = is_gone();
	(void)event_base_loopbreak(base);
}

static struct nbdclient_event_disk *
negotiate(const char *export_name)
{
	struct nbdclient_event_disk *d = NULL;
	int before = n_ready + n_failed;
	int code = nbdclient_event_negotiate(base, channel, export_name,
	    &callbacks, &disk, &d, &err);

	ck_assert_msg(code == 0, "%s", err.text);
	ck_assert_int_eq(n_ready + n_failed, before);
	return d;
}

static void
start(const char *const argv[], const struct nbdclient_options *options)
{
	int code = nbdclient_connect_command(argv, options, &channel, &err);

	ck_assert_msg(code == 0, "%s", err.text);
}

/* And what is left on the base is nothing. */
static void
close_disk(struct nbdclient_event_disk *d)
{
	int before = n_closed;

	nbdclient_event_close(d, on_closed, &base);
	ck_assert_int_eq(n_closed, before);
	run();
	ck_assert_int_eq(n_closed, before + 1);
}

static void
on_done(void *arg, const struct nbdclient_error *e)
{
	ck_assert_msg(e == NULL, "%s", e->text);
	++*(int *)arg;
	(void)event_base_loopbreak(base);
}

static void
move_sector(struct nbdclient_event_disk *d, char *sector, bool write)
{
	struct iovec iov = { sector, 512 };
	int n_done = 0;

	if (write)
		ck_assert_int_eq(nbdclient_event_write(d, 7, &iov, 1, 0,
		    on_done, &n_done, &err), 0);
	else
		ck_assert_int_eq(nbdclient_event_read(d, 7, &iov, 1, 0,
		    on_done, &n_done, &err), 0);
	run();
	ck_assert_int_eq(n_done, 1);
}

START_TEST(a_disk_keeps_its_server_when_the_channel_is_gone)
{
	char sector[512];

	start(nbdkit, NULL);
	disk = negotiate(NULL);
	nbdclient_channel_free(channel);
	run();
	ck_assert_msg(n_ready == 1, "%s", failure.text);
	ck_assert(!is_gone());
	memset(sector, 'x', sizeof sector);
	move_sector(disk, sector, true);
	memset(sector, 0, sizeof sector);
	move_sector(disk, sector, false);
	ck_assert_int_eq(sector[511], 'x');
	close_disk(disk);
	ck_assert(was_gone);
	ck_assert_int_eq(n_failed, 0);
}
END_TEST

START_TEST(the_last_of_several_disks_ends_the_server)
{
	struct nbdclient_event_disk *other;
	char sector[512];

	start(nbdkit, NULL);
	disk = negotiate("a");
	other = negotiate("b");
	nbdclient_channel_free(channel);
	while (n_ready < 2 && n_failed == 0)
		run();
	ck_assert_msg(n_ready == 2, "%s", failure.text);
	memset(sector, 'y', sizeof sector);
	move_sector(disk, sector, true);
	close_disk(disk);
	ck_assert(!was_gone);
	move_sector(other, sector, false);
	ck_assert_int_eq(sector[0], 'y');
	close_disk(other);
	ck_assert(was_gone);
}
END_TEST

START_TEST(a_channel_that_is_kept_keeps_the_server)
{
	struct nbdclient_disk *blocking;

	start(nbdkit, NULL);
	disk = negotiate(NULL);
	run();
	ck_assert_int_eq(nbdclient_negotiate(channel, NULL, &blocking, &err),
	    0);
	close_disk(disk);
	ck_assert(!was_gone);
	nbdclient_channel_free(channel);
	ck_assert(!is_gone());
	nbdclient_disconnect(blocking);
	ck_assert(is_gone());
}
END_TEST

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	n_ticks++;
}

/* It takes its time to end: a group that gets SIGTERM, and waits. */
START_TEST(the_loop_goes_on_while_a_server_ends)
{
	static const char *const argv[] = { "sh", "-c",
		"trap 'sleep 1; exit 0' TERM; "
		"sh -c 'LISTEN_PID=$$ exec nbdkit --foreground memory 1M' & "
		"wait", NULL };
	const struct timeval tv = { .tv_usec = 10000 };
	struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	int before;

	start(argv, NULL);
	disk = negotiate(NULL);
	nbdclient_channel_free(channel);
	run();
	ck_assert_msg(n_ready == 1, "%s", failure.text);
	(void)event_add(tick, &tv);
	before = n_ticks;
	close_disk(disk);
	ck_assert(was_gone);
	ck_assert_int_ge(n_ticks - before, 20);
	event_free(tick);
}
END_TEST

START_TEST(a_server_that_ends_at_once_is_told_with_its_status)
{
	static const char *const argv[] = { "sh", "-c", "sleep 0.1; exit 3",
		NULL };

	start(argv, NULL);
	disk = negotiate("a");
	nbdclient_channel_free(channel);
	run();
	ck_assert_int_eq(n_failed, 1);
	ck_assert_int_eq(failure.code, NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(failure.text, "cannot open export 'a': command 'sh' "
	    "exited with status 3");
	close_disk(disk);
	ck_assert_int_eq(n_failed, 1);
}
END_TEST

/* It hangs up, and lives: then the connection's failure is what there is. */
START_TEST(a_server_that_hangs_up_and_lives_is_told_as_that)
{
	static const char *const argv[] = { "sh", "-c",
		"exec 3<&-; exec sleep 600", NULL };

	start(argv, NULL);
	disk = negotiate("a");
	nbdclient_channel_free(channel);
	if (_i == 0) {
		run();
		ck_assert_int_eq(n_failed, 1);
		ck_assert_ptr_eq(strstr(failure.text, "command 'sh': cannot "),
		    failure.text);
	}
	/* The second time while it is still looked at. */
	close_disk(disk);
	ck_assert(was_gone);
	ck_assert_int_eq(n_failed, _i == 0 ? 1 : 0);
}
END_TEST

START_TEST(a_server_that_never_answers_has_the_deadline)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	static const struct nbdclient_options options = {
		.connect_timeout_ms = 200,
	};

	start(argv, &options);
	disk = negotiate(NULL);
	nbdclient_channel_free(channel);
	run();
	ck_assert_int_eq(failure.code, NBDCLIENT_TIMED_OUT);
	close_disk(disk);
	ck_assert(was_gone);
}
END_TEST

START_TEST(contexts_and_tls_are_those_of_the_options)
{
	static const char *const contexts[] = { "x:none", "base:allocation" };
	struct nbdclient_tls tls = { .psk_user = "alice" };
	const struct nbdclient_options options = {
		.contexts = contexts,
		.n_contexts = 2,
		.tls = &tls,
	};
	char psk_arg[100];
	const char *argv[] = { "nbdkit", "--tls=require", psk_arg, "memory",
		"1M", NULL };
	char psk_file[80];
	struct nbdclient_info info;
	FILE *file;

	(void)snprintf(psk_file, sizeof psk_file, "%s/keys.psk", tmp);
	(void)snprintf(psk_arg, sizeof psk_arg, "--tls-psk=%s", psk_file);
	file = fopen(psk_file, "we");
	(void)fprintf(file, "alice:00112233445566778899aabbccddeeff\n");
	(void)fclose(file);
	tls.psk_file = psk_file;
	start(argv, &options);
	disk = negotiate(NULL);
	nbdclient_channel_free(channel);
	run();
	ck_assert_msg(n_ready == 1, "%s", failure.text);
	nbdclient_event_get_info(disk, &info);
	ck_assert_ptr_nonnull(info.tls_version);
	ck_assert_uint_eq(info.n_contexts, 2);
	ck_assert_ptr_null(info.contexts[0]);
	ck_assert_str_eq(info.contexts[1], "base:allocation");
	close_disk(disk);
	(void)unlink(psk_file);
}
END_TEST

START_TEST(a_descriptor_serves_one_disk)
{
	struct nbdclient_event_disk *other = NULL;

	ck_assert_int_eq(nbdclient_connect_fd(fake_start(fake_serve_well),
	    NULL, &channel, &err), 0);
	disk = negotiate("d");
	ck_assert_int_eq(nbdclient_event_negotiate(base, channel, "d",
	    &callbacks, &disk, &other, &err), NBDCLIENT_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "has been used"));
	ck_assert_ptr_null(other);
	nbdclient_channel_free(channel);
	run();
	ck_assert_msg(n_ready == 1, "%s", failure.text);
	close_disk(disk);
	fake_join();
	ck_assert_str_eq(fake_notes, "D");
}
END_TEST

START_TEST(a_server_on_stdio_serves_one_disk)
{
	static const char *const argv[] = { "nbdkit", "-s", "memory", "1M",
		NULL };
	char sector[512] = "x";

	ck_assert_int_eq(nbdclient_connect_command_stdio(argv, NULL, &channel,
	    &err), 0);
	disk = negotiate(NULL);
	nbdclient_channel_free(channel);
	run();
	ck_assert_msg(n_ready == 1, "%s", failure.text);
	move_sector(disk, sector, false);
	ck_assert_int_eq(sector[0], 0);
	close_disk(disk);
	ck_assert(was_gone);
}
END_TEST

START_TEST(settings_that_cannot_be_used_are_told_at_once)
{
	static const struct nbdclient_tls tls = { .ca_file = "/nonexistent" };
	static const struct nbdclient_options options = { .tls = &tls };

	start(nbdkit, &options);
	ck_assert_int_eq(nbdclient_event_negotiate(base, channel, NULL,
	    &callbacks, &disk, &disk, &err), NBDCLIENT_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot read the CA"));
	ck_assert_ptr_null(disk);
	nbdclient_channel_free(channel);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/event-channel");
	TCase *tc = tcase_create("event-channel");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_disk_keeps_its_server_when_the_channel_is_gone);
	tcase_add_test(tc, the_last_of_several_disks_ends_the_server);
	tcase_add_test(tc, a_channel_that_is_kept_keeps_the_server);
	tcase_add_test(tc, the_loop_goes_on_while_a_server_ends);
	tcase_add_test(tc, a_server_that_ends_at_once_is_told_with_its_status);
	tcase_add_loop_test(tc,
	    a_server_that_hangs_up_and_lives_is_told_as_that, 0, 2);
	tcase_add_test(tc, a_server_that_never_answers_has_the_deadline);
	tcase_add_test(tc, contexts_and_tls_are_those_of_the_options);
	tcase_add_test(tc, a_descriptor_serves_one_disk);
	tcase_add_test(tc, a_server_on_stdio_serves_one_disk);
	tcase_add_test(tc, settings_that_cannot_be_used_are_told_at_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
