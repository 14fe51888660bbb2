/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event-driven face of the installed library, on a base of the test's
 * own, against nbdkit.
 */
#include "client/nbdclient-event.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/bytes.h"
#include "nbdkit.h"
#include "unit.h"

enum {
	MiB = 1024 * 1024,
	N_READS = 300,
};

static struct event_base *base;
static struct nbdclient_event_disk *disk;
static struct nbdclient_error err;
static struct nbdclient_error failure;
static bool in_call;
static int n_ready;
static int n_failed;
static int n_closed;
static int n_done;
static int n_errors;
static int n_extents;
static int last_code;
static bool close_when_done;

static void
set_up(void)
{
	base = event_base_new();
	nbdkit_set_up();
	disk = NULL;
	in_call = close_when_done = false;
	n_ready = n_failed = n_closed = n_done = n_errors = n_extents = 0;
}

static void
on_closed(void *arg)
{
	ck_assert_ptr_eq(arg, &base);
	n_closed++;
}

/* Nothing is left on the base when all has been closed. */
static void
run(void)
{
	ck_assert_int_ge(event_base_dispatch(base), 0);
}

static void
close_disk(void)
{
	in_call = true;
	nbdclient_event_close(disk, on_closed, &base);
	in_call = false;
	disk = NULL;
}

