/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole sessions, of each form of option and reply there is, cut at each byte
 * of either direction by a proxy in between, with TLS at bytes of each kind:
 * no call hangs, none succeeds wrongly, and what is done is told once.  The
 * server is nbdkit, and for extended headers one of ours.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/bytes.h"
#include "client/nbdclient-event.h"
#include "client/nbdclient.h"
#include "net/child.h"
#include "unit.h"

enum {
	FROM_CLIENT,
	FROM_SERVER,
	N_SIDES,
	LENGTH = 16,
	MAX_SECTOR = 512,
	DISK_SIZE = 65536,
	MAX_STREAM = 65536,	/* of one side of a session */
	MAX_CUTS = 4096,
	N_OPS = 5,
	MAX_DEATHS = 5,
	GRACE_MS = 10000,
	TIMEOUT_MS = 60000,
	MAX_S = 25,		/* for one session */
	ALL_MAX_S = 300,
	/* In plain text, before TLS begins. */
	PLAIN_FROM_CLIENT = 4 + 16,
	PLAIN_FROM_SERVER = 18 + 20,
	RECORD_HEADER = 5,
};

static struct net_loop *loop;
static struct net_child *child;
static struct nbdclient_error err;
static char key_file[] = "/tmp/nbdsync-key-XXXXXX";

/*
 * The proxy: where it cuts, and what it has let through.
 */
static int cut_side;
static size_t cut_at;
static bool cut_resets;
static uint8_t passed[N_SIDES][MAX_STREAM];
static _Atomic size_t n_passed[N_SIDES];
static bool server_is_gone;
static size_t n_needed[N_SIDES];	/* when all had succeeded */

static void
reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static size_t
room_of(int side)
{
	return (side == cut_side ? cut_at : MAX_STREAM) - n_passed[side];
}

/* Pass on what came from this side.  False: that was all. */
static bool
forward(const int fds[N_SIDES], int side)
{
	uint8_t *p = passed[side] + n_passed[side];
	ssize_t n;

	n = recv(fds[side], p, room_of(side), 0);
	if (n > 0)
		n_passed[side] += (size_t)n;
	if (n > 0 && send(fds[!side], p, (size_t)n, MSG_NOSIGNAL) == n)
		return true;
	(void)shutdown(fds[!side], SHUT_WR);
	return false;
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

/* One connection, and no second one for those who try again. */
static void *
run_proxy(void *arg)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int listener = *(int *)arg;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = accept(listener, NULL, NULL);
	int fds[N_SIDES] = { client, server };
	const int one = 1;

	(void)close(listener);
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s",
	    net_child_socket(child));
	server_is_gone = connect(server, (struct sockaddr *)&sun, sizeof sun) <
	    0;
	if (!server_is_gone)
		proxy(fds);
	if (cut_resets)
		reset(client);
	(void)close(client);
	(void)close(server);
	return NULL;
}

/* *ret_listener is the proxy's; returns its port. */
static unsigned
listen_on_tcp(int *ret_listener)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *addr = (struct sockaddr *)&sin;
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, addr, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, addr, &len), 0);
	*ret_listener = fd;
	return ntohs(sin.sin_port);
}

/*
 * What is done in a session, one function a kind.  True: all of it succeeded.
 */

static const struct nbdclient_options options = {
	.connect_timeout_ms = TIMEOUT_MS,
	.io_timeout_ms = TIMEOUT_MS,
};

/* From here on nothing is missed that is cut off. */
static bool
succeeded(void)
{
	n_needed[FROM_CLIENT] = n_passed[FROM_CLIENT];
	n_needed[FROM_SERVER] = n_passed[FROM_SERVER];
	return true;
}

static bool
use_disk(const char *uri, bool (*use)(struct nbdclient_disk *disk))
{
	struct nbdclient_channel *channel;
	struct nbdclient_disk *disk = NULL;
	bool is_whole = false;

	ck_assert_int_eq(nbdclient_connect(uri, &options, &channel, &err), 0);
	if (nbdclient_negotiate(channel, NULL, &disk, &err) == 0)
		is_whole = use(disk) && succeeded();
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return is_whole;
}

