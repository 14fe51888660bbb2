/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection against servers that misbehave: each is a function on a
 * thread, with blocking calls, at the other end of a socket.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/conn.h"
#include "fake-server.h"
#include "unit.h"

enum {
	MANY = 64,
};

static struct net_loop *loop;
static struct conn *conn;
static struct error e;
static int n_ready;
static int n_completions;
static int n_failed;
static int n_closed;
static char trace[64];		/* r(eady), c(ompletions), f(ailed) */
static struct nbd_request reqs[MANY];
static int reaped_error[MANY];
static int n_reaped;
static int stop_at_reaped;
static void (*when_ready)(void);
static void (*when_completed)(struct nbd_request *req);
static bool close_in_callback;

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	fake_set_up();
	conn = NULL;
	n_ready = n_completions = n_failed = n_closed = n_reaped = 0;
	stop_at_reaped = 0;
	when_ready = NULL;
	when_completed = NULL;
	close_in_callback = false;
	memset(trace, 0, sizeof trace);
	memset(reqs, 0, sizeof reqs);
}

static void
tear_down(void)
{
	fake_tear_down();
	net_loop_free(loop);
}

static void
note(char c)
{
	size_t n = strlen(trace);

	if (n < sizeof trace - 1)
		trace[n] = c;
}

static void
on_closed(void *arg)
{
	(void)arg;
	n_closed++;
	net_loop_stop(loop);
}

static void
on_ready(void *arg)
{
	(void)arg;
	note('r');
	n_ready++;
	if (when_ready != NULL)
		when_ready();
	if (close_in_callback)
		conn_close(conn, on_closed, NULL);
	else if (when_ready == NULL)
		net_loop_stop(loop);
}

static void
on_completions(void *arg)
{
	struct nbd_request *req;

	(void)arg;
	note('c');
	n_completions++;
	while (!close_in_callback && (req = conn_reap(conn)) != NULL) {
		reaped_error[n_reaped++ % MANY] = req->error;
		if (when_completed != NULL)
			when_completed(req);
	}
	if (close_in_callback)
		conn_close(conn, on_closed, NULL);
	else if (stop_at_reaped > 0 && n_reaped >= stop_at_reaped)
		net_loop_stop(loop);
}

static void
on_failed(void *arg, const struct error *error)
{
	(void)arg;
	note('f');
	n_failed++;
	e = *error;
	if (close_in_callback)
		conn_close(conn, on_closed, NULL);
	else
		net_loop_stop(loop);
}

static const struct conn_events events = {
	.on_ready = on_ready,
	.on_completions = on_completions,
	.on_failed = on_failed,
};

static void
run(void)
{
	ck_assert_int_eq(net_loop_run(loop), 0);
}

static struct nbd_uri uri = {
	.transport = NBD_TRANSPORT_UNIX,
	.export_name = (char[]){ "" },
};

static void
open_conn(int fd, enum nbd_goal goal, uint64_t connect_ms, uint64_t io_ms)
{
	struct conn_options o = {
		.uri = &uri,
		.fd = fd,
		.goal = goal,
		.connect_timeout_ms = connect_ms,
		.io_timeout_ms = io_ms,
	};
	int r = conn_open(loop, &o, &events, NULL, &conn, &e);

	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(trace, "");
}

static void
open_to(void (*serve)(int fd))
{
	open_conn(fake_start(serve), NBD_GOAL_TRANSMISSION, 10000, 10000);
}

static void
close_conn(void)
{
	int before = n_closed;

	conn_close(conn, on_closed, NULL);
	ck_assert_int_eq(n_closed, before);
	while (n_closed == before)
		run();
}

static void
submit_flush(int i)
{
	reqs[i].command = NBD_CMD_FLUSH;
	ck_assert_int_eq(conn_submit(conn, &reqs[i]), 0);
}

static void
submit_three(void)
{
	submit_flush(0);
	submit_flush(1);
	submit_flush(2);
}

START_TEST(a_mute_server_is_given_up_at_the_deadline)
{
	open_conn(fake_start(fake_serve_nothing), NBD_GOAL_TRANSMISSION, 200,
	    0);
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_int_eq(e.code, -ETIMEDOUT);
	ck_assert_str_eq(e.text,
	    "gave up after 0.2 s, waiting for the server's greeting");
	ck_assert_int_eq(conn_failure(conn), NBD_FAILURE_LOCAL);
	close_conn();
}
END_TEST

