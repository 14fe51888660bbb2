/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dialling over Unix sockets and loopback TCP, and who the peer is.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
/* It wants the one before. */
#include <linux/vm_sockets.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "net/dial-private.h"
#include "unit.h"

static struct net_loop *loop;
static char dir[64];
static char path[80];

static int n_calls;
static int got_fd;
static struct error got_error;

static int n_threads;

static int
count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = 0;

	while (readdir(tasks) != NULL)
		n++;
	(void)closedir(tasks);
	return n;
}

/*
 * A look-up that was cancelled goes on to its end.  What it has allocated by
 * then is no leak, but valgrind takes it for one if the process ends first.
 */
static void
wait_for_lookups(void)
{
	time_t limit = time(NULL) + 10;

	while (count_threads() > n_threads && time(NULL) < limit)
		(void)sched_yield();
}

static void
set_up(void)
{
	n_threads = count_threads();
	(void)strcpy(dir, "/tmp/nbdsync-dial-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/s", dir);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	n_calls = 0;
	got_fd = -1;
}

static void
tear_down(void)
{
	if (got_fd >= 0)
		(void)close(got_fd);
	wait_for_lookups();
	net_loop_free(loop);
	(void)unlink(path);
	(void)rmdir(dir);
}

static void
on_dialed(void *arg, int fd, const struct error *e)
{
	(void)arg;
	n_calls++;
	got_fd = fd;
	got_error = *e;
	net_loop_stop(loop);
}