static void
tear_down(void)
{
	if (disk != NULL)
		close_disk();
	run();
	nbdkit_tear_down();
	event_base_free(base);
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
open_disk(const char *uri)
{
	int code = nbdclient_event_open(base, uri, NULL, &callbacks, &disk,
	    &disk, &err);

	ck_assert_msg(code == 0, "%s", err.text);
	ck_assert_int_eq(n_ready + n_failed, 0);
	run();
}

static void
open_ready(void)
{
	open_disk(nbdkit_uri);
	ck_assert_msg(n_ready == 1, "%s", failure.text);
}

static void
on_done(void *arg, const struct nbdclient_error *e)
{
	int *n_left = arg;

	ck_assert(!in_call);
	ck_assert_int_eq(n_closed, 0);
	n_done++;
	if (e != NULL) {
		n_errors++;
		last_code = e->code;
		failure = *e;
	}
	if (close_when_done && disk != NULL)
		close_disk();
	if (--*n_left == 0)
		(void)event_base_loopbreak(base);
}

static void
on_extent(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags)
{
	(void)arg;
	ck_assert_str_eq(context, "base:allocation");
	(void)offset;
	(void)length;
	(void)flags;
	n_extents++;
	if (close_when_done && disk != NULL)
		close_disk();
}

static void
start(int code)
{
	ck_assert_msg(code == 0, "%s", err.text);
	ck_assert_int_eq(n_done, 0);
}

START_TEST(many_reads_at_once_all_arrive)
{
	unsigned char *buf = malloc(N_READS * 4096);
	int n_left = N_READS;
	int i;

	nbdkit_start("pattern", "64M", NULL);
	open_ready();
	for (i = 0; i < N_READS; i++) {
		struct iovec iov = { buf + i * 4096, 4096 };

		start(nbdclient_event_read(disk, (uint64_t)i * 8, &iov, 1, 0,
		    on_done, &n_left, &err));
		iov.iov_base = NULL;
	}
	run();
	ck_assert_int_eq(n_done, N_READS);
	ck_assert_int_eq(n_errors, 0);
	for (i = 0; i < N_READS * 4096; i += 8)
		ck_assert_uint_eq(get_be64(buf + i), (uint64_t)i);
	close_disk();
	run();
	ck_assert_int_eq(n_closed, 1);
	ck_assert_int_eq(n_failed, 0);
	free(buf);
}
END_TEST

START_TEST(what_was_written_long_is_read_back)
{
	unsigned char *out = malloc(5 * MiB);
	unsigned char *in = malloc(5 * MiB);
	struct iovec iov[2] = { { out, 512 }, { out + 512, 5 * MiB - 512 } };
	int n_left = 1;

	nbdkit_start("memory", "8M", NULL);
	open_ready();
	memset(out, 'x', 5 * MiB);
	start(nbdclient_event_write(disk, 1, iov, 2, NBDCLIENT_FUA, on_done,
	    &n_left, &err));
	run();
	n_left = 4;
	n_done = 0;
	start(nbdclient_event_write_zeroes(disk, 2, 1, 0, on_done, &n_left,
	    &err));
	start(nbdclient_event_trim(disk, 12000, 8, 0, on_done, &n_left,
	    &err));
	start(nbdclient_event_cache(disk, 0, 8, on_done, &n_left, &err));
	start(nbdclient_event_flush(disk, on_done, &n_left, &err));
	run();
	n_left = 1;
	n_done = 0;
	iov[0].iov_base = in;
	iov[0].iov_len = 5 * MiB;
	start(nbdclient_event_read(disk, 1, iov, 1, 0, on_done, &n_left,
	    &err));
	run();
	ck_assert_int_eq(n_errors, 0);
	memset(out + 512, 0, 512);
	ck_assert_mem_eq(in, out, 5 * MiB);
	free(in);
	free(out);
}
END_TEST

START_TEST(block_status_is_told_before_the_end)
{
	struct nbdclient_info info;
	int n_left = 1;

	nbdkit_start("data", "size=1M", "data=@4096 1*4096", NULL);
	open_ready();
	nbdclient_event_get_info(disk, &info);
	ck_assert_uint_eq(info.size, MiB);
	start(nbdclient_event_block_status(disk, 0, info.n_sectors, NULL,
	    on_extent, on_done, &n_left, &err));
	run();
	ck_assert_int_eq(n_extents, 2);
	ck_assert_int_eq(n_errors, 0);
}
END_TEST

START_TEST(what_is_refused_has_no_end)
{
	struct iovec iov = { &iov, 1 };
	int n_left = 1;

	nbdkit_start("-r", "memory", "1M", NULL);
	open_ready();
	ck_assert_int_eq(nbdclient_event_read(disk, 0, &iov, 1, 0, on_done,
	    &n_left, &err), NBDCLIENT_INVALID);
	ck_assert_int_eq(nbdclient_event_trim(disk, 0, 1, 0, on_done, &n_left,
	    &err), NBDCLIENT_READ_ONLY);
	ck_assert_int_eq(nbdclient_event_block_status(disk, 0, 1, "no:such",
	    on_extent, on_done, &n_left, &err), NBDCLIENT_UNIMPLEMENTED);
	/* Nothing to do is done, later. */
	start(nbdclient_event_cache(disk, 0, 0, on_done, &n_left, &err));
	run();
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(n_errors, 0);
}
END_TEST

START_TEST(an_error_is_its_request_s_alone)
{
	unsigned char buf[512];
	struct iovec iov = { buf, sizeof buf };
	int n_left = 2;

	nbdkit_start("--filter=error", "memory", "1M", "error-pread=EIO",
	    "error-pread-rate=100%", NULL);
	open_ready();
	start(nbdclient_event_read(disk, 1, &iov, 1, 0, on_done, &n_left,
	    &err));
	start(nbdclient_event_flush(disk, on_done, &n_left, &err));
	run();
	ck_assert_int_eq(n_done, 2);
	ck_assert_int_eq(n_errors, 1);
	ck_assert_int_eq(last_code, NBDCLIENT_IO);
	ck_assert_int_eq(failure.errnum, EIO);
	ck_assert_ptr_nonnull(strstr(failure.text, "512 bytes at offset 512"));
	ck_assert_int_eq(n_failed, 0);
}
END_TEST

START_TEST(closing_ends_what_is_under_way)
{
	static unsigned char buf[N_READS * 512];
	int n_left = N_READS + 1;
	int i;

	nbdkit_start("--filter=delay", "memory", "1M", "rdelay=10", NULL);
	open_ready();
	for (i = 0; i < N_READS; i++) {
		struct iovec iov = { buf + i * 512, 512 };

		start(nbdclient_event_read(disk, 0, &iov, 1, 0, on_done,
		    &n_left, &err));
	}
	close_disk();
	ck_assert_int_eq(n_done, 0);
	run();
	ck_assert_int_eq(n_done, N_READS);
	ck_assert_int_eq(n_errors, N_READS);
	ck_assert_int_eq(last_code, NBDCLIENT_DISCONNECTED);
	ck_assert_int_eq(n_closed, 1);
}
END_TEST

/* The first end, or the first extent, closes; the others are told once. */
START_TEST(closing_from_a_callback_is_fine)
{
	static unsigned char buf[N_READS * 512];
	int n_left = N_READS + 2;
	int i;

	nbdkit_start("data", "size=1M", "data=@4096 1*4096", NULL);
	open_ready();
	close_when_done = true;
	if (_i == 1)
		start(nbdclient_event_block_status(disk, 0, 2048, NULL,
		    on_extent, on_done, &n_left, &err));
	for (i = 0; i < N_READS; i++) {
		struct iovec iov = { buf + i * 512, 512 };

		start(nbdclient_event_read(disk, 0, &iov, 1, 0, on_done,
		    &n_left, &err));
	}
	run();
	ck_assert_int_eq(n_done, N_READS + _i);
	ck_assert_int_gt(n_errors, 0);
	ck_assert_int_le(n_extents, 1);
	ck_assert_int_eq(n_closed, 1);
}
END_TEST

START_TEST(a_lost_server_fails_requests_first)
{
	unsigned char buf[512];
	struct iovec iov = { buf, sizeof buf };
	int n_left = 3;

	nbdkit_start("memory", "1M", NULL);
	open_ready();
	nbdkit_stop();
	start(nbdclient_event_read(disk, 1, &iov, 1, 0, on_done, &n_left,
	    &err));
	start(nbdclient_event_flush(disk, on_done, &n_left, &err));
	run();
	ck_assert_int_eq(n_done, 2);
	ck_assert_int_eq(n_errors, 2);
	ck_assert_int_eq(n_failed, 1);
	ck_assert_int_eq(failure.code, NBDCLIENT_DISCONNECTED);
	ck_assert_int_eq(nbdclient_event_flush(disk, on_done, &n_left, &err),
	    NBDCLIENT_DISCONNECTED);
}
END_TEST

START_TEST(nobody_listening_is_told_once)
{
	int n_left = 1;

	open_disk("nbd+unix:///x?socket=/nonexistent/s");
	ck_assert_int_eq(n_ready, 0);
	ck_assert_int_eq(n_failed, 1);
	ck_assert_int_eq(failure.code, NBDCLIENT_CANNOT_CONNECT);
	ck_assert_ptr_nonnull(strstr(failure.text, "/nonexistent/s"));
	ck_assert_int_eq(nbdclient_event_flush(disk, on_done, &n_left, &err),
	    NBDCLIENT_DISCONNECTED);
	close_disk();
	ck_assert_int_eq(nbdclient_event_open(base, "http://x/", NULL,
	    &callbacks, NULL, &disk, &err), NBDCLIENT_INVALID);
}
END_TEST

START_TEST(closing_while_connecting_is_fine)
{
	nbdkit_start("memory", "1M", NULL);
	ck_assert_int_eq(nbdclient_event_open(base, nbdkit_uri, NULL,
	    &callbacks, &disk, &disk, &err), 0);
	close_disk();
	run();
	ck_assert_int_eq(n_closed, 1);
	ck_assert_int_eq(n_ready + n_failed, 0);
}
END_TEST

static void *
read_much(void *arg)
{
	struct nbdclient_channel *channel;
	struct nbdclient_disk *own;
	unsigned char buf[65536];
	struct iovec iov = { buf, sizeof buf };
	intptr_t n = 0;

	(void)arg;
	if (nbdclient_connect(nbdkit_uri, NULL, &channel, NULL) != 0)
		return NULL;
	if (nbdclient_negotiate(channel, NULL, &own, NULL) == 0) {
		while (n < 100 && nbdclient_read(own, (uint64_t)n * 128, &iov,
		    1, NULL) == 0)
			n++;
		nbdclient_disconnect(own);
	}
	nbdclient_channel_free(channel);
	return (void *)n;
}

/* What a thread sanitizer is to look at. */
START_TEST(handles_in_different_threads_do_not_meet)
{
	pthread_t threads[4];
	void *n;
	int i;

	nbdkit_start("pattern", "64M", NULL);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_much,
		    NULL), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &n), 0);
		ck_assert_int_eq((intptr_t)n, 100);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/event-disk");
	TCase *tc = tcase_create("event-disk");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, many_reads_at_once_all_arrive);
	tcase_add_test(tc, what_was_written_long_is_read_back);
	tcase_add_test(tc, block_status_is_told_before_the_end);
	tcase_add_test(tc, what_is_refused_has_no_end);
	tcase_add_test(tc, an_error_is_its_request_s_alone);
	tcase_add_test(tc, closing_ends_what_is_under_way);
	tcase_add_loop_test(tc, closing_from_a_callback_is_fine, 0, 2);
	tcase_add_test(tc, a_lost_server_fails_requests_first);
	tcase_add_test(tc, nobody_listening_is_told_once);
	tcase_add_test(tc, closing_while_connecting_is_fine);
	tcase_add_test(tc, handles_in_different_threads_do_not_meet);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