START_TEST(the_deadline_covers_the_options_and_says_which_one)
{
	struct pollfd fd = { .fd = fake_start(fake_serve_greeting_only),
		.events = POLLIN };

	/* The greeting is there, however late the server's thread began. */
	ck_assert_int_eq(poll(&fd, 1, 10000), 1);
	open_conn(fd.fd, NBD_GOAL_TRANSMISSION, 200, 0);
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_ptr_nonnull(strstr(e.text, "waiting for the answer to "));
	close_conn();
}
END_TEST

/* Takes most of the time for each answer; notes if that took too long. */
static void
serve_slow_answers(int fd)
{
	const struct timespec pause = { .tv_nsec = 300 * 1000 * 1000 };
	struct timespec asked;
	struct timespec answered;
	uint32_t option;

	if (!fake_greet(fd))
		return;
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &asked);
		option = fake_get_option(fd);
		(void)nanosleep(&pause, NULL);
		if (option == NBD_OPT_GO)
			(void)fake_put_export_info(fd);
		else
			(void)fake_put_reply(fd, option, NBD_REP_ERR_UNSUP,
			    NULL, 0);
		(void)clock_gettime(CLOCK_MONOTONIC, &answered);
		if ((answered.tv_sec - asked.tv_sec) * 1000 +
		    (answered.tv_nsec - asked.tv_nsec) / 1000000 >= 500)
			fake_notes[0] = 's';
	} while (option != NBD_OPT_GO && option != 0);
	fake_wait_for_eof(fd);
}

/* Three of them: together they take longer than one may. */
START_TEST(each_option_has_its_own_deadline)
{
	struct conn_options o = {
		.uri = &uri,
		.fd = fake_start(serve_slow_answers),
		.option_timeout_ms = 600,
	};

	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e), 0);
	run();
	close_conn();
	fake_join();
	ck_assert_msg(n_ready == 1 || fake_notes[0] == 's', "%s", e.text);
}
END_TEST

static void
serve_in_single_bytes(int fd)
{
	int fds[2];
	char byte;

	/* Another server behind, whose words we pass on one by one. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return;
	if (fork() == 0) {
		(void)close(fds[0]);
		(void)close(fd);
		fake_serve_well(fds[1]);
		_exit(0);
	}
	(void)close(fds[1]);
	for (;;) {
		while (recv(fds[0], &byte, 1, MSG_DONTWAIT) == 1)
			(void)fake_put(fd, &byte, 1);
		if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
			(void)fake_put(fds[0], &byte, 1);
		else if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			break;
	}
	(void)close(fds[0]);
}

START_TEST(a_server_that_trickles_is_understood)
{
	open_to(serve_in_single_bytes);
	when_ready = submit_three;
	stop_at_reaped = 3;
	run();
	ck_assert_int_eq(n_reaped, 3);
	ck_assert_int_eq(n_failed, 0);
	close_conn();
}
END_TEST

START_TEST(a_request_goes_out_and_completes)
{
	open_to(fake_serve_well);
	run();
	ck_assert_str_eq(trace, "r");
	ck_assert_uint_eq(conn_export(conn)->size, FAKE_DISK_SIZE);
	ck_assert_int_eq(strncmp(conn_peer(conn), "unix:anon:", 10), 0);
	stop_at_reaped = 1;
	submit_flush(0);
	ck_assert_int_eq(n_completions, 0);
	run();
	ck_assert_str_eq(trace, "rc");
	ck_assert_int_eq(reaped_error[0], 0);
	close_conn();
	fake_join();
	ck_assert_str_eq(fake_notes, "D");
}
END_TEST

static void
serve_and_measure(int fd)
{
	char b[1000];

	if (!fake_negotiate(fd))
		return;
	if (recv(fd, b, sizeof b, 0) == 3 * 28)
		fake_notes[0] = 'y';
}

START_TEST(what_is_submitted_in_one_turn_goes_out_in_one_send)
{
	open_to(serve_and_measure);
	if (_i == 0) {
		when_ready = submit_three;	/* inside a callback */
	} else {
		run();
		submit_three();			/* outside */
	}
	run();
	ck_assert_ptr_nonnull(strchr(trace, 'f'));
	fake_join();
	ck_assert_str_eq(fake_notes, "y");
	close_conn();
}
END_TEST

