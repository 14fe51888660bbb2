/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * READs whose data get a place when they arrive, and WRITEs that tell when
 * they have been sent, on a connection.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/conn.h"
#include "fake-server.h"
#include "net/pipe.h"
#include "unit.h"

enum {
	LENGTH = 8192,
	IO_MS = 1000,
	STARVING_MS = 4 * IO_MS,
	N_READS = 16,		/* receives in a turn */
	RECEIVE = 4096,		/* bytes of one */
};

static struct net_loop *loop;
static struct conn *conn;
static struct nbd_request req;
static struct nbd_request reads[N_READS];
static int client_fd;
static bool many;
static struct iovec iov;
static char memory[LENGTH];
static char head[LENGTH];
static struct net_pipe pipe_;
static struct net_timer timer;
static bool use_pipe;
static bool has_place;
static int n_asked;
static int n_left_pipe;
static int n_sent;
static int n_done;
static int n_failed;

static char
byte_at(size_t i)
{
	return (char)(i * 13 + i / 256 + 1);
}

static void
on_ready(void *arg)
{
	(void)arg;
	ck_assert(conn_can_pipe(conn));
	ck_assert_int_eq(conn_submit(conn, &req), 0);
}

static void
on_completions(void *arg)
{
	(void)arg;
	while (conn_reap(conn) != NULL)
		n_done++;
	net_loop_stop(loop);
}

static void
on_failed(void *arg, const struct error *e)
{
	(void)arg;
	(void)e;
	n_failed++;
	net_loop_stop(loop);
}

static bool
find_place(void *arg, const struct nbd_arrival *arrival)
{
	(void)arg;
	n_asked++;
	ck_assert_ptr_eq(arrival->req, &req);
	if (!has_place) {
		net_timer_start(&timer, STARVING_MS);
		return false;
	}
	req.iov = &iov;
	req.n_iov = 1;
	if (use_pipe) {
		iov = (struct iovec){ head, arrival->n_head };
		req.n_piped = LENGTH - arrival->n_head;
		req.pipe = &pipe_;
	} else {
		iov = (struct iovec){ memory, LENGTH };
	}
	return true;
}

static int
leave_pipe(void *arg, struct nbd_request *r)
{
	(void)arg;
	ck_assert_ptr_eq(r, &req);
	n_left_pipe++;
	iov = (struct iovec){ memory, LENGTH };
	return 0;
}

static void
on_sent(void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(conn_reap_sent(conn), &req);
	ck_assert_ptr_null(conn_reap_sent(conn));
	n_sent++;
	fake_release();
}

static const struct conn_events events = {
	.on_ready = on_ready,
	.on_completions = on_completions,
	.on_failed = on_failed,
	.find_place = find_place,
	.leave_pipe = leave_pipe,
	.on_sent = on_sent,
};

static void
submit_many(void *arg)
{
	(void)arg;
	req.command = NBD_CMD_FLUSH;
	req.length = 0;
	ck_assert_int_eq(conn_submit(conn, &req), 0);
	for (int i = 0; i < N_READS; i++) {
		reads[i] = (struct nbd_request){ .command = NBD_CMD_READ,
			.length = RECEIVE - 16 };
		ck_assert_int_eq(conn_submit(conn, &reads[i]), 0);
	}
}

static bool
find_place_of_any(void *arg, const struct nbd_arrival *arrival)
{
	(void)arg;
	iov = (struct iovec){ memory, RECEIVE - 16 };
	arrival->req->iov = &iov;
	arrival->req->n_iov = 1;
	return true;
}

static void
count_completions(void *arg)
{
	int n_waiting = 0;

	(void)arg;
	while (conn_reap(conn) != NULL)
		n_done++;
	while (n_done == 1 && n_waiting < N_READS * RECEIVE) {
		ck_assert_int_eq(ioctl(client_fd, FIONREAD, &n_waiting), 0);
		(void)usleep(1000);
	}
	if (n_done == N_READS + 1)
		net_loop_stop(loop);
}

static const struct conn_events many_events = {
	.on_ready = submit_many,
	.on_completions = count_completions,
	.on_failed = on_failed,
	.find_place = find_place_of_any,
	.leave_pipe = leave_pipe,
	.on_sent = on_sent,
};

static void
on_timer(void *arg)
{
	(void)arg;
	has_place = true;
	conn_place_found(conn);
}

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(net_timer_init(&timer, loop, on_timer, NULL), 0);
	ck_assert_int_eq(net_pipe_open(&pipe_, LENGTH), 0);
	fake_set_up();
	req = (struct nbd_request){ .command = NBD_CMD_READ,
		.length = LENGTH };
	use_pipe = many = false;
	has_place = true;
	n_asked = n_left_pipe = n_sent = n_done = n_failed = 0;
	memset(memory, 0, sizeof memory);
}

static void
on_closed(void *arg)
{
	(void)arg;
	net_loop_stop(loop);
}

