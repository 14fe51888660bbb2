/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Races between addresses of the loopback interface: ones that answer, that
 * refuse, and that are silent.
 */
#include "net/race.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define MAX_ADDRESSES 12
#define N_FILLERS     4

static struct net_loop *loop;
static struct net_address addresses[MAX_ADDRESSES];
static size_t n_addresses;
static int listeners[MAX_ADDRESSES];
static int fillers[N_FILLERS];
static size_t n_fillers;

static int n_calls;
static int got_fd;

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	memset(addresses, 0, sizeof addresses);
	memset(listeners, -1, sizeof listeners);
	n_addresses = 0;
	n_fillers = 0;
	n_calls = 0;
	got_fd = -1;
}

static void
tear_down(void)
{
	if (got_fd >= 0)
		(void)close(got_fd);
	for (size_t i = 0; i < MAX_ADDRESSES; i++) {
		if (listeners[i] >= 0)
			(void)close(listeners[i]);
	}
	while (n_fillers > 0)
		(void)close(fillers[--n_fillers]);
	net_loop_free(loop);
}

static void
on_raced(void *arg, int fd)
{
	(void)arg;
	n_calls++;
	got_fd = fd;
	net_loop_stop(loop);
}

/* A listening socket of a family on the loopback; it is told as address. */
static size_t
add_listener(int family, int backlog)
{
	size_t i = n_addresses++;
	struct net_address *a = &addresses[i];
	struct sockaddr_in *in = (void *)&a->addr;
	struct sockaddr_in6 *in6 = (void *)&a->addr;

	a->addr.ss_family = (sa_family_t)family;
	if (family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		in6->sin6_addr = in6addr_loopback;
	a->len = family == AF_INET ? sizeof *in : sizeof *in6;
	listeners[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listeners[i], 0);
	ck_assert_int_eq(bind(listeners[i], (void *)&a->addr, a->len), 0);
	ck_assert_int_eq(listen(listeners[i], backlog), 0);
	ck_assert_int_eq(getsockname(listeners[i], (void *)&a->addr, &a->len),
	    0);
	return i;
}

static size_t
add_refusing(int family)
{
	size_t i = add_listener(family, 1);

	(void)close(listeners[i]);
	listeners[i] = -1;
	return i;
}

/* Where the queue is full, the kernel does not answer at all. */
static size_t
add_silent(int family)
{
	size_t i = add_listener(family, 0);

	for (n_fillers = 0; n_fillers < N_FILLERS; n_fillers++) {
		int fd = socket(family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)connect(fd, (void *)&addresses[i].addr,
		    addresses[i].len);
		fillers[n_fillers] = fd;
	}
	return i;
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* How long it took, in milliseconds. */
static uint64_t
race(void)
{
	uint64_t before = now_ms();
	struct net_race *r;

	ck_assert_int_eq(net_race_start(loop, addresses, n_addresses, on_raced,
	    NULL, &r), 0);
	ck_assert_int_eq(n_calls, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 1);
	return now_ms() - before;
}

static void
expect_option(int level, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	ck_assert_int_eq(getsockopt(got_fd, level, name, &value, &len), 0);
	ck_assert_int_ne(value, 0);
}

/* Connected to the address, and ready for use. */
static void
expect_winner(size_t i)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof peer;

	ck_assert_int_ge(got_fd, 0);
	ck_assert_int_eq(getpeername(got_fd, (void *)&peer, &len), 0);
	ck_assert_uint_eq(len, addresses[i].len);
	ck_assert_mem_eq(&peer, &addresses[i].addr, len);
	expect_option(IPPROTO_TCP, TCP_NODELAY);
	expect_option(SOL_SOCKET, SO_KEEPALIVE);
	ck_assert_int_ne(fcntl(got_fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(got_fd, F_GETFD) & FD_CLOEXEC, 0);
}

static int
accept_now(size_t i)
{
	int fd = accept(listeners[i], NULL, NULL);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? -errno : 0;
}

START_TEST(the_first_address_wins_where_all_answer)
{
	(void)add_listener(AF_INET6, 4);
	(void)add_listener(AF_INET, 4);
	(void)race();
	expect_winner(0);
	/* The other was not even asked. */
	ck_assert_int_eq(accept_now(1), -EAGAIN);
}
END_TEST

START_TEST(a_refusal_is_followed_by_the_next_at_once)
{
	const int n = MAX_ADDRESSES - 1;
	uint64_t ms;

	for (int i = 0; i < n; i++)
		(void)add_refusing(i % 2 == 0 ? AF_INET6 : AF_INET);
	(void)add_listener(AF_INET, 4);
	ms = race();
	expect_winner((size_t)n);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(addresses[i].errnum, ECONNREFUSED);
	/* So many head starts would be more, even on a busy machine. */
	ck_assert_uint_lt(ms, (uint64_t)n * NET_RACE_HEAD_START_MS);
}
END_TEST

START_TEST(a_silent_address_has_a_head_start_only)
{
	uint64_t ms;

	(void)add_silent(AF_INET6);
	(void)add_listener(AF_INET, 4);
	ms = race();
	expect_winner(1);
	ck_assert_uint_ge(ms, NET_RACE_HEAD_START_MS - 10);
	ck_assert_int_eq(addresses[0].errnum, 0);
}
END_TEST

static void
make_room(void *arg)
{
	size_t i = *(size_t *)arg;

	while (n_fillers > 0)
		(void)close(fillers[--n_fillers]);
	while (accept_now(i) == 0)
		continue;
}

/* The kernel repeats its question after a second. */
START_TEST(an_attempt_goes_on_while_others_are_made)
{
	struct net_timer timer;
	size_t slow = add_silent(AF_INET);

	(void)add_refusing(AF_INET6);
	ck_assert_int_eq(net_timer_init(&timer, loop, make_room, &slow), 0);
	net_timer_start(&timer, 2 * NET_RACE_HEAD_START_MS);
	(void)race();
	expect_winner(slow);
	ck_assert_int_eq(addresses[1].errnum, ECONNREFUSED);
	net_timer_done(&timer);
}
END_TEST

START_TEST(when_all_fail_each_has_its_own_reason)
{
	(void)add_refusing(AF_INET);
	addresses[n_addresses].addr.ss_family = AF_UNIX;
	(void)strcpy(((struct sockaddr_un *)&addresses[1].addr)->sun_path,
	    "/nonexistent/socket");
	addresses[n_addresses++].len = sizeof(struct sockaddr_un);
	(void)race();
	ck_assert_int_eq(got_fd, -ENOENT);
	ck_assert_int_eq(addresses[0].errnum, ECONNREFUSED);
	ck_assert_int_eq(addresses[1].errnum, ENOENT);
}
END_TEST

static int
count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
cancel_and_stop(void *arg)
{
	net_race_cancel(arg);
	net_loop_stop(loop);
}

START_TEST(a_cancelled_race_closes_its_attempts_and_is_silent)
{
	struct net_timer timer;
	struct net_race *r;
	int before;

	(void)add_silent(AF_INET);
	addresses[1] = addresses[0];
	n_addresses = 2;
	before = count_descriptors();
	ck_assert_int_eq(net_race_start(loop, addresses, 2, on_raced, NULL,
	    &r), 0);
	ck_assert_int_eq(net_timer_init(&timer, loop, cancel_and_stop, r), 0);
	/* Both have begun by then. */
	net_timer_start(&timer, NET_RACE_HEAD_START_MS + 100);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 0);
	ck_assert_int_eq(count_descriptors(), before);
	net_timer_done(&timer);
}
END_TEST

START_TEST(the_losers_are_closed)
{
	int before;

	(void)add_silent(AF_INET6);
	(void)add_listener(AF_INET, 4);
	before = count_descriptors();
	(void)race();
	expect_winner(1);
	ck_assert_int_eq(count_descriptors(), before + 1);
}
END_TEST

START_TEST(a_race_can_be_cancelled_before_it_began)
{
	struct net_race *r;

	(void)add_listener(AF_INET, 4);
	ck_assert_int_eq(net_race_start(loop, addresses, 1, on_raced, NULL,
	    &r), 0);
	net_race_cancel(r);
	ck_assert_int_eq(n_calls, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("net/race");
	TCase *tc = tcase_create("race");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_first_address_wins_where_all_answer);
	tcase_add_test(tc, a_refusal_is_followed_by_the_next_at_once);
	tcase_add_test(tc, a_silent_address_has_a_head_start_only);
	tcase_add_test(tc, an_attempt_goes_on_while_others_are_made);
	tcase_add_test(tc, when_all_fail_each_has_its_own_reason);
	tcase_add_test(tc, a_cancelled_race_closes_its_attempts_and_is_silent);
	tcase_add_test(tc, the_losers_are_closed);
	tcase_add_test(tc, a_race_can_be_cancelled_before_it_began);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