START_TEST(a_server_that_stops_answering_is_given_up)
{
	open_conn(fake_start(fake_serve_handshake_only), NBD_GOAL_TRANSMISSION,
	    0, 200);
	when_ready = submit_three;
	run();
	ck_assert_str_eq(trace, "rcf");
	ck_assert_int_eq(n_reaped, 3);
	ck_assert_int_eq(reaped_error[0], -ENOTCONN);
	ck_assert_int_eq(reaped_error[2], -ENOTCONN);
	ck_assert_int_eq(e.code, -ETIMEDOUT);
	ck_assert_str_eq(e.text,
	    "no answer for 0.2 s with 3 requests in flight");
	ck_assert_int_eq(conn_submit(conn, &reqs[0]), -ENOTCONN);
	close_conn();
}
END_TEST

static void
serve_all_but_the_first(int fd)
{
	struct fake_request first;
	struct fake_request req;

	if (!fake_negotiate(fd) || !fake_get_request(fd, &first))
		return;
	while (fake_get_request(fd, &req))
		(void)fake_put_simple_reply(fd, req.cookie);
}

static void
submit_two(void)
{
	submit_flush(0);
	submit_flush(1);
}

static void
submit_again(struct nbd_request *req)
{
	if (req->error == 0)
		ck_assert_int_eq(conn_submit(conn, req), 0);
}

START_TEST(a_request_that_is_never_answered_is_given_up_amid_others)
{
	uint64_t before = net_loop_now_ms(loop);
	const struct conn_options o = {
		.uri = &uri,
		.fd = fake_start(serve_all_but_the_first),
		.io_timeout_ms = 20000,
		.request_timeout_ms = 1000,
	};

	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e), 0);
	when_ready = submit_two;
	when_completed = submit_again;
	run();
	ck_assert_int_eq(n_failed, 1);
	ck_assert_str_eq(e.text, "a request was not answered for 1.0 s");
	ck_assert_uint_ge(net_loop_now_ms(loop) - before, 950);
	close_conn();
}
END_TEST

START_TEST(an_idle_connection_has_no_deadline)
{
	struct net_timer timer;

	open_conn(fake_start(fake_serve_handshake_only), NBD_GOAL_TRANSMISSION,
	    200, 100);
	run();
	ck_assert_int_eq(n_ready, 1);
	ck_assert_int_eq(net_timer_init(&timer, loop, on_closed, NULL), 0);
	net_timer_start(&timer, 500);
	run();
	ck_assert_str_eq(trace, "r");
	net_timer_done(&timer);
	fake_release();
	close_conn();
}
END_TEST

static void
serve_one_reply_and_hang_up(int fd)
{
	struct fake_request req;
	int i;

	if (!fake_negotiate(fd))
		return;
	for (i = 0; i < 3; i++)
		(void)fake_get_request(fd, &req);
	(void)fake_put_simple_reply(fd, req.cookie);
}

START_TEST(a_server_that_hangs_up_completes_what_is_in_flight)
{
	open_to(serve_one_reply_and_hang_up);
	when_ready = submit_three;
	run();
	ck_assert_int_eq(n_failed, 1);
	ck_assert_int_eq(n_reaped, 3);
	ck_assert_int_eq(reaped_error[0], 0);
	ck_assert_int_eq(reaped_error[1], -ENOTCONN);
	ck_assert_int_eq(reaped_error[2], -ENOTCONN);
	ck_assert_str_eq(e.text, "the server closed the connection");
	ck_assert_int_eq(e.code, -ECONNRESET);
	ck_assert_int_eq(conn_failure(conn), NBD_FAILURE_CLOSED);
	close_conn();
}
END_TEST

/* Closing with bytes unread resets the connection. */
static void
serve_and_reset(int fd)
{
	char byte;

	if (fake_negotiate(fd))
		(void)recv(fd, &byte, 1, 0);
}

START_TEST(a_reset_is_told_as_one)
{
	open_to(serve_and_reset);
	when_ready = submit_three;
	run();
	ck_assert_str_eq(e.text, "connection reset by peer");
	ck_assert_int_eq(conn_failure(conn), NBD_FAILURE_CLOSED);
	close_conn();
}
END_TEST

