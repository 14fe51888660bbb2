/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "net/pipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static struct net_pipe p;
static int from[2];		/* we write to 0, the pipe receives from 1 */
static int to[2];		/* the pipe sends to 0, we read from 1 */
static char data[65536];
static char got[65536];

static void
setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    from), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    to), 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7 + i / 256);
	ck_assert_int_eq(net_pipe_open(&p, sizeof data), 0);
}

static void
teardown(void)
{
	net_pipe_close(&p);
	for (int i = 0; i < 2; i++) {
		(void)close(from[i]);
		(void)close(to[i]);
	}
}

START_TEST(bytes_go_from_one_socket_to_another)
{
	ck_assert(net_pipe_suits(from[1]));
	ck_assert_int_eq(send(from[0], data, sizeof data, 0), sizeof data);
	while (p.n_bytes < sizeof data)
		ck_assert_int_gt(net_pipe_receive(&p, from[1],
		    sizeof data - p.n_bytes), 0);
	while (p.n_bytes > 0)
		ck_assert_int_gt(net_pipe_send(&p, to[0], p.n_bytes), 0);
	ck_assert_int_eq(recv(to[1], got, sizeof got, MSG_WAITALL),
	    sizeof got);
	ck_assert_mem_eq(got, data, sizeof data);
}
END_TEST

START_TEST(not_more_than_asked_for_is_taken)
{
	ck_assert_int_eq(send(from[0], data, 1000, 0), 1000);
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 600), 600);
	ck_assert_int_eq(recv(from[1], got, sizeof got, 0), 400);
	ck_assert_mem_eq(got, data + 600, 400);
}
END_TEST

START_TEST(an_empty_socket_and_an_ended_one_are_told_apart)
{
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 10), -EAGAIN);
	(void)shutdown(from[0], SHUT_WR);
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 10), 0);
}
END_TEST

/* Pieces of a byte each: the pipe is full of few bytes. */
START_TEST(a_full_pipe_says_so_and_can_be_drained)
{
	ssize_t n = 0;
	size_t total = 0;

	while (n >= 0 && total < sizeof data) {
		ck_assert_int_eq(send(from[0], data + total, 1, 0), 1);
		n = net_pipe_receive(&p, from[1], 10);
		if (n > 0)
			total += (size_t)n;
	}
	ck_assert_int_eq(n, -ENOBUFS);
	ck_assert_uint_eq(p.n_bytes, total);
	ck_assert_int_eq(net_pipe_drain(&p, got), 0);
	ck_assert_uint_eq(p.n_bytes, 0);
	ck_assert_mem_eq(got, data, total);
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 10), 1);
}
END_TEST

/* Nobody would hear of it otherwise: the socket stays readable. */
START_TEST(the_end_is_heard_behind_a_full_pipe)
{
	ssize_t n = 0;

	/* The server has left what we said unread. */
	if (_i == 1)
		ck_assert_int_eq(send(from[1], "x", 1, 0), 1);
	while (n >= 0) {
		ck_assert_int_eq(send(from[0], data, 1, 0), 1);
		n = net_pipe_receive(&p, from[1], 10);
	}
	ck_assert_int_eq(n, -ENOBUFS);
	ck_assert_int_eq(recv(from[1], got, sizeof got, 0), 1);
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 10), -EAGAIN);
	if (_i == 0)
		(void)shutdown(from[0], SHUT_WR);
	else
		(void)close(from[0]);
	ck_assert_int_eq(net_pipe_receive(&p, from[1], 10),
	    _i == 0 ? 0 : -ECONNRESET);
}
END_TEST

START_TEST(a_full_socket_says_so)
{
	ssize_t n = 0;

	while (n >= 0) {
		ck_assert_int_eq(send(from[0], data, sizeof data, 0),
		    sizeof data);
		while (p.n_bytes < sizeof data)
			ck_assert_int_gt(net_pipe_receive(&p, from[1],
			    sizeof data - p.n_bytes), 0);
		while (n >= 0 && p.n_bytes > 0)
			n = net_pipe_send(&p, to[0], p.n_bytes);
	}
	ck_assert_int_eq(n, -EAGAIN);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pipe");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bytes_go_from_one_socket_to_another);
	tcase_add_test(tc, not_more_than_asked_for_is_taken);
	tcase_add_test(tc, an_empty_socket_and_an_ended_one_are_told_apart);
	tcase_add_test(tc, a_full_pipe_says_so_and_can_be_drained);
	tcase_add_loop_test(tc, the_end_is_heard_behind_a_full_pipe, 0, 2);
	tcase_add_test(tc, a_full_socket_says_so);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