static bool
write_and_read_back(struct nbdclient_disk *disk)
{
	static uint8_t n_sessions;
	uint8_t out[MAX_SECTOR];
	uint8_t in[MAX_SECTOR];
	struct iovec iov = { out, LENGTH };
	struct nbdclient_info info;

	nbdclient_get_info(disk, &info);
	if (info.sector_size > LENGTH)
		iov.iov_len = MAX_SECTOR;
	memset(out, ++n_sessions, sizeof out);
	memset(in, ~n_sessions, sizeof in);
	if (nbdclient_write(disk, 1, &iov, 1, &err) < 0 ||
	    nbdclient_flush(disk, &err) < 0)
		return false;
	iov.iov_base = in;
	if (nbdclient_read(disk, 1, &iov, 1, &err) < 0)
		return false;
	ck_assert_mem_eq(in, out, iov.iov_len);
	return true;
}

static bool
copy_session(const char *uri)
{
	return use_disk(uri, write_and_read_back);
}

static void
add_extent(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags)
{
	uint64_t *total = arg;

	(void)flags;
	ck_assert_str_eq(context, "base:allocation");
	ck_assert_uint_eq(offset, *total);
	*total += length;
}

static bool
map(struct nbdclient_disk *disk)
{
	uint64_t total = 0;
	struct nbdclient_info info;

	nbdclient_get_info(disk, &info);
	if (nbdclient_block_status(disk, 0, info.n_sectors, NULL, add_extent,
	    &total, &err) < 0)
		return false;
	ck_assert_uint_eq(total, DISK_SIZE);
	return true;
}

static bool
map_session(const char *uri)
{
	return use_disk(uri, map);
}

/* What has neither data nor extents. */
static bool
zero_trim_and_cache(struct nbdclient_disk *disk)
{
	return nbdclient_write_zeroes(disk, 0, LENGTH, NBDCLIENT_FUA, &err) ==
	    0 && nbdclient_trim(disk, LENGTH, LENGTH, 0, &err) == 0 &&
	    nbdclient_cache(disk, 0, LENGTH, &err) == 0;
}

static bool
clear_session(const char *uri)
{
	return use_disk(uri, zero_trim_and_cache);
}

static bool
zero(struct nbdclient_disk *disk)
{
	return nbdclient_write_zeroes(disk, 0, 1, 0, &err) == 0;
}

static bool
zero_session(const char *uri)
{
	return use_disk(uri, zero);
}

/* One of the calls that list; there is one row. */
static bool
list_by(const char *uri, int (*list)(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n))
{
	struct nbdclient_channel *channel;
	struct nbdclient_listing *listing = NULL;
	bool is_whole;
	size_t n = 0;

	ck_assert_int_eq(nbdclient_connect(uri, &options, &channel, &err), 0);
	is_whole = list(channel, &listing, &n) == 0 && succeeded();
	ck_assert_uint_eq(n, is_whole ? 1 : 0);
	nbdclient_listing_free(listing, n);
	nbdclient_channel_free(channel);
	return is_whole;
}

static int
list_exports(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n)
{
	return nbdclient_list(channel, ret_listing, ret_n, &err);
}

static int
list_contexts(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n)
{
	return nbdclient_list_contexts(channel, NULL, NULL, 0, ret_listing,
	    ret_n, &err);
}

static bool
list_session(const char *uri)
{
	return list_by(uri, list_exports);
}

static bool
contexts_session(const char *uri)
{
	return list_by(uri, list_contexts);
}

/*
 * The same with callbacks: several requests at once.
 */
static struct nbdclient_event_disk *event_disk;
static int n_started;
static int n_done;		/* of these */
static int n_good;
static int n_ready;
static int n_failed;
static int n_closed;
static int done_count[N_OPS];
static uint8_t event_buffers[N_OPS][LENGTH];

static void
event_on_closed(void *arg)
{
	(void)arg;
	n_closed++;
}

static void
event_close(void)
{
	if (event_disk != NULL)
		nbdclient_event_close(event_disk, event_on_closed, NULL);
	event_disk = NULL;
}

static void
event_on_done(void *arg, const struct nbdclient_error *e)
{
	int *count = arg;

	ck_assert_int_eq(n_closed, 0);
	ck_assert_int_eq(++*count, 1);
	if (e == NULL)
		n_good++;
	else
		err = *e;
	if (++n_done < n_started)
		return;
	if (n_good == N_OPS)
		(void)succeeded();
	event_close();
}

static void
event_on_extent(void *arg, const char *context, uint64_t offset,
    uint64_t length, uint64_t flags)
{
	(void)context;
	(void)offset;
	(void)length;
	(void)flags;
	ck_assert_int_eq(*(int *)arg, 0);
	ck_assert_int_eq(n_closed, 0);
}