/* Large answers before the questions are read to the end. */
static void
serve_stubbornly(int fd)
{
	struct fake_request read_req;
	struct fake_request write_req;
	char *data = calloc(1, 8 << 20);

	if (fake_negotiate(fd) && fake_get_request(fd, &read_req) &&
	    fake_get_request(fd, &write_req) &&
	    fake_put_simple_reply(fd, read_req.cookie) &&
	    fake_put(fd, data, read_req.length) &&
	    fake_get(fd, data, write_req.length))
		(void)fake_put_simple_reply(fd, write_req.cookie);
	free(data);
	fake_wait_for_eof(fd);
}

START_TEST(reading_goes_on_while_writing_is_blocked)
{
	static char buf[2][8 << 20];
	struct iovec iov[2] = {
		{ buf[0], sizeof buf[0] },
		{ buf[1], sizeof buf[1] },
	};
	int i;

	open_to(serve_stubbornly);
	run();
	memset(buf[0], 1, sizeof buf[0]);
	for (i = 0; i < 2; i++) {
		reqs[i].command = i == 0 ? NBD_CMD_READ : NBD_CMD_WRITE;
		reqs[i].length = sizeof buf[0];
		reqs[i].iov = &iov[i];
		reqs[i].n_iov = 1;
		ck_assert_int_eq(conn_submit(conn, &reqs[i]), 0);
	}
	stop_at_reaped = 2;
	run();
	ck_assert_int_eq(n_reaped, 2);
	ck_assert_int_eq(n_failed, 0);
	ck_assert_int_eq(reqs[0].error, 0);
	ck_assert_int_eq(reqs[1].error, 0);
	ck_assert_mem_eq(buf[0], buf[1], sizeof buf[0]);
	close_conn();
}
END_TEST

/* What was said before hanging up is heard, though sending fails. */
static void
serve_reply_and_stop_reading(int fd)
{
	struct fake_request req;

	if (!fake_negotiate(fd) || !fake_get_request(fd, &req))
		return;
	(void)shutdown(fd, SHUT_RD);
	(void)fake_put_simple_reply(fd, req.cookie);
	fake_wait_for_release();
}

static void
submit_large_write(struct nbd_request *req)
{
	static char buf[4 << 20];
	static struct iovec iov = { buf, sizeof buf };

	if (req != &reqs[0] || req->error != 0)
		return;
	reqs[1].command = NBD_CMD_WRITE;
	reqs[1].length = sizeof buf;
	reqs[1].iov = &iov;
	reqs[1].n_iov = 1;
	ck_assert_int_eq(conn_submit(conn, &reqs[1]), 0);
}

static void
submit_one(void)
{
	submit_flush(0);
}

START_TEST(a_send_that_fails_ends_the_connection)
{
	open_to(serve_reply_and_stop_reading);
	when_ready = submit_one;
	when_completed = submit_large_write;
	run();
	ck_assert_str_eq(trace, "rccf");
	ck_assert_int_eq(reaped_error[0], 0);
	ck_assert_int_eq(reaped_error[1], -ENOTCONN);
	ck_assert_str_eq(e.text, "cannot send: Broken pipe");
	close_conn();
}
END_TEST

static void
serve_hang_up_on_option(int fd)
{
	(void)(fake_greet(fd) && fake_get_option(fd) != 0);
}

START_TEST(a_passed_socket_cannot_be_tried_again)
{
	open_to(serve_hang_up_on_option);
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_int_eq(conn_failure(conn), NBD_FAILURE_CLOSED_ON_OPTION);
	ck_assert_int_eq(e.code, -ECONNRESET);
	close_conn();
}
END_TEST

/* Knows NBD_OPT_EXPORT_NAME only, and hangs up on anything else. */
static void
serve_export_name_only(int listener)
{
	uint8_t b[10];
	int fd = -1;

	do {
		if (fd >= 0)
			(void)close(fd);
		fd = accept(listener, NULL, NULL);
		if (fd < 0 || !fake_greet(fd))
			break;
		(void)strcat(fake_notes, "a");
	} while (fake_get_option(fd) != NBD_OPT_EXPORT_NAME);
	put_be64(b, FAKE_DISK_SIZE);
	put_be16(b + 8, NBD_FLAG_HAS_FLAGS);
	(void)fake_put(fd, b, sizeof b);
	fake_wait_for_eof(fd);
	(void)close(fd);
}