static void
tear_down(void)
{
	conn_close(conn, on_closed, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
	fake_tear_down();
	net_pipe_close(&pipe_);
	net_timer_done(&timer);
	net_loop_free(loop);
}

static void
run(void (*serve)(int fd), uint64_t io_timeout_ms)
{
	struct nbd_uri uri = { .transport = NBD_TRANSPORT_UNIX,
		.export_name = (char[]){ "" } };
	const struct conn_options o = {
		.uri = &uri,
		.fd = client_fd = fake_start(serve),
		.goal = NBD_GOAL_TRANSMISSION,
		.io_timeout_ms = io_timeout_ms,
	};
	struct error e;

	ck_assert_int_eq(conn_open(loop, &o, many ? &many_events : &events,
	    NULL, &conn, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
}

/* A reply whose data come in pieces of so many bytes. */
static void
serve_read(int fd, size_t piece)
{
	struct fake_request r;
	char data[LENGTH];

	if (!fake_negotiate(fd) || !fake_get_request(fd, &r))
		return;
	for (size_t i = 0; i < LENGTH; i++)
		data[i] = byte_at(i);
	(void)fake_put_simple_reply(fd, r.cookie);
	for (size_t i = 0; i < LENGTH; i += piece)
		(void)fake_put(fd, data + i, piece);
	fake_wait_for_eof(fd);
}

static void
serve_whole_read(int fd)
{
	serve_read(fd, LENGTH);
}

static void
serve_crumbs(int fd)
{
	serve_read(fd, 1);
}

static void
serve_write_when_released(int fd)
{
	struct fake_request r;
	char data[LENGTH];

	if (!fake_negotiate(fd) || !fake_get_request(fd, &r))
		return;
	fake_wait_for_release();
	if (r.length > 0)
		(void)fake_get(fd, data, sizeof data);
	(void)fake_put_simple_reply(fd, r.cookie);
	fake_wait_for_eof(fd);
}

static void
is_all_here(const char *p, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(p[i], byte_at(from + i));
}

START_TEST(data_go_where_they_were_told_to_when_they_arrived)
{
	run(serve_whole_read, 0);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(req.error, 0);
	ck_assert_int_eq(n_asked, 1);
	is_all_here(memory, 0, LENGTH);
}
END_TEST

START_TEST(data_go_through_a_pipe)
{
	char rest[LENGTH];
	size_t n_head;

	use_pipe = true;
	run(serve_whole_read, 0);
	ck_assert_int_eq(req.error, 0);
	ck_assert_int_eq(n_left_pipe, 0);
	n_head = iov.iov_len;
	is_all_here(head, 0, n_head);
	ck_assert_uint_eq(pipe_.n_bytes, LENGTH - n_head);
	ck_assert_uint_gt(pipe_.n_bytes, 0);
	ck_assert_int_eq(net_pipe_drain(&pipe_, rest), 0);
	is_all_here(rest, n_head, LENGTH - n_head);
}
END_TEST

START_TEST(a_full_pipe_is_left_for_memory)
{
	use_pipe = true;
	run(serve_crumbs, 0);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(req.error, 0);
	ck_assert_int_eq(n_left_pipe, 1);
	ck_assert_uint_eq(req.n_piped, 0);
	is_all_here(memory, 0, LENGTH);
}
END_TEST

/* It is not the server's fault, and no time of its own passes. */
START_TEST(waiting_for_a_place_is_no_stall)
{
	has_place = false;
	run(serve_whole_read, IO_MS);
	ck_assert_int_eq(n_failed, 0);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(n_asked, 2);
	is_all_here(memory, 0, LENGTH);
}
END_TEST

/*
 * As many replies as are received in one turn, each as long as a receive, so
 * that the last of them is here and waits for a place when the turn ends.
 */
static void
serve_a_turn_of_reads(int fd)
{
	struct fake_request r[N_READS + 1];
	static char said[N_READS][RECEIVE];

	if (!fake_negotiate(fd))
		return;
	for (int i = 0; i < N_READS + 1; i++) {
		if (!fake_get_request(fd, &r[i]))
			return;
	}
	for (int i = 0; i < N_READS; i++) {
		put_be32(said[i], NBD_SIMPLE_REPLY_MAGIC);
		put_be64(said[i] + 8, r[i + 1].cookie);
	}
	/* While the first is being looked at, the others arrive. */
	(void)fake_put_simple_reply(fd, r[0].cookie);
	(void)fake_put(fd, said, sizeof said);
	fake_wait_for_eof(fd);
}

START_TEST(no_data_wait_for_a_place_when_a_turn_has_ended)
{
	many = true;
	run(serve_a_turn_of_reads, IO_MS);
	ck_assert_int_eq(n_failed, 0);
	ck_assert_int_eq(n_done, N_READS + 1);
}
END_TEST

START_TEST(a_write_tells_when_it_is_sent_and_then_that_it_is_done)
{
	req.command = NBD_CMD_WRITE;
	req.iov = &iov;
	req.n_iov = 1;
	req.tells_sent = true;
	iov = (struct iovec){ memory, LENGTH };
	run(serve_write_when_released, 0);
	ck_assert_int_eq(n_sent, 1);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(req.error, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/places");
	TCase *tc = tcase_create("places");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, data_go_where_they_were_told_to_when_they_arrived);
	tcase_add_test(tc, data_go_through_a_pipe);
	tcase_add_test(tc, a_full_pipe_is_left_for_memory);
	tcase_add_test(tc, waiting_for_a_place_is_no_stall);
	tcase_add_test(tc, no_data_wait_for_a_place_when_a_turn_has_ended);
	tcase_add_test(tc,
	    a_write_tells_when_it_is_sent_and_then_that_it_is_done);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
