/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole session with nbdkit, cut after each byte of either direction by a
 * proxy in between: no call hangs, no call succeeds wrongly.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client/nbdclient.h"
#include "fake-server.h"
#include "net/child.h"
#include "unit.h"

enum {
	FROM_CLIENT,
	FROM_SERVER,
	N_SIDES,
	LENGTH = 16,
	DISC_SIZE = 28,
	GRACE_MS = 10000,
	TIMEOUT_MS = 10000,
	MAX_S = 5,		/* for one session */
	ALL_MAX_S = 300,
};

static struct net_loop *loop;
static struct net_child *child;
static struct nbdclient_error err;

/* Where the proxy cuts, and what it has let through. */
static int cut_side;
static size_t cut_at;
static bool cut_resets;
static size_t n_passed[N_SIDES];

static void
reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static size_t
room_of(int side)
{
	return side == cut_side ? cut_at - n_passed[side] : 4096;
}

/* Pass on what came from this side.  False: that was all. */
static bool
forward(const int fds[N_SIDES], int side)
{
	char buf[4096];
	size_t room = room_of(side);
	ssize_t n;

	n = recv(fds[side], buf, room < sizeof buf ? room : sizeof buf, 0);
	if (n <= 0 || !fake_put(fds[!side], buf, (size_t)n)) {
		(void)shutdown(fds[!side], SHUT_WR);
		return false;
	}
	n_passed[side] += (size_t)n;
	return true;
}

/* Until both sides have ended, or the connection is reset. */
static void
proxy(const int fds[N_SIDES])
{
	struct pollfd polls[N_SIDES] = {
		{ .fd = fds[FROM_CLIENT], .events = POLLIN },
		{ .fd = fds[FROM_SERVER], .events = POLLIN },
	};

	while (polls[FROM_CLIENT].fd >= 0 || polls[FROM_SERVER].fd >= 0) {
		if (polls[cut_side].fd >= 0 && room_of(cut_side) == 0) {
			if (cut_resets)
				return;
			(void)shutdown(fds[!cut_side], SHUT_WR);
			polls[cut_side].fd = -1;
			continue;
		}
		(void)poll(polls, N_SIDES, -1);
		for (int i = 0; i < N_SIDES; i++) {
			if (polls[i].fd >= 0 && polls[i].revents != 0 &&
			    room_of(i) > 0 && !forward(fds, i))
				polls[i].fd = -1;
		}
	}
}

static void
serve(int client)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fds[N_SIDES] = { client, server };

	fake_wait_for_release();
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s",
	    net_child_socket(child));
	if (connect(server, (struct sockaddr *)&sun, sizeof sun) == 0)
		proxy(fds);
	if (cut_resets)
		reset(client);
	(void)close(server);
}

/* Write, flush, read it back.  True: all of it succeeded. */
static bool
use(struct nbdclient_disk *disk)
{
	static uint8_t n_sessions;
	uint8_t out[LENGTH];
	uint8_t in[LENGTH];
	struct iovec iov = { out, LENGTH };

	memset(out, ++n_sessions, sizeof out);
	memset(in, ~n_sessions, sizeof in);
	if (nbdclient_write(disk, 1, &iov, 1, &err) < 0 ||
	    nbdclient_flush(disk, &err) < 0)
		return false;
	iov.iov_base = in;
	if (nbdclient_read(disk, 1, &iov, 1, &err) < 0)
		return false;
	ck_assert_mem_eq(in, out, LENGTH);
	return true;
}

/* One session, cut so.  True: all of it succeeded. */
static bool
session(int side, size_t at, bool resets)
{
	const struct nbdclient_options options = {
		.connect_timeout_ms = TIMEOUT_MS,
		.io_timeout_ms = TIMEOUT_MS,
	};
	struct nbdclient_channel *channel;
	struct nbdclient_disk *disk = NULL;
	time_t start = time(NULL);
	bool is_whole = false;

	cut_side = side;
	cut_at = at;
	cut_resets = resets;
	n_passed[FROM_CLIENT] = n_passed[FROM_SERVER] = 0;
	memset(&err, 0, sizeof err);
	fake_set_up();
	ck_assert_int_eq(nbdclient_connect_fd(fake_start_tcp(serve), &options,
	    &channel, &err), 0);
	fake_release();
	if (nbdclient_negotiate(channel, NULL, &disk, &err) == 0)
		is_whole = use(disk);
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	fake_tear_down();
	ck_assert_msg(is_whole || err.text[0] != '\0', "no reason at %zu", at);
	ck_assert_int_ne(err.code, NBDCLIENT_TIMED_OUT);
	ck_assert_int_le(time(NULL) - start, MAX_S);
	return is_whole;
}

/* The last bytes from the client say goodbye: nobody waits for an answer. */
static void
cut_everywhere(int side, bool resets)
{
	size_t total;

	ck_assert(session(side, SIZE_MAX, false));
	total = n_passed[side];
	if (side == FROM_CLIENT)
		total -= DISC_SIZE;
	ck_assert_uint_gt(total, LENGTH);
	for (size_t at = 0; at < total; at++) {
		ck_assert_msg(!session(side, at, resets),
		    "success after %zu of %zu bytes", at, total);
	}
}

static void
on_child_exit(void *arg, const struct error *e)
{
	(void)arg;
	ck_abort_msg("%s", e->text);
}

static void
on_stopped(void *arg)
{
	(void)arg;
	net_loop_stop(loop);
}

static void
set_up(void)
{
	const char *argv[] = { "nbdkit", "--filter=blocksize-policy", "memory",
		"64K", "blocksize-minimum=1", "blocksize-preferred=4K",
		"blocksize-maximum=64K", NULL };
	struct error e;

	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_msg(net_child_start(loop, argv, on_child_exit, NULL, &child,
	    &e) == 0, "%s", e.text);
	/* It listens once a session with it has succeeded. */
	while (!session(FROM_CLIENT, SIZE_MAX, false))
		(void)usleep(10000);
}

static void
tear_down(void)
{
	net_child_stop(child, GRACE_MS, on_stopped, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
	net_loop_free(loop);
}

START_TEST(a_session_cut_after_any_byte_fails_in_time)
{
	cut_everywhere(_i % N_SIDES, _i >= N_SIDES);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cuts");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, ALL_MAX_S);
	tcase_add_loop_test(tcase, a_session_cut_after_any_byte_fails_in_time,
	    0, 2 * N_SIDES);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