START_TEST(a_server_that_hangs_up_on_options_is_tried_with_export_name)
{
	fake_listen(4);
	uri.socket = fake_path;
	fake_start_listening(serve_export_name_only);
	open_conn(-1, NBD_GOAL_TRANSMISSION, 10000, 0);
	run();
	ck_assert_msg(n_ready == 1, "%s", e.text);
	ck_assert_uint_eq(conn_export(conn)->size, FAKE_DISK_SIZE);
	close_conn();
	fake_join();
	ck_assert_str_eq(fake_notes, "aa");
	fake_unlisten();
}
END_TEST

static void
serve_hang_up_always(int listener)
{
	int fd;

	while (strlen(fake_notes) < 2 &&
	    (fd = accept(listener, NULL, NULL)) >= 0) {
		(void)strcat(fake_notes, "a");
		serve_hang_up_on_option(fd);
		(void)close(fd);
	}
}

START_TEST(there_is_one_second_try_and_no_third)
{
	fake_listen(4);
	uri.socket = fake_path;
	fake_start_listening(serve_hang_up_always);
	open_conn(-1, NBD_GOAL_TRANSMISSION, 10000, 0);
	run();
	ck_assert_str_eq(trace, "f");
	fake_join();
	ck_assert_str_eq(fake_notes, "aa");
	close_conn();
	fake_unlisten();
}
END_TEST

/* When it hangs up there is nothing to connect to any more. */
static void
serve_hang_up_and_go(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)unlink(fake_path);
	serve_hang_up_on_option(fd);
	(void)close(fd);
}

START_TEST(a_server_that_is_gone_at_the_second_try_is_told)
{
	fake_listen(4);
	uri.socket = fake_path;
	fake_start_listening(serve_hang_up_and_go);
	open_conn(-1, NBD_GOAL_TRANSMISSION, 10000, 0);
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_int_ne(conn_failure(conn), NBD_FAILURE_NONE);
	ck_assert_msg(strstr(e.text, "cannot connect") != NULL, "%s", e.text);
	/* There is nobody at the other end now. */
	ck_assert_ptr_null(conn_peer(conn));
	close_conn();
	fake_unlisten();
}
END_TEST

START_TEST(nobody_listening_is_a_failure_from_the_loop)
{
	uri.socket = (char[]){ "/nonexistent/socket" };
	open_conn(-1, NBD_GOAL_TRANSMISSION, 10000, 0);
	ck_assert_ptr_null(conn_peer(conn));
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_int_eq(e.code, -ENOENT);
	ck_assert_str_eq(e.text, "cannot connect to unix socket "
	    "'/nonexistent/socket': No such file or directory");
	ck_assert_ptr_null(conn_peer(conn));
	close_conn();
}
END_TEST

START_TEST(dialling_too_has_the_deadline)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char text[200];
	int fd;

	fake_listen(0);
	uri.socket = fake_path;
	(void)strcpy(sun.sun_path, fake_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	open_conn(-1, NBD_GOAL_TRANSMISSION, 200, 0);
	run();
	ck_assert_int_eq(e.code, -ETIMEDOUT);
	(void)snprintf(text, sizeof text,
	    "cannot connect to unix socket '%s': no answer for 0.2 s",
	    fake_path);
	ck_assert_str_eq(e.text, text);
	ck_assert_ptr_null(conn_peer(conn));
	close_conn();
	(void)close(fd);
	fake_unlisten();
}
END_TEST

START_TEST(closing_while_dialling_is_fine)
{
	fake_listen(4);
	uri.socket = fake_path;
	open_conn(-1, NBD_GOAL_TRANSMISSION, 10000, 0);
	close_conn();
	ck_assert_str_eq(trace, "");
	fake_unlisten();
}
END_TEST

START_TEST(closing_in_the_handshake_is_fine)
{
	open_to(fake_serve_greeting_only);
	close_conn();
	ck_assert_str_eq(trace, "");
}
END_TEST