static int
listen_unix(int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strcpy(sun.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static int
listen_tcp(uint16_t *ret_port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

static void
dial_unix(void)
{
	struct net_dial *d;
	struct error e;

	ck_assert_int_eq(net_dial_unix(loop, path, on_dialed, NULL, &d, &e), 0);
	ck_assert_int_eq(n_calls, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 1);
}

static void
dial_tcp(const char *host, uint16_t port)
{
	struct net_dial *d;
	struct error e;

	ck_assert_int_eq(net_dial_tcp(loop, host, port, on_dialed, NULL, &d,
	    &e), 0);
	ck_assert_int_eq(n_calls, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 1);
}

static int
int_option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

START_TEST(a_unix_socket_is_connected_without_blocking)
{
	int listener = listen_unix(4);

	dial_unix();
	ck_assert_int_ge(got_fd, 0);
	ck_assert_int_ne(fcntl(got_fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(got_fd, F_GETFD) & FD_CLOEXEC, 0);
	(void)close(listener);
}
END_TEST

START_TEST(a_missing_unix_socket_is_told_by_name)
{
	char text[200];

	dial_unix();
	ck_assert_int_eq(got_fd, -1);
	ck_assert_int_eq(got_error.code, -ENOENT);
	(void)snprintf(text, sizeof text, "cannot connect to unix socket '%s':"
	    " No such file or directory", path);
	ck_assert_str_eq(got_error.text, text);
}
END_TEST

START_TEST(a_unix_socket_nobody_listens_on_is_refused)
{
	(void)close(listen_unix(4));
	dial_unix();
	ck_assert_int_eq(got_error.code, -ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(got_error.text, "Connection refused"));
}
END_TEST

START_TEST(a_path_too_long_is_refused_with_a_sentence)
{
	char long_path[200];
	struct net_dial *d;
	struct error e;

	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = '\0';
	ck_assert_int_eq(net_dial_unix(loop, long_path, on_dialed, NULL, &d,
	    &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "is 199 bytes long; 107 is the"));
	ck_assert_int_eq(net_dial_unix(loop, "", on_dialed, NULL, &d, &e),
	    -EINVAL);
}
END_TEST

START_TEST(the_longest_path_works)
{
	char long_path[108];
	struct net_dial *d;
	struct error e;

	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = '\0';
	long_path[0] = '/';
	ck_assert_int_eq(net_dial_unix(loop, long_path, on_dialed, NULL, &d,
	    &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(got_error.code, -ENOENT);
}
END_TEST

START_TEST(control_characters_in_a_path_are_escaped)
{
	struct net_dial *d;
	struct error e;

	ck_assert_int_eq(net_dial_unix(loop, "/no\n\033where", on_dialed, NULL,
	    &d, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_ptr_nonnull(strstr(got_error.text, "'/no\\x0A\\x1Bwhere'"));
}
END_TEST

static void
accept_one(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

START_TEST(a_full_backlog_is_waited_for)
{
	struct net_timer timer;
	int listener = listen_unix(0);
	int first;

	/* With a backlog of 0 the kernel queues one. */
	dial_unix();
	ck_assert_int_ge(got_fd, 0);
	first = got_fd;
	n_calls = 0;
	ck_assert_int_eq(net_timer_init(&timer, loop, accept_one, &listener),
	    0);
	net_timer_start(&timer, 50);
	dial_unix();
	ck_assert_int_ge(got_fd, 0);
	net_timer_done(&timer);
	(void)close(first);
	(void)close(listener);
}
END_TEST

static void
cancel_and_stop(void *arg)
{
	net_dial_cancel(arg);
	net_loop_stop(loop);
}

START_TEST(a_cancelled_dial_never_calls_back)
{
	struct net_timer timer;
	struct net_dial *d;
	struct error e;
	int listener = listen_unix(0);

	dial_unix();
	n_calls = 0;
	ck_assert_int_eq(net_dial_unix(loop, path, on_dialed, NULL, &d, &e), 0);
	ck_assert_int_eq(net_timer_init(&timer, loop, cancel_and_stop, d), 0);
	net_timer_start(&timer, 30);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 0);
	net_timer_done(&timer);
	(void)close(listener);
}
END_TEST

START_TEST(cancelling_before_the_first_turn_is_fine)
{
	struct net_dial *d;
	struct error e;

	ck_assert_int_eq(net_dial_unix(loop, path, on_dialed, NULL, &d, &e), 0);
	net_dial_cancel(d);
	ck_assert_int_eq(net_dial_tcp(loop, "localhost", 1, on_dialed, NULL,
	    &d, &e), 0);
	ck_assert_str_eq(net_dial_target(d), "localhost:1");
	net_dial_cancel(d);
	ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(tcp_by_number_has_nodelay_and_keepalive)
{
	uint16_t port;
	int listener = listen_tcp(&port);

	dial_tcp("127.0.0.1", port);
	ck_assert_int_ge(got_fd, 0);
	ck_assert_int_ne(int_option(got_fd, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(int_option(got_fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_ne(fcntl(got_fd, F_GETFL) & O_NONBLOCK, 0);
	(void)close(listener);
}
END_TEST

START_TEST(tcp_by_name_goes_through_the_resolver)
{
	uint16_t port;
	int listener = listen_tcp(&port);

	dial_tcp("localhost", port);
	ck_assert_msg(got_fd >= 0, "%s", got_error.text);
	(void)close(listener);
}
END_TEST

START_TEST(a_refused_tcp_connection_names_host_and_port)
{
	char text[100];
	uint16_t port;

	(void)close(listen_tcp(&port));
	dial_tcp("127.0.0.1", port);
	ck_assert_int_eq(got_fd, -1);
	ck_assert_int_eq(got_error.code, -ECONNREFUSED);
	(void)snprintf(text, sizeof text,
	    "cannot connect to 127.0.0.1:%u: Connection refused",
	    (unsigned)port);
	ck_assert_str_eq(got_error.text, text);
}
END_TEST

START_TEST(a_refused_name_also_tells_the_address)
{
	char text[100];
	uint16_t port;

	(void)close(listen_tcp(&port));
	dial_tcp("localhost", port);
	(void)snprintf(text, sizeof text, "cannot connect to localhost:%u (",
	    (unsigned)port);
	ck_assert_ptr_eq(strstr(got_error.text, text), got_error.text);
	ck_assert_ptr_nonnull(strstr(got_error.text, "): Connection refused"));
}
END_TEST

static int
listen_abstract(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)memcpy(sun.sun_path + 1, name, strlen(name));
	ck_assert_int_eq(bind(fd, (void *)&sun, (socklen_t)len), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

static void
dial_abstract(const char *name)
{
	struct net_dial *d;
	struct error e;

	n_calls = 0;
	ck_assert_int_eq(net_dial_unix_abstract(loop, name, on_dialed, NULL,
	    &d, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 1);
}

/* Unique, and as long as there can be: no byte may be added or lost. */
static void
make_abstract_name(char name[108])
{
	int n = snprintf(name, 108, "nbdsync-%d-", (int)getpid());

	memset(name + n, 'n', 107 - (size_t)n);
	name[107] = '\0';
}

START_TEST(an_abstract_unix_socket_is_connected)
{
	char id[NET_PEER_SIZE];
	char want[NET_PEER_SIZE];
	char name[108];
	int lengths[] = { 107, 106, 20 };
	int listener;

	make_abstract_name(name);
	name[lengths[_i]] = '\0';
	listener = listen_abstract(name);
	dial_abstract(name);
	ck_assert_msg(got_fd >= 0, "%s", got_error.text);
	ck_assert_int_eq(net_peer_identity(got_fd, id), 0);
	(void)snprintf(want, sizeof want, "unix:@%s", name);
	ck_assert_str_eq(id, want);
	(void)close(listener);
}
END_TEST

START_TEST(a_missing_abstract_socket_is_told_by_name)
{
	dial_abstract("no\nsuch-socket");
	ck_assert_int_eq(got_error.code, -ECONNREFUSED);
	ck_assert_str_eq(got_error.text, "cannot connect to unix socket "
	    "'@no\\x0Asuch-socket': Connection refused");
}
END_TEST

START_TEST(an_abstract_name_has_1_to_107_bytes)
{
	char name[109];
	struct net_dial *d;
	struct error e;

	memset(name, 'n', 108);
	name[108] = '\0';
	ck_assert_int_eq(net_dial_unix_abstract(loop, name, on_dialed, NULL,
	    &d, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "is 108 bytes long; 107 is the"));
	ck_assert_int_eq(net_dial_unix_abstract(loop, "", on_dialed, NULL, &d,
	    &e), -EINVAL);
}
END_TEST

START_TEST(the_longest_names_are_told_apart)
{
	char a[NET_PEER_SIZE];
	char b[NET_PEER_SIZE];
	char name[108];
	int listeners[2];
	int first;

	memset(name, '\1', sizeof name - 1);
	name[107] = '\0';
	listeners[0] = listen_abstract(name);
	dial_abstract(name);
	first = got_fd;
	name[106] = '\2';
	listeners[1] = listen_abstract(name);
	dial_abstract(name);
	ck_assert_int_eq(net_peer_identity(first, a), 0);
	ck_assert_int_eq(net_peer_identity(got_fd, b), 0);
	ck_assert_str_ne(a, b);
	(void)close(first);
	(void)close(listeners[0]);
	(void)close(listeners[1]);
}
END_TEST

static void
dial_vsock(uint32_t cid, uint32_t port)
{
	struct net_dial *d;
	struct error e;

	n_calls = 0;
	ck_assert_int_eq(net_dial_vsock(loop, cid, port, on_dialed, NULL, &d,
	    &e), 0);
	ck_assert_uint_eq(d->n_addresses, 1);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_calls, 1);
}

START_TEST(a_vsock_address_has_machine_and_port)
{
	const struct sockaddr_vm *svm;
	struct net_dial *d;
	struct error e;

	ck_assert_int_eq(net_dial_vsock(loop, 3, 4000000000, on_dialed, NULL,
	    &d, &e), 0);
	ck_assert_str_eq(net_dial_target(d), "vsock 3:4000000000");
	ck_assert_uint_eq(d->addresses[0].len, sizeof *svm);
	svm = (const struct sockaddr_vm *)(void *)&d->addresses[0].addr;
	ck_assert_int_eq(svm->svm_family, AF_VSOCK);
	ck_assert_uint_eq(svm->svm_cid, 3);
	ck_assert_uint_eq(svm->svm_port, 4000000000);
	net_dial_cancel(d);
}
END_TEST

/*
 * Kernels differ: with vsock's own loopback there is a connection; without it
 * the address is refused, or nobody answers; without vsock that is said.
 */
START_TEST(vsock_is_connected_or_the_failure_says_what_was_dialled)
{
	struct sockaddr_vm svm = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_LOCAL,
		.svm_port = VMADDR_PORT_ANY,
	};
	socklen_t len = sizeof svm;
	char id[NET_PEER_SIZE];
	char want[NET_PEER_SIZE];
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (void *)&svm, sizeof svm) == 0 &&
	    listen(fd, 4) == 0 && getsockname(fd, (void *)&svm, &len) == 0) {
		dial_vsock(VMADDR_CID_LOCAL, svm.svm_port);
		ck_assert_msg(got_fd >= 0, "%s", got_error.text);
		ck_assert_int_eq(net_peer_identity(got_fd, id), 0);
		(void)snprintf(want, sizeof want, "vsock:1:%u",
		    svm.svm_port);
		ck_assert_str_eq(id, want);
	} else {
		dial_vsock(VMADDR_CID_LOCAL, 10809);
		ck_assert_int_eq(got_fd, -1);
		ck_assert_ptr_eq(strstr(got_error.text,
		    "cannot connect to vsock 1:10809: "), got_error.text);
		if (fd < 0)
			ck_assert_ptr_nonnull(strstr(got_error.text,
			    "the kernel has no vsock"));
	}
	if (fd >= 0)
		(void)close(fd);
}
END_TEST

START_TEST(what_is_missing_for_vsock_is_told)
{
	ck_assert_str_eq(dial_vsock_reason(EAFNOSUPPORT),
	    "the kernel has no vsock (module vsock)");
	ck_assert_str_eq(dial_vsock_reason(ENODEV),
	    "the kernel has no vsock device that leads there");
	ck_assert_ptr_null(dial_vsock_reason(ECONNREFUSED));
}
END_TEST

/* As if a name had been resolved to n addresses: 127.0.0.1, .2, ... */
static struct net_dial *
dial_resolved(size_t n, uint16_t port)
{
	struct net_dial *d = dial_new(loop, on_dialed, NULL);

	d->addresses = calloc(n, sizeof *d->addresses);
	d->n_addresses = n;
	d->was_name = true;
	(void)strcpy(d->target, "host:1");
	for (size_t i = 0; i < n; i++) {
		struct sockaddr_in *in = (void *)&d->addresses[i].addr;

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
		in->sin_port = htons(port);
		d->addresses[i].len = sizeof *in;
	}
	return d;
}

static void
expect_failure(struct net_dial *d, int code, const char *text)
{
	ck_assert_int_eq(dial_start_race(d), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(got_fd, -1);
	ck_assert_int_eq(got_error.code, code);
	ck_assert_str_eq(got_error.text, text);
}

START_TEST(addresses_that_fail_alike_are_told_together)
{
	uint16_t port;

	(void)close(listen_tcp(&port));
	expect_failure(dial_resolved(2, port), -ECONNREFUSED,
	    "cannot connect to host:1 (127.0.0.1, 127.0.0.2): "
	    "Connection refused");
	expect_failure(dial_resolved(4, port), -ECONNREFUSED,
	    "cannot connect to host:1 (127.0.0.1, 127.0.0.2, 127.0.0.3, "
	    "127.0.0.4): Connection refused");
}
END_TEST

START_TEST(many_addresses_are_counted)
{
	uint16_t port;

	(void)close(listen_tcp(&port));
	expect_failure(dial_resolved(40, port), -ECONNREFUSED,
	    "cannot connect to host:1 (127.0.0.1, 127.0.0.2, 127.0.0.3 "
	    "and 37 more): Connection refused");
}
END_TEST

/* There is no TCP to a broadcast address. */
START_TEST(each_address_has_its_reason_where_they_differ)
{
	struct net_dial *d;
	uint16_t port;

	(void)close(listen_tcp(&port));
	d = dial_resolved(2, port);
	((struct sockaddr_in *)(void *)&d->addresses[1].addr)
	    ->sin_addr.s_addr = htonl(INADDR_BROADCAST);
	expect_failure(d, -ENETUNREACH, "cannot connect to host:1: "
	    "127.0.0.1: Connection refused; "
	    "255.255.255.255: Network is unreachable");
}
END_TEST

START_TEST(a_host_that_does_not_exist_is_told)
{
	dial_tcp("no-such-host.invalid", 10809);
	ck_assert_int_eq(got_fd, -1);
	ck_assert_int_lt(got_error.code, 0);
	ck_assert_ptr_eq(strstr(got_error.text,
	    "cannot resolve host 'no-such-host.invalid': "), got_error.text);
}
END_TEST

/* The thread may end before, during or after the cancel. */
START_TEST(a_lookup_can_be_cancelled_at_any_time)
{
	struct net_dial *d;
	struct error e;
	int i;

	ck_assert_int_eq(net_dial_tcp(loop, "localhost", 1, on_dialed, NULL,
	    &d, &e), 0);
	for (i = 0; i < 300 * _i; i++)
		(void)sched_yield();
	net_dial_cancel(d);
	ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(equal_unix_servers_have_equal_identities)
{
	char a[NET_PEER_SIZE];
	char b[NET_PEER_SIZE];
	char old_path[80];
	int listener = listen_unix(4);
	int first;

	dial_unix();
	first = got_fd;
	n_calls = 0;
	dial_unix();
	ck_assert_int_eq(net_peer_identity(first, a), 0);
	ck_assert_int_eq(net_peer_identity(got_fd, b), 0);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(strncmp(a, "unix:", 5), 0);
	/* The path again, but another socket. */
	(void)close(listener);
	(void)close(got_fd);
	(void)snprintf(old_path, sizeof old_path, "%s/old", dir);
	ck_assert_int_eq(rename(path, old_path), 0);
	listener = listen_unix(4);
	(void)unlink(old_path);
	n_calls = 0;
	dial_unix();
	ck_assert_int_eq(net_peer_identity(got_fd, b), 0);
	ck_assert_str_ne(a, b);
	(void)close(first);
	(void)close(listener);
}
END_TEST

START_TEST(a_unix_server_whose_path_is_gone_cannot_be_told)
{
	char a[NET_PEER_SIZE];
	int listener = listen_unix(4);

	dial_unix();
	(void)unlink(path);
	ck_assert_int_eq(net_peer_identity(got_fd, a), -ENOENT);
	(void)close(listener);
}
END_TEST

START_TEST(socket_pairs_are_all_different)
{
	char a[NET_PEER_SIZE];
	char b[NET_PEER_SIZE];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(net_peer_identity(fds[0], a), 0);
	ck_assert_int_eq(net_peer_identity(fds[1], b), 0);
	ck_assert_int_eq(strncmp(a, "unix:anon:", 10), 0);
	ck_assert_str_ne(a, b);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

START_TEST(tcp_peers_are_told_by_address_and_port)
{
	char id[NET_PEER_SIZE];
	char want[NET_PEER_SIZE];
	uint16_t port;
	int listener = listen_tcp(&port);

	dial_tcp("127.0.0.1", port);
	ck_assert_int_eq(net_peer_identity(got_fd, id), 0);
	(void)snprintf(want, sizeof want, "tcp:127.0.0.1:%u", (unsigned)port);
	ck_assert_str_eq(id, want);
	(void)close(got_fd);
	/* The same server by an IPv6 socket, where there is IPv6. */
	n_calls = 0;
	dial_tcp("::ffff:127.0.0.1", port);
	if (got_fd >= 0) {
		ck_assert_int_eq(net_peer_identity(got_fd, id), 0);
		ck_assert_str_eq(id, want);
	}
	(void)close(listener);
}
END_TEST

static void
add_dial_tests(TCase *tc)
{
	tcase_add_test(tc, a_unix_socket_is_connected_without_blocking);
	tcase_add_test(tc, a_missing_unix_socket_is_told_by_name);
	tcase_add_test(tc, a_unix_socket_nobody_listens_on_is_refused);
	tcase_add_test(tc, a_path_too_long_is_refused_with_a_sentence);
	tcase_add_test(tc, the_longest_path_works);
	tcase_add_test(tc, control_characters_in_a_path_are_escaped);
	tcase_add_test(tc, a_full_backlog_is_waited_for);
	tcase_add_test(tc, a_cancelled_dial_never_calls_back);
	tcase_add_test(tc, cancelling_before_the_first_turn_is_fine);
	tcase_add_test(tc, tcp_by_number_has_nodelay_and_keepalive);
	tcase_add_test(tc, tcp_by_name_goes_through_the_resolver);
	tcase_add_test(tc, a_refused_tcp_connection_names_host_and_port);
	tcase_add_test(tc, a_refused_name_also_tells_the_address);
	tcase_add_test(tc, addresses_that_fail_alike_are_told_together);
	tcase_add_test(tc, many_addresses_are_counted);
	tcase_add_test(tc, each_address_has_its_reason_where_they_differ);
	tcase_add_test(tc, a_host_that_does_not_exist_is_told);
	tcase_add_loop_test(tc, a_lookup_can_be_cancelled_at_any_time, 0, 8);
}

static void
add_other_transports(TCase *tc)
{
	tcase_add_loop_test(tc, an_abstract_unix_socket_is_connected, 0, 3);
	tcase_add_test(tc, a_missing_abstract_socket_is_told_by_name);
	tcase_add_test(tc, an_abstract_name_has_1_to_107_bytes);
	tcase_add_test(tc, the_longest_names_are_told_apart);
	tcase_add_test(tc, a_vsock_address_has_machine_and_port);
	tcase_add_test(tc,
	    vsock_is_connected_or_the_failure_says_what_was_dialled);
	tcase_add_test(tc, what_is_missing_for_vsock_is_told);
}

int
main(void)
{
	Suite *s = suite_create("net/dial");
	TCase *tc = tcase_create("dial");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	add_dial_tests(tc);
	add_other_transports(tc);
	tcase_add_test(tc, equal_unix_servers_have_equal_identities);
	tcase_add_test(tc, a_unix_server_whose_path_is_gone_cannot_be_told);
	tcase_add_test(tc, socket_pairs_are_all_different);
	tcase_add_test(tc, tcp_peers_are_told_by_address_and_port);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