static void
event_on_ready(void *arg)
{
	int code = 0;
	int *count = done_count;

	(void)arg;
	n_ready++;
	for (; n_started < N_OPS - 2; n_started++, count++) {
		struct iovec iov = { event_buffers[n_started], LENGTH };

		code |= nbdclient_event_read(event_disk,
		    (uint64_t)n_started * LENGTH, &iov, 1, 0, event_on_done,
		    count, &err);
	}
	code |= nbdclient_event_block_status(event_disk, 0, DISK_SIZE, NULL,
	    event_on_extent, event_on_done, count++, &err);
	code |= nbdclient_event_flush(event_disk, event_on_done, count, &err);
	n_started += 2;
	ck_assert_int_eq(code, 0);
}

/* What was under way has been told before. */
static void
event_on_failed(void *arg, const struct nbdclient_error *e)
{
	(void)arg;
	n_failed++;
	ck_assert_int_eq(n_done, n_started);
	ck_assert_int_eq(n_closed, 0);
	err = *e;
	event_close();
}

static bool
event_session(const char *uri)
{
	static const struct nbdclient_event_callbacks callbacks = {
		.on_ready = event_on_ready,
		.on_failed = event_on_failed,
	};
	struct event_base *base = event_base_new();

	n_started = n_done = n_good = n_ready = n_failed = n_closed = 0;
	memset(done_count, 0, sizeof done_count);
	ck_assert_int_eq(nbdclient_event_open(base, uri, &options, &callbacks,
	    NULL, &event_disk, &err), 0);
	/* Until nothing is left on it. */
	ck_assert_int_ge(event_base_dispatch(base), 0);
	event_base_free(base);
	ck_assert_int_eq(n_closed, 1);
	ck_assert_int_le(n_ready + n_failed, 2);
	ck_assert_int_eq(n_done, n_started);
	return n_good == N_OPS;
}

static const struct kind {
	bool (*session)(const char *uri);
	const char *option;		/* of nbdkit; NULL: our server */
	bool tls;
	size_t n_goodbye[N_SIDES];	/* bytes said when all had succeeded,
					   and counted all the same */
} kinds[] = {
	{ copy_session, "--tls=off", false, { 0, 0 } },
	{ list_session, "--tls=off", false, { 16, 20 } },
	{ contexts_session, "--tls=off", false, { 16, 20 } },
	{ map_session, "--tls=off", false, { 0, 0 } },
	{ clear_session, "--tls=off", false, { 0, 0 } },
	{ event_session, "--tls=off", false, { 0, 0 } },
	{ copy_session, "--no-sr", false, { 0, 0 } },
	/* There is NBD_OPT_EXPORT_NAME, and no other option. */
	{ copy_session, "--mask-handshake=0", false, { 0, 0 } },
	{ copy_session, "--tls=require", true, { 0, 0 } },
	/* In a record of their own, and the end of TLS. */
	{ list_session, "--tls=require", true,
	    { 16 + 22 + 24, 20 + 22 + 24 } },
	{ event_session, "--tls=require", true, { 0, 0 } },
	/* Extended headers. */
	{ copy_session, NULL, false, { 0, 0 } },
	{ map_session, NULL, false, { 0, 0 } },
	{ zero_session, NULL, false, { 0, 0 } },
};

#define N_KINDS ((int)(sizeof kinds / sizeof kinds[0]))
#define N_WAYS (2 * N_SIDES)	/* half closed, or reset */

/* One session, cut so.  True: all of it succeeded. */
static bool
session(const struct kind *kind, int side, size_t at, bool resets)
{
	time_t start = time(NULL);
	pthread_t thread;
	bool is_whole;
	char uri[256];
	int listener;

	cut_side = side;
	cut_at = at;
	cut_resets = resets;
	n_passed[FROM_CLIENT] = n_passed[FROM_SERVER] = 0;
	memset(&err, 0, sizeof err);
	(void)snprintf(uri, sizeof uri, kind->tls ?
	    "nbds://alice@127.0.0.1:%u/?tls-psk-file=%s" :
	    "nbd://127.0.0.1:%u/", listen_on_tcp(&listener), key_file);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_proxy, &listener),
	    0);
	is_whole = kind->session(uri);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(is_whole || err.text[0] != '\0', "no reason at %zu", at);
	ck_assert_int_ne(err.code, NBDCLIENT_TIMED_OUT);
	ck_assert_int_le(time(NULL) - start, MAX_S);
	return is_whole;
}