START_TEST(closing_with_requests_in_flight_forgets_them)
{
	open_to(fake_serve_handshake_only);
	run();
	submit_three();
	conn_close(conn, on_closed, NULL);
	/* They are ours again: nobody looks at them any more. */
	memset(reqs, 0x5a, sizeof reqs);
	run();
	ck_assert_int_eq(n_closed, 1);
	ck_assert_str_eq(trace, "r");
}
END_TEST

START_TEST(closing_without_a_callback_is_fine)
{
	struct net_timer timer;

	open_to(fake_serve_well);
	run();
	conn_close(conn, NULL, NULL);
	ck_assert_int_eq(net_timer_init(&timer, loop, on_closed, NULL), 0);
	net_timer_start(&timer, 300);
	run();
	net_timer_done(&timer);
}
END_TEST

START_TEST(closing_from_each_callback_is_safe)
{
	static void (*const servers[])(int) = { fake_serve_well,
		fake_serve_well, serve_hang_up_on_option,
		fake_serve_handshake_only };

	open_conn(fake_start(servers[_i]), NBD_GOAL_TRANSMISSION, 10000, 2000);
	close_in_callback = true;
	if (_i == 1 || _i == 3) {
		close_in_callback = false;
		run();
		submit_three();
		close_in_callback = true;
	}
	run();
	ck_assert_int_eq(n_closed, 1);
	/* Nothing came after conn_close(). */
	ck_assert_str_eq(trace, _i == 0 ? "r" : _i == 2 ? "f" : "rc");
}
END_TEST

START_TEST(a_server_that_ignores_the_goodbye_is_waited_for_a_second)
{
	uint64_t before;

	open_to(fake_serve_handshake_only);
	run();
	before = net_loop_now_ms(loop);
	close_conn();
	ck_assert_uint_ge(net_loop_now_ms(loop) - before, 950);
	ck_assert_uint_le(net_loop_now_ms(loop) - before, 5000);
}
END_TEST

static void
serve_list(int fd)
{
	uint32_t option;

	if (!fake_greet(fd))
		return;
	option = fake_get_option(fd);
	(void)fake_put_reply(fd, option, NBD_REP_SERVER, "\0\0\0\1abc", 8);
	(void)fake_put_reply(fd, option, NBD_REP_ACK, NULL, 0);
}

START_TEST(a_list_survives_a_server_that_hangs_up_after_it)
{
	const struct nbd_listed_export *list;
	struct net_timer timer;
	clock_t before;
	size_t n;

	open_conn(fake_start(serve_list), NBD_GOAL_LIST, 10000, 0);
	run();
	ck_assert_str_eq(trace, "r");
	fake_join();
	/* Its EOF does not make the loop spin. */
	ck_assert_int_eq(net_timer_init(&timer, loop, on_closed, NULL), 0);
	net_timer_start(&timer, 300);
	before = clock();
	run();
	ck_assert_int_lt(clock() - before, CLOCKS_PER_SEC / 10);
	list = conn_list(conn, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].name, "a");
	ck_assert_str_eq(list[0].description, "bc");
	net_timer_done(&timer);
	close_conn();
}
END_TEST

static void
serve_list_and_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	serve_list(fd);
	fake_wait_for_release();
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

START_TEST(a_list_survives_a_reset_after_it)
{
	struct net_timer timer;
	size_t n;

	open_conn(fake_start_tcp(serve_list_and_reset), NBD_GOAL_LIST, 10000,
	    0);
	run();
	fake_join();
	ck_assert_int_eq(net_timer_init(&timer, loop, on_closed, NULL), 0);
	net_timer_start(&timer, 100);
	run();
	ck_assert_str_eq(trace, "r");
	(void)conn_list(conn, &n);
	ck_assert_uint_eq(n, 1);
	net_timer_done(&timer);
	close_conn();
}
END_TEST

static void
serve_policy(int fd)
{
	uint32_t option;

	if (!fake_greet(fd))
		return;
	while ((option = fake_get_option(fd)) != NBD_OPT_GO && option != 0)
		(void)fake_put_reply(fd, option, NBD_REP_ERR_UNSUP, NULL, 0);
	(void)fake_put_reply(fd, NBD_OPT_GO, NBD_REP_ERR_POLICY, "not you", 7);
}

