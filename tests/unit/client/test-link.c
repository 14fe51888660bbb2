/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocking face when its event loop cannot go on, as when a program has
 * closed descriptors that are not its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/nbdclient.h"
#include "fake-server.h"
#include "unit.h"

enum {
	MAX_FD = 256,
	SIZE = 4096,
};

static struct nbdclient_channel *channel;
static struct nbdclient_disk *disk;
static struct nbdclient_error err;

static void
set_up(void)
{
	fake_set_up();
	ck_assert_int_eq(nbdclient_connect_fd(
	    fake_start(fake_serve_handshake_only), NULL, &channel, &err), 0);
	ck_assert_int_eq(nbdclient_negotiate(channel, NULL, &disk, &err), 0);
}

static void
tear_down(void)
{
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	fake_tear_down();
}

/* What the loop waits with. */
static void
close_epoll(void)
{
	int n_closed = 0;

	for (int fd = 3; fd < MAX_FD; fd++) {
		char path[64];
		char name[64] = "";

		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, name, sizeof name - 1) > 0 &&
		    strcmp(name, "anon_inode:[eventpoll]") == 0) {
			(void)close(fd);
			n_closed++;
		}
	}
	ck_assert_int_eq(n_closed, 1);
}

START_TEST(a_loop_that_fails_fails_the_call_and_all_later_ones)
{
	char *buf = malloc(SIZE);
	struct iovec iov = { buf, SIZE };

	close_epoll();
	ck_assert_int_eq(nbdclient_read(disk, 0, &iov, 1, &err),
	    NBDCLIENT_DISCONNECTED);
	ck_assert_msg(strstr(err.text, "the event loop failed") != NULL,
	    "%s", err.text);
	/* It is ours again: nobody writes to it. */
	free(buf);
	ck_assert_int_eq(nbdclient_flush(disk, &err), NBDCLIENT_DISCONNECTED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/link");
	TCase *tc = tcase_create("link");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    a_loop_that_fails_fails_the_call_and_all_later_ones);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