/*
 * Where to cut: everywhere, but with TLS, which takes longer, only where one
 * record differs from the next, before, within and behind its header, and in
 * its midst.  Returns the number of places.
 */
static size_t
choose_cuts(bool tls, int side, size_t cuts[MAX_CUTS])
{
	const uint8_t *p = passed[side];
	size_t plain = side == FROM_CLIENT ? PLAIN_FROM_CLIENT :
					     PLAIN_FROM_SERVER;
	size_t n = 0;
	size_t len;

	for (size_t at = 0; at < (tls ? plain : n_needed[side]); at++)
		cuts[n++] = at;
	for (size_t at = plain; tls && at + RECORD_HEADER < n_needed[side];
	     at += len) {
		len = (size_t)RECORD_HEADER + get_be16(p + at + 3);
		cuts[n++] = at;
		cuts[n++] = at + 1;
		cuts[n++] = at + RECORD_HEADER;
		cuts[n++] = at + len / 2;
		cuts[n++] = at + len - 1;
	}
	return n;
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
write_key(void)
{
	static const char line[] = "alice:0102030405060708\n";
	int fd = mkstemp(key_file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, line, sizeof line - 1), sizeof line - 1);
	(void)close(fd);
}

static void
start_child(const char *const argv[])
{
	struct error e;

	ck_assert_msg(net_child_start(loop, argv, NULL, on_child_exit, NULL,
	    &child, &e) == 0, "%s", e.text);
}

static void
start_nbdkit(const char *option)
{
	char psk[64];
	const char *argv[] = { "nbdkit", "--filter=blocksize-policy", option,
		psk, "memory", "64K", "blocksize-minimum=1",
		"blocksize-preferred=4K", "blocksize-maximum=64K", NULL };

	(void)snprintf(psk, sizeof psk, "--tls-psk=%s", key_file);
	start_child(argv);
}

/* It is built beside us, and tells of all that it does. */
static void
start_ext_server(void)
{
	const char *dir = getenv("builddir");
	char command[512];
	const char *argv[] = { "sh", "-c", command, NULL };

	(void)snprintf(command, sizeof command,
	    "exec '%s/tests/lib/ext-server' - %d >/dev/null",
	    dir != NULL ? dir : ".", DISK_SIZE);
	start_child(argv);
}

static void
start_server(const struct kind *kind)
{
	if (kind->option != NULL)
		start_nbdkit(kind->option);
	else
		start_ext_server();
	/* It listens once a session with it has succeeded. */
	while (!session(kind, FROM_CLIENT, MAX_STREAM, false))
		(void)usleep(10000);
}

static void
stop_server(void)
{
	net_child_stop(child, GRACE_MS, on_stopped, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
}

/* nbdkit 1.32 may die of a client that vanishes; then it tells nothing. */
static bool
session_with_server(const struct kind *kind, int side, size_t at, bool resets)
{
	bool is_whole = session(kind, side, at, resets);

	for (int i = 0; i < MAX_DEATHS && server_is_gone; i++) {
		stop_server();
		start_server(kind);
		is_whole = session(kind, side, at, resets);
	}
	ck_assert(!server_is_gone);
	return is_whole;
}

static void
cut_everywhere(const struct kind *kind, int side, bool resets)
{
	static size_t cuts[MAX_CUTS];
	size_t needed;
	size_t n;

	ck_assert_msg(session(kind, side, MAX_STREAM, false), "%s", err.text);
	needed = n_needed[side] - kind->n_goodbye[side];
	n = choose_cuts(kind->tls, side, cuts);
	ck_assert_uint_gt(n, 20);
	for (size_t i = 0; i < n; i++) {
		if (cuts[i] < needed)
			ck_assert_msg(!session_with_server(kind, side,
			    cuts[i], resets), "success after %zu of %zu bytes",
			    cuts[i], needed);
	}
}

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	write_key();
}

static void
tear_down(void)
{
	stop_server();
	net_loop_free(loop);
	(void)unlink(key_file);
}

START_TEST(a_session_cut_after_any_byte_fails_in_time)
{
	const struct kind *kind = &kinds[_i / N_WAYS];

	start_server(kind);
	cut_everywhere(kind, _i % N_SIDES, _i % N_WAYS >= N_SIDES);
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
	    0, N_KINDS * N_WAYS);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