START_TEST(a_refusal_has_its_kind_and_the_servers_words)
{
	open_to(serve_policy);
	run();
	ck_assert_str_eq(trace, "f");
	ck_assert_int_eq(conn_failure(conn), NBD_FAILURE_POLICY);
	ck_assert_int_eq(e.code, -EACCES);
	ck_assert_ptr_nonnull(strstr(e.text, "not you"));
	close_conn();
}
END_TEST

START_TEST(a_name_too_long_is_refused_at_once)
{
	struct conn_options o = { .uri = &uri, .fd = -1 };
	char *usual = uri.export_name;
	char name[NBD_MAX_STRING + 2];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	uri.export_name = name;
	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "too long"));
	uri.export_name = usual;
}
END_TEST

START_TEST(a_context_that_is_named_twice_is_refused_at_once)
{
	static const char *const contexts[] = { "x:a", "x:b", "x:a" };
	struct conn_options o = { .uri = &uri, .fd = -1,
		.contexts = contexts, .n_contexts = 3 };

	ck_assert_int_eq(conn_open(loop, &o, &events, NULL, &conn, &e),
	    -EINVAL);
	ck_assert_msg(strstr(e.text, "named twice") != NULL, "%s", e.text);
}
END_TEST

static void
add_deadline_tests(TCase *tc)
{
	tcase_add_test(tc, a_mute_server_is_given_up_at_the_deadline);
	tcase_add_test(tc,
	    the_deadline_covers_the_options_and_says_which_one);
	tcase_add_test(tc, each_option_has_its_own_deadline);
	tcase_add_test(tc, a_server_that_stops_answering_is_given_up);
	tcase_add_test(tc,
	    a_request_that_is_never_answered_is_given_up_amid_others);
	tcase_add_test(tc, an_idle_connection_has_no_deadline);
	tcase_add_test(tc, dialling_too_has_the_deadline);
}

static void
add_traffic_tests(TCase *tc)
{
	tcase_add_test(tc, a_server_that_trickles_is_understood);
	tcase_add_test(tc, a_request_goes_out_and_completes);
	tcase_add_loop_test(tc,
	    what_is_submitted_in_one_turn_goes_out_in_one_send, 0, 2);
	tcase_add_test(tc, a_server_that_hangs_up_completes_what_is_in_flight);
	tcase_add_test(tc, a_reset_is_told_as_one);
	tcase_add_test(tc, reading_goes_on_while_writing_is_blocked);
	tcase_add_test(tc, a_send_that_fails_ends_the_connection);
	tcase_add_test(tc, a_list_survives_a_server_that_hangs_up_after_it);
	tcase_add_test(tc, a_list_survives_a_reset_after_it);
	tcase_add_test(tc, a_refusal_has_its_kind_and_the_servers_words);
	tcase_add_test(tc, a_name_too_long_is_refused_at_once);
	tcase_add_test(tc, a_context_that_is_named_twice_is_refused_at_once);
}

static void
add_dial_tests(TCase *tc)
{
	tcase_add_test(tc, a_passed_socket_cannot_be_tried_again);
	tcase_add_test(tc,
	    a_server_that_hangs_up_on_options_is_tried_with_export_name);
	tcase_add_test(tc, there_is_one_second_try_and_no_third);
	tcase_add_test(tc, a_server_that_is_gone_at_the_second_try_is_told);
	tcase_add_test(tc, nobody_listening_is_a_failure_from_the_loop);
}

static void
add_close_tests(TCase *tc)
{
	tcase_add_test(tc, closing_while_dialling_is_fine);
	tcase_add_test(tc, closing_in_the_handshake_is_fine);
	tcase_add_test(tc, closing_with_requests_in_flight_forgets_them);
	tcase_add_test(tc, closing_without_a_callback_is_fine);
	tcase_add_loop_test(tc, closing_from_each_callback_is_safe, 0, 4);
	tcase_add_test(tc,
	    a_server_that_ignores_the_goodbye_is_waited_for_a_second);
}

int
main(void)
{
	Suite *s = suite_create("client/conn");
	TCase *tc = tcase_create("conn");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	add_deadline_tests(tc);
	add_traffic_tests(tc);
	add_dial_tests(tc);
	add_close_tests(tc);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
